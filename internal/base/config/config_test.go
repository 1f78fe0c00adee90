package config_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/config"
)

func TestValidate(t *testing.T) {
	tests := map[string]struct {
		change func(*config.Server)
		want   string // in the error; "" means none
	}{
		"accepted/defaults":                {func(*config.Server) {}, ""},
		"accepted/every address":           {func(s *config.Server) { s.Listen = ":0" }, ""},
		"accepted/IPv6":                    {func(s *config.Server) { s.Listen = "[::1]:8080" }, ""},
		"refused/listen without a port":    {func(s *config.Server) { s.Listen = "localhost" }, "--listen"},
		"refused/listen on nothing":        {func(s *config.Server) { s.Listen = "" }, "--listen"},
		"refused/IPv6 without brackets":    {func(s *config.Server) { s.Listen = "::1:8080" }, "--listen"},
		"refused/proxy that is a name":     {func(s *config.Server) { s.TrustedProxies = []string{"proxy.local"} }, `--trusted-proxies: "proxy.local"`},
		"refused/proxy with a bad prefix":  {func(s *config.Server) { s.TrustedProxies = []string{"10.0.0.0/8", "10.0.0.0/33"} }, "10.0.0.0/33"},
		"accepted/public URL":              {func(s *config.Server) { s.PublicURL = "https://sallyport.example.com/" }, ""},
		"refused/public URL of a file":     {func(s *config.Server) { s.PublicURL = "file:///etc" }, "--public-url"},
		"refused/public URL without host":  {func(s *config.Server) { s.PublicURL = "https://" }, "--public-url"},
		"accepted/public URL with a path":  {func(s *config.Server) { s.PublicURL = "https://example.com/sallyport/" }, ""},
		"refused/public URL with a query":  {func(s *config.Server) { s.PublicURL = "https://example.com/?a=b" }, "--public-url"},
		"refused/public URL with fragment": {func(s *config.Server) { s.PublicURL = "https://example.com/#" }, "--public-url"},
		"refused/public URL with a user":   {func(s *config.Server) { s.PublicURL = "https://a@example.com" }, "--public-url"},
		"refused/no unlisted revocations":  {func(s *config.Server) { s.UnlistedRevocations = 0 }, "--unlisted-revocations"},
		"refused/negative token age":       {func(s *config.Server) { s.MaxTokenAge = -time.Hour }, "--max-token-age"},
		"accepted/nobody is exempt":        {func(s *config.Server) { s.UnlimitedNets = []string{"none"} }, ""},
		"refused/exempt name":              {func(s *config.Server) { s.UnlimitedNets = []string{"office"} }, "--rate-limits-exempt"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := config.Defaults()
			test.change(&s)
			err := s.Validate()
			switch {
			case test.want == "" && err != nil:
				t.Errorf("Validate() = %v; want no error", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("Validate() = %v; want an error with %q", err, test.want)
			}
		})
	}
}

func TestProxies(t *testing.T) {
	s := config.Defaults()
	s.TrustedProxies = []string{"192.0.2.7", "10.1.2.3/8", "2001:db8::1", "::ffff:192.0.2.8", "::ffff:172.16.0.0/108"}
	got, err := s.Proxies()
	if err != nil {
		t.Fatal(err)
	}
	want := []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::1/128"),
		netip.MustParsePrefix("192.0.2.8/32"), netip.MustParsePrefix("172.16.0.0/12")}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("Proxies() (- want, + got):\n%s", diff)
	}
}

func TestExemptNetworks(t *testing.T) {
	for name, test := range map[string]struct {
		texts []string
		want  []netip.Prefix
	}{
		"none":         {[]string{"none"}, nil},
		"the machine":  {[]string{"127.0.0.0/8", "::1"}, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}},
		"mapped to v6": {[]string{"::ffff:10.0.0.1"}, []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}},
	} {
		got, err := (&config.Limits{UnlimitedNets: test.texts}).ExemptNetworks()
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, test.want)
		}
	}
}

