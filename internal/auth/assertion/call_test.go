package assertion_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/auth/assertion"
	"github.com/sallyport/sallyport/internal/auth/assertion/issuertest"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// clock is moved by tests.
type clock struct{ seconds atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(1_800_000_000+c.seconds.Load(), 0) }

func start(t *testing.T, o assertion.Options) (*assertion.Service, *clock) {
	t.Helper()
	c := &clock{}
	o.DB = sqldbtest.OpenWith(t, sqldb.SQLite, sqldb.Options{Now: c.now})
	return assertion.New(o), c
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func TestPublicAddresses(t *testing.T) {
	t.Parallel()
	s, _ := start(t, assertion.Options{Private: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}})
	for host, open := range map[string]bool{
		"8.8.8.8": true, "[2606:4700::1111]": true, "1.1.1.1": true, "issuer.example.com": true, "10.1.2.3": true, "[::ffff:10.1.2.3]": true, "[fd00:1::1]": true,
		"10.2.0.1": false, "127.0.0.1": false, "127.1.2.3": false, "0.0.0.0": false, "169.254.169.254": false, "172.16.0.1": false, "172.31.255.255": false,
		"192.168.1.1": false, "100.64.0.1": false, "198.18.0.1": false, "224.0.0.1": false, "255.255.255.255": false, "240.0.0.1": false, "192.0.0.1": false,
		"[::1]": false, "[::]": false, "[fe80::1]": false, "[fc00::1]": false, "[fd00:2::1]": false, "[ff02::1]": false, "[::ffff:127.0.0.1]": false,
		"[64:ff9b::7f00:1]": false, "[2002:7f00:1::]": false, "[2001::1]": false, "[2001:db8::1]": false, "localhost": false, "LOCALHOST": false,
	} {
		err := s.CheckURL("url", "https://"+host+"/keys")
		if (err == nil) != open {
			t.Errorf("%s: %v, want it open: %v", host, err, open)
		}
	}
}

func TestAddressesAreCheckedWhenDialled(t *testing.T) {
	t.Parallel()
	issuer := issuertest.Start(t)
	s, _ := start(t, assertion.Options{})
	// A name shows nothing: it is looked up, and what it leads to is checked.
	for _, url := range []string{issuer.URL, strings.Replace(issuer.URL, "127.0.0.1", "localhost", 1)} {
		_, _, err := s.Call(t.Context(), assertion.Endpoint{Name: "endpoint", URL: url + issuertest.JWKS, CACert: issuer.CACert}, assertion.Request{Limit: 100})
		if !fault.Is(err, fault.BadRequest) || fault.From(err).Reason != "private_address" {
			t.Errorf("%s: %v", url, err)
		}
	}
	if issuer.Fetches.Load() != 0 {
		t.Error("the endpoint was called")
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	issuer := issuertest.Start(t)
	var called atomic.Bool
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Store(true) }))
	defer elsewhere.Close()
	issuer.Replace(issuertest.JWKS, http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect).ServeHTTP)
	s, _ := start(t, assertion.Options{Private: loopback})
	status, _, err := s.Call(t.Context(), assertion.Endpoint{Name: "endpoint", URL: issuer.URL + issuertest.JWKS, CACert: issuer.CACert},
		assertion.Request{Limit: 100, Bearer: "secret", Body: []byte("{}")})
	if status != http.StatusTemporaryRedirect || err != nil || called.Load() {
		t.Errorf("a redirect is answered %d %v, followed: %v", status, err, called.Load())
	}
}

