package assertion

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/sallyport/sallyport/internal/auth"
)

// leeway is how far the issuer's clock may be ahead of ours. Nothing is added to exp: an expired token is expired.
const leeway = 30 * time.Second

// maxTime is the last second of the year 9999, beyond which no claim of time makes sense.
const maxTime = 253_402_300_799

// Claims is what a token says whose signature was good. Times are seconds since 1970; 0 also where the token has none.
type Claims struct {
	Issuer, Subject, ID            string // iss, sub, jti
	Audience                       []string
	ExpiresAt, NotBefore, IssuedAt int64

	all map[string]any // numbers as json.Number
}

var errClaims = auth.Refuse("invalid_jwt", "The claims of the JWT cannot be read: iss, sub and jti must be strings, aud a string or a list of strings, and exp, nbf and iat numbers of seconds.")

// parseClaims reads a payload. A claim that is null counts as missing.
func parseClaims(payload []byte) (*Claims, error) {
	c := &Claims{}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	if d.Decode(&c.all) != nil || c.all == nil {
		return nil, errClaims
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errClaims
	}
	audience, ok := texts(c.all["aud"])
	if !ok {
		return nil, errClaims
	}
	c.Audience = audience
	for name, to := range map[string]*string{"iss": &c.Issuer, "sub": &c.Subject, "jti": &c.ID} {
		if value := c.all[name]; value != nil {
			if *to, ok = value.(string); !ok {
				return nil, errClaims
			}
		}
	}
	for name, to := range map[string]*int64{"exp": &c.ExpiresAt, "nbf": &c.NotBefore, "iat": &c.IssuedAt} {
		if value := c.all[name]; value != nil {
			if *to, ok = seconds(value); !ok {
				return nil, errClaims
			}
		}
	}
	return c, nil
}

// texts reads a text or a list of texts.
func texts(value any) ([]string, bool) {
	switch v := value.(type) {
	case nil:
		return nil, true
	case string:
		return []string{v}, true
	case []any:
		list := make([]string, len(v))
		for i, item := range v {
			text, ok := item.(string)
			if !ok {
				return nil, false
			}
			list[i] = text
		}
		return list, true
	}
	return nil, false
}

// seconds reads a NumericDate (RFC 7519 section 2), fractions cut off.
func seconds(value any) (int64, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := number.Float64()
	if err != nil || f < 0 || f > maxTime {
		return 0, false
	}
	return int64(f), true
}

// checkTimes refuses a token outside of its life, or one without an end.
func (c *Claims) checkTimes(now time.Time) error {
	latest := now.Add(leeway).Unix()
	switch {
	case c.ExpiresAt == 0 && c.all["exp"] == nil:
		return auth.Refuse("missing_expiry", "The JWT has no exp claim. Configure the issuer to set when it expires.")
	case now.Unix() >= c.ExpiresAt:
		return auth.Refuse("expired", "The JWT has expired. Get a new one from its issuer.")
	case c.NotBefore > latest:
		return auth.Refuse("not_yet_valid", "The JWT is not valid yet. Wait until its nbf, and check the clocks.")
	case c.IssuedAt > latest:
		return auth.Refuse("not_yet_valid", "The JWT says that it was issued in the future. Check the clocks.")
	}
	return nil
}

// Value returns the claim at a path: its name, or names of nested objects with dots between. Names may have dots
// themselves. It is nil where there is none.
func (c *Claims) Value(path string) any { return lookup(c.all, path) }

func lookup(object map[string]any, path string) any {
	if value := object[path]; value != nil {
		return value
	}
	for i := range len(path) {
		if path[i] != '.' {
			continue
		}
		if inner, ok := object[path[:i]].(map[string]any); ok {
			if value := lookup(inner, path[i+1:]); value != nil {
				return value
			}
		}
	}
	return nil
}

// Facts is what the audit log is to know of a token.
func (c *Claims) Facts() map[string]any {
	facts := map[string]any{}
	for name, value := range map[string]string{"issuer": c.Issuer, "subject": c.Subject, "jti": c.ID} {
		if value != "" {
			facts[name] = Printable(value)
		}
	}
	return facts
}

// maxPrintable is how many bytes of other people's text are logged and shown.
const maxPrintable = 255

// Printable returns the beginning of a text that someone else wrote, without its control characters.
func Printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
	if len(text) > maxPrintable {
		text = strings.ToValidUTF8(text[:maxPrintable], "")
	}
	return strings.ToValidUTF8(text, "")
}
