package token

import (
	"encoding/json"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
)

// Type is the authTokenType claim of an identity's access token.
const Type = "identityAccessToken"

// maxJWT bounds what is parsed at all, in bytes. Our own tokens have about 800.
const maxJWT = 8 << 10

// Claims is what an access token says. Clients and other servers read these names. Times are seconds since 1970,
// durations are seconds. Of a user's token, with the type UserType, ID is that of the session, IdentityID that of the
// user, and OrgID may be empty.
type Claims struct {
	ID             string `json:"jti"`
	TokenID        string `json:"identityAccessTokenId"` // the same as ID, under the name that clients read
	Type           string `json:"authTokenType"`
	IdentityID     string `json:"identityId"`
	IdentityName   string `json:"identityName"`
	Method         string `json:"authMethod"`
	OrgID          string `json:"orgId"`
	ClientSecretID string `json:"clientSecretId,omitempty"`
	Issuer         string `json:"iss,omitempty"` // the server's public URL, where it is set; for services that check our tokens
	IssuedAt       int64  `json:"iat"`
	ExpiresAt      int64  `json:"exp"`
	TTL            int64  `json:"accessTokenTTL"`
	MaxTTL         int64  `json:"accessTokenMaxTTL"`
	Period         int64  `json:"accessTokenPeriod"`
	CreatedAt      int64  `json:"creationEpoch"` // of the first JWT of this token; renewals keep it
	UsesLimit      int64  `json:"numUsesLimit,omitempty"`
	Born           int64  `json:"born"` // feed sequence known when the credentials were checked; renewals keep it

	IdentityAuth json.RawMessage `json:"identityAuth,omitempty"` // what the login found in the credentials, as {"oidc": {...}}

	id, identity uuid.UUID   // ID and IdentityID, parsed once
	cuts         [6]cutScope // what could cut this token off
	kid          string      // the key that signed it
	memory       *memory     // what was found of it; nil where it is not remembered
}

// limits are what the claims say of the token's life.
func (c *Claims) limits() Limits { return Limits{TTL: c.TTL, MaxTTL: c.MaxTTL, Period: c.Period} }

// hasRow reports whether the token is kept in the database too: made by hand, or with uses to count.
func (c *Claims) hasRow() bool { return c.Method == TokenAuth || c.UsesLimit > 0 }

// TokenAuth is the method name of tokens that are made by hand.
const TokenAuth = "token-auth"

var algorithms = []jose.SignatureAlgorithm{jose.ES256}

// parse checks the form, the algorithm, the signature and the type of a JWT, and nothing that changes with time.
// Every failure is a DeadToken fault.
func parse(keys *keyring, jwt string) (*Claims, error) {
	payload, kid, err := openJWT(keys, jwt)
	if err != nil {
		return nil, err
	}
	c, err := readClaims(payload)
	if err == nil {
		c.kid = kid
	}
	return c, err
}

// openJWT returns what a JWT says if the signature is good, and the id of the key that made it.
func openJWT(keys *keyring, jwt string) (payload []byte, kid string, err error) {
	if len(jwt) > maxJWT {
		return nil, "", errMalformed
	}
	jws, err := jose.ParseSignedCompact(jwt, algorithms)
	if err != nil {
		if strings.Contains(err.Error(), "algorithm") {
			return nil, "", errAlgorithm.Because(err)
		}
		return nil, "", errMalformed.Because(err)
	}
	kid = jws.Signatures[0].Protected.KeyID
	key := keys.public[kid]
	if key == nil {
		return nil, "", errSignature
	}
	if payload, err = jws.Verify(key); err != nil {
		return nil, "", errSignature.Because(err)
	}
	return payload, kid, nil
}

// readClaims takes the claims out of a payload whose signature was good.
func readClaims(payload []byte) (*Claims, error) {
	c := &Claims{}
	if err := json.Unmarshal(payload, c); err != nil {
		return nil, errClaims.Because(err)
	}
	switch c.Type {
	case Type:
	case UserType:
		u, err := readUser(payload)
		if err != nil {
			return nil, err
		}
		c = u.claims()
	default:
		return nil, errType
	}
	return c, c.complete()
}

// complete works out what checks look at, and refuses claims that lack it.
func (c *Claims) complete() error {
	var ok, okIdentity bool
	c.id, ok = id.Parse(c.ID)
	c.identity, okIdentity = id.Parse(c.IdentityID)
	if !ok || !okIdentity || c.IssuedAt == 0 || c.ExpiresAt == 0 {
		return errClaims
	}
	c.cuts = cutScopes(c)
	return nil
}

// ErrRevoked says that a token was taken back, alone or with others.
var ErrRevoked = fault.Dead("revoked", "The access token has been revoked. Log in again or create a new one.")

// NotMember is the DeadToken fault of a token whose holder is not an active member of the token's organization.
func NotMember(c *Claims) error {
	if c.Type == UserType {
		return errUserLeft
	}
	return errLeft
}

// The other ways in which a token is refused. What a caller can do about each is in the message.
var (
	errMalformed = fault.Dead("malformed", "The access token is not a well-formed JWT. Check that it was copied completely, or create a new one.")
	errAlgorithm = fault.Dead("algorithm", "The access token is signed with an algorithm that this server does not accept. Create a new token here.")
	errSignature = fault.Dead("signature", "The access token was not signed by this server. Check the server address, or create a new token.")
	errType      = fault.Dead("type", "This kind of access token is not accepted here. Send the token of a machine identity, or, where people log in, the token of a user.")
	errClaims    = fault.Dead("claims", "The access token lacks claims that this server needs. Create a new token.")
	errExpired   = fault.Dead("expired", "The access token has expired. Log in again or create a new one.")
	errUsedUp    = fault.Dead("used-up", "The access token has reached its limit of uses. Log in again or create a new one.")
	errLeft      = fault.Dead("membership", "The identity of this access token is not an active member of its organization. Ask an administrator to add it again, then log in or create a new token.")
	errUserLeft  = fault.Dead("membership", "You are not an active member of the organization that you chose. Choose another one, or ask an administrator to add you again.")
	errAddress   = fault.New(fault.Forbidden, "Your address is not among the trusted addresses of this identity. Call from a trusted address, or ask an administrator to change the list.")
)
