// Package config owns the settings of the server: one struct that gives flags, environment and file, and the only
// place where they are documented. It does not act on them.
package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Storage says where the data are and what opens them. Every command that works on the data itself has these.
type Storage struct {
	DataDir         string `default:"./sallyport-data" env:"SALLYPORT_DATA_DIR" type:"path" help:"Folder of the embedded database and of a root key that the server made. With PostgreSQL and a root key from elsewhere it is not used."`
	DatabaseURL     string `env:"SALLYPORT_DATABASE_URL" help:"postgres:// URL of the database. Default: SQLite in the data folder."`
	DatabaseURLFile string `env:"SALLYPORT_DATABASE_URL_FILE" type:"path" placeholder:"FILE" help:"File with the URL of the database, so that its password is in no environment. Or pass the URL as the systemd credential sallyport.database-url."`
	RootKey         string `env:"SALLYPORT_ROOT_KEY" hidden:"" help:"Root key: 32 bytes in base64. During a rotation, the new key, a space and the old key. Set it in the environment, because others can see flags."`
	RootKeyFile     string `env:"SALLYPORT_ROOT_KEY_FILE" type:"path" help:"File with the root key: 32 bytes in base64. During a rotation, the new key and, on the next line, the old one. Or put the key itself into SALLYPORT_ROOT_KEY, or pass it as the systemd credential sallyport.root-key. Without any, the server creates a key in the data folder at the first start."`
	RootKeyCommand  string `env:"SALLYPORT_ROOT_KEY_COMMAND" placeholder:"COMMAND" help:"Command that prints the root key, such as a client of a key management service. Words are separated by spaces, and there is no shell. It has a minute."`
}

// StorageSettings returns the settings themselves, for what completes them from files and commands.
func (s *Storage) StorageSettings() *Storage { return s }

// Server holds the settings of `sallyport serve` and `sallyport dev`. Each is a flag, an environment variable
// (SALLYPORT_ and the flag's name), and a key of the file that --config names. The tags of a field are all there is to say
// about it: its default, the values that it may have (within) and its help. Validate, Defaults, --help and the reference in
// docs/operations.md are made from them.
type Server struct {
	Storage `embed:"" group:"Storage"`

	Listen              string        `default:"127.0.0.1:8080" env:"SALLYPORT_LISTEN" help:"Address and port to serve on, or unix: and the path of a socket. A socket that systemd passes on comes before it."`
	PublicURL           string        `env:"SALLYPORT_PUBLIC_URL" help:"URL at which clients reach the server, such as https://sallyport.example.com: the issuer of tokens and of OAuth metadata. Default: built from --listen."`
	TrustedProxies      []string      `env:"SALLYPORT_TRUSTED_PROXIES" placeholder:"CIDR" help:"Addresses of proxies whose X-Forwarded-For is trusted."`
	PrivateNets         []string      `name:"allow-private-networks" env:"SALLYPORT_ALLOW_PRIVATE_NETWORKS" placeholder:"CIDR" help:"Private networks that login methods may call (keys, token reviews), such as 10.96.0.1 of a cluster. Default: none, because otherwise anyone who can configure a login method could reach internal hosts."`
	Lease               time.Duration `default:"2s" within:"200ms,30s" env:"SALLYPORT_LEASE" help:"How long a replica may answer from memory after it last renewed. It is also the longest time that a change waits for a dead replica. Use the same value on all replicas."`
	MaxTokenAge         time.Duration `default:"2160h" within:"1s,87600h" env:"SALLYPORT_MAX_TOKEN_AGE" help:"Longest life of an access token for which no other limit is set."`
	UnlistedRevocations int64         `default:"10000" within:"1,10000000" env:"SALLYPORT_UNLISTED_REVOCATIONS" help:"How many tokens without a record (tokens of logins) one identity may revoke by ID within --max-token-age. The server remembers each of them for that long. Revoking a token by itself, or all tokens of an identity, is never limited."`
	MaxBody             int64         `default:"8388608" within:"1024,1073741824" env:"SALLYPORT_MAX_BODY" help:"Largest request body, in bytes."`
	AuditRetention      time.Duration `default:"8760h" within:"1h,876000h" env:"SALLYPORT_AUDIT_RETENTION" help:"How long audit events are kept."`
	SecretCache         int64         `default:"33554432" within:"0,1099511627776" env:"SALLYPORT_SECRET_CACHE" help:"Bytes of memory for cached secrets, which stay sealed. 0 reads the database each time."`
	EnvGrace            time.Duration `name:"environment-grace" default:"168h" within:"0s,87600h" env:"SALLYPORT_ENVIRONMENT_GRACE" help:"How long a deleted environment of a project can be restored, before its secrets are gone."`
	MinPassword         int           `name:"min-password-length" default:"12" within:"8,128" env:"SALLYPORT_MIN_PASSWORD_LENGTH" help:"Minimum length of a new password, in characters. Existing passwords keep working."`
	Console             bool          `default:"true" negatable:"" env:"SALLYPORT_CONSOLE" help:"Serve the web console at / next to the API. Turn it off with --no-console."`
	SetupCode           string        `default:"required" enum:"required,none" env:"SALLYPORT_SETUP_CODE" help:"Whether the set-up of an empty server needs the code that its log shows: required, except for callers on this machine; or none, for closed networks."`
	Listening           `embed:"" group:"TLS and the internal address"`
	Limits              `embed:"" group:"Limits"`
	Bounds              `embed:"" group:"Bounds of one request"`
	Quotas              `embed:"" group:"Quotas"`
	Timeouts            `embed:"" group:"Timeouts"`
	LogFormat           string `default:"text" enum:"text,json" env:"SALLYPORT_LOG_FORMAT" help:"Form of the log lines: text or json."`
	LogLevel            string `default:"info" enum:"debug,info,warn,error" env:"SALLYPORT_LOG_LEVEL" help:"Lowest level that is logged. debug logs a line for each request."`
}