// TestSlowEndpoints has endpoints that never answer, each in its way, and waits for them no longer than it should.
func TestSlowEndpoints(t *testing.T) {
	t.Parallel()
	for name, behave := range map[string]func(w http.ResponseWriter){
		"says nothing":       func(http.ResponseWriter) {},
		"sends headers only": func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
		"stops in the body": func(w http.ResponseWriter) {
			_, _ = w.Write([]byte(`{"keys":[`))
			_ = http.NewResponseController(w).Flush()
		},
	} {
		t.Run("unavailable/"+name, func(t *testing.T) {
			t.Parallel()
			issuer := issuertest.Start(t)
			s, _ := start(t, assertion.Options{Private: loopback, Timeout: 300 * time.Millisecond})
			var calls atomic.Int64
			issuer.Replace(issuertest.JWKS, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				behave(w)
				<-r.Context().Done()
			})
			keys := s.JWKS(issuer.URL+issuertest.JWKS, issuer.CACert)
			began := time.Now()
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					_, err := keys(t.Context(), "first", false)
					if f := fault.From(err); f.Kind != fault.Unavailable || f.RetryAfter == 0 || !strings.Contains(f.Message, "JWKS endpoint") {
						t.Errorf("it is answered %v", err)
					}
				})
			}
			all.Wait()
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("20 callers waited %s", took)
			}
			if calls.Load() > 3 {
				t.Errorf("20 callers at once made %d calls", calls.Load())
			}
			issuer.Replace(issuertest.JWKS, nil)
			if found, err := keys(t.Context(), "first", false); err != nil || len(found) != 1 {
				t.Errorf("once the endpoint answers, the keys are %v, %v", found, err)
			}
		})
	}
}

func TestUnreachableEndpoint(t *testing.T) {
	t.Parallel()
	gone := httptest.NewTLSServer(nil)
	gone.Close()
	s, _ := start(t, assertion.Options{Private: loopback})
	if _, err := s.Discovered(gone.URL, "", gone.URL)(t.Context(), "", false); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "OIDC discovery endpoint") {
		t.Errorf("it is answered %v", err)
	}
}

func TestKeysAreKept(t *testing.T) {
	t.Parallel()
	issuer := issuertest.Start(t)
	s, c := start(t, assertion.Options{Private: loopback})
	keys := s.JWKS(issuer.URL+issuertest.JWKS, issuer.CACert)
	for _, step := range []struct {
		name    string
		after   int64 // seconds
		do      func()
		kid     string
		kind    fault.Kind // Internal: found
		fetches int64      // so far
	}{
		{"the first asks", 0, nil, "first", fault.Internal, 1},
		{"the next do not", 200, nil, "first", fault.Internal, 1},
		{"without kid neither", 0, nil, "", fault.Internal, 1},
		{"an unknown key is asked for", 0, nil, "x", fault.Unauthenticated, 2},
		{"but not again at once", 4, nil, "x", fault.Unauthenticated, 2},
		{"only later", 1, nil, "x", fault.Unauthenticated, 3},
		{"a new key is found", 5, func() { issuer.Rotate(t, "second") }, "second", fault.Internal, 4},
		{"the old one is gone", 0, nil, "first", fault.Unauthenticated, 4},
		{"a failure is not an unknown key", 5, func() { issuer.Replace(issuertest.JWKS, http.NotFound) }, "x", fault.Unavailable, 4},
		{"what is kept still counts", 0, nil, "second", fault.Internal, 4},
		{"not longer than five minutes", 300, nil, "second", fault.Unavailable, 4},
		{"nothing was kept of the failure", 0, func() { issuer.Replace(issuertest.JWKS, nil) }, "second", fault.Internal, 5},
	} {
		c.seconds.Add(step.after)
		if step.do != nil {
			step.do()
		}
		found, err := keys(t.Context(), step.kid, false)
		if step.kind == fault.Internal && (err != nil || len(found) != 1) || step.kind != fault.Internal && !fault.Is(err, step.kind) {
			t.Errorf("%s: %v, %v", step.name, found, err)
		}
		if got := issuer.Fetches.Load(); got != step.fetches {
			t.Errorf("%s: fetched %d times, want %d", step.name, got, step.fetches)
		}
	}
}

