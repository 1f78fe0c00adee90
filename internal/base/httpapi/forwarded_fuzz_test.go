package httpapi_test

import (
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// FuzzClientIP compares whom a request is said to come from with slowClientIP.
func FuzzClientIP(f *testing.F) {
	f.Add("10.0.0.1:5", "203.0.113.9, 10.0.0.2\n10.0.0.3", "10.0.0.0/8")
	f.Add("[::1]:80", "[2001:db8::9]:4711,::ffff:203.0.113.9", "::1/128 2001:db8::/32")
	f.Add("[::ffff:10.0.0.1]:80", "unknown,fe80::1%eth0, ,,[::1", "0.0.0.0/0 ::/0")
	f.Add("10.0.0.1:5", "203.0.113.9\n,10.0.0.2", "10.0.0.0/8")
	f.Add("10.0.0.1:5", "203.0.113.9\n", "10.0.0.0/8")
	f.Add("@", "1.2.3.4", "0.0.0.0/0")
	f.Add("10.0.0.1:5", strings.Repeat("10.0.0.9,", 40)+"10.0.0.1:99999", "10.0.0.0/8 10.0.0.9/32")
	f.Fuzz(func(t *testing.T, socket, forwarded, proxies string) {
		if len(forwarded) > 4096 || len(proxies) > 256 {
			return
		}
		var trusted []string
		for _, p := range strings.Fields(proxies) {
			if prefix, err := netip.ParsePrefix(p); err == nil {
				trusted = append(trusted, prefix.String())
			}
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = socket
		r.Header["X-Forwarded-For"] = strings.Split(forwarded, "\n")
		if got, want := clientOf(t, r, trusted...).IP, slowClientIP(socket, strings.Split(forwarded, "\n"), trusted); got != want {
			t.Errorf("socket %q, forwarded %q, trusted %v: %v, want %v", socket, forwarded, trusted, got, want)
		}
	})
}

// slowClientIP writes down all the addresses that a request went through, the nearest first, as far as they can be read, and
// takes the first that is not trusted, or else the last.
func slowClientIP(socket string, lines, trusted []string) netip.Addr {
	at, err := netip.ParseAddrPort(socket)
	if err != nil {
		return netip.Addr{}
	}
	path := []netip.Addr{at.Addr()}
	entries := strings.Split(strings.Join(lines, ","), ",")
	slices.Reverse(entries)
	for _, entry := range entries[:min(len(entries), 32)] {
		addr, ok := slowHop(strings.TrimSpace(entry))
		if !ok {
			break
		}
		path = append(path, addr)
	}
	for i, addr := range path {
		path[i] = addr.Unmap().WithZone("")
	}
	stranger := slices.IndexFunc(path, func(addr netip.Addr) bool {
		return !slices.ContainsFunc(trusted, func(p string) bool { return netip.MustParsePrefix(p).Contains(addr) })
	})
	if stranger < 0 {
		return path[len(path)-1]
	}
	return path[stranger]
}

// slowHop reads an address, with or without brackets and a port.
func slowHop(entry string) (netip.Addr, bool) {
	if at, err := netip.ParseAddrPort(entry); err == nil {
		return at.Addr(), true
	}
	entry = strings.TrimPrefix(entry, "[")
	addr, err := netip.ParseAddr(strings.TrimSuffix(entry, "]"))
	return addr, err == nil
}