// Validate checks what the types do not; kong calls it.
func (s *Server) Validate() error {
	if err := checkAddress("listen", s.Listen); err != nil {
		return err
	}
	if err := s.Listening.validate(); err != nil {
		return err
	}
	if _, err := s.Proxies(); err != nil {
		return err
	}
	if _, err := s.PrivateNetworks(); err != nil {
		return err
	}
	if err := s.checkPublicURL(); err != nil {
		return err
	}
	if _, err := s.ExemptNetworks(); err != nil {
		return err
	}
	return s.checkRanges()
}

// checkPublicURL refuses what cannot be an issuer (RFC 8414 section 2).
func (s *Server) checkPublicURL() error {
	u, err := url.Parse(s.PublicURL)
	switch {
	case s.PublicURL == "":
		return nil
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("--public-url must be an http or https URL such as https://sallyport.example.com")
	case u.User != nil || strings.ContainsAny(s.PublicURL, "?#"):
		return fmt.Errorf("--public-url must have no user, query or fragment: it is the issuer of tokens")
	}
	return nil
}

// BaseURL returns the URL at which clients reach the server, without a slash at its end: the one text for the issuer in
// tokens, metadata and introspection. Where the server listens on every address, it is that of the machine itself.
func (s *Server) BaseURL() string {
	if s.PublicURL != "" {
		return strings.TrimRight(s.PublicURL, "/")
	}
	scheme := "http://"
	if s.TLSCert != "" {
		scheme = "https://"
	}
	if UnixSocket(s.Listen) != "" {
		return scheme + "localhost"
	}
	host, port, err := net.SplitHostPort(s.Listen)
	if ip, _ := netip.ParseAddr(host); err == nil && (host == "" || ip.IsValid() && ip.IsUnspecified()) {
		return scheme + net.JoinHostPort("localhost", port)
	}
	return scheme + s.Listen
}

// Proxies returns the trusted proxies as address ranges. A single address counts as a range of one.
func (s *Server) Proxies() ([]netip.Prefix, error) {
	return ranges("--trusted-proxies", s.TrustedProxies)
}

// PrivateNetworks returns the networks that login methods may call though they are not public.
func (s *Server) PrivateNetworks() ([]netip.Prefix, error) {
	return ranges("--allow-private-networks", s.PrivateNets)
}

// ranges reads the address ranges of a flag. An IPv4 address in the clothes of IPv6 becomes what it is, since clients'
// addresses are compared in that form.
func ranges(flag string, texts []string) ([]netip.Prefix, error) {
	found := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if addr, single := netip.ParseAddr(text); single == nil {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %q is neither an address nor a CIDR block such as 10.0.0.0/8", flag, text)
		}
		if addr := prefix.Addr(); addr.Is4In6() && prefix.Bits() >= 96 {
			prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
		}
		found = append(found, prefix.Masked())
	}
	return found, nil
}
