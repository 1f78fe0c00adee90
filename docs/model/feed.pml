/*
 * The protocol of internal/feed: how a change becomes true on every replica. README.md says how to read this model and
 * what it leaves out; docs/revocation.md says the same in words.
 *
 * Time is counted in ticks. All clocks run at the same rate and only lengths matter, so each length is kept as what is
 * left of it, or as how much of it has passed, and the process clock moves all of them at once. Between two steps of a
 * process any number of ticks may pass: that is a pause, a slow network, or a database that cannot be reached.
 */
#ifndef SERVERS
#define SERVERS 1	/* replicas in full: they keep a lease, serve requests, crash, and are waited for */
#endif
#ifndef WRITERS
#define WRITERS 1	/* replicas of which only the writing is modelled: they commit changes, wait, and acknowledge */
#endif
#define REPLICAS (SERVERS + WRITERS)
#ifndef CHANGES
#define CHANGES 2
#endif
#ifndef LEASE
#define LEASE 2		/* ticks */
#endif

/* The replicas that commit changes: the writers, or, without any, the servers themselves. */
#if WRITERS > 0
#define FIRST SERVERS
#else
#define FIRST 0
#endif

#define NOTHING 255	/* an empty cache */

/* The database. A change is known by its sequence number, 1 and up; bit(i) stands for change i in a set. */
byte head = 0;			/* the newest change that is committed */
bool cut[CHANGES + 1];		/* change i is a cut-off; else it changes a fact that replicas cache */
byte acked = 0;			/* the changes whose callers have been told "done" */
byte since[CHANGES + 1];	/* ticks since the commit, on the clock of the replica that waits */
bool listed[SERVERS];		/* the replica has a row in the register */
byte told[SERVERS];		/* the column applied of that row */

/* Each replica. */
bool serving[SERVERS];		/* it has started, and answers requests */
byte lease[SERVERS];		/* ticks for which it may still decide from memory */
byte noted[SERVERS];		/* what would be left of a lease that counts from when the clock was noted */
byte applied[REPLICAS];		/* the log is applied up to here */
byte known[SERVERS];		/* the cut-offs in memory */
byte cache[SERVERS];		/* the cached fact, as the head of the log when it was read */
bool raced[SERVERS];		/* a change of the fact was applied since the read that may fill the cache began */
bool reading[SERVERS];		/* the lock of whoever reads the log */
byte waiting[REPLICAS];		/* its own changes that are committed and not acknowledged */
#define NOWHERE SERVERS
byte at = NOWHERE;		/* where a request is being served; a crash ends it */

/* What replica w has seen of the row of replica r, at PAIR(w, r). */
#define PAIR(w, r) ((w) * SERVERS + (r))
byte silent[REPLICAS * SERVERS];	/* ticks since that beat was seen first */
bool beaten[REPLICAS * SERVERS];	/* there is another beat, or another row, than the one seen last */

/* Two tokens of one identity: the first was issued before everything, the second is renewed or made by a login. */
byte born[2];		/* the claim of the token */
byte checked[2];	/* the head of the log when the credentials behind it were checked */
bool issued = false;

#define bit(i) (1 << (i))

/* Every beat and every new row makes what others have seen of the row out of date. */
inline touch(r) {
	for (i : FIRST .. REPLICAS - 1) { if :: i != r -> beaten[PAIR(i, r)] = true; silent[PAIR(i, r)] = 0 :: else fi }
	i = 0
}

/* apply takes in the changes up to seq, in order (readOn in sql.go). */
inline apply(r, seq) {
	i = applied[r] + 1;
#ifdef BUG_APPLY_OUT_OF_ORDER
	if :: i < seq -> i = seq :: else fi;
#endif
	do
	:: i <= seq ->
		if
		:: cut[i] -> known[r] = known[r] | bit(i)
		:: else -> cache[r] = NOTHING; raced[r] = true
		fi;
		i++
	:: else -> break
	od;
	i = 0;
	applied[r] = seq
}

