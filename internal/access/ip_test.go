package access

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/base/fault"
)

func TestParseIPRule(t *testing.T) {
	network := func(address, family string, prefix int) IPRule {
		return IPRule{IPAddress: address, Type: family, Prefix: &prefix}
	}
	tests := map[string]IPRule{ // the text stays as it was sent
		"192.0.2.7":              {IPAddress: "192.0.2.7", Type: "ipv4"},
		"2001:db8::1":            {IPAddress: "2001:db8::1", Type: "ipv6"},
		"2001:DB8:0:0::1":        {IPAddress: "2001:DB8:0:0::1", Type: "ipv6"},
		"::ffff:192.0.2.7":       {IPAddress: "::ffff:192.0.2.7", Type: "ipv4"},
		"0.0.0.0/0":              network("0.0.0.0", "ipv4", 0),
		"::/0":                   network("::", "ipv6", 0),
		"192.0.2.0/24":           network("192.0.2.0", "ipv4", 24),
		"192.0.2.77/24":          network("192.0.2.77", "ipv4", 24),
		"192.0.2.7/32":           network("192.0.2.7", "ipv4", 32),
		"2001:db8::7/32":         network("2001:db8::7", "ipv6", 32),
		"::ffff:192.0.2.7/120":   network("::ffff:192.0.2.7", "ipv4", 120),
		"::ffff:0:0/96":          network("::ffff:0:0", "ipv4", 96),
		"::ffff:192.0.2.7/90":    network("::ffff:192.0.2.7", "ipv6", 90),
		"fe80::/10":              network("fe80::", "ipv6", 10),
		"255.255.255.255/1":      network("255.255.255.255", "ipv4", 1),
		"0000:0000:0000::/128":   network("0000:0000:0000::", "ipv6", 128),
		"2001:db8::192.0.2.1/64": network("2001:db8::192.0.2.1", "ipv6", 64),
	}
	for s, want := range tests {
		t.Run(s, func(t *testing.T) {
			got, err := ParseIPRule(s)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rule (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseIPRuleRefused(t *testing.T) {
	tests := map[string]string{
		"refused/empty":           "",
		"refused/name":            "localhost",
		"refused/three numbers":   "192.0.2",
		"refused/number over 255": "192.0.2.256",
		"refused/leading zero":    "192.0.02.1",
		"refused/prefix over 32":  "192.0.2.0/33",
		"refused/prefix over 128": "2001:db8::/129",
		"refused/negative prefix": "192.0.2.0/-1",
		"refused/empty prefix":    "192.0.2.0/",
		"refused/netmask":         "192.0.2.0/255.255.255.0",
		"refused/space":           " 192.0.2.7",
		"refused/zone":            "fe80::1%eth0",
		"refused/network zone":    "fe80::1%eth0/64",
		"refused/port":            "192.0.2.7:80",
		"refused/too long":        "0000:0000:0000:0000:0000:0000:0000:0000000000000000000000000000001",
	}
	for name, s := range tests {
		t.Run(name, func(t *testing.T) {
			if got, err := ParseIPRule(s); !fault.Is(err, fault.BadRequest) {
				t.Errorf("ParseIPRule(%q) = %v, %v; want a BadRequest fault", s, got, err)
			}
		})
	}
}

func TestCompileIPsRefused(t *testing.T) {
	prefix := func(n int) *int { return &n }
	tests := map[string][]IPRule{
		"refused/no address":      {{Type: "ipv4"}},
		"refused/no type":         {{IPAddress: "192.0.2.7"}},
		"refused/other type":      {{IPAddress: "192.0.2.7", Type: "ipv6"}},
		"refused/negative prefix": {{IPAddress: "192.0.2.7", Type: "ipv4", Prefix: prefix(-1)}},
		"refused/long prefix":     {{IPAddress: "192.0.2.7", Type: "ipv4", Prefix: prefix(33)}},
		"refused/zone":            {{IPAddress: "fe80::1%eth0", Type: "ipv6"}},
		"refused/too many":        make([]IPRule, maxIPRules+1),
	}
	for name, rules := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := CompileIPs(rules); !fault.Is(err, fault.BadRequest) {
				t.Errorf("err = %v, want a BadRequest fault", err)
			}
		})
	}
}

func ipList(t testing.TB, texts ...string) *IPList {
	t.Helper()
	var rules []IPRule
	for _, s := range texts {
		r, err := ParseIPRule(s)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, r)
	}
	l, err := CompileIPs(rules)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestIPListAllows(t *testing.T) {
	tests := map[string]struct {
		list []string
		addr string
		want bool
	}{
		"allowed/address":                 {[]string{"192.0.2.7"}, "192.0.2.7", true},
		"allowed/network":                 {[]string{"198.51.100.0/24", "192.0.2.0/24"}, "192.0.2.7", true},
		"allowed/network of an address":   {[]string{"192.0.2.77/24"}, "192.0.2.7", true},
		"refused/beside that network":     {[]string{"192.0.2.77/24"}, "192.0.3.77", false},
		"allowed/mapped network":          {[]string{"::ffff:192.0.2.77/120"}, "192.0.2.7", true},
		"allowed/mapped single address":   {[]string{"::ffff:192.0.2.7"}, "192.0.2.7", true},
		"refused/mapped other address":    {[]string{"::ffff:192.0.2.7"}, "192.0.2.8", false},
		"allowed/address in upper case":   {[]string{"2001:DB8:0::7/32"}, "2001:db8::1", true},
		"allowed/mapped address":          {[]string{"192.0.2.0/24"}, "::ffff:192.0.2.7", true},
		"allowed/mapped, with a zone":     {[]string{"192.0.2.0/24"}, "::ffff:192.0.2.7%eth0", true},
		"allowed/zone dropped":            {[]string{"fe80::/10"}, "fe80::1%eth0", true},
		"allowed/both wildcards, IPv4":    {[]string{"0.0.0.0/0", "::/0"}, "192.0.2.7", true},
		"allowed/both wildcards, IPv6":    {[]string{"0.0.0.0/0", "::/0"}, "2001:db8::1", true},
		"allowed/IPv4 wildcard alone":     {[]string{"0.0.0.0/0"}, "2001:db8::1", true},
		"allowed/IPv6 wildcard alone":     {[]string{"::/0"}, "192.0.2.7", true},
		"allowed/wildcard of its family":  {[]string{"0.0.0.0/0", "2001:db8::/32"}, "192.0.2.7", true},
		"refused/wildcard beside another": {[]string{"0.0.0.0/0", "2001:db8::/32"}, "2001:db9::1", false},
		"refused/other address":           {[]string{"192.0.2.7"}, "192.0.2.8", false},
		"refused/other network":           {[]string{"192.0.2.0/24"}, "192.0.3.1", false},
		"refused/other family":            {[]string{"192.0.2.0/24"}, "2001:db8::1", false},
		"refused/IPv4 in an IPv6 network": {[]string{"::/1"}, "192.0.2.7", false},
		"refused/empty list":              {nil, "192.0.2.7", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ipList(t, test.list...).Allows(netip.MustParseAddr(test.addr)); got != test.want {
				t.Errorf("Allows = %v, want %v", got, test.want)
			}
		})
	}
	if (*IPList)(nil).Allows(netip.MustParseAddr("192.0.2.7")) {
		t.Error("a nil list allows somebody")
	}
	if ipList(t, "192.0.2.0/24").Allows(netip.Addr{}) || !ipList(t, "::/0").Allows(netip.Addr{}) {
		t.Error("an unknown address must be allowed by wildcards only")
	}
}

// drawAddr draws an address near few others, of either family or mapped.
func drawAddr(t *rapid.T, label string) netip.Addr {
	last := rapid.Byte().Draw(t, label)
	switch rapid.IntRange(0, 2).Draw(t, label+" family") {
	case 0:
		return netip.AddrFrom4([4]byte{192, 0, 2, last})
	case 1:
		return netip.AddrFrom16(netip.AddrFrom4([4]byte{192, 0, 2, last}).As16())
	}
	return netip.AddrFrom16([16]byte{0x20, 0x01, 14: 2, 15: last})
}

// inNetwork compares bit by bit.
func inNetwork(addr, network netip.Addr, bits int) bool {
	a, n := addr.AsSlice(), network.AsSlice()
	if len(a) != len(n) {
		return false
	}
	for i := range bits {
		if mask := byte(0x80) >> (i % 8); a[i/8]&mask != n[i/8]&mask {
			return false
		}
	}
	return true
}

// A list allows an address if one of its networks has the same leading bits.
func TestIPListAsBits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		addr := drawAddr(t, "address").Unmap()
		var rules []IPRule
		want := false
		for range rapid.IntRange(0, 4).Draw(t, "length") {
			network := drawAddr(t, "network").Unmap()
			bits := rapid.IntRange(1, network.BitLen()).Draw(t, "bits")
			rule, err := ParseIPRule(netip.PrefixFrom(network, bits).String())
			if err != nil {
				t.Fatal(err)
			}
			rules = append(rules, rule)
			want = want || inNetwork(addr, network, bits)
		}
		l, err := CompileIPs(rules)
		if err != nil {
			t.Fatal(err)
		}
		for _, same := range []netip.Addr{addr, netip.AddrFrom16(addr.As16())} {
			if got := l.Allows(same); got != want {
				t.Fatalf("%v allow %s: %v, want %v", rules, same, got, want)
			}
		}
	})
}

