package ledger

import (
	"math/rand/v2"
	"net/http"
	"sync"
)

const (
	detailsPath  = "/api/v1/identities/details"
	identityPath = "/api/v1/auth/token-auth/identities/"
	tokenPath    = "/api/v1/auth/token-auth/tokens/"
	renewPath    = "/api/v1/auth/token/renew"
	selfPath     = "/api/v1/auth/token/revoke"
)

// worker does one thing after the other until the server is gone.
type worker struct {
	*client
	ledger *Ledger
	random *rand.Rand
	own    *workload // the identity that this worker alone detaches and logs in with
	user   bool      // it works as the first user too
}

// Load runs a worker for each identity, and returns when all have ended: since the server is gone, or at the first
// contradiction that each of them meets.
func (l *Ledger) Load(s *Server, seed uint64) {
	var group sync.WaitGroup
	for n, own := range l.identities {
		group.Go(func() {
			w := &worker{newClient(s), l, rand.New(rand.NewPCG(seed, uint64(n))), own, n == 0}
			defer w.close()
			for w.step() {
			}
		})
	}
	group.Wait()
}

// step does one thing and reports whether to go on.
func (w *worker) step() bool {
	switch n := w.random.IntN(100); {
	case w.user && n < 25:
		return w.visit()
	case n < 19:
		return w.create()
	case n < 42:
		return w.use()
	case n < 51:
		return w.renew()
	case n < 62:
		return w.revoke()
	case n < 68:
		return w.revokeSelf()
	case n < 75:
		return w.write()
	case n < 81:
		return w.read()
	case n < 97:
		return w.enter()
	default:
		return w.detach()
	}
}

// ask makes a request, and then has judge compare the answer with the ledger, under its lock, if the answer tells what became
// of the request. It reports whether the server is still there.
func (w *worker) ask(method, path, token string, body any, judge func(a answer)) bool {
	a, err := w.call(method, path, token, body)
	w.ledger.do(func() {
		if err != nil {
			w.ledger.contradict("%v", err)
		} else if a.outcome() {
			judge(a)
		}
	})
	return err == nil && a.came()
}

func (w *worker) create() bool {
	l, owner := w.ledger, w.ledger.identities[w.random.IntN(len(w.ledger.identities))]
	var began int
	var attached bool
	l.do(func() { began, attached = owner.began, owner.began == owner.finished })
	answered := false
	there := w.ask(http.MethodPost, identityPath+owner.id+"/tokens", l.admin, map[string]any{"name": "crash"}, func(a answer) {
		answered = true
		calm := attached && owner.began == began // nobody has detached the identity meanwhile
		switch {
		case a.status == http.StatusOK:
			l.created(a, owner, !calm)
		case a.status == http.StatusBadRequest && !calm:
		default:
			l.contradict("a token of %s was refused: %v", owner.id, a)
		}
	})
	if !answered {
		l.do(func() { l.askedInVain++ })
	}
	return there
}

// created notes a new token. doubt says that a detachment may have killed it already.
func (l *Ledger) created(a answer, owner *workload, doubt bool) {
	var made struct {
		AccessToken string `json:"accessToken"`
		TokenData   struct {
			ID string `json:"id"`
		} `json:"tokenData"`
	}
	if err := a.read(&made); err != nil {
		l.contradict("a token was answered badly: %v", err)
		return
	}
	t := &token{id: made.TokenData.ID, owner: owner, jwts: []string{made.AccessToken}, doubt: doubt, touched: true}
	l.tokens, l.byID[t.id] = append(l.tokens, t), t
}

// use calls with a token. What had been acknowledged before it starts binds the answer; of what was not, either way is
// right.
func (w *worker) use() bool {
	l, t := w.ledger, w.ledger.pick(w.random)
	if t == nil {
		return true
	}
	var dead bool
	var jwt string
	l.do(func() {
		dead, jwt = t.dead, t.jwt(w.random)
		t.began++
	})
	return w.ask(http.MethodGet, detailsPath, jwt, nil, func(a answer) { l.used(t, dead, a) })
}

