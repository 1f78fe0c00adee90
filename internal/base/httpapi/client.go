package httpapi

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

const (
	maxUserAgent = 512 // bytes kept of a User-Agent
	maxHops      = 32  // entries of X-Forwarded-For that are looked at
)

// userAgent returns the User-Agent of a request, cut short and made valid UTF-8, so that a database takes it.
func userAgent(r *http.Request) string {
	values := r.Header["User-Agent"]
	if len(values) == 0 {
		return ""
	}
	ua := values[0]
	return strings.ToValidUTF8(ua[:min(len(ua), maxUserAgent)], "")
}

// clientIP returns the address that a request came from: the socket's, or behind trusted proxies the right-most entry
// of X-Forwarded-For that is not one of them. Each proxy appends the address that it was called from, so entries are
// as true as the proxies to their right: the walk goes leftwards, and ends at the first address that is not trusted to
// speak for another. An entry that is no address ends it too, at the last good one, and so does an empty one, wherever it
// stands: a proxy that does not know its caller wrote it, and what stands to its left is that caller's word. (Lists of RFC
// 9110 section 5.6.1 skip empty entries; this header is none of them, and RFC 7239 has a word for the unknown.) Several
// headers are one list.
func (a *API) clientIP(r *http.Request) netip.Addr {
	ip := socketIP(r.RemoteAddr)
	if !a.trusted(ip) {
		return ip
	}
	hops := 0
	for _, line := range slices.Backward(r.Header["X-Forwarded-For"]) {
		for more := true; more; {
			i := strings.LastIndexByte(line, ',')
			next, ok := parseHop(strings.TrimSpace(line[i+1:]))
			if hops++; !ok || hops > maxHops {
				return ip
			}
			if ip = next; !a.trusted(ip) {
				return ip
			}
			line, more = line[:max(i, 0)], i >= 0
		}
	}
	return ip
}

func (a *API) trusted(ip netip.Addr) bool {
	for _, p := range a.options.TrustedProxies {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// socketIP returns the address of net/http's RemoteAddr; none for a socket that has no address, such as a Unix socket.
func socketIP(remote string) netip.Addr {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// parseHop reads one entry of X-Forwarded-For: an address, with a port or in brackets as some proxies write it.
func parseHop(s string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	ip, err := netip.ParseAddr(s)
	return ip.Unmap().WithZone(""), err == nil
}

// forwarding are the headers by which proxies tell that they pass on a request of another machine.
var forwarding = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"}

// unixPort ends the address that callers at a Unix socket are given. Behind such a socket is mostly a proxy.
const unixPort = ":0"

// Local reports whether the request that ctx belongs to comes from this machine, as far as can be seen: its socket and the
// host that it names are of the loopback interface, and no header says that it was passed on. A page of another site that
// a browser on this machine shows names its own host. It is false outside of a request.
func Local(ctx context.Context) bool {
	ex := exchangeOf(ctx)
	if ex == nil || !socketIP(ex.request.RemoteAddr).IsLoopback() || strings.HasSuffix(ex.request.RemoteAddr, unixPort) || !loopbackHost(ex.request.Host) {
		return false
	}
	for _, header := range forwarding {
		if len(ex.request.Header[header]) > 0 {
			return false
		}
	}
	return true
}

// loopbackHost reports whether a Host header, with or without a port, names the loopback interface.
func loopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}
