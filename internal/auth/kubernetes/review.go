package kubernetes

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/auth/assertion"
	"github.com/sallyport/sallyport/internal/base/fault"
)

// maxReview bounds what is read of the cluster's answer, in bytes.
const maxReview = 64 << 10

const reviewPath = "/apis/authentication.k8s.io/v1/tokenreviews"

// tokenReview is authentication.k8s.io/v1 TokenReview, as far as it is needed.
type tokenReview struct {
	APIVersion string       `json:"apiVersion"`
	Kind       string       `json:"kind"`
	Spec       reviewSpec   `json:"spec"`
	Status     reviewStatus `json:"status,omitzero"`
}

type reviewSpec struct {
	Token     string   `json:"token"`
	Audiences []string `json:"audiences,omitempty"`
}

type reviewStatus struct {
	Authenticated bool `json:"authenticated"`
	User          struct {
		Username string `json:"username"`
	} `json:"user"`
	Audiences []string `json:"audiences"`
	Error     string   `json:"error"`
}

// account is a service account.
type account struct{ namespace, name string }

// review asks the cluster whose token it is, and refuses one that the settings do not allow.
func (s *Settings) review(ctx context.Context, service *assertion.Service, jwt string) (account, error) {
	status, err := s.ask(ctx, service, jwt)
	if err != nil {
		return account{}, err
	}
	switch {
	case status.Error != "":
		return account{}, refuse("token_review_error", "The cluster refused the token: %s", assertion.Printable(status.Error))
	case !status.Authenticated:
		return account{}, refuse("token_not_authenticated", "The cluster does not know the token. Send a current token of a service account of this cluster.")
	}
	a, ok := parseAccount(status.User.Username)
	if !ok {
		return a, refuse("token_not_authenticated", "The token is not that of a service account. Only service accounts can log in.")
	}
	return a, s.allow(a, status.Audiences)
}

// refuse is auth.Refuse under the name that clients know.
func refuse(reason, message string, args ...any) error {
	return fault.From(auth.Refuse(reason, message, args...)).Named("KubernetesTokenReviewError")
}

// allow refuses a service account that the settings do not name.
func (s *Settings) allow(a account, audiences []string) error {
	switch {
	case *s.Namespaces != "" && !assertion.Matches(string(*s.Namespaces), a.namespace):
		return auth.Refuse("namespace_not_allowed", "The service account is in a namespace that this login method does not allow.")
	case *s.Names != "" && !assertion.Matches(string(*s.Names), a.name):
		return auth.Refuse("name_not_allowed", "The service account is not one that this login method allows.")
	case *s.Audience != "" && !slices.Contains(audiences, string(*s.Audience)):
		return auth.Refuse("audience_not_allowed", "The token is not meant for the audience that this login method requires.")
	}
	return nil
}

// ask has the cluster review a token.
func (s *Settings) ask(ctx context.Context, service *assertion.Service, jwt string) (*reviewStatus, error) {
	e := assertion.Endpoint{Name: "Kubernetes TokenReview endpoint", URL: string(*s.Host) + reviewPath, CACert: string(*s.CACert)}
	question := tokenReview{APIVersion: "authentication.k8s.io/v1", Kind: "TokenReview", Spec: reviewSpec{Token: jwt}}
	if *s.Audience != "" {
		question.Spec.Audiences = []string{string(*s.Audience)}
	}
	body, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	bearer := string(*s.ReviewerJWT)
	if bearer == "" {
		bearer = jwt
	}
	code, reply, err := service.Call(ctx, e, assertion.Request{Body: body, Bearer: bearer, Limit: maxReview})
	if err != nil {
		return nil, err
	}
	if err := s.judge(e, code); err != nil {
		return nil, err
	}
	var answer tokenReview
	if json.Unmarshal(reply, &answer) != nil || answer.Kind != "TokenReview" {
		return nil, e.Unavailable("did not answer with a TokenReview")
	}
	return &answer.Status, nil
}

// judge tells a cluster that refuses to review from one that reviewed. Where the token under review was its own
// reviewer, the refusal is the token's fault.
func (s *Settings) judge(e assertion.Endpoint, code int) error {
	switch {
	case code == http.StatusOK || code == http.StatusCreated:
		return nil
	case code == http.StatusUnauthorized && *s.ReviewerJWT == "":
		return refuse("token_review_error", "The cluster refused the token. Send a current token of a service account of this cluster.")
	case code == http.StatusForbidden && *s.ReviewerJWT == "":
		return refuse("token_review_error", "The service account may not create token reviews. Give it the role system:auth-delegator, or set tokenReviewerJwt.")
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return e.Unavailable("refused the tokenReviewerJwt; set one that may create token reviews")
	}
	return e.Unavailable("answered with status %d", code)
}

// parseAccount reads system:serviceaccount:NAMESPACE:NAME.
func parseAccount(username string) (a account, ok bool) {
	rest, ok := strings.CutPrefix(username, "system:serviceaccount:")
	if !ok || strings.Count(rest, ":") != 1 {
		return a, false
	}
	a.namespace, a.name, _ = strings.Cut(rest, ":")
	return a, a.namespace != "" && a.name != "" && len(rest) <= 512
}
