package config_test

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/config"
)

func valid() config.Server {
	return config.Server{Listen: "127.0.0.1:8080", Lease: 2 * time.Second, MaxTokenAge: 90 * 24 * time.Hour, MaxBody: 8 << 20, UnlistedRevocations: 10_000,
		AuditRetention: 365 * 24 * time.Hour, MinPassword: 12, Limits: config.Limits{MaxHeader: 64 << 10}, Bounds: config.Bounds{MatchSteps: 100_000_000, SearchTime: 5 * time.Second},
		Quotas: config.Quotas{Projects: 1, MemberProjects: 1, Identities: 1, MemberIdentities: 1, Tokens: 1, ClientSecrets: 1, SecretVersions: 1},

		Timeouts: config.Timeouts{HeaderTimeout: time.Second, RequestTimeout: time.Minute, AnswerTimeout: time.Minute,
			IdleTimeout: time.Minute, ShutdownTimeout: 15 * time.Second}}
}

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
		"refused/passwords of 7":           {func(s *config.Server) { s.MinPassword = 7 }, "--min-password-length"},
		"accepted/passwords of 8":          {func(s *config.Server) { s.MinPassword = 8 }, ""},
		"refused/passwords of 129":         {func(s *config.Server) { s.MinPassword = 129 }, "--min-password-length"},
		"refused/token age of nothing":     {func(s *config.Server) { s.MaxTokenAge = 0 }, "--max-token-age"},
		"accepted/token age of a second":   {func(s *config.Server) { s.MaxTokenAge = time.Second }, ""},
		"accepted/token age of ten years":  {func(s *config.Server) { s.MaxTokenAge = 87600 * time.Hour }, ""},
		"refused/token age over ten years": {func(s *config.Server) { s.MaxTokenAge = 87601 * time.Hour }, "--max-token-age"},
		"refused/no unlisted revocations":  {func(s *config.Server) { s.UnlistedRevocations = 0 }, "--unlisted-revocations"},
		"refused/few steps of matching":    {func(s *config.Server) { s.MatchSteps = 999_999 }, "--match-steps"},
		"refused/too many steps":           {func(s *config.Server) { s.MatchSteps = 1_000_000_000_001 }, "--match-steps"},
		"refused/searches in no time":      {func(s *config.Server) { s.SearchTime = 0 }, "--search-time"},
		"refused/searches of an hour":      {func(s *config.Server) { s.SearchTime = time.Hour }, "--search-time"},
		"refused/no projects":              {func(s *config.Server) { s.Projects = 0 }, "--quota-projects"},
		"refused/no projects of a member":  {func(s *config.Server) { s.MemberProjects = 0 }, "--quota-member-projects"},
		"refused/no identities":            {func(s *config.Server) { s.Identities = -1 }, "--quota-identities"},
		"refused/no tokens":                {func(s *config.Server) { s.Tokens = 0 }, "--quota-tokens"},
		"refused/no client secrets":        {func(s *config.Server) { s.ClientSecrets = 0 }, "--quota-client-secrets"},
		"refused/too many versions":        {func(s *config.Server) { s.SecretVersions = 1_000_000_001 }, "--quota-secret-versions"},
		"refused/negative token age":       {func(s *config.Server) { s.MaxTokenAge = -time.Hour }, "--max-token-age"},
		"refused/lease too short":          {func(s *config.Server) { s.Lease = time.Millisecond }, "--lease"},
		"refused/lease too long":           {func(s *config.Server) { s.Lease = time.Minute }, "--lease"},
		"refused/body too small":           {func(s *config.Server) { s.MaxBody = 1023 }, "--max-body"},
		"refused/body too large":           {func(s *config.Server) { s.MaxBody = 1<<30 + 1 }, "--max-body"},
		"refused/negative grace":           {func(s *config.Server) { s.EnvGrace = -time.Hour }, "--environment-grace"},
		"refused/negative rate":            {func(s *config.Server) { s.FailureRate = -1 }, "--failure-rate"},
		"accepted/no drain":                {func(s *config.Server) { s.Drain = 0 }, ""},
		"refused/negative drain":           {func(s *config.Server) { s.Drain = -time.Second }, "--drain"},
		"refused/drain over an hour":       {func(s *config.Server) { s.Drain = 61 * time.Minute }, "--drain"},
		"refused/negative database wait":   {func(s *config.Server) { s.DatabaseWait = -time.Second }, "--database-wait"},
		"refused/database wait of 25h":     {func(s *config.Server) { s.DatabaseWait = 25 * time.Hour }, "--database-wait"},
		"refused/delay of a minute":        {func(s *config.Server) { s.FailureDelay = time.Minute }, "--failure-delay"},
		"refused/burst without end":        {func(s *config.Server) { s.IdentityBurst = 2_000_000_000 }, "--identity-burst"},
		"accepted/nobody is exempt":        {func(s *config.Server) { s.UnlimitedNets = []string{"none"} }, ""},
		"refused/exempt name":              {func(s *config.Server) { s.UnlimitedNets = []string{"office"} }, "--rate-limits-exempt"},
		"refused/few connections":          {func(s *config.Server) { s.MaxConnections = 3 }, "--max-connections"},
		"refused/memory too small":         {func(s *config.Server) { s.MemoryLimit = 64 << 20 }, "--memory-limit"},
		"refused/header too small":         {func(s *config.Server) { s.MaxHeader = 100 }, "--max-header"},
		"refused/no time for headers":      {func(s *config.Server) { s.HeaderTimeout = 0 }, "--header-timeout"},
		"refused/no time for requests":     {func(s *config.Server) { s.RequestTimeout = 0 }, "--request-timeout"},
		"refused/no time for answers":      {func(s *config.Server) { s.AnswerTimeout = 0 }, "--answer-timeout"},
		"refused/idle for ever":            {func(s *config.Server) { s.IdleTimeout = 24 * time.Hour }, "--idle-timeout"},
		"refused/shutdown in no time":      {func(s *config.Server) { s.ShutdownTimeout = 0 }, "--shutdown-timeout"},
		"refused/audit of minutes":         {func(s *config.Server) { s.AuditRetention = time.Minute }, "--audit-retention"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := valid()
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
	s := valid()
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
		s := valid()
		s.PublicURL, s.Listen = c.public, c.listen
		if got := s.BaseURL(); got != c.want {
			t.Errorf("%s: BaseURL() = %q, want %q", name, got, c.want)
		}
	}
}

// TestEverySettingHasAVariableAndAHelpText keeps the promise of Server's comment.
func TestEverySettingHasAVariableAndAHelpText(t *testing.T) {
	var walk func(reflect.Type)
	walk = func(s reflect.Type) {
		for i := range s.NumField() {
			f := s.Field(i)
			if _, embedded := f.Tag.Lookup("embed"); embedded {
				walk(f.Type)
				continue
			}
			if env := f.Tag.Get("env"); !strings.HasPrefix(env, "SALLYPORT_") {
				t.Errorf("%s has the variable %q; it must begin with SALLYPORT_", f.Name, env)
			}
			if help := f.Tag.Get("help"); !strings.HasSuffix(help, ".") {
				t.Errorf("%s has the help text %q; it must be a sentence", f.Name, help)
			}
		}
	}
	walk(reflect.TypeFor[config.Server]())
}