/* reload takes in all cut-offs up to seq, and forgets what is cached: changes of facts may have been pruned. */
inline reload(r, seq) {
#ifndef BUG_RESET_BEFORE_HEAD
#ifndef BUG_IGNORE_GAP
	cache[r] = NOTHING; raced[r] = true;
#endif
#endif
	i = 1;
	do
	:: i <= seq -> if :: cut[i] -> known[r] = known[r] | bit(i) :: else fi; i++
	:: else -> break
	od;
	i = 0;
	applied[r] = seq
}

/* catch_up reads the log to its end and applies it, or all anew where a part of what is missing has been pruned, which
 * may be whenever something is missing. Nothing is applied between the two steps, since whoever reads holds the lock.
 * The process must declare i and end. */
inline catch_up(r) {
	atomic { !reading[r] -> reading[r] = true; end = head }
	if
	:: atomic { apply(r, end); reading[r] = false; end = 0 }
	:: applied[r] < end ->
#ifdef BUG_RESET_BEFORE_HEAD
		atomic { cache[r] = NOTHING; raced[r] = true }
#endif
		atomic { end = head }
		atomic { reload(r, end); reading[r] = false; end = 0 }
	fi
}

proctype clock() {
	byte i;
	do
	:: atomic {
		for (i : 0 .. SERVERS - 1) {
			if :: lease[i] > 0 -> lease[i]-- :: else fi;
			if :: noted[i] > 0 -> noted[i]-- :: else fi
		}
		for (i : 0 .. REPLICAS * SERVERS - 1) {
			if :: !beaten[i] && silent[i] < LEASE -> silent[i]++ :: else fi
		}
		for (i : 1 .. CHANGES) {
			if :: i <= head && !(acked & bit(i)) && since[i] < LEASE -> since[i]++ :: else fi
		}
		i = 0
	}
	od
}

/* keeper keeps the lease of replica r and follows the log (lease.go). */
proctype keeper(byte r) {
	byte i, end;
	goto start_over;
idle:
	if
	:: goto renew
	:: applied[r] < head -> catch_up(r); goto tell	/* woken by a hint */
	:: atomic {	/* crash: memory is gone, the row stays; what was waited for is never acknowledged by r */
		!reading[r] ->
		serving[r] = false; lease[r] = 0; applied[r] = 0; known[r] = 0; cache[r] = NOTHING; raced[r] = false;
		waiting[r] = 0;
		if :: at == r -> at = NOWHERE :: else fi
	   } goto start_over
	fi;
renew:
	noted[r] = LEASE;
	if
	:: atomic { listed[r] -> touch(r) }	/* beat = beat + 1, committed */
	:: atomic { !listed[r] -> noted[r] = 0 } goto start_over
	:: atomic { noted[r] = 0 } goto idle	/* the database does not answer */
	fi;
	if
	:: catch_up(r)
	:: atomic { noted[r] = 0 } goto idle
	fi;
	atomic {
#ifdef BUG_LEASE_FROM_END
		noted[r] = LEASE;
#endif
		lease[r] = noted[r]; noted[r] = 0
	}
tell:
	if
	:: atomic { if :: listed[r] && told[r] < applied[r] -> told[r] = applied[r] :: else fi }
	:: skip
	fi;
	goto idle;

start_over:
	/* A new process, or one that was struck off: register, then read, then serve. A row of its former life may still be
	 * there; it is nobody's any more, so the new row can take its place in this model. */
	atomic { lease[r] = 0; noted[r] = LEASE }
#ifdef BUG_REGISTER_AFTER_READING
	atomic { !reading[r] -> reading[r] = true; end = head }
	atomic { reload(r, end); reading[r] = false; end = 0 }
	atomic { listed[r] = true; told[r] = 0; touch(r) }
#else
	atomic { listed[r] = true; told[r] = 0; touch(r) }
	atomic { !reading[r] -> reading[r] = true;
#ifdef BUG_RESET_BEFORE_HEAD
		cache[r] = NOTHING; raced[r] = true
#endif
	}
	atomic { end = head }
	atomic { reload(r, end); reading[r] = false; end = 0 }
#endif
	atomic { lease[r] = noted[r]; noted[r] = 0; serving[r] = true }
	goto idle
}

