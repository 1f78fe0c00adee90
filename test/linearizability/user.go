package linearizability

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
)

// call sends a request to a replica and says when, and what came of it. The answer is nil unless its status is 200.
func (r *run) call(replica int, method, path, token string, body any, within time.Duration) (call, *cluster.Answer) {
	ctx, cancel := context.WithTimeout(r.calls, within)
	defer cancel()
	c := call{from: r.now(), replica: replica}
	answer, err := r.cluster.Replicas[replica].Call(ctx, method, path, token, body)
	c.to = r.now()
	if err != nil {
		return c, nil
	}
	if c.status = answer.Status; c.status != http.StatusOK {
		answer = nil
	}
	return c, answer
}

// admin has the administrator ask a replica. The administrator's token is never taken back: a replica that
// refuses it is wrong.
func (f *family) admin(method, path string, body any) (call, *cluster.Answer) {
	c, answer := f.run.call(f.anywhere(), method, path, f.run.admin(), body, changeWithin)
	if c.status == http.StatusUnauthorized || c.status == http.StatusForbidden {
		f.run.refuse(c, method+" "+path)
	}
	return c, answer
}

// refuse ends the run: a token that lives was refused.
func (r *run) refuse(c call, what string) {
	r.result.violation(&Violation{Reason: fmt.Sprintf("r%d answered %d at %.6f s to %s with the administrator's token, which lives",
		c.replica, c.status, c.to.Seconds(), what)})
	r.stop()
}

// use uses tokens at one replica until ctx ends, and renews one now and then.
func (f *family) use(ctx context.Context, replica int, random *rand.Rand) {
	var uses []use
	undecided := map[int]int{}
	for ctx.Err() == nil {
		u := f.useOnce(replica, random)
		if u.decided() {
			uses = append(uses, u)
			f.run.rest(ctx)
			continue
		}
		undecided[u.status]++
		pause(ctx, 5*time.Millisecond) // a replica that is away or cut off need not be asked in a hurry
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.uses = append(f.uses, uses...)
	for status, n := range undecided {
		f.undecided[status] += n
	}
}

func (r *run) rest(ctx context.Context) {
	if r.Rest > 0 {
		pause(ctx, r.Rest)
	}
}

// probe sends a use to a replica every probeEvery, even while it does not answer: what lies in front of a frozen replica
// must not be answered from its old memory.
func (f *family) probe(ctx context.Context, replica int, random *rand.Rand) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			seed := random.Uint64()
			all.Go(func() { f.add(f.useOnce(replica, rand.New(rand.NewPCG(seed, 0)))) })
		}
	}
}

func (f *family) add(u use) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if u.decided() {
		f.uses = append(f.uses, u)
	} else {
		f.undecided[u.status]++
	}
}

// useOnce uses or renews one token: the hot one half of the time, else one of the youngest.
func (f *family) useOnce(replica int, random *rand.Rand) use {
	n := int(f.hot.Load()) // before the tokens: they only become more
	all := f.tokens()
	if random.IntN(2) == 0 {
		n = max(0, len(all)-1-random.IntN(youngest))
	}
	jwts := *all[n].jwts.Load()
	jwt := jwts[f.run.youth(len(jwts), random)]
	if random.IntN(100) < 2 {
		return f.renew(all[n], n, replica, jwt)
	}
	c, _ := f.run.call(replica, "GET", "/api/v1/identities/details", jwt, nil, useWithin)
	return f.judged(use{c, n, false}, jwt)
}

func (f *family) renew(t *token, n, replica int, jwt string) use {
	c, answer := f.run.call(replica, "POST", "/api/v1/auth/token/renew", "", map[string]any{"accessToken": jwt}, useWithin)
	if answer != nil {
		t.addJWT(answer.Text("accessToken"))
	}
	return f.judged(use{c, n, true}, jwt)
}

// judged takes a refusal that may be due to the age of a JWT for one that decides nothing.
func (f *family) judged(u use, jwt string) use {
	if u.status == http.StatusUnauthorized && f.run.expired(jwt) {
		u.status = tooOld
	}
	return u
}

// tooOld stands for the status of a refusal that says nothing of the token.
const tooOld = -1

// decided reports whether a replica judged the token.
func (c call) decided() bool {
	return c.status == http.StatusOK || c.status == http.StatusUnauthorized || c.status == http.StatusForbidden
}
