package linearizability

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// family is one identity with its tokens, from its creation to the end of all of them. Its keeper changes things, one
// after the other; its users use the tokens, dead or alive, all the time.
type family struct {
	run     *run
	random  *rand.Rand // the keeper's
	id      string
	changes []change     // the keeper's
	set     setting      // what the keeper last made of the login method, as far as it knows
	secret  *credentials // of Universal Auth, once made

	beside sync.WaitGroup // requests that the keeper does not wait for

	members atomic.Pointer[[]*token]
	hot     atomic.Int32 // the token that something happens to; users like it most

	mu        sync.Mutex
	uses      []use // those that decided something
	undecided map[int]int
}

// tokens returns the tokens so far.
func (f *family) tokens() []*token {
	if all := f.members.Load(); all != nil {
		return *all
	}
	return nil
}

// The life of a family.
const (
	minSteps, maxSteps = 4, 12
	atFirst            = 3                      // tokens
	youngest           = 5                      // tokens that are used beside the hot one
	wake               = 60 * time.Millisecond  // for how long dead tokens are tried at the end
	betweenSteps       = 50 * time.Millisecond  // at most
	changeWithin       = 10 * time.Second       // for the answer to a change
	crowd              = 20                     // uses
	betweenUses        = 5 * time.Millisecond   // of a crowd
	useWithin          = 5 * time.Second        // for the answer to a use
	probeEvery         = 100 * time.Millisecond // of each replica, whether or not it answers
)

// live is the keeper: it makes the family, does things to it, and kills it.
func (f *family) live(ctx context.Context) {
	if !f.found(ctx) {
		return
	}
	users, end := context.WithCancel(context.WithoutCancel(ctx))
	var all sync.WaitGroup
	for replica := range replicas {
		seed := f.random.Uint64()
		all.Go(func() { f.use(users, replica, rand.New(rand.NewPCG(seed, 0))) })
		all.Go(func() { f.probe(users, replica, rand.New(rand.NewPCG(seed, 1))) })
	}
	for range minSteps + f.random.IntN(maxSteps-minSteps) {
		if ctx.Err() != nil {
			break
		}
		f.step()
		pause(ctx, time.Duration(f.random.Int64N(int64(f.run.slower(betweenSteps)))))
	}
	f.finish()
	pause(f.run.calls, f.run.slower(wake))
	f.beside.Wait()
	end()
	all.Wait()
}

// found makes the identity and its first tokens, and reports whether that worked.
func (f *family) found(ctx context.Context) bool {
	f.undecided = map[int]int{}
	_, answer := f.admin("POST", "/api/v1/identities",
		map[string]any{"name": "family", "organizationId": f.run.cluster.OrgID, "role": "member"})
	if answer == nil {
		pause(ctx, betweenSteps)
		return false
	}
	f.id = answer.Text("identity.id")
	f.attach()
	for range atFirst {
		f.create()
	}
	return len(f.tokens()) > 0
}

// Habits says how often keepers do each thing, by weight.
type Habits struct {
	Revoke, RevokeSelf, RevokeTwice, Create, Toggle, ToggleTwice, Detach int
}

// EveryHabit is what the keepers of an honest run do.
var EveryHabit = Habits{Revoke: 3, RevokeSelf: 2, RevokeTwice: 3, Create: 5, Toggle: 2, ToggleTwice: 2, Detach: 3}

// step does one thing.
func (f *family) step() {
	if f.set == none {
		f.attach()
		f.create()
		f.create()
		return
	}
	h := f.run.Habits
	choose(f.random, []choice{
		{h.Revoke, func() { f.revoke(f.pick()) }},
		{h.RevokeSelf, func() { f.revokeSelf(f.pick()) }},
		{h.RevokeTwice, func() { f.revokeTwice(f.pick()) }},
		{h.Create, f.create},
		{h.Toggle, f.toggle},
		{h.ToggleTwice, func() { f.toggle(); f.toggle() }},
		{h.Detach, f.detach},
	})
}

// choice is something to do, and how likely it is.
type choice struct {
	weight int
	do     func()
}

// choose does one of several things; nothing if no weight is above zero.
func choose(random *rand.Rand, choices []choice) {
	total := 0
	for _, c := range choices {
		total += c.weight
	}
	if total == 0 {
		return
	}
	pick := random.IntN(total)
	for _, c := range choices {
		if pick -= c.weight; pick < 0 {
			c.do()
			return
		}
	}
}

// pick chooses a token for the keeper, most likely one that lives, and makes it hot.
func (f *family) pick() *token {
	all := f.tokens()
	n := f.random.IntN(len(all))
	for range 4 {
		if !all[n].taken {
			break
		}
		n = f.random.IntN(len(all))
	}
	f.hot.Store(int32(n))
	return all[n]
}

