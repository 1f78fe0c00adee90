package user

import (
	"context"
	"net/http"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// retiredRoutes mounts ways in that clients still try and that are not built
// (docs/reference/people.md sections 2.3 and 2.5). Each answers as a way in that failed, in words that help: what a
// client shows is this answer.
func (s *Service) retiredRoutes(api *httpapi.API) {
	for _, step := range []string{"1", "2"} {
		httpapi.HandleOpen(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v3/auth/login" + step, ID: "srp-login-" + step, Tag: tag, Summary: "Always fails like a wrong login",
			Description: "The login by SRP, which does not exist here. The command line tries it after a failed login, and shows only its error.",
			Open:        true, Cookie: true, Deprecated: true, Errors: []int{http.StatusTooManyRequests}}, s.retiredLoginRoute)
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		httpapi.HandleOpen(api, httpapi.Route{Method: method, Path: "/api/v2/service-token", ID: strings.ToLower(method) + "-service-token", Tag: tag,
			Summary:     "Always 401: there are no service tokens",
			Description: "Clients call it when their token begins with `st.`. Use an access token of a machine identity.",
			Open:        true, Deprecated: true, Errors: []int{http.StatusUnauthorized}}, s.serviceTokenRoute)
	}
}

type retiredLoginInput struct {
	Body struct {
		Email httpapi.Text `json:"email" minLength:"1" maxLength:"320"`
	}
}

// retiredLoginRoute checks nothing, so that it tells nothing: neither of a user nor of a password.
func (s *Service) retiredLoginRoute(context.Context, access.Client, *retiredLoginInput) (*messageOutput, error) {
	return nil, errCredentials
}

var errServiceToken = fault.New(fault.Unauthenticated, "There are no service tokens here. Create a machine identity and use its access token.")

func (s *Service) serviceTokenRoute(context.Context, access.Client, *httpapi.Empty) (*messageOutput, error) {
	return nil, errServiceToken
}
