//go:build !windows

package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/sallyport/sallyport/internal/base/config"
)

// socketMode is the mode of a Unix socket: a proxy that may call is in the group of the server.
const socketMode = 0o660

// sockets are those that systemd passed on; nil for none.
type sockets struct{ public, internal *os.File }

// passedOn takes the sockets of systemd. Call it once. The one that is named internal is for operators.
func passedOn() (s sockets) {
	for _, file := range activation.Files(true) {
		if file.Name() == "internal" {
			s.internal = file
		} else if s.public == nil {
			s.public = file
		}
	}
	return s
}

// listen returns a listener: a socket that systemd passed on, if there is one, a Unix socket, or TCP.
func listen(passed *os.File, flag, address string) (net.Listener, error) {
	if passed != nil {
		l, err := net.FileListener(passed) // it has a copy of the descriptor
		if err != nil {
			return nil, fmt.Errorf("cannot use the socket %q that systemd passed on: %w", passed.Name(), err)
		}
		return addressed(l), passed.Close()
	}
	if path := config.UnixSocket(address); path != "" {
		return listenUnix(path)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot serve on %s; choose another address with --%s: %w", address, flag, err)
	}
	return l, nil
}

// unixListener gives callers at a Unix socket the address 127.0.0.1 with the port 0, since they are on this machine: the address
// rules of tokens and --trusted-proxies then apply to them.
type unixListener struct{ net.Listener }

// Accept returns the next connection.
func (l unixListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return unixConn{conn}, nil
}

type unixConn struct{ net.Conn }

// RemoteAddr is the address of the loopback interface.
func (unixConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// addressed wraps a Unix listener; others stay as they are.
func addressed(l net.Listener) net.Listener {
	if l.Addr().Network() == "unix" {
		return unixListener{l}
	}
	return l
}

// listenUnix makes a socket. One that nobody listens on any more is left by a crash, and goes.
func listenUnix(path string) (net.Listener, error) {
	if conn, err := net.Dial("unix", path); err == nil {
		return nil, errors.Join(fmt.Errorf("another program listens on %s; choose another socket with --listen", path), conn.Close())
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == fs.ModeSocket {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("cannot serve on %s; choose another socket with --listen: %w", path, err)
	}
	if err := os.Chmod(path, socketMode); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return addressed(l), nil
}
