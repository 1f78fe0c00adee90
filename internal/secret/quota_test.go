package secret

import (
	"fmt"
	"testing"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// TestOldestVersionsGo: a secret keeps the newest of its older versions; none is refused.
func TestOldestVersionsGo(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.versions = 3
		at := f.in("dev", "/")
		f.put(at, "A", "1")
		f.put(at, "OTHER", "1")
		for n := 2; n <= 10; n++ {
			if _, err := f.Update(t.Context(), f.admin, at, Changes{Name: "A", Value: ptr(fmt.Sprint(n))}); err != nil {
				t.Fatal(err)
			}
		}
		for version := int64(1); version <= 10; version++ {
			found, err := f.Get(t.Context(), f.admin, at, Find{Name: "A", Version: version, View: View{Values: true}})
			switch {
			case version < 7:
				want(t, err, fault.NotFound)
			case err != nil || found.Value != fmt.Sprint(version):
				t.Errorf("version %d says %+v, %v", version, found, err)
			}
		}
		if n := f.count(`SELECT count(*) FROM secret_versions`); n != 3 {
			t.Errorf("%d older versions are kept", n)
		}
	})
}
