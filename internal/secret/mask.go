package secret

import (
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// masked reports whether a text is what stands on the wire for a value that its reader does not get to see.
func masked(text string) bool { return strings.TrimSpace(text) == hidden }

var errMasked = fault.New(fault.BadRequest, "The request sends %q, which is shown in place of a value that you may not read. Send the value itself, or leave the field out.", hidden)

// unmask has the mask in changes mean what it stands for: what the secret says already. A client that writes back what it was
// shown must not put the mask in the place of the value. Without anything that it could stand for, BadRequest.
func (c *Changes) unmask(to *Secret) error {
	if c.Value != nil && masked(*c.Value) {
		if to.sealed == nil {
			return errMasked
		}
		c.Value = nil
	}
	if c.Metadata == nil || !slices.ContainsFunc(*c.Metadata, Metadata.masked) {
		return nil
	}
	pairs, left := slices.Clone(*c.Metadata), slices.Clone(to.Metadata)
	for i := range pairs {
		if !pairs[i].masked() {
			continue
		}
		at := slices.IndexFunc(left, func(m Metadata) bool { return m.Encrypted && m.Key == pairs[i].Key })
		if at < 0 || !pairs[i].Encrypted {
			return errMasked
		}
		pairs[i].Value = left[at].Value
		left = slices.Delete(left, at, at+1)
	}
	c.Metadata = &pairs
	return nil
}

func (m Metadata) masked() bool { return masked(m.Value) }

// carries reports whether a secret that is changed goes on to say something that was sealed before.
func (c *Changes) carries(before *Secret) bool {
	if c.Value == nil || masked(*c.Value) {
		return true
	}
	sealed := slices.ContainsFunc(before.Metadata, func(m Metadata) bool { return m.Encrypted })
	return sealed && (c.Metadata == nil || slices.ContainsFunc(*c.Metadata, Metadata.masked))
}