/* changer commits changes of either sort, at any time. */
proctype changer() {
	byte r;
	do
	:: atomic { head < CHANGES ->
		select (r : FIRST .. REPLICAS - 1);
		if
		:: r >= SERVERS || serving[r] ->
			head++;
#ifdef ONLY_CUTS
			cut[head] = true;
#elif defined(ONLY_FACTS)
			cut[head] = false;
#elif defined(CUT_THEN_FACT)
			cut[head] = (head == 1);
#else
			if :: cut[head] = true :: cut[head] = false fi;
#endif
			since[head] = 0;
#ifdef BUG_ACK_BEFORE_WAIT
			acked = acked | bit(head)
#else
			waiting[r] = waiting[r] | bit(head)
#endif
		:: else
		fi;
		r = 0
	   }
#if WRITERS > 0
	:: atomic {	/* a writer applies what it finds in the log; of servers the keeper sees to it */
		select (r : FIRST .. REPLICAS - 1);
		applied[r] = head; r = 0
	   }
#endif
	od
}

/* strike takes the row of replica r off the register; w saw it go. */
inline strike(w, r) {
	listed[r] = false; told[r] = 0;
	for (j : FIRST .. REPLICAS - 1) { if :: j != r -> beaten[PAIR(j, r)] = true; silent[PAIR(j, r)] = 0 :: else fi }
	j = 0
}

/* watch acknowledges the changes of replica r (settle.go, silent.go). */
proctype watch(byte r) {
	byte i, j, own, reach, off, low, newest, done;
	do
	:: atomic {	/* read the register, and note which beats are new */
		waiting[r] != 0 ->
		own = applied[r];
		newest = 0;
		for (i : 1 .. CHANGES) { if :: waiting[r] & bit(i) -> newest = i :: else fi }
		reach = CHANGES; off = 0; low = CHANGES;
		for (i : 0 .. SERVERS - 1) {
			if
			:: i != r && listed[i] ->
				if :: beaten[PAIR(r, i)] -> beaten[PAIR(r, i)] = false; silent[PAIR(r, i)] = 0 :: else fi;
				if
#ifdef BUG_STRIKE_TOO_SOON
				:: told[i] < newest -> off = off | bit(i); if :: told[i] < low -> low = told[i] :: else fi
#else
				:: told[i] < newest && silent[PAIR(r, i)] >= LEASE -> off = off | bit(i); if :: told[i] < low -> low = told[i] :: else fi
#endif
				:: else -> if :: told[i] < reach -> reach = told[i] :: else fi
				fi
			:: else
			fi
		}
		i = 0; newest = 0;
		done = 0;	/* those that had waited long enough when the clock was read, after the register */
		for (i : 1 .. CHANGES) {
			if :: (waiting[r] & bit(i)) && since[i] >= LEASE -> done = done | bit(i) :: else fi
		}
		i = 0
	   }
	   atomic {	/* strike off who is silent; then let go */
		for (i : 0 .. SERVERS - 1) {	/* DELETE ... WHERE id = $1 AND beat = $2 */
			if
			:: !(off & bit(i))
#ifdef BUG_STRIKE_WITHOUT_COMPARE
			:: (off & bit(i)) && listed[i] -> strike(r, i)
			:: (off & bit(i)) && !listed[i] -> if :: low < reach -> reach = low :: else fi
#else
			:: (off & bit(i)) && listed[i] && !beaten[PAIR(r, i)] -> strike(r, i)
			:: (off & bit(i)) && !(listed[i] && !beaten[PAIR(r, i)]) ->	/* it beat meanwhile, or is gone: it counts */
				if :: low < reach -> reach = low :: else fi
#endif
			fi
		}
#ifdef BUG_OWN_PROGRESS_TOO_LATE
		own = applied[r];
#endif
		if :: own < reach -> reach = own :: else fi;
#ifdef BUG_ACK_WHAT_IS_KNOWN_HERE
		reach = applied[r];
#endif
		for (i : 1 .. CHANGES) {
			if
			:: (waiting[r] & bit(i)) && (i <= reach || (done & bit(i))) ->
				waiting[r] = waiting[r] & ~bit(i);
				acked = acked | bit(i); since[i] = 0
			:: else
			fi
		}
		i = 0; own = 0; reach = 0; low = 0; off = 0; done = 0
	   }
	od
}

