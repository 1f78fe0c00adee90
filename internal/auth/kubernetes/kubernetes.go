// Package kubernetes owns Kubernetes Auth: logins with the token of a service account, which its cluster reviews. How
// endpoints are called is in assertion; what it shares with other login methods, in auth.
package kubernetes

import (
	"context"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/auth/assertion"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// Slug is the name of the method in paths, claims and the database.
const Slug = "kubernetes-auth"

// Method is Kubernetes Auth (docs/reference/identity.md section 10.1). The cluster is asked at every login: a service
// account that was deleted cannot log in any more. Its namespace and name go along in the access token, as
// identityAuth.kubernetes.
func Method(s *assertion.Service) auth.Method[Settings, Login, *Settings] {
	return auth.Method[Settings, Login, *Settings]{Slug: Slug, Title: "Kubernetes Auth",
		Check: func(_ context.Context, settings *Settings) error { return settings.check(s) },
		Identify: func(_ context.Context, login *Login, _ access.Client) (string, error) {
			return login.IdentityID.Trimmed(), nil
		},
		Verify: func(ctx context.Context, settings *Settings, login *Login, _ access.Client) (auth.Proof, error) {
			account, err := settings.review(ctx, s, login.JWT.Trimmed())
			if err != nil {
				return auth.Proof{}, err
			}
			facts := map[string]any{"namespace": account.namespace, "name": account.name}
			return auth.Proof{Facts: facts, IdentityAuth: map[string]any{"kubernetes": facts}}, nil
		}}
}

// Settings is the configuration of Kubernetes Auth.
type Settings struct {
	auth.Shared
	Host        *httpapi.Text  `json:"kubernetesHost,omitempty" destination:"true" maxLength:"2048" doc:"https URL of the cluster's API server; required"`
	CACert      *httpapi.Prose `json:"caCert,omitempty" destination:"true" maxLength:"32768" doc:"PEM of the CA that signs the certificate of the API server. Default: those of the machine"`
	VerifyTLS   *bool          `json:"verifyTlsCertificate,omitempty" doc:"Always true: a certificate that is not checked protects nothing"`
	ReviewerJWT *httpapi.Text  `json:"tokenReviewerJwt,omitempty" writeOnly:"true" maxLength:"16384" doc:"Token of a service account that may create token reviews; never returned. A PATCH that changes kubernetesHost or caCert must name it again. Default: the token under review is its own reviewer. Send it empty to go back to the default"`
	Mode        *string        `json:"tokenReviewMode,omitempty" enum:"api,gateway" doc:"Always api: this server has no gateways"`
	GatewayID   *httpapi.Text  `json:"gatewayId,omitempty" maxLength:"64" doc:"Not supported: this server has no gateways"`
	Namespaces  *httpapi.Text  `json:"allowedNamespaces,omitempty" maxLength:"2048" doc:"Exact values or globs, with commas between. Default: all"`
	Names       *httpapi.Text  `json:"allowedNames,omitempty" maxLength:"2048" doc:"Service accounts, as exact values or globs, with commas between. Default: all"`
	Audience    *httpapi.Text  `json:"allowedAudience,omitempty" maxLength:"1024" doc:"An audience that the token must be made for. Default: that of the API server"`
}

// Key is the name of a configuration in answers.
func (*Settings) Key() string { return "identityKubernetesAuth" }

// Login is the body of a login.
type Login struct {
	auth.LoginShared
	IdentityID httpapi.Text `json:"identityId" minLength:"1" maxLength:"64"`
	JWT        httpapi.Text `json:"jwt" minLength:"1" maxLength:"8192" doc:"The token of the service account"`
}

// modeAPI is the one mode of review: the server asks the cluster itself.
const modeAPI = "api"

// check fills in what is missing, and refuses what cannot work.
func (s *Settings) check(service *assertion.Service) error {
	if err := s.checkMode(); err != nil {
		return err
	}
	if s.Host == nil || s.Host.Trimmed() == "" {
		return fault.Invalid("required", "Token reviews need the URL of the cluster's API server.", "kubernetesHost")
	}
	for _, text := range []**httpapi.Text{&s.ReviewerJWT, &s.Namespaces, &s.Names, &s.Audience} {
		if *text == nil {
			*text = new(httpapi.Text)
		}
		**text = httpapi.Text((*text).Trimmed())
	}
	if s.CACert == nil {
		s.CACert = new(httpapi.Prose)
	}
	*s.Host = httpapi.Text(strings.TrimRight(s.Host.Trimmed(), "/"))
	if err := service.CheckURL("kubernetesHost", string(*s.Host)); err != nil {
		return err
	}
	if strings.ContainsAny(string(*s.Host), "?#") {
		return fault.Invalid("invalid_string", "The URL of the API server must not have a query or a fragment.", "kubernetesHost")
	}
	if err := assertion.CheckCACert("caCert", string(*s.CACert)); err != nil {
		return err
	}
	if err := assertion.CheckList(string(*s.Namespaces), "allowedNamespaces"); err != nil {
		return err
	}
	return assertion.CheckList(string(*s.Names), "allowedNames")
}

// checkMode refuses what the reference can and this server does not.
func (s *Settings) checkMode() error {
	if s.Mode == nil {
		mode := modeAPI
		s.Mode = &mode
	}
	if s.VerifyTLS == nil {
		verify := true
		s.VerifyTLS = &verify
	}
	switch {
	case *s.Mode != modeAPI:
		return fault.New(fault.BadRequest, "The only tokenReviewMode of this server is api: it has no gateways. Let it reach the cluster's API server.")
	case s.GatewayID != nil && s.GatewayID.Trimmed() != "":
		return fault.New(fault.BadRequest, "This server has no gateways. Leave gatewayId out, and let it reach the cluster's API server.")
	case !*s.VerifyTLS:
		return fault.New(fault.BadRequest, "The certificate of the API server is always checked. Give the cluster's CA certificate as caCert instead.")
	}
	s.GatewayID = nil
	return nil
}
