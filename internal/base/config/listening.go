package config

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
)

// Listening says how the server proves who it is, and where it answers what is for operators alone.
type Listening struct {
	TLSCert        string `name:"tls-cert" env:"SALLYPORT_TLS_CERT" type:"path" placeholder:"FILE" help:"PEM file with the certificate of the server and those above it. The server then speaks TLS and HTTP/2. It reads the files again when they change, and on SIGHUP."`
	TLSKey         string `name:"tls-key" env:"SALLYPORT_TLS_KEY" type:"path" placeholder:"FILE" help:"PEM file with the private key of the certificate."`
	TLSClientCA    string `name:"tls-client-ca" env:"SALLYPORT_TLS_CLIENT_CA" type:"path" placeholder:"FILE" help:"PEM file with certificates. Every caller must have a client certificate that one of them issued."`
	InternalListen string `env:"SALLYPORT_INTERNAL_LISTEN" placeholder:"ADDRESS" help:"Second address, without TLS, for operators: metrics, health and profiles (/debug/pprof). --listen then serves none of them. Let nobody else reach it."`
}

// UnixSocket returns the path of the socket that an address such as unix:/run/sallyport.sock names; "" for other addresses.
func UnixSocket(address string) string {
	path, found := strings.CutPrefix(address, "unix:")
	if !found {
		return ""
	}
	return filepath.Clean(path)
}

// checkAddress refuses what nothing can listen on.
func checkAddress(flag, address string) error {
	if strings.HasPrefix(address, "unix:/") {
		return nil
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("--%s %q is not an address and a port such as 127.0.0.1:8080, or unix: and the path of a socket", flag, address)
	}
	return nil
}

func (l *Listening) validate() error {
	switch {
	case (l.TLSCert == "") != (l.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key must be set together")
	case l.TLSClientCA != "" && l.TLSCert == "":
		return errors.New("--tls-client-ca needs --tls-cert and --tls-key")
	case l.InternalListen != "":
		return checkAddress("internal-listen", l.InternalListen)
	}
	return nil
}
