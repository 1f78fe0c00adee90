package httpapi

import (
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Time is a moment as the wire shows it: RFC 3339 in UTC with three decimals. Its value is milliseconds since 1970, as
// the database keeps it.
type Time int64

// MarshalText writes the moment, in half the time that package time takes for three decimals: it has a short cut for RFC 3339
// without. It is no MarshalJSON, whose result the JSON library would parse again.
func (t Time) MarshalText() ([]byte, error) {
	at := time.UnixMilli(int64(t)).UTC()
	text := at.AppendFormat(make([]byte, 0, len("2006-01-02T15:04:05.000Z")), time.RFC3339)
	ms := at.Nanosecond() / int(time.Millisecond)
	return append(text[:len(text)-1], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z'), nil //nolint:gosec // digits
}

// TransformSchema tells OpenAPI that this is a date-time string, or null for a pointer; huma calls it.
func (Time) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Nullable: s.Nullable}
}
