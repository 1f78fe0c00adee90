package httpapi_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// TestTimeIsWrittenAsPackageTimeDoes compares the two over all years that RFC 3339 knows.
func TestTimeIsWrittenAsPackageTimeDoes(t *testing.T) {
	first, last := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(), time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC).UnixMilli()
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(first, last).Draw(t, "ms")
		want := time.UnixMilli(ms).UTC().Format(`"2006-01-02T15:04:05.000Z"`)
		if got, err := json.Marshal(httpapi.Time(ms)); err != nil || string(got) != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	})
}