func (f *family) create() {
	c, answer := f.mint()
	if answer == nil {
		return
	}
	jwt := answer.Text("accessToken")
	t := &token{id: read(jwt).ID, created: c}
	t.addJWT(jwt)
	next := append(append([]*token{}, f.tokens()...), t)
	f.members.Store(&next)
	f.hot.Store(int32(len(next) - 1))
}

func (f *family) revoke(t *token) {
	t.taken = true
	path := "/api/v1/auth/token-auth/tokens/" + t.id + "/revoke"
	if f.run.Months {
		path = "/api/v1/identities/" + f.id + "/tokens/" + t.id + "/revoke"
	}
	c, _ := f.admin("POST", path, nil)
	t.addRevoke(c)
}

func (f *family) revokeSelf(t *token) {
	t.taken = true
	f.revokeSelfAt(t, f.anywhere())
}

func (f *family) revokeSelfAt(t *token, replica int) {
	jwts := *t.jwts.Load()
	c, _ := f.run.call(replica, "POST", "/api/v1/auth/token/revoke", "", map[string]any{"accessToken": jwts[len(jwts)-1]}, changeWithin)
	if c.status == http.StatusUnauthorized { // dead already, or too old; this request did not do it
		return
	}
	t.addRevoke(c)
}

// revokeTwice has two holders revoke a token, at one or two replicas, one a bit after the other.
func (f *family) revokeTwice(t *token) {
	t.taken = true
	one, other := f.anywhere(), f.anywhere()
	later := time.Duration(f.random.Int64N(int64(betweenSteps)))
	var both sync.WaitGroup
	both.Go(func() { f.revokeSelfAt(t, one) })
	both.Go(func() {
		pause(f.run.calls, later)
		f.revokeSelfAt(t, other)
	})
	both.Wait()
}

// anywhere picks the replica to ask for a change. Clients turn to one that works, more often than not.
func (f *family) anywhere() int {
	if f.random.IntN(100) < 80 {
		return f.run.incidents.spared(f.random)
	}
	return f.random.IntN(replicas)
}

// path is that of the login method of the identity.
func (f *family) path() string {
	if f.run.Months {
		return "/api/v1/auth/universal-auth/identities/" + f.id
	}
	return "/api/v1/auth/token-auth/identities/" + f.id
}

func trusting(ranges string) map[string]any {
	return map[string]any{"accessTokenTrustedIps": []any{map[string]any{"ipAddress": ranges}}}
}

func (f *family) attach() {
	settings := trusting("127.0.0.0/8")
	if f.run.Months {
		settings["accessTokenPeriod"] = int64(period / time.Second)
		settings["accessTokenTTL"], settings["accessTokenMaxTTL"] = int64(maxTTL/time.Second), int64(maxTTL/time.Second)
	}
	f.secret = nil
	f.change("POST", settings, open, "attach the login method")
}

func (f *family) detach() {
	for _, t := range f.tokens() {
		t.taken = true
	}
	f.change("DELETE", nil, none, "detach the login method")
}

// toggle lets the clients' address in or shuts it out, now and then while replicas are just reading the Token Auth anew.
func (f *family) toggle() {
	if f.random.IntN(2) == 0 {
		f.nudge()
	}
	if f.set == open {
		f.change("PATCH", trusting("192.0.2.0/24"), closed, "distrust the address")
	} else {
		f.change("PATCH", trusting("127.0.0.0/8"), open, "trust the address")
	}
}

// nudge changes what tokens do not feel, does not wait for the answer, and has a crowd of users come meanwhile.
func (f *family) nudge() {
	replica, ttl := f.anywhere(), 1000+f.random.IntN(1000)
	f.beside.Go(func() {
		f.run.call(replica, "PATCH", f.path(), f.run.admin(), map[string]any{"accessTokenTTL": ttl}, changeWithin)
	})
	for replica := range replicas {
		random := rand.New(rand.NewPCG(f.random.Uint64(), 0))
		f.beside.Go(func() { f.crowd(replica, random) })
	}
	pause(f.run.calls, time.Duration(f.random.Int64N(int64(betweenSteps))))
}

// crowd sends uses to a replica, one shortly after the other, without waiting for answers.
func (f *family) crowd(replica int, random *rand.Rand) {
	var all sync.WaitGroup
	defer all.Wait()
	for range crowd {
		seed := random.Uint64()
		all.Go(func() { f.add(f.useOnce(replica, rand.New(rand.NewPCG(seed, 0)))) })
		pause(f.run.calls, betweenUses)
	}
}

// finish kills all tokens, in one of the two ways.
func (f *family) finish() {
	if f.random.IntN(2) == 0 {
		f.detach()
		return
	}
	c, _ := f.admin("DELETE", "/api/v1/identities/"+f.id, nil)
	f.changes = append(f.changes, change{c, none, "delete the identity"})
}

func (f *family) change(method string, body any, target setting, what string) {
	c, answer := f.admin(method, f.path(), body)
	f.changes = append(f.changes, change{c, target, what})
	if answer != nil || c.status == http.StatusBadRequest { // refused: it is so already, by a change that got no answer
		f.set = target
	}
}
