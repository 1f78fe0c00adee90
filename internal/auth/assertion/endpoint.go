package assertion

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// Endpoint is where the server calls someone else for a login.
type Endpoint struct {
	Name   string // what messages call it: "JWKS endpoint"
	URL    string
	CACert string // PEM of who vouches for its certificate; "" means the certificate authorities of the machine
}

// CheckURL refuses, as Validation at the field, a URL that is no https URL, or that names an address outright which the
// server does not call.
func (s *Service) CheckURL(field, text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "":
		return fault.Invalid("invalid_string", "Expected an https URL such as https://issuer.example.com/path. Other schemes do not protect keys and tokens.", field)
	case u.User != nil || u.Fragment != "":
		return fault.Invalid("invalid_string", "The URL must not have a user, a password or a fragment.", field)
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if err == nil && !s.mayCall(ip) || strings.EqualFold(u.Hostname(), "localhost") && !s.mayCall(netip.AddrFrom4([4]byte{127, 0, 0, 1})) {
		return fault.Invalid("invalid_string", "The URL is in a private network, which this server does not call. Use a public address, or ask the operator to allow the network with --allow-private-networks.", field)
	}
	if port := u.Port(); port != "" {
		if _, err := net.LookupPort("tcp", port); err != nil {
			return fault.Invalid("invalid_string", "The port of the URL is not valid. Use a number from 1 to 65535.", field)
		}
	}
	return nil
}

// CheckCACert refuses, as Validation at the field, text that is neither empty nor a list of certificates in PEM.
func CheckCACert(field, text string) error {
	if text == "" {
		return nil
	}
	if _, ok := pool(text); !ok {
		return fault.Invalid("invalid_string", "Expected certificates in PEM, each from BEGIN CERTIFICATE to END CERTIFICATE, or nothing.", field)
	}
	return nil
}

// pool reads certificates in PEM; all of the text must be such.
func pool(text string) (*x509.CertPool, bool) {
	found := x509.NewCertPool()
	rest := []byte(strings.TrimSpace(text))
	for len(rest) > 0 {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return nil, false
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, false
		}
		found.AddCert(certificate)
		rest = []byte(strings.TrimSpace(string(rest)))
	}
	return found, true
}