/* dead tells whether replica r refuses a token that was born at b. */
inline dead(r, b, answer) {
	answer = false;
	for (i : 1 .. CHANGES) {
		if :: (known[r] & bit(i)) && b < i -> answer = true :: else fi
	}
	i = 0
}

/* A lease counts until it is over. */
#ifdef BUG_SERVE_WITHOUT_LEASE
#define counts(r) true
#else
#define counts(r) (lease[r] > 0)
#endif

/* CURRENT does what Feed.Current does: nothing under a lease; else it reads the log, or refuses (503). */
#define CURRENT(r, refuse) if :: counts(r) :: !counts(r) -> catch_up(r) :: !counts(r) -> goto refuse fi

/* client sends requests to any server, one after the other, and states the guarantee. Two requests at once would tell
 * nothing new: they meet only in what a server knows, and that the keeper changes at any time. */
proctype client() {
	byte i, r, end, before, b, c, fact;
	bool no;
	do
	:: atomic {	/* a request starts */
		select (r : 0 .. SERVERS - 1);
		if
		:: serving[r] -> before = acked; at = r
		:: else -> goto next
		fi
	   }
	   CURRENT(r, next);
	   if
	   :: atomic {	/* use a token: is it alive? */
		true;
		if :: b = born[0]; c = checked[0] :: issued -> b = born[1]; c = checked[1] fi;
		dead(r, b, no);
		if :: at != r || no -> goto next :: else fi
	      }
#ifndef ONLY_CUTS
	      if	/* what may it do? */
	      :: atomic { cache[r] != NOTHING -> fact = cache[r] }
	      :: atomic { cache[r] == NOTHING -> raced[r] = false }
		   atomic { fact = head }	/* read from the database */
		   atomic {
			if
			:: at != r -> goto next
#ifdef BUG_LATE_FILL
			:: else -> cache[r] = fact
#else
			:: at == r && !raced[r] -> cache[r] = fact
			:: at == r && raced[r]
#endif
			fi
		   }
	      fi;
#endif
	      atomic {	/* accepted */
		for (i : 1 .. CHANGES) {
			if
			:: !(before & bit(i))
			:: (before & bit(i)) && cut[i] -> assert(i <= c)	/* no token that an acknowledged cut-off killed */
			:: (before & bit(i)) && !cut[i] -> assert(i <= fact)	/* no fact from before an acknowledged change */
			fi
		}
	      }
#ifndef ONLY_FACTS
	   :: atomic {	/* renew: the token must live; the new one keeps its born */
		!issued;
		dead(r, born[0], no);
		if :: at != r || no -> goto next :: else fi;
		b = born[0]; c = checked[0]
	      }
#ifdef BUG_RENEW_FORGETS_BORN
	      atomic { b = applied[r] }
#endif
	      atomic { born[1] = b; checked[1] = c; issued = true }
	   :: atomic { !issued; b = applied[r] }	/* log in: note born, */
	      atomic { c = head }			/* then check the credentials */
#ifdef BUG_BORN_AFTER_CHECK
	      atomic { b = applied[r] }
#endif
	      atomic {
		if :: at != r -> goto next :: else fi;
		/* A token that is issued after an acknowledged cut-off is not killed by it. */
		for (i : 1 .. CHANGES) { assert(!(before & bit(i)) || i <= b) }
		born[1] = b; checked[1] = c; issued = true
	      }
#endif
	   fi;
next:	   atomic { at = NOWHERE; i = 0; r = 0; end = 0; before = 0; b = 0; c = 0; fact = 0; no = false }
	od
}

init {
	byte r;
	atomic {
		for (r : 0 .. SERVERS - 1) { cache[r] = NOTHING; run keeper(r) }
		for (r : FIRST .. REPLICAS - 1) { run watch(r) }
		run clock(); run changer(); run client();
		r = 0
	}
}
