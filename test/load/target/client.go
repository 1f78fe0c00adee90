package target

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// answerWithin and maxAnswer bound how long a request may take, and how many bytes of an answer are kept.
const (
	answerWithin = time.Minute
	maxAnswer    = 16 << 20
)

// maxConnections bounds the connections to one server: one for each caller that there may be.
const maxConnections = 1024

// newClient returns a client that keeps its connections, and follows no redirect: a token goes where it was meant to go.
func newClient() *http.Client {
	return &http.Client{Timeout: answerWithin,
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: maxConnections, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// call is one request to come.
type call struct {
	method, url, token string
	body               []byte // JSON; nil for none
	tag                string // If-None-Match; "" for none
	keep               bool   // the answer's body is wanted
}

// answer is what a server said; status 0 means that it did not.
type answer struct {
	status int
	tag    string
	body   []byte // only if it was to be kept
	err    error  // why none came
}

// instead returns "" for one of the wanted statuses, else what came in its place.
func (a answer) instead(wanted ...int) string {
	for _, status := range wanted {
		if a.status == status {
			return ""
		}
	}
	if a.status == 0 {
		return NoAnswer
	}
	return strconv.Itoa(a.status)
}

// NoAnswer is how a request is counted that no answer came to.
const NoAnswer = "no answer"

func (s *Site) send(ctx context.Context, c call) answer {
	request, err := http.NewRequestWithContext(ctx, c.method, c.url, bytes.NewReader(c.body))
	if err != nil {
		return answer{err: err}
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.tag != "" {
		request.Header.Set("If-None-Match", c.tag)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	a := answer{status: response.StatusCode, tag: response.Header.Get("ETag")}
	if c.keep {
		a.body, a.err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	} else {
		_, a.err = io.Copy(io.Discard, response.Body)
	}
	if a.err != nil {
		a.status = 0
	}
	return a
}

// ask sends a request that must be answered with 200, and reads the JSON of the answer into out, unless that is nil.
func (s *Site) ask(ctx context.Context, c call, out any) error {
	c.keep = true
	a := s.send(ctx, c)
	switch {
	case a.err != nil:
		return fmt.Errorf("%s %s got no answer; is the server running? %w", c.method, c.url, a.err)
	case a.status != http.StatusOK:
		return fmt.Errorf("%s %s was refused: %d %s", c.method, c.url, a.status, refusal(a.body))
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(a.body, out); err != nil {
		return fmt.Errorf("%s %s was not answered as this API does; check the address: %w", c.method, c.url, err)
	}
	return nil
}

// refusal returns the message of an error answer.
func refusal(body []byte) string {
	var said struct{ Message any }
	if json.Unmarshal(body, &said) != nil || said.Message == nil {
		return "without a message"
	}
	return fmt.Sprint(said.Message)
}

// admin makes a request of whoever the run was given a token of; body is anything that can be JSON, or nil.
func (s *Site) admin(method, path string, body any) call {
	c := call{method: method, url: s.URLs[0] + path, token: s.Token}
	if body != nil {
		c.body, _ = json.Marshal(body) // maps and strings of ours
	}
	return c
}