func TestAnotherCACertificateIsAnotherIssuer(t *testing.T) {
	t.Parallel()
	issuer := issuertest.Start(t)
	s, _ := start(t, assertion.Options{Private: loopback})
	url := issuer.URL + issuertest.JWKS
	if _, err := s.JWKS(url, issuer.CACert)(t.Context(), "first", false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.JWKS(url, "")(t.Context(), "first", false); !fault.Is(err, fault.Unavailable) {
		t.Errorf("keys that were fetched under one CA count under another: %v", err)
	}
}

func TestCallerWhoGoesAwayDoesNotStopOthers(t *testing.T) {
	t.Parallel()
	issuer := issuertest.Start(t)
	s, _ := start(t, assertion.Options{Private: loopback})
	asked, answer := make(chan struct{}), make(chan struct{})
	var once sync.Once
	issuer.Replace(issuertest.JWKS, func(http.ResponseWriter, *http.Request) {
		once.Do(func() { close(asked) })
		<-answer
	})
	keys := s.JWKS(issuer.URL+issuertest.JWKS, issuer.CACert)
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := keys(ctx, "first", false)
		left <- err
	}()
	<-asked
	leave()
	if err := <-left; !fault.Is(err, fault.Unavailable) {
		t.Errorf("who went away got %v", err)
	}
	issuer.Replace(issuertest.JWKS, nil)
	close(answer)
	for {
		// The first answer was empty; whoever shared it is told so, the next one asks again.
		if _, err := keys(t.Context(), "first", false); err == nil {
			return
		} else if !fault.Is(err, fault.Unavailable) {
			t.Fatal(err)
		}
	}
}

// TestFetchesAreSharedOnlyByWhoAsksTheSame: while a fetch of a URL as a set of keys is under way, who asks the same URL as a
// discovery document neither waits for it nor gets its answer.
func TestFetchesAreSharedOnlyByWhoAsksTheSame(t *testing.T) {
	t.Parallel()
	issuer := issuertest.Start(t)
	s, _ := start(t, assertion.Options{Private: loopback})
	asked, answer := make(chan struct{}), make(chan struct{})
	var once sync.Once
	issuer.Replace(issuertest.Discovery, func(w http.ResponseWriter, _ *http.Request) {
		first := false
		once.Do(func() { first = true })
		if first {
			close(asked)
			<-answer
		}
		_, _ = w.Write([]byte(`{"issuer":"` + issuer.URL + `","jwks_uri":"` + issuer.URL + issuertest.JWKS + `"}`))
	})
	ended := make(chan error)
	go func() {
		_, err := s.JWKS(issuer.URL+issuertest.Discovery, issuer.CACert)(t.Context(), "first", false)
		ended <- err
	}()
	<-asked
	if found, err := s.Discovered(issuer.URL, issuer.CACert, issuer.URL)(t.Context(), "first", false); err != nil || len(found) != 1 {
		t.Errorf("the keys of a discovered issuer are %v, %v", found, err)
	}
	if _, err := s.Discovered(issuer.URL, issuer.CACert, "https://other.example")(t.Context(), "first", false); !fault.Is(err, fault.BadRequest) {
		t.Errorf("keys that were fetched for one issuer count for another: %v", err)
	}
	close(answer)
	if err := <-ended; !fault.Is(err, fault.Unavailable) {
		t.Errorf("a discovery document is read as keys: %v", err)
	}
}

func TestCleanForgetsOnlyWhatHasLongExpired(t *testing.T) {
	t.Parallel()
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := assertion.New(assertion.Options{DB: db})
		now := db.Now()
		for name, expires := range map[string]time.Time{"a": now.Add(-time.Hour), "b": now.Add(-11 * time.Minute), "c": now.Add(-9 * time.Minute), "d": now.Add(time.Hour)} {
			err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
				_, err := tx.Exec(t.Context(), `INSERT INTO assertions (id, expires_at) VALUES ($1, $2)`, name, expires.UnixMilli())
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, want := range []int64{1, 1, 0} {
			if n, err := s.Clean(t.Context(), 1); n != want || err != nil {
				t.Errorf("%d went, %v; want %d", n, err, want)
			}
		}
	})
}