func (l *Ledger) used(t *token, dead bool, a answer) {
	limit := t.owner.limit
	switch {
	case a.status == http.StatusOK:
		t.passed++
		if dead {
			l.contradict("accepted after its revoke was acknowledged: %v", t)
		}
		if limit > 0 && t.passed > limit {
			l.contradict("accepted more often than its limit: %v", t)
		}
	case a.status != http.StatusUnauthorized:
		l.contradict("a use was answered with %v: %v", a, t)
	case a.reason == "revoked" && (t.doubt || t.dead):
	case a.reason == "used-up" && limit > 0 && t.began > limit:
	default:
		l.contradict("refused as %q without a cause: %v", a.reason, t)
	}
}

func (w *worker) renew() bool {
	l, t := w.ledger, w.ledger.pick(w.random)
	if t == nil {
		return true
	}
	var dead bool
	var jwt string
	l.do(func() { dead, jwt = t.dead, t.jwt(w.random) })
	return w.ask(http.MethodPost, renewPath, "", map[string]any{"accessToken": jwt}, func(a answer) { l.renewed(t, dead, a) })
}

func (l *Ledger) renewed(t *token, dead bool, a answer) {
	var made struct {
		AccessToken string `json:"accessToken"`
	}
	switch {
	case a.status == http.StatusOK && dead:
		l.contradict("renewed after its revoke was acknowledged: %v", t)
	case a.status == http.StatusOK:
		if err := a.read(&made); err != nil {
			l.contradict("a renewal was answered badly: %v", err)
			return
		}
		t.jwts = append(t.jwts, made.AccessToken)
	case a.status != http.StatusUnauthorized:
		l.contradict("a renewal was answered with %v: %v", a, t)
	case a.reason == "revoked" && (t.doubt || t.dead):
	case a.reason == "used-up" && t.owner.limit > 0 && t.began >= t.owner.limit:
	default:
		l.contradict("renewal refused as %q without a cause: %v", a.reason, t)
	}
}

// revoke kills a token by its id. Either answer says that it is dead.
func (w *worker) revoke() bool {
	l, t := w.ledger, w.ledger.pick(w.random)
	if t == nil {
		return true
	}
	var dead, doubt bool
	var finished int // detachments, before this begins
	l.do(func() {
		dead, doubt, finished = t.dead, t.doubt, t.owner.finished
		t.doubt = true
		t.revokes++
	})
	return w.ask(http.MethodPost, tokenPath+t.id+"/revoke", l.admin, nil, func(a answer) {
		switch {
		case a.status == http.StatusOK && !dead:
		case a.status == http.StatusNotFound && (doubt || t.revokes > 1 || t.owner.began > finished):
		default:
			l.contradict("a revoke was answered with %v, dead before %v: %v", a, dead, t)
		}
		t.dead = true
	})
}

func (w *worker) revokeSelf() bool {
	l, t := w.ledger, w.ledger.pick(w.random)
	if t == nil {
		return true
	}
	var jwt string
	l.do(func() {
		jwt = t.jwt(w.random)
		t.doubt = true
		t.revokes++
	})
	return w.ask(http.MethodPost, selfPath, "", map[string]any{"accessToken": jwt}, func(a answer) {
		if a.status != http.StatusOK {
			l.contradict("a holder's revoke was answered with %v: %v", a, t)
		}
		t.dead = true
	})
}

// detach takes Token Auth from the worker's identity, which kills all tokens of it, and attaches it again.
func (w *worker) detach() bool {
	l, own := w.ledger, w.own
	var killed []*token
	l.do(func() {
		own.began++
		for _, t := range l.tokens {
			if t.owner == own && !t.dead {
				t.doubt, t.touched = true, true
				killed = append(killed, t)
			}
		}
	})
	answered := false
	there := w.ask(http.MethodDelete, identityPath+own.id, l.admin, nil, func(a answer) {
		answered = true
		if a.status != http.StatusOK {
			l.contradict("a detachment was answered with %v", a)
			return
		}
		for _, t := range killed {
			t.dead = true
		}
	})
	if !there || !answered { // whether it is to be attached again shows at the next start
		return there
	}
	return w.attach()
}

func (w *worker) attach() bool {
	l, own := w.ledger, w.own
	body := map[string]any{"accessTokenNumUsesLimit": own.limit}
	return w.ask(http.MethodPost, identityPath+own.id, l.admin, body, func(a answer) {
		if a.status != http.StatusOK {
			l.contradict("an attachment was answered with %v", a)
			return
		}
		own.finished = own.began
	})
}
