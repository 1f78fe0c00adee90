package e2e

import (
	"net/http"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

func TestTrustedAddresses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trusted []object
		works   bool
	}{
		"passed/everybody":              {ips("0.0.0.0/0", "::/0"), true},
		"passed/0.0.0.0/0 alone":        {ips("0.0.0.0/0"), true},
		"passed/the very address":       {ips("127.0.0.1"), true},
		"passed/its network":            {ips("127.0.0.0/8"), true},
		"passed/one of several":         {ips("192.0.2.1", "127.0.0.1"), true},
		"passed/mapped into IPv6":       {ips("::ffff:127.0.0.1"), true},
		"refused/another address":       {ips("127.0.0.2"), false},
		"refused/another network":       {ips("10.0.0.0/8"), false},
		"refused/the other family":      {ips("::1"), false},
		"refused/all of IPv6, one IPv4": {ips("::/0", "192.0.2.1"), false},
	} {
		t.Run(name, func(t *testing.T) {
			a := shared.NewActor(t, "no-access", object{"accessTokenTrustedIps": c.trusted})
			want := map[bool]int{true: 200, false: 403}[c.works]
			a.Call(t, http.MethodGet, harness.Identities+"/details", nil).Want(want)
			renew(t, shared, a.Token).Want(want)
		})
	}
	t.Run("count for live tokens at once", func(t *testing.T) {
		a := shared.NewActor(t, "no-access", nil)
		for address, status := range map[string]int{"192.0.2.1": 403, "127.0.0.1": 200} {
			shared.Admin.Call(t, http.MethodPatch, harness.TokenAuth+a.ID, object{"accessTokenTrustedIps": ips(address)}).Want(200)
			a.Call(t, http.MethodGet, harness.Identities+"/details", nil).Want(status)
		}
	})
	t.Run("taking a token back needs no trusted address", func(t *testing.T) {
		a := shared.NewActor(t, "no-access", object{"accessTokenTrustedIps": ips("192.0.2.1")})
		a.Call(t, http.MethodPost, selfRevokePath, object{"accessToken": a.Token}).Want(200)
	})
	t.Run("refused/a header of a proxy that is not trusted", func(t *testing.T) {
		a := shared.NewActor(t, "no-access", object{"accessTokenTrustedIps": ips("192.0.2.1")})
		for _, header := range []string{"X-Forwarded-For", "X-Real-Ip", "Cf-Connecting-Ip", "True-Client-Ip", "Forwarded"} {
			a.With(header, "192.0.2.1").Call(t, http.MethodGet, harness.Identities+"/details", nil).WantError(403, "ForbiddenError")
		}
	})
}

func TestTrustedAddressesBehindProxies(t *testing.T) {
	s := harness.StartReady(t, harness.TrustProxies("127.0.0.1", "10.0.0.0/8"))
	a := s.NewActor(t, "no-access", object{"accessTokenTrustedIps": ips("192.0.2.0/24")})
	for name, c := range map[string]struct {
		forwarded string
		status    int
	}{
		"passed/the caller":                        {"192.0.2.9", 200},
		"passed/the caller behind two proxies":     {"192.0.2.9, 10.1.2.3", 200},
		"passed/the caller with a port":            {"192.0.2.9:4711", 200},
		"passed/what others say before is ignored": {"203.0.113.5, 192.0.2.9", 200},
		"refused/another caller":                   {"203.0.113.5", 403},
		"refused/a forged first entry":             {"192.0.2.9, 203.0.113.5", 403},
		"refused/the proxy itself":                 {"", 403},
		"refused/nonsense":                         {"192.0.2.9, nonsense", 403},
	} {
		t.Run(name, func(t *testing.T) {
			client := a.Client
			if c.forwarded != "" {
				client = client.With("X-Forwarded-For", c.forwarded)
			}
			client.Call(t, http.MethodGet, harness.Identities+"/details", nil).Want(c.status)
		})
	}
}
