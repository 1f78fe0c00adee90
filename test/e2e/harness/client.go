package harness

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// Client calls a server as the holder of one token. The zero Token sends no Authorization header.
type Client struct {
	URL    string
	Token  string
	Header http.Header // sent with every request, over what the client sets itself; a nil value leaves a header out
}

// With returns a client that also sends a header.
func (c Client) With(name, value string) Client {
	c.Header = c.Header.Clone()
	if c.Header == nil {
		c.Header = http.Header{}
	}
	c.Header.Set(name, value)
	return c
}

// Without returns a client that does not send a header that it would set itself.
func (c Client) Without(name string) Client {
	c = c.With(name, "")
	c.Header[http.CanonicalHeaderKey(name)] = nil
	return c
}

// Call sends a request and returns the answer, whatever its status. The path may hold a query. A body of type string,
// []byte or io.Reader is sent as it is, nil not at all, anything else as its JSON; all with a JSON content type.
func (c Client) Call(t testing.TB, method, path string, body any) *Answer {
	t.Helper()
	answer, err := c.Do(method, path, body)
	if err != nil {
		t.Fatalf("%s %.200s: %v", method, path, err)
	}
	answer.t = t
	return answer
}

// Do is Call for where there is no test to fail.
func (c Client) Do(method, path string, body any) (*Answer, error) {
	content, err := reader(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(method, c.URL+path, content)
	if err != nil {
		return nil, err
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if content != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, values := range c.Header {
		r.Header[name] = values
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return &Answer{Status: response.StatusCode, Header: response.Header, Body: text, call: method + " " + path}, err
}

// transport follows no redirects: the API must not need them.
var transport = &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}

func reader(body any) (io.Reader, error) {
	switch b := body.(type) {
	case nil:
		return nil, nil
	case io.Reader:
		return b, nil
	case string:
		return strings.NewReader(b), nil
	case []byte:
		return bytes.NewReader(b), nil
	}
	text, err := json.Marshal(body)
	return bytes.NewReader(text), err
}

// Answer is what the server said.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte

	call string
	t    testing.TB
}

// Want fails the test unless the status is as given.
func (a *Answer) Want(status int) *Answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("%.300s answered %d %.1000s, want %d", a.call, a.Status, a.Body, status)
	}
	return a
}

// WantError fails the test unless the status and the name of the error are as given.
func (a *Answer) WantError(status int, name string) *Answer {
	a.t.Helper()
	if got := a.Want(status).str("error"); got != name {
		a.t.Fatalf("%.300s answered %d %.1000s, want the error %s", a.call, a.Status, a.Body, name)
	}
	return a
}

// JSON returns the body as encoding/json reads it, numbers as json.Number.
func (a *Answer) JSON() any {
	d := json.NewDecoder(bytes.NewReader(a.Body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

// At returns the value at a place such as "identities.0.id", nil if there is none.
func (a *Answer) At(place string) any { return at(a.JSON(), place) }

func at(v any, place string) any {
	for name := range strings.SplitSeq(place, ".") {
		switch node := v.(type) {
		case map[string]any:
			v = node[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(node) {
				return nil
			}
			v = node[i]
		default:
			return nil
		}
	}
	return v
}

// Text returns the string at a place, and fails the test if there is none.
func (a *Answer) Text(place string) string {
	a.t.Helper()
	text, ok := a.At(place).(string)
	if !ok {
		a.t.Fatalf("%s answered %d %.1000s, without a string at %s", a.call, a.Status, a.Body, place)
	}
	return text
}

// Number returns the integer at a place, and fails the test if there is none.
func (a *Answer) Number(place string) int64 {
	a.t.Helper()
	number, _ := a.At(place).(json.Number)
	n, err := number.Int64()
	if err != nil {
		a.t.Fatalf("%s answered %d %.1000s, without an integer at %s", a.call, a.Status, a.Body, place)
	}
	return n
}

// Flag returns the boolean at a place, and fails the test if there is none.
func (a *Answer) Flag(place string) bool {
	a.t.Helper()
	flag, ok := a.At(place).(bool)
	if !ok {
		a.t.Fatalf("%s answered %d %.1000s, without a boolean at %s", a.call, a.Status, a.Body, place)
	}
	return flag
}

// List returns the strings at a place inside of each item of a list: List("tokens", "id").
func (a *Answer) List(list, place string) []string {
	a.t.Helper()
	items, ok := a.At(list).([]any)
	if !ok {
		a.t.Fatalf("%s answered %d %.1000s, without a list at %s", a.call, a.Status, a.Body, list)
	}
	found := make([]string, len(items))
	for i, item := range items {
		found[i], _ = at(item, place).(string)
	}
	return found
}

func (a *Answer) str(place string) string {
	text, _ := a.At(place).(string)
	return text
}