func TestBaseURL(t *testing.T) {
	for name, c := range map[string]struct{ public, listen, want string }{
		"made of the address":           {"", "127.0.0.1:8080", "http://127.0.0.1:8080"},
		"on every address":              {"", ":8080", "http://localhost:8080"},
		"on every address of IPv4":      {"", "0.0.0.0:8080", "http://localhost:8080"},
		"on every address of IPv6":      {"", "[::]:8080", "http://localhost:8080"},
		"of IPv6":                       {"", "[::1]:8080", "http://[::1]:8080"},
		"public":                        {"https://sallyport.example.com", "127.0.0.1:8080", "https://sallyport.example.com"},
		"public, with a slash":          {"https://sallyport.example.com/", "127.0.0.1:8080", "https://sallyport.example.com"},
		"public, with a path":           {"https://example.com/sallyport", "127.0.0.1:8080", "https://example.com/sallyport"},
		"public, with path and a slash": {"https://example.com/sallyport/", "127.0.0.1:8080", "https://example.com/sallyport"},
	} {
		s := config.Defaults()
		s.PublicURL, s.Listen = c.public, c.listen
		if got := s.BaseURL(); got != c.want {
			t.Errorf("%s: BaseURL() = %q, want %q", name, got, c.want)
		}
	}
}

// settings is a command that has them all.
type settings struct {
	config.Server
}

// TestTags: the tags of each setting can be read, its name is the one of its flag, and its help is a sentence.
func TestTags(t *testing.T) {
	app, err := kong.New(&settings{})
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string]*kong.Flag{}
	for _, flag := range app.Model.Flags {
		flags[flag.Name] = flag
	}
	for _, s := range config.Settings() {
		flag := flags[s.Flag]
		if flag == nil || !slices.Equal(flag.Envs, []string{s.Env}) || flag.Default != s.Default || flag.Help != s.Help {
			t.Errorf("--%s: the variable %s does not have its name, or the command line knows it otherwise", s.Flag, s.Env)
		}
		if !strings.HasPrefix(s.Env, "SALLYPORT_") || !strings.HasSuffix(s.Help, ".") {
			t.Errorf("--%s: the variable %q must begin with SALLYPORT_, and the help %q must be a sentence", s.Flag, s.Env, s.Help)
		}
		delete(flags, s.Flag)
	}
	delete(flags, "help")
	for name := range flags {
		t.Errorf("Settings does not have --%s", name)
	}
}

// TestDefaults: a command line without flags gives the defaults, and they are valid.
func TestDefaults(t *testing.T) {
	for _, s := range config.Settings() {
		if text, set := os.LookupEnv(s.Env); set {
			t.Setenv(s.Env, text) // puts it back in the end
			os.Unsetenv(s.Env)
		}
	}
	var parsed settings
	app, err := kong.New(&parsed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.Parse(nil); err != nil {
		t.Fatal(err)
	}
	want := config.Defaults()
	if want.DataDir, err = filepath.Abs(want.DataDir); err != nil { // as the command line makes it
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, parsed.Server); diff != "" {
		t.Errorf("Defaults() (-) is not what the command line makes of nothing (+):\n%s", diff)
	}
}

// TestRanges: of each setting with a range both ends are accepted, and what is beyond them is refused with its name.
func TestRanges(t *testing.T) {
	for _, s := range config.Settings() {
		if s.Most == "" {
			continue
		}
		least, most := read(t, s.Least), read(t, s.Most)
		for value, accepted := range map[int64]bool{least: true, most: true, least - 1: least == 1 && s.OrZero, most + 1: false} {
			err := validate(t, s.Flag, value)
			if accepted && err != nil {
				t.Errorf("--%s=%d: %v", s.Flag, value, err)
			}
			if !accepted && (err == nil || !strings.Contains(err.Error(), "--"+s.Flag+" must be ")) {
				t.Errorf("--%s=%d: got %v", s.Flag, value, err)
			}
		}
		if err := validate(t, s.Flag, 0); s.OrZero && err != nil {
			t.Errorf("--%s=0: %v", s.Flag, err)
		}
	}
}

func read(t *testing.T, text string) int64 {
	t.Helper()
	if d, err := time.ParseDuration(text); err == nil {
		return int64(d)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Errorf("%q in a tag is neither a number nor a duration", text)
	}
	return n
}

// validate validates the defaults with another value of one setting.
func validate(t *testing.T, flag string, value int64) error {
	t.Helper()
	s := config.Defaults()
	var set func(reflect.Value)
	set = func(of reflect.Value) {
		for i := range of.NumField() {
			if f := of.Type().Field(i); f.Anonymous {
				set(of.Field(i))
			} else if f.Tag.Get("env") == "SALLYPORT_"+strings.ToUpper(strings.ReplaceAll(flag, "-", "_")) {
				of.Field(i).SetInt(value)
			}
		}
	}
	set(reflect.ValueOf(&s).Elem())
	return s.Validate()
}
