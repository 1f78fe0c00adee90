package assertion

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// discoveryPath is where an issuer describes itself (OpenID Connect Discovery 1.0, section 4).
const discoveryPath = "/.well-known/openid-configuration"

// Discovered returns the keys of an OpenID Connect issuer, which its discovery document leads to. url is where the issuer
// is reached, with or without the path of the document; name is what the document must call the issuer, and the tokens'
// iss too. The two may differ: a cluster, for instance, names itself by an address that only its own pods reach.
func (s *Service) Discovered(url, caCert, name string) Keys {
	url = strings.TrimRight(url, "/")
	if !strings.HasSuffix(url, discoveryPath) {
		url += discoveryPath
	}
	return s.keysOf(issuer{url: url, caCert: caCert, discovered: true, name: name})
}

// discover returns where an issuer's discovery document says that its keys are.
func (s *Service) discover(ctx context.Context, i issuer) (string, error) {
	e := Endpoint{"OIDC discovery endpoint", i.url, i.caCert}
	reply, err := s.document(ctx, e, "application/json, */*;q=0.1")
	if err != nil {
		return "", err
	}
	var document struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if json.Unmarshal(reply, &document) != nil || !strings.HasPrefix(document.JWKSURI, "https://") {
		return "", e.Unavailable("answered without an https jwks_uri")
	}
	if !speaksFor(document.Issuer, i.name) {
		f := fault.New(fault.BadRequest, "The %s describes the issuer %q, which is not the boundIssuer of this login method. Set boundIssuer to exactly the issuer that is in the discovery document and in the tokens.",
			e.Name, Printable(document.Issuer))
		f.Reason = "discovered_issuer_mismatch"
		return "", f
	}
	return document.JWKSURI, nil
}

// anyTenant stands in an issuer for the id of a tenant, where one discovery document describes the issuers of all of them.
const anyTenant = "{tenantid}"

// speaksFor reports whether a discovery document of an issuer describes the issuer that is meant: both are the same text
// (OpenID Connect Discovery 1.0, section 4.3), or the first has a place for the id of a tenant and the second has one there.
func speaksFor(described, meant string) bool {
	before, after, template := strings.Cut(described, anyTenant)
	if !template {
		return described == meant
	}
	tenant, ok := strings.CutPrefix(meant, before)
	if ok {
		tenant, ok = strings.CutSuffix(tenant, after)
	}
	return ok && tenant != "" && !strings.ContainsAny(tenant, "/{}")
}
