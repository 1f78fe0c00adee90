package crash

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
	facts  *facts
	random *rand.Rand
	own    *workload // the identity that this worker alone detaches
}

// load runs a worker for each identity, and returns when all have ended.
func load(s *server, f *facts, seed uint64) {
	var group sync.WaitGroup
	for n, own := range f.identities {
		group.Go(func() {
			w := &worker{newClient(s), f, rand.New(rand.NewPCG(seed, uint64(n))), own}
			defer w.close()
			for !s.dying.Load() && w.step() {
			}
		})
	}
	group.Wait()
}

// step does one thing and reports whether to go on.
func (w *worker) step() bool {
	switch n := w.random.IntN(100); {
	case n < 25:
		return w.create()
	case n < 60:
		return w.use()
	case n < 75:
		return w.renew()
	case n < 90:
		return w.revoke()
	case n < 97:
		return w.revokeSelf()
	default:
		return w.detach()
	}
}

// ask makes a request, and then has judge compare the answer with the facts, under their lock. It reports whether there
// was an answer.
func (w *worker) ask(method, path, token string, body any, judge func(a answer)) bool {
	a, err := w.call(method, path, token, body)
	w.facts.do(func() {
		if err != nil {
			w.facts.contradict("%v", err)
		} else if a.outcome() {
			judge(a)
		}
	})
	return err == nil && a.outcome()
}

func (w *worker) create() bool {
	f, owner := w.facts, w.facts.identities[w.random.IntN(len(w.facts.identities))]
	var began int
	var attached bool
	f.do(func() { began, attached = owner.began, owner.began == owner.finished })
	answered := w.ask(http.MethodPost, identityPath+owner.id+"/tokens", f.admin, map[string]any{"name": "crash"}, func(a answer) {
		calm := attached && owner.began == began // nobody has detached the identity meanwhile
		switch {
		case a.status == http.StatusOK:
			f.created(a, owner, !calm)
		case a.status == http.StatusBadRequest && !calm:
		default:
			f.contradict("a token of %s was refused: %v", owner.id, a)
		}
	})
	if !answered {
		f.do(func() { f.askedInVain++ })
	}
	return answered
}

// created notes a new token. doubt says that a detachment may have killed it already.
func (f *facts) created(a answer, owner *workload, doubt bool) {
	var made struct {
		AccessToken string `json:"accessToken"`
		TokenData   struct {
			ID string `json:"id"`
		} `json:"tokenData"`
	}
	if err := a.read(&made); err != nil {
		f.contradict("a token was answered badly: %v", err)
		return
	}
	t := &token{id: made.TokenData.ID, owner: owner, jwts: []string{made.AccessToken}, doubt: doubt, touched: true}
	f.tokens, f.byID[t.id] = append(f.tokens, t), t
}

// use calls with a token. What had been acknowledged before it starts binds the answer; of what was not, either way is
// right.
func (w *worker) use() bool {
	f, t := w.facts, w.facts.pick(w.random)
	if t == nil {
		return true
	}
	var dead bool
	var jwt string
	f.do(func() {
		dead, jwt = t.dead, t.jwt(w.random)
		t.began++
	})
	return w.ask(http.MethodGet, detailsPath, jwt, nil, func(a answer) { f.used(t, dead, a) })
}

func (f *facts) used(t *token, dead bool, a answer) {
	limit := t.owner.limit
	switch {
	case a.status == http.StatusOK:
		t.passed++
		if dead {
			f.contradict("accepted after its revoke was acknowledged: %v", t)
		}
		if limit > 0 && t.passed > limit {
			f.contradict("accepted more often than its limit: %v", t)
		}
	case a.status != http.StatusUnauthorized:
		f.contradict("a use was answered with %v: %v", a, t)
	case a.reason == "revoked" && (t.doubt || t.dead):
	case a.reason == "used-up" && limit > 0 && t.began > limit:
	default:
		f.contradict("refused as %q without a cause: %v", a.reason, t)
	}
}

func (w *worker) renew() bool {
	f, t := w.facts, w.facts.pick(w.random)
	if t == nil {
		return true
	}
	var dead bool
	var jwt string
	f.do(func() { dead, jwt = t.dead, t.jwt(w.random) })
	return w.ask(http.MethodPost, renewPath, "", map[string]any{"accessToken": jwt}, func(a answer) { f.renewed(t, dead, a) })
}

func (f *facts) renewed(t *token, dead bool, a answer) {
	var made struct {
		AccessToken string `json:"accessToken"`
	}
	switch {
	case a.status == http.StatusOK && dead:
		f.contradict("renewed after its revoke was acknowledged: %v", t)
	case a.status == http.StatusOK:
		if err := a.read(&made); err != nil {
			f.contradict("a renewal was answered badly: %v", err)
			return
		}
		t.jwts = append(t.jwts, made.AccessToken)
	case a.status != http.StatusUnauthorized:
		f.contradict("a renewal was answered with %v: %v", a, t)
	case a.reason == "revoked" && (t.doubt || t.dead):
	case a.reason == "used-up" && t.owner.limit > 0 && t.began >= t.owner.limit:
	default:
		f.contradict("renewal refused as %q without a cause: %v", a.reason, t)
	}
}

// revoke kills a token by its id. Either answer says that it is dead.
func (w *worker) revoke() bool {
	f, t := w.facts, w.facts.pick(w.random)
	if t == nil {
		return true
	}
	var dead, doubt bool
	f.do(func() {
		dead, doubt = t.dead, t.doubt
		t.doubt = true
		t.revokes++
	})
	return w.ask(http.MethodPost, tokenPath+t.id+"/revoke", f.admin, nil, func(a answer) {
		switch {
		case a.status == http.StatusOK && !dead:
		case a.status == http.StatusNotFound && (doubt || t.revokes > 1 || t.owner.began > t.owner.finished):
		default:
			f.contradict("a revoke was answered with %v, dead before %v: %v", a, dead, t)
		}
		t.dead = true
	})
}

func (w *worker) revokeSelf() bool {
	f, t := w.facts, w.facts.pick(w.random)
	if t == nil {
		return true
	}
	var jwt string
	f.do(func() {
		jwt = t.jwt(w.random)
		t.doubt = true
		t.revokes++
	})
	return w.ask(http.MethodPost, selfPath, "", map[string]any{"accessToken": jwt}, func(a answer) {
		if a.status != http.StatusOK {
			f.contradict("a holder's revoke was answered with %v: %v", a, t)
		}
		t.dead = true
	})
}

// detach takes Token Auth from the worker's identity, which kills all tokens of it, and attaches it again.
func (w *worker) detach() bool {
	f, own := w.facts, w.own
	var killed []*token
	f.do(func() {
		own.began++
		for _, t := range f.tokens {
			if t.owner == own && !t.dead {
				t.doubt, t.touched = true, true
				killed = append(killed, t)
			}
		}
	})
	return w.ask(http.MethodDelete, identityPath+own.id, f.admin, nil, func(a answer) {
		if a.status != http.StatusOK {
			f.contradict("a detachment was answered with %v", a)
			return
		}
		for _, t := range killed {
			t.dead = true
		}
	}) && w.attach()
}

func (w *worker) attach() bool {
	f, own := w.facts, w.own
	body := map[string]any{"accessTokenNumUsesLimit": own.limit}
	return w.ask(http.MethodPost, identityPath+own.id, f.admin, body, func(a answer) {
		if a.status != http.StatusOK {
			f.contradict("an attachment was answered with %v", a)
			return
		}
		own.finished = own.began
	})
}
