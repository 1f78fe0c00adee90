package hostile

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// from says that a request came from an address.
func from(ip string) string { return "X-Forwarded-For: " + ip }

// statuses sends requests one after the other over one connection, and counts the statuses of the answers.
func statuses(t *testing.T, n int, next func(i int) string) map[int]int {
	t.Helper()
	conn := dial(t)
	answers, counts := bufio.NewReader(conn), map[int]int{}
	for i := range n {
		if _, err := io.WriteString(conn, next(i)); err != nil {
			t.Fatal(err)
		}
		counts[readStatus(t, answers)]++
	}
	return counts
}

func readStatus(t *testing.T, answers *bufio.Reader) int {
	t.Helper()
	res, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode
}

// kept is request, but over a connection that stays.
func kept(method, path, token string, headers ...string) string {
	return strings.Replace(request(method, path, token, headers...), "Connection: close\r\n", "", 1)
}

// random is a token of the right shape that was never signed here; each i gives another one.
func random(i int) string {
	head, payload, _ := strings.Cut(target.Admin, ".")
	payload, signature, _ := strings.Cut(payload, ".")
	return head + "." + payload + "." + fmt.Sprintf("%08d", i) + signature[8:]
}

// login is an attempt to log in with credentials that somebody may have leaked.
func login(i int, headers ...string) string {
	body := fmt.Sprintf(`{"clientId":"01a20370-272c-7000-8000-%012d","clientSecret":"secret-%060d"}`, i, i)
	return kept("POST", "/api/v1/auth/universal-auth/login", "", append(headers, "Content-Type: application/json",
		fmt.Sprint("Content-Length: ", len(body)))...) + body
}

// within checks how many attempts of one address got through: no more than the burst, and what was added since.
func within(t *testing.T, counts map[int]int, began time.Time) {
	t.Helper()
	most := failureBurst + failureRate*int(time.Since(began)/time.Second+1)
	if n := counts[http.StatusUnauthorized]; n < failureBurst || n > most {
		t.Errorf("%d attempts got through, want %d to %d: %v", n, failureBurst, most, counts)
	}
	if counts[http.StatusTooManyRequests] == 0 {
		t.Errorf("none was answered 429: %v", counts)
	}
}

// TestCredentialStuffing: an address may try so many logins, and all others go on: logins from elsewhere, and who has a token here.
func TestCredentialStuffing(t *testing.T) {
	const here, elsewhere = "203.0.113.10", "203.0.113.11"
	servesFrom(t, here, target.Admin, 200)
	began := time.Now()
	within(t, statuses(t, failureBurst+20, func(i int) string { return login(i, from(here)) }), began)
	servesFrom(t, here, target.Admin, 200)
	if got := statuses(t, 1, func(int) string { return login(1, from(elsewhere)) }); got[401] != 1 {
		t.Errorf("a login from elsewhere was answered %v", got)
	}
}

// servesFrom checks how a token is answered at an address.
func servesFrom(t *testing.T, ip, token string, want int) {
	t.Helper()
	if got := status(send(t, request("GET", details, token, from(ip)))); got != want {
		t.Errorf("a token at %s was answered %d, want %d", ip, got, want)
	}
}

// TestForgedForwardingHeaders: no header that a caller writes makes it another caller.
func TestForgedForwardingHeaders(t *testing.T) {
	addresses := 0
	for name, forged := range map[string]string{
		"left of its own": "X-Forwarded-For: 198.51.100.%d, 203.0.113.20", "line of its own": "X-Forwarded-For: 198.51.100.%d\r\nX-Forwarded-For: 203.0.113.20",
		"Forwarded": "Forwarded: for=198.51.100.%d\r\nX-Forwarded-For: 203.0.113.20", "X-Real-IP": "X-Real-IP: 198.51.100.%d\r\nX-Forwarded-For: 203.0.113.20",
		"CDN": "CF-Connecting-IP: 198.51.100.%[1]d\r\nTrue-Client-IP: 198.51.100.%[1]d\r\nX-Client-IP: 198.51.100.%[1]d\r\nX-Forwarded-For: 203.0.113.20",
		"hop": "Connection: X-Forwarded-For\r\nX-Forwarded-For: 198.51.100.%d, 203.0.113.20",
	} {
		addresses++
		own := fmt.Sprintf("203.0.113.%d", 20+addresses)
		forged = strings.ReplaceAll(forged, "203.0.113.20", own)
		t.Run("refused/"+name, func(t *testing.T) {
			began := time.Now()
			within(t, statuses(t, failureBurst+20, func(i int) string { return kept("GET", details, random(i), fmt.Sprintf(forged, i%200)) }), began)
		})
	}
}

// TestRandomTokens: a caller with a token keeps at least 0.7 of its rate while others send random ones as fast as they
// can, from one address of their own and from the caller's. The caller asks a hundred times a second; both rates are
// measured in turns, in the same run.
func TestRandomTokens(t *testing.T) {
	const rounds, here, theirs = 4, "203.0.113.50", "203.0.113.51"
	var calm, attacked []float64
	var tried int64
	for range rounds {
		calm = append(calm, pace(t, here))
		stop := flood(t, here, theirs)
		attacked = append(attacked, pace(t, here))
		tried += stop()
	}
	t.Logf("calm %.0f, attacked %.0f answers a second; %d random tokens were sent", calm, attacked, tried)
	if ratio := slices.Max(attacked) / slices.Max(calm); ratio < 0.7 {
		t.Errorf("the caller keeps %.2f of its rate, less than 0.7", ratio)
	}
	if tried < 200 {
		t.Errorf("only %d random tokens were sent: that is no attack", tried)
	}
}

// pace asks with a good token for a while, at most a hundred times a second, and returns how many answers a second came.
func pace(t *testing.T, ip string) float64 {
	t.Helper()
	const n = 60
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	began := time.Now()
	counts := statuses(t, n, func(int) string {
		<-tick.C
		return kept("GET", details, target.Admin, from(ip))
	})
	if counts[200] != n {
		t.Errorf("the caller was answered %v", counts)
	}
	return n / time.Since(began).Seconds()
}

// flood sends random tokens as fast as the server takes them, without waiting for answers, until it is stopped; stop
// returns how many were answered.
func flood(t *testing.T, ips ...string) (stop func() int64) {
	var answered atomic.Int64
	var done sync.WaitGroup
	var conns []net.Conn
	for i := range 8 {
		conn := dial(t)
		conns = append(conns, conn)
		var many strings.Builder
		for j := range 100 {
			many.WriteString(kept("GET", details, random(i*100+j), from(ips[i%len(ips)])))
		}
		done.Go(func() {
			for {
				if _, err := io.WriteString(conn, many.String()); err != nil {
					return
				}
			}
		})
		done.Go(func() {
			for answers := bufio.NewScanner(conn); answers.Scan(); {
				if strings.Contains(answers.Text(), "HTTP/1.1 4") { // behind the body of the answer before
					answered.Add(1)
				}
			}
		})
	}
	return func() int64 {
		for _, conn := range conns {
			conn.Close()
		}
		done.Wait()
		return answered.Load()
	}
}
