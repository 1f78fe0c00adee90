package linearizability

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
)

// In a run with Months the wall clocks of all replicas go on together, days in a second, and the tokens are periodic ones of
// Universal Auth: they grow older than the max TTL of their configuration, which does not hold for them.

// How time passes in such a run. The period is far below the longest life of a JWT, 90 days, by which a revocation of a periodic
// token is remembered: a step of the clock in the midst of a revoke then changes nothing.
const (
	period  = 7 * 24 * time.Hour
	maxTTL  = 24 * time.Hour
	tick    = 250 * time.Millisecond
	longest = 18 * time.Hour // that one tick moves the clocks on
)

// calendar is by how much the wall clocks are ahead of this machine's, and the administrator's token, which has to be renewed
// meanwhile.
type calendar struct {
	file  string
	ahead atomic.Int64 // nanoseconds; never less than what a replica may have read
	admin atomic.Pointer[string]
}

// wall is the latest that any replica's clock may show.
func (c *calendar) wall() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// begin has the replicas share one setting of their clocks.
func (c *calendar) begin(cl *cluster.Cluster, dir string) error {
	c.admin.Store(&cl.Admin)
	c.file = filepath.Join(dir, "clock-shift")
	if err := c.set(0); err != nil {
		return err
	}
	for _, r := range cl.Replicas {
		if err := os.Symlink(c.file, filepath.Join(r.Data, "clock-shift")); err != nil {
			return err
		}
	}
	return nil
}

// set moves all clocks at once.
func (c *calendar) set(ahead time.Duration) error {
	c.ahead.Store(int64(ahead))
	err := os.WriteFile(c.file+".new", []byte(ahead.String()), 0o600)
	return errors.Join(err, os.Rename(c.file+".new", c.file))
}

// age lets months pass until ctx ends.
func (r *run) age(ctx context.Context, random *rand.Rand) error {
	var renewed time.Duration
	for ctx.Err() == nil {
		ahead := time.Duration(r.calendar.ahead.Load()) + time.Duration(random.Int64N(int64(longest)))
		if err := r.calendar.set(ahead); err != nil {
			return fmt.Errorf("setting the clocks: %w", err)
		}
		if ahead-renewed > 20*24*time.Hour && r.renewAdmin() {
			renewed = ahead
		}
		pause(ctx, tick)
	}
	return nil
}

// renewAdmin keeps the administrator's token from expiring, and reports whether a replica answered.
func (r *run) renewAdmin() bool {
	for replica := range replicas {
		_, answer := r.call(replica, "POST", "/api/v1/auth/token/renew", "", map[string]any{"accessToken": r.admin()}, useWithin)
		if answer != nil {
			jwt := answer.Text("accessToken")
			r.calendar.admin.Store(&jwt)
			return true
		}
	}
	return false
}

// admin is the administrator's token.
func (r *run) admin() string {
	if jwt := r.calendar.admin.Load(); jwt != nil {
		return *jwt
	}
	return r.cluster.Admin
}

// said is what the clients read in a JWT.
type said struct {
	ID      string `json:"jti"`
	Expires int64  `json:"exp"`
}

func read(jwt string) (s said) {
	_, rest, _ := strings.Cut(jwt, ".")
	payload, _, _ := strings.Cut(rest, ".")
	if text, err := base64.RawURLEncoding.DecodeString(payload); err == nil {
		_ = json.Unmarshal(text, &s) // what cannot be read has expired long ago
	}
	return s
}

// expired reports whether a refusal may be due to the JWT's age alone.
func (r *run) expired(jwt string) bool {
	return r.Months && read(jwt).Expires <= r.calendar.wall().Unix()
}

// youth picks one of so many JWTs of a token: in a run of months one of the newest, since the others have expired.
func (r *run) youth(n int, random *rand.Rand) int {
	if r.Months {
		return max(0, n-1-random.IntN(youngest))
	}
	return random.IntN(n)
}

// slower stretches a time of ordinary runs to one in which days pass.
func (r *run) slower(d time.Duration) time.Duration {
	if r.Months {
		return 16 * d
	}
	return d
}

// credentials are those of Universal Auth.
type credentials struct{ client, secret string }

// mint has a token made: by hand, or by a login with Universal Auth.
func (f *family) mint() (call, *cluster.Answer) {
	if !f.run.Months {
		return f.admin("POST", f.path()+"/tokens", map[string]any{})
	}
	if f.secret == nil && !f.makeSecret() {
		return call{}, nil
	}
	return f.run.call(f.anywhere(), "POST", "/api/v1/auth/universal-auth/login", "",
		map[string]any{"clientId": f.secret.client, "clientSecret": f.secret.secret}, changeWithin)
}

// makeSecret makes the credentials, and reports whether that worked.
func (f *family) makeSecret() bool {
	_, config := f.admin("GET", f.path(), nil)
	if config == nil {
		return false
	}
	_, made := f.admin("POST", f.path()+"/client-secrets", map[string]any{})
	if made == nil {
		return false
	}
	f.secret = &credentials{config.Text("identityUniversalAuth.clientId"), made.Text("clientSecret")}
	return true
}
