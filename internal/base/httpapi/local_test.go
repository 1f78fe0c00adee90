package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sallyport/sallyport/internal/base/httpapi"
)

func TestLocal(t *testing.T) {
	for name, test := range map[string]struct {
		socket, host, header string
		want                 bool
	}{
		"local":                     {"127.0.0.1:5", "127.0.0.1:8080", "", true},
		"local/localhost":           {"127.0.0.1:5", "localhost:8080", "", true},
		"local/IPv6":                {"[::1]:5", "[::1]:8080", "", true},
		"local/IPv6, no port":       {"[::1]:5", "[::1]", "", true},
		"local/mapped":              {"[::ffff:127.0.0.1]:5", "127.0.0.1", "", true},
		"not local/other machine":   {"192.0.2.1:5", "localhost", "", false},
		"not local/rebound name":    {"127.0.0.1:5", "evil.example:8080", "", false},
		"not local/public address":  {"127.0.0.1:5", "192.0.2.1", "", false},
		"not local/passed on":       {"127.0.0.1:5", "localhost", "X-Forwarded-For", false},
		"not local/forwarded":       {"127.0.0.1:5", "localhost", "Forwarded", false},
		"not local/via":             {"127.0.0.1:5", "localhost", "Via", false},
		"not local/Unix socket":     {"@", "localhost", "", false},
		"not local/with an address": {"127.0.0.1:0", "localhost", "", false}, // as a Unix socket has it
		"not local/no host":         {"127.0.0.1:5", "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			r.RemoteAddr, r.Host = test.socket, test.host
			if test.header != "" {
				r.Header.Set(test.header, "x")
			}
			got, a := false, httpapi.New(httpapi.Options{})
			a.Mount("/", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = httpapi.Local(r.Context()) }))
			a.Handler().ServeHTTP(httptest.NewRecorder(), r)
			if got != test.want {
				t.Errorf("Local() = %v", got)
			}
		})
	}
}
