package httpapi

import (
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Time is a moment as the wire shows it: RFC 3339 in UTC with three decimals. Its value is milliseconds since 1970, as
// the database keeps it.
type Time int64

// MarshalJSON writes the moment in quotes.
func (t Time) MarshalJSON() ([]byte, error) {
	return time.UnixMilli(int64(t)).UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000Z"`), nil
}

// TransformSchema tells OpenAPI that this is a date-time string, or null for a pointer; huma calls it.
func (Time) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Nullable: s.Nullable}
}
