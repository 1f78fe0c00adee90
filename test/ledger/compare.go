package ledger

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
)

// compare compares the facts with the database after a restart: nothing that was acknowledged is missing, and nothing is
// there that was never asked for. What was in doubt is settled from here on, since nothing is under way.
func (l *Ledger) compare(s *state) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, fault := range s.agree(l.adminID) {
		l.contradict("%s", fault)
	}
	cuts := map[string]int64{} // the newest cut-off of each identity, so that dead need not look for each token
	for _, c := range s.changes {
		if identity, _, _ := strings.Cut(c.key, " "); c.kind == "cut-method" {
			cuts[identity] = c.seq
		}
	}
	l.settleLogins(s)
	strangers := 0
	for id, t := range s.rows {
		if l.byID[id] == nil && t.identity != l.adminID {
			strangers++
		}
	}
	if strangers > l.askedInVain {
		l.contradict("%d tokens are there that nobody was given; %d were asked for in vain", strangers, l.askedInVain)
	}
	for _, t := range l.tokens {
		r, there := s.rows[t.id]
		if !there {
			l.contradict("lost: %v", t)
			continue
		}
		l.settle(t, r, r.revoked || r.born < cuts[r.identity])
	}
}

// settle compares one token with its row.
func (l *Ledger) settle(t *token, r row, dead bool) {
	switch {
	case t.dead && !dead:
		l.contradict("its revoke was acknowledged and is lost: %v", t)
	case dead && !t.dead && !t.doubt:
		l.contradict("dead, though nothing that kills it was asked for: %v", t)
	}
	t.dead, t.doubt = dead, dead
	if limit := t.owner.limit; limit > 0 && (r.uses < t.passed || r.uses > t.began) {
		l.contradict("the row has %d uses: %v", r.uses, t)
	}
	for _, jwt := range t.jwts {
		if exp := expiry(jwt); exp*1000 > r.expiresAt {
			l.contradict("a renewal is lost, the row expires at %d and a JWT at %d: %v", r.expiresAt, exp*1000, t)
		}
	}
}

func expiry(jwt string) int64 {
	var claims struct {
		Exp int64 `json:"exp"`
	}
	parts := strings.Split(jwt, ".")
	if payload, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
		_ = json.Unmarshal(payload, &claims) // an unreadable one has no expiry, and fails elsewhere
	}
	return claims.Exp
}

// probe uses the tokens that choose selects, to compare what the server answers with what is known. Tokens with a use
// limit are used only once dead, so that nothing is spent.
func (l *Ledger) probe(s *Server, random *rand.Rand, all bool) {
	const probers = 4
	var chosen []*token
	l.do(func() {
		for _, t := range l.tokens {
			if all || t.touched || random.IntN(20) == 0 {
				chosen = append(chosen, t)
			}
			t.touched = false
		}
	})
	var group sync.WaitGroup
	for n := range probers {
		group.Go(func() {
			c := newClient(s)
			defer c.close()
			for i := n; i < len(chosen); i += probers {
				l.probeOne(c, chosen[i], all)
			}
		})
	}
	group.Wait()
}

// probeOne uses the newest JWT of a token, or all of them.
func (l *Ledger) probeOne(c *client, t *token, all bool) {
	if t.owner.limit > 0 && !t.dead {
		return
	}
	jwts := t.jwts[len(t.jwts)-1:]
	if all {
		jwts = t.jwts
	}
	for _, jwt := range jwts {
		a, err := c.call(http.MethodGet, detailsPath, jwt, nil)
		l.do(func() {
			t.began++
			switch {
			case err != nil:
				l.contradict("%v", err)
			case !a.outcome():
			case !t.dead && a.status == http.StatusOK:
				t.passed++
			case t.dead && a.status == http.StatusUnauthorized && a.reason == "revoked":
			default:
				l.contradict("answered with %v: %v", a, t)
			}
		})
	}
}

// AllDead uses every token, the administrator's too, after something that killed them all.
func (l *Ledger) AllDead(s *Server) {
	c := newClient(s)
	defer c.close()
	jwts := []string{l.admin}
	if l.session != nil {
		jwts = append(jwts, l.session.jwt)
	}
	for _, w := range l.identities {
		for _, s := range w.logins.secrets {
			if s.jwt != "" {
				jwts = append(jwts, s.jwt)
			}
		}
	}
	for _, t := range l.tokens {
		jwts = append(jwts, t.jwts...)
	}
	for _, jwt := range jwts {
		if a, err := c.call(http.MethodGet, detailsPath, jwt, nil); err != nil || a.outcome() && a.status != http.StatusUnauthorized {
			l.contradict("a token from before is answered with %v, %v", a, err)
		}
	}
}
