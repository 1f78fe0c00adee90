package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// rate is how many requests are sent each second, whether or not earlier ones have been answered.
const rate = 400

// load sends requests to a proxy: of ten, nine that check a token and one that makes one, which no proxy may repeat.
type load struct {
	url, token, identity string
	client               *http.Client

	mu    sync.Mutex
	took  []time.Duration
	lost  map[string]int // what went wrong, and how often
	count int
}

func newLoad(url, token, identity string) *load {
	return &load{url: url, token: token, identity: identity, lost: map[string]int{},
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
}

// run sends until ctx ends, and returns when everything is answered.
func (l *load) run(ctx context.Context) {
	var flying sync.WaitGroup
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		<-tick.C
		due := time.Now()
		flying.Go(func() { l.note(l.send(n), time.Since(due)) })
	}
	flying.Wait()
}

// send returns what went wrong, "" for nothing.
func (l *load) send(n int) string {
	method, path, body := "GET", "/api/v1/identities/details", ""
	if n%10 == 0 {
		method, path, body = "POST", "/api/v1/auth/token-auth/identities/"+l.identity+"/tokens", `{"name":"drain"}`
	}
	request, err := http.NewRequest(method, l.url+path, strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	request.Header.Set("Authorization", "Bearer "+l.token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := l.client.Do(request)
	if err != nil {
		return method + " " + err.Error()
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return method + " " + err.Error()
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Sprintf("%s answered %d", method, answer.StatusCode)
	}
	return ""
}

func (l *load) note(wrong string, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	l.took = append(l.took, took)
	if wrong != "" {
		l.lost[wrong]++
	}
}

// missed is how many requests were not answered with 200.
func (l *load) missed() (n int) {
	for _, times := range l.lost {
		n += times
	}
	return n
}

// p99 is the time that one request in a hundred took longer than.
func (l *load) p99() time.Duration {
	slices.Sort(l.took)
	return l.took[len(l.took)*99/100]
}
