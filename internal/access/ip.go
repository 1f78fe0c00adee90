package access

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// IPRule is one trusted address or network, as it is stored and shown (docs/reference/identity.md section 1.1).
type IPRule struct {
	IPAddress string `json:"ipAddress" doc:"The address, or one of the network, as it was sent"`
	Type      string `json:"type" enum:"ipv4,ipv6" doc:"The family of the address"`
	Prefix    *int   `json:"prefix,omitempty" doc:"The length of the network's prefix in bits; absent for a single address"`
}

// What trusted addresses may be at most.
const (
	maxIPRules = 1000
	maxIPText  = 64 // bytes; more than any address with its prefix has
)

// ParseIPRule reads an IPv4 or IPv6 address, or a network in CIDR form. The rule keeps the text of the address, since
// clients compare it with what they sent, and stands for the network that it lies in; an IPv4-mapped IPv6 address stands
// for the IPv4 address. Everything else, zones too, is a fault.BadRequest.
func ParseIPRule(s string) (IPRule, error) {
	if len(s) > maxIPText {
		return IPRule{}, badIP(s)
	}
	if !strings.Contains(s, "/") {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Zone() != "" {
			return IPRule{}, badIP(s)
		}
		return IPRule{IPAddress: s, Type: family(addr.Unmap())}, nil
	}
	network, err := netip.ParsePrefix(s)
	if err != nil {
		return IPRule{}, badIP(s)
	}
	text, _, _ := strings.Cut(s, "/")
	bits := network.Bits()
	return IPRule{IPAddress: text, Type: family(unmapPrefix(network).Addr()), Prefix: &bits}, nil
}

func badIP(s string) error {
	return fault.New(fault.BadRequest,
		"%.64q is not an IP address or network. Give an IPv4 or IPv6 address such as 192.0.2.7, or a network such as 192.0.2.0/24 or 2001:db8::/32.", s)
}

func family(addr netip.Addr) string {
	if addr.Is4() {
		return "ipv4"
	}
	return "ipv6"
}

// unmapPrefix clears the bits after the prefix and turns a network of IPv4-mapped addresses into the IPv4 one.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	p = p.Masked()
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

// IPList is a compiled list of trusted addresses. It does not change once made. A nil IPList allows nobody.
type IPList struct {
	anyone   bool
	networks []netip.Prefix
}

// CompileIPs makes an IPList of stored rules. It refuses rules that ParseIPRule could not have made, and more than
// 1000 of them, with a fault.BadRequest.
func CompileIPs(rules []IPRule) (*IPList, error) {
	if len(rules) > maxIPRules {
		return nil, fault.New(fault.BadRequest, "There are %d trusted addresses; at most %d are allowed. Join them into networks.", len(rules), maxIPRules)
	}
	l := &IPList{networks: make([]netip.Prefix, 0, len(rules))}
	for _, r := range rules {
		network, err := r.network()
		if err != nil {
			return nil, err
		}
		l.networks = append(l.networks, network)
	}
	restricts := func(p netip.Prefix) bool { return p.Bits() > 0 }
	l.anyone = len(rules) > 0 && !slices.ContainsFunc(l.networks, restricts)
	return l, nil
}

// network returns the addresses that the rule stands for.
func (r IPRule) network() (netip.Prefix, error) {
	addr, err := netip.ParseAddr(r.IPAddress)
	if err != nil || addr.Zone() != "" {
		return netip.Prefix{}, badIP(r.IPAddress)
	}
	bits := addr.BitLen()
	if r.Prefix != nil {
		bits = *r.Prefix
	}
	network := unmapPrefix(netip.PrefixFrom(addr, bits))
	if !network.IsValid() || r.Type != family(network.Addr()) {
		return netip.Prefix{}, badIP(r.IPAddress)
	}
	return network, nil
}

// Allows reports whether the list trusts an address. A zone is dropped, and an IPv4-mapped IPv6 address is taken as
// the IPv4 address. A list of nothing but wildcards (0.0.0.0/0, ::/0, or both) allows everybody, so 0.0.0.0/0 alone
// allows IPv6 callers too: that is what the API's users know. Beside a narrower rule a wildcard stands for its own
// family. An empty list allows nobody.
func (l *IPList) Allows(addr netip.Addr) bool {
	if l == nil {
		return false
	}
	if l.anyone {
		return true
	}
	addr = addr.Unmap().WithZone("")
	for _, network := range l.networks {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// Network names the network that a caller has for itself: its address, or the 64 bits of an IPv6 address that a single
// caller can choose among.
func Network(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if network, err := ip.Prefix(64); err == nil {
			return network.String()
		}
	}
	return ip.String()
}
