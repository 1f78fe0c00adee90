package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// config says what a Token Auth configuration answers in fields that a test sets.
type config struct {
	TTL, MaxTTL, Uses int64
	IPs               []string
}

func configOf(t *testing.T, a *harness.Answer) config {
	t.Helper()
	c := config{a.Number("identityTokenAuth.accessTokenTTL"), a.Number("identityTokenAuth.accessTokenMaxTTL"),
		a.Number("identityTokenAuth.accessTokenNumUsesLimit"), nil}
	for _, ip := range a.At("identityTokenAuth.accessTokenTrustedIps").([]any) {
		rule := ip.(map[string]any)
		text := fmt.Sprint(rule["type"], " ", rule["ipAddress"])
		if prefix, ok := rule["prefix"].(json.Number); ok {
			text += "/" + prefix.String()
		}
		c.IPs = append(c.IPs, text)
	}
	return c
}

var everywhere = []string{"ipv4 0.0.0.0/0", "ipv6 ::/0"}

func ips(addresses ...string) []object {
	list := []object{}
	for _, address := range addresses {
		list = append(list, object{"ipAddress": address})
	}
	return list
}

func TestAttachTokenAuth(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body any
		want config
	}{
		"nothing means 30 days from everywhere": {nil, config{2592000, 2592000, 0, everywhere}},
		"an empty object too":                   {object{}, config{2592000, 2592000, 0, everywhere}},
		"nulls too":                             {object{"accessTokenTTL": nil, "accessTokenTrustedIps": nil}, config{2592000, 2592000, 0, everywhere}},
		"what is named is kept":                 {object{"accessTokenTTL": 60, "accessTokenMaxTTL": 120, "accessTokenNumUsesLimit": 3}, config{60, 120, 3, everywhere}},
		"no limits at all":                      {object{"accessTokenTTL": 0, "accessTokenMaxTTL": 0}, config{0, 0, 0, everywhere}},
		"a TTL without a max TTL":               {object{"accessTokenTTL": 60, "accessTokenMaxTTL": 0}, config{60, 0, 0, everywhere}},
		"a max TTL without a TTL":               {object{"accessTokenTTL": 0, "accessTokenMaxTTL": 60}, config{0, 60, 0, everywhere}},
		"the longest TTLs":                      {object{"accessTokenTTL": 315360000, "accessTokenMaxTTL": 315360000}, config{315360000, 315360000, 0, everywhere}},
		"addresses as they were sent": {object{"accessTokenTrustedIps": ips(" 10.1.2.3/8 ", "192.0.2.7", "2001:DB8::1", "2001:db8:ffff::/32", "::ffff:192.0.2.9")},
			config{2592000, 2592000, 0, []string{"ipv4 10.1.2.3/8", "ipv4 192.0.2.7", "ipv6 2001:DB8::1", "ipv6 2001:db8:ffff::/32", "ipv4 ::ffff:192.0.2.9"}}},
	} {
		t.Run(name, func(t *testing.T) {
			id := shared.NewIdentity(t, "no-access")
			attached := shared.Admin.Call(t, http.MethodPost, harness.TokenAuth+id, c.body).Want(200)
			if diff := cmp.Diff(c.want, configOf(t, attached)); diff != "" {
				t.Error(diff)
			}
			read := shared.Admin.Call(t, http.MethodGet, harness.TokenAuth+id, nil).Want(200)
			if diff := cmp.Diff(attached.JSON(), read.JSON()); diff != "" {
				t.Errorf("it reads differently: %s", diff)
			}
			shared.Admin.Call(t, http.MethodPost, harness.TokenAuth+id, c.body).WantError(400, "BadRequest")
			methods := shared.Admin.Call(t, http.MethodGet, identityPath(id), nil).List("identity.identity.authMethods", "")
			if len(methods) != 1 {
				t.Errorf("the identity has the methods %v", methods)
			}
		})
	}
}

func TestAttachTokenAuthRefused(t *testing.T) {
	t.Parallel()
	id := shared.NewIdentity(t, "no-access")
	for name, c := range map[string]struct {
		body   object
		status int
	}{
		"TTL over max TTL":         {object{"accessTokenTTL": 61, "accessTokenMaxTTL": 60}, 422},
		"TTL over the default max": {object{"accessTokenTTL": 2592001}, 422},
		"TTL over ten years":       {object{"accessTokenTTL": 315360001, "accessTokenMaxTTL": 0}, 422},
		"negative TTL":             {object{"accessTokenTTL": -1}, 422},
		"fractional TTL":           {object{"accessTokenTTL": 1.5}, 422},
		"TTL of a string":          {object{"accessTokenTTL": "60"}, 422},
		"negative uses":            {object{"accessTokenNumUsesLimit": -1}, 422},
		"no trusted address":       {object{"accessTokenTrustedIps": ips()}, 422},
		"addresses as strings":     {object{"accessTokenTrustedIps": []string{"10.0.0.1"}}, 422},
		"address missing":          {object{"accessTokenTrustedIps": []object{{}}}, 422},
		"a name":                   {object{"accessTokenTrustedIps": ips("example.com")}, 400},
		"an empty address":         {object{"accessTokenTrustedIps": ips("")}, 400},
		"prefix 33":                {object{"accessTokenTrustedIps": ips("10.0.0.0/33")}, 400},
		"prefix 129":               {object{"accessTokenTrustedIps": ips("::/129")}, 400},
		"negative prefix":          {object{"accessTokenTrustedIps": ips("10.0.0.0/-1")}, 400},
		"no prefix after a slash":  {object{"accessTokenTrustedIps": ips("10.0.0.0/")}, 400},
		"octet 256":                {object{"accessTokenTrustedIps": ips("10.0.0.256")}, 400},
		"leading zero":             {object{"accessTokenTrustedIps": ips("010.0.0.1")}, 400},
		"a zone":                   {object{"accessTokenTrustedIps": ips("fe80::1%eth0")}, 400},
		"a range":                  {object{"accessTokenTrustedIps": ips("10.0.0.1-10.0.0.9")}, 400},
		"the second is bad":        {object{"accessTokenTrustedIps": ips("10.0.0.1", "x")}, 400},
	} {
		t.Run("refused/"+name, func(t *testing.T) {
			shared.Admin.Call(t, http.MethodPost, harness.TokenAuth+id, c.body).Want(c.status)
			shared.Admin.Call(t, http.MethodGet, harness.TokenAuth+id, nil).WantError(404, "NotFound")
		})
	}
}

