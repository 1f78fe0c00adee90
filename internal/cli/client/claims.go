package client

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// claims is what an access token says of itself. Only the server can tell whether it is true.
type claims struct {
	ID             string `json:"jti"`
	Type           string `json:"authTokenType"`
	IdentityID     string `json:"identityId"`
	IdentityName   string `json:"identityName"`
	Method         string `json:"authMethod"`
	OrgID          string `json:"orgId"`
	ClientSecretID string `json:"clientSecretId,omitempty"`
	Issuer         string `json:"iss,omitempty"`
	IssuedAt       int64  `json:"iat"`
	ExpiresAt      int64  `json:"exp"`
	UsesLimit      int64  `json:"numUsesLimit,omitempty"`
}

// identityToken is the type of machine identities' tokens.
const identityToken = "identityAccessToken"

// readClaims parses a token without checking its signature.
func readClaims(token string) (*claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("this is not an access token: a JWT has three parts with dots between them")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	c := &claims{}
	if err == nil {
		err = json.Unmarshal(payload, c)
	}
	if err != nil || c.ID == "" {
		return nil, errors.New("this is not an access token of Sallyport: its claims cannot be read")
	}
	return c, nil
}

// date shows a time in seconds since 1970; 0 is none.
func date(seconds int64) string {
	if seconds == 0 {
		return "-"
	}
	return time.Unix(seconds, 0).UTC().Format("2006-01-02 15:04:05 UTC")
}

// span shows a duration in its largest unit, such as 30 days.
func span(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if n := int64((d + unit.of/2) / unit.of); d >= unit.of {
			if n == 1 {
				return "1 " + unit.name
			}
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return "less than a second"
}
