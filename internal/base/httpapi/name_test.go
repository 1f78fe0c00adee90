package httpapi_test

import (
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sallyport/sallyport/internal/base/httpapi"
)

func TestName(t *testing.T) {
	for sent, accepted := range map[httpapi.Name]bool{"a": true, "a.b": true, "...": true, "": true, " ": false, ".": false, " ..\t": false, "a\x00": false} {
		if errs := sent.Resolve(nil, huma.NewPathBuffer(nil, 0)); (len(errs) == 0) != accepted {
			t.Errorf("%q: %v", sent, errs)
		}
	}
}
