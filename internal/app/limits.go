package app

import (
	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/limit"
)

// limitsOf returns how often callers may come. A token can be revoked whatever failed before from the same address: a
// leak must be stopped at once.
func limitsOf(c config.Limits) (httpapi.Limits, error) {
	always := []string{"/api/v1/auth/token/revoke", "/api/v1/oauth/revoke"}
	if !c.RateLimits {
		return httpapi.Limits{Always: always}, nil
	}
	exempt, err := c.ExemptNetworks()
	return httpapi.Limits{
		Failures: limit.Rule{Rate: c.FailureRate, Burst: c.FailureBurst},
		Identity: limit.Rule{Rate: c.IdentityRate, Burst: c.IdentityBurst},
		Delay:    c.FailureDelay,
		Exempt:   exempt,
		Always:   always,
	}, err
}