func TestUpdateTokenAuth(t *testing.T) {
	t.Parallel()
	// Each starts from a TTL of 100 and a max TTL of 1000.
	for name, c := range map[string]struct {
		body   any
		status int
		want   config
	}{
		"nothing changes nothing":             {nil, 200, config{100, 1000, 0, everywhere}},
		"an empty object changes nothing":     {object{}, 200, config{100, 1000, 0, everywhere}},
		"only what is named changes":          {object{"accessTokenNumUsesLimit": 5}, 200, config{100, 1000, 5, everywhere}},
		"trusted addresses are replaced":      {object{"accessTokenTrustedIps": ips("10.0.0.0/8")}, 200, config{100, 1000, 0, []string{"ipv4 10.0.0.0/8"}}},
		"max TTL down to the TTL":             {object{"accessTokenMaxTTL": 100}, 200, config{100, 100, 0, everywhere}},
		"TTL up to the max TTL":               {object{"accessTokenTTL": 1000}, 200, config{1000, 1000, 0, everywhere}},
		"TTL 0 under a max TTL":               {object{"accessTokenTTL": 0}, 200, config{0, 1000, 0, everywhere}},
		"max TTL 0 lifts the limit":           {object{"accessTokenMaxTTL": 0}, 200, config{100, 0, 0, everywhere}},
		"refused/max TTL below the TTL":       {object{"accessTokenMaxTTL": 99}, 400, config{100, 1000, 0, everywhere}},
		"refused/TTL over the max TTL":        {object{"accessTokenTTL": 1001}, 400, config{100, 1000, 0, everywhere}},
		"refused/both named, TTL over max":    {object{"accessTokenTTL": 7, "accessTokenMaxTTL": 6}, 422, config{100, 1000, 0, everywhere}},
		"refused/bad address, good TTL":       {object{"accessTokenTTL": 7, "accessTokenTrustedIps": ips("x")}, 400, config{100, 1000, 0, everywhere}},
		"refused/no trusted address is left":  {object{"accessTokenTrustedIps": ips()}, 422, config{100, 1000, 0, everywhere}},
		"both named, both are taken together": {object{"accessTokenTTL": 2000, "accessTokenMaxTTL": 3000}, 200, config{2000, 3000, 0, everywhere}},
	} {
		t.Run(name, func(t *testing.T) {
			id := shared.NewIdentity(t, "no-access")
			shared.Attach(t, id, object{"accessTokenTTL": 100, "accessTokenMaxTTL": 1000})
			shared.Admin.Call(t, http.MethodPatch, harness.TokenAuth+id, c.body).Want(c.status)
			read := shared.Admin.Call(t, http.MethodGet, harness.TokenAuth+id, nil).Want(200)
			if diff := cmp.Diff(c.want, configOf(t, read)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDetachTokenAuth(t *testing.T) {
	t.Parallel()
	id := shared.NewIdentity(t, "no-access")
	path := harness.TokenAuth + id
	t.Run("refused/not attached", func(t *testing.T) {
		shared.Admin.Call(t, http.MethodDelete, path, nil).WantError(400, "BadRequest")
		shared.Admin.Call(t, http.MethodPatch, path, nil).WantError(400, "BadRequest")
		shared.Admin.Call(t, http.MethodPost, path+"/tokens", nil).WantError(400, "BadRequest")
		shared.Admin.Call(t, http.MethodGet, path+"/tokens", nil).WantError(400, "BadRequest")
		shared.Admin.Call(t, http.MethodGet, path, nil).WantError(404, "NotFound")
	})
	t.Run("answers what it was", func(t *testing.T) {
		attached := shared.Admin.Call(t, http.MethodPost, path, object{"accessTokenTTL": 5}).Want(200)
		detached := shared.Admin.Call(t, http.MethodDelete, path, object{"identityId": id}).Want(200)
		if diff := cmp.Diff(attached.JSON(), detached.JSON()); diff != "" {
			t.Error(diff)
		}
		shared.Admin.Call(t, http.MethodGet, path, nil).WantError(404, "NotFound")
	})
}