// What is read can be compiled, allows its own address, and reads the same once more.
func FuzzIPRule(f *testing.F) {
	for _, s := range []string{"192.0.2.7/24", "2001:db8::1", "::ffff:192.0.2.7/100", "::/0", "fe80::1%eth0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		rule, err := ParseIPRule(s)
		if err != nil {
			if !fault.Is(err, fault.BadRequest) {
				t.Fatal(err)
			}
			return
		}
		l, err := CompileIPs([]IPRule{rule})
		if err != nil {
			t.Fatalf("%v is read but not compiled: %v", rule, err)
		}
		if addr := netip.MustParseAddr(rule.IPAddress); !l.Allows(addr) {
			t.Fatalf("%v does not allow %s", rule, addr)
		}
		text := rule.IPAddress
		if rule.Prefix != nil {
			text = netip.PrefixFrom(netip.MustParseAddr(text), *rule.Prefix).String()
		}
		if again, err := ParseIPRule(text); err != nil || !cmp.Equal(rule, again) {
			t.Fatalf("%v is read again as %v, %v", rule, again, err)
		}
	})
}

func BenchmarkIPList(b *testing.B) {
	l := ipList(b, "10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32")
	addr := netip.MustParseAddr("192.0.2.7")
	for b.Loop() {
		l.Allows(addr)
	}
}
