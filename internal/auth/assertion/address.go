package assertion

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
)

// closed are the networks that the server never calls unless it is told to: those of the machine itself, of private
// networks and their equipment, and those that stand for nobody or everyone (IANA's registries of special-purpose
// addresses). An address that carries an IPv4 address inside is closed as a whole: it may lead anywhere.
var closed = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

// global holds every IPv6 address that can be reached from everywhere.
var global = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

var errPrivate = errors.New("the address is in a network that is not public")

// guard refuses addresses that the server is not to call. The dialler asks it for each address that it is about to
// call, after all names were resolved, so that no name can lead around it.
func (s *Service) guard(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return err
	}
	if !s.mayCall(ip) {
		return errPrivate
	}
	return nil
}

// mayCall reports whether an address is public, or of a network that the settings open.
func (s *Service) mayCall(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if within(s.private, ip) {
		return true
	}
	return !within(closed, ip) && (ip.Is4() || global.Contains(ip))
}

func within(networks []netip.Prefix, ip netip.Addr) bool {
	for _, network := range networks {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}
