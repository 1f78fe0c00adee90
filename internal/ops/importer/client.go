package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// What bounds one request: how long it may take, how many bytes of an answer are read, how often it is tried, and how
// long is waited between two tries at most.
const (
	answerWithin = 5 * time.Minute
	maxAnswer    = 256 << 20
	maxTries     = 8
	longestWait  = time.Minute
)

// client calls one server as the holder of a token.
type client struct {
	side  string // for messages: source or target
	base  string
	token string
	http  *http.Client
	wait  func(context.Context, time.Duration) error
	met   bool // it has answered before; one that never did is not waited for
}

// newClient returns a client that follows no redirect: a token goes to the server that it was meant for and nowhere else.
func newClient(side string, s Server, o *Options) (*client, error) {
	base := strings.TrimSuffix(strings.TrimSuffix(s.URL, "/"), "/api")
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("the URL of the %s must be the base URL of a server, such as https://secrets.example.com", side)
	}
	if s.Token == "" || strings.ContainsFunc(s.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fmt.Errorf("the %s needs the access token of a machine identity, on one line", side)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client{side: side, base: base, token: s.Token, wait: o.Wait,
		http: &http.Client{Timeout: answerWithin, Transport: o.Transport, CheckRedirect: stay}}, nil
}

// refusal is an answer that says no to one request, while others may well go on; but for 401, which says no to the token.
type refusal struct {
	side    string
	status  int
	message string
}

// Error says which server said what.
func (r *refusal) Error() string {
	if r.status == http.StatusUnauthorized {
		return fmt.Sprintf("the %s does not accept the token: %s", r.side, r.message)
	}
	return fmt.Sprintf("the %s refused (%d): %s", r.side, r.status, r.message)
}

// refused reports whether an error is a refusal of one request, or one with one of the statuses if any are given.
func refused(err error, statuses ...int) bool {
	var r *refusal
	if !errors.As(err, &r) {
		return false
	}
	for _, s := range statuses {
		if r.status == s {
			return true
		}
	}
	return len(statuses) == 0 && r.status != http.StatusUnauthorized
}

// get reads what is at a path.
func (c *client) get(ctx context.Context, path string, query url.Values) (json.RawMessage, error) {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return c.call(ctx, http.MethodGet, path, nil)
}

// send writes a body to a path.
func (c *client) send(ctx context.Context, method, path string, body any) (json.RawMessage, error) {
	text, err := encode(body)
	if err != nil {
		return nil, err
	}
	crashpoint.Reach(crashpoint.ImportSend)
	answer, err := c.call(ctx, method, path, text)
	crashpoint.Reach(crashpoint.ImportSent)
	return answer, err
}

// encode writes a body as JSON. Markup stays as it is: written as six characters each, a value that fits into a request would not.
func encode(body any) ([]byte, error) {
	var text bytes.Buffer
	to := json.NewEncoder(&text)
	to.SetEscapeHTML(false)
	err := to.Encode(body)
	return text.Bytes(), err
}

// call tries a request until it is answered for good. A write whose answer was lost is not tried again: whether it was
// done is what the next run looks up.
func (c *client) call(ctx context.Context, method, path string, body []byte) (json.RawMessage, error) {
	for try := 1; ; try++ {
		answer, err := c.once(ctx, method, path, body)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil || !answer.again || try == maxTries {
			return answer.body, err
		}
		if err := c.wait(ctx, min(max(answer.after, time.Second<<(try-1)/4), longestWait)); err != nil {
			return nil, err
		}
	}
}

// answer is what came of one try.
type answer struct {
	body  json.RawMessage
	again bool          // another try may help
	after time.Duration // how long the server asked to wait
}

func (c *client) once(ctx context.Context, method, path string, body []byte) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	safe := answer{again: method == http.MethodGet}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{again: safe.again && c.met}, fmt.Errorf("cannot reach the %s: %w", c.side, err)
	}
	defer response.Body.Close()
	c.met = true
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return safe, fmt.Errorf("the answer of the %s ended early: %w", c.side, err)
	}
	return c.judge(response, text, safe)
}

// judge tells an answer from a refusal and from what is no answer of this API at all.
func (c *client) judge(response *http.Response, text []byte, safe answer) (answer, error) {
	switch status := response.StatusCode; {
	case len(text) > maxAnswer:
		return answer{}, fmt.Errorf("the %s answered with more than %d MB for one folder or list", c.side, maxAnswer>>20)
	case status == http.StatusOK && json.Valid(text):
		return answer{body: text}, nil
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		return answer{again: true, after: retryAfter(response.Header)}, fmt.Errorf("the %s is too busy (%d)", c.side, status)
	case status >= 500:
		return safe, fmt.Errorf("the %s failed (%d); its log says why", c.side, status)
	case status >= 300 && status < 400:
		return answer{}, fmt.Errorf("the %s redirects (%d); name the address that it redirects to, because a token is never sent to another address", c.side, status)
	case status >= 400 && words(text) != "":
		return answer{}, &refusal{c.side, status, words(text)}
	default:
		return answer{}, fmt.Errorf("the %s answered %d, but not as this API does; check the address", c.side, status)
	}
}

// retryAfter reads the header of that name, in seconds; 0 where there is none.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 3600)) * time.Second
}

// words returns what an error answer says: its message, a string or under 422 a list of issues.
func words(text []byte) string {
	var body struct {
		Message json.RawMessage `json:"message"`
	}
	var message string
	var issues []struct {
		Message string `json:"message"`
		Path    []any  `json:"path"`
	}
	if json.Unmarshal(text, &body) != nil {
		return ""
	}
	if json.Unmarshal(body.Message, &issues) == nil {
		for _, i := range issues {
			message += fmt.Sprintf("%v: %s ", i.Path, i.Message)
		}
	} else if json.Unmarshal(body.Message, &message) != nil {
		return ""
	}
	return brief(message, 400)
}

// brief returns text that can be shown on one line: cut to a length, without control characters.
func brief(s string, most int) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !strconv.IsGraphic(r) {
			return ' '
		}
		return r
	}, s))
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}
