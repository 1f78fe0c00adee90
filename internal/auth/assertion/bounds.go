package assertion

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// What the claims of a configuration may be at most.
const (
	maxClaims    = 50
	maxClaimName = 255  // bytes
	maxClaimList = 2048 // bytes
)

// Bounds is what a configuration asks of a token's claims. Methods embed it in their settings. An empty text asks for
// nothing.
type Bounds struct {
	Issuer    *httpapi.Text     `json:"boundIssuer,omitempty" maxLength:"2048" doc:"The exact iss that is required"`
	Audiences *httpapi.Text     `json:"boundAudiences,omitempty" maxLength:"2048" doc:"Audiences with commas between; aud must be exactly one of them"`
	Claims    map[string]string `json:"boundClaims" required:"false" doc:"For each claim, by its name or by a path with dots, the values that it may have: exact values or globs, with commas between"`
	Subject   *httpapi.Text     `json:"boundSubject,omitempty" maxLength:"2048" doc:"The required sub: an exact value or one glob, in which commas are literal"`
	OneTime   *bool             `json:"oneTimeAssertions,omitempty" doc:"Accept each token, by its jti, for one login only. Default: false"`
}

// Complete checks bounds and sets what is missing. The error is Validation.
func (b *Bounds) Complete() error {
	for _, text := range []**httpapi.Text{&b.Issuer, &b.Audiences, &b.Subject} {
		if *text == nil {
			*text = new(httpapi.Text)
		}
	}
	if b.Claims == nil {
		b.Claims = map[string]string{}
	}
	if b.OneTime == nil {
		b.OneTime = new(bool)
	}
	*b.Audiences = httpapi.Text(strings.Join(audiences(string(*b.Audiences)), ", "))
	if subject := b.Subject.Trimmed(); subject != "" {
		if err := checkPattern(subject, "boundSubject"); err != nil {
			return err
		}
	}
	return CheckNames("boundClaims", b.Claims, func(claim, list string) error {
		if len(split(list)) == 0 {
			return fault.Invalid("too_small", "A bound claim needs a value. The value * matches any value without a slash.", "boundClaims", claim)
		}
		return CheckList(list, "boundClaims", claim)
	})
}

// CheckNames refuses, as Validation at the field, a map of texts that is too large or has control characters. each
// checks one entry further.
func CheckNames(field string, entries map[string]string, each func(name, text string) error) error {
	if len(entries) > maxClaims {
		return fault.Invalid("too_big", "Name at most 50 claims.", field)
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		text := entries[name]
		if name == "" || len(name) > maxClaimName || len(text) > maxClaimList {
			return fault.Invalid("too_big", "The name of a claim has 1 to 255 bytes, and the value next to it at most 2048.", field, Printable(name))
		}
		if strings.ContainsFunc(name+text, unicode.IsControl) {
			return fault.Invalid("invalid_string", "Control characters are not allowed here.", field, Printable(name))
		}
		if err := each(name, text); err != nil {
			return err
		}
	}
	return nil
}

func audiences(list string) []string {
	var found []string
	for entry := range strings.SplitSeq(list, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			found = append(found, entry)
		}
	}
	return found
}

// check refuses a token that does not keep to the bounds (docs/reference/identity.md sections 10.5 and 10.6).
func (b *Bounds) check(c *Claims) error {
	if issuer := b.Issuer.Trimmed(); issuer != "" && c.Issuer != issuer {
		return auth.Forbid("issuer_mismatch", "The JWT has a different issuer than the one that this login method trusts. Use a JWT of the bound issuer.")
	}
	if err := b.checkSubject(c); err != nil {
		return err
	}
	if err := b.checkAudience(c.Audience); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(b.Claims)) {
		value := c.Value(name)
		if value == nil {
			return auth.Refuse("missing_claim", "The JWT has no claim %s, which this login method requires.", name)
		}
		if !matchesClaim(b.Claims[name], value) {
			return auth.Refuse("claim_mismatch", "The claim %s of the JWT is not one of the values that this login method allows.", name)
		}
	}
	return nil
}

func (b *Bounds) checkSubject(c *Claims) error {
	pattern := b.Subject.Trimmed()
	switch {
	case pattern == "":
		return nil
	case c.Subject == "":
		return auth.Refuse("missing_subject", "The JWT has no sub claim, and this login method is bound to a subject.")
	case !matchesPattern(pattern, c.Subject):
		return auth.Forbid("subject_not_allowed", "The subject of the JWT is not the one that this login method allows.%s", hintOfGitHub(c))
	}
	return nil
}

func (b *Bounds) checkAudience(has []string) error {
	allowed := audiences(string(*b.Audiences))
	switch {
	case len(allowed) == 0:
		return nil
	case len(has) == 0:
		return auth.Refuse("missing_audience", "The JWT has no aud claim, and this login method is bound to an audience.")
	case !slices.ContainsFunc(has, func(audience string) bool { return slices.Contains(allowed, audience) }):
		return auth.Refuse("audience_not_allowed", "The JWT is meant for another audience. Ask its issuer for one with a bound audience.")
	}
	return nil
}
