package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// client calls one life of the server.
type client struct {
	server *Server
	http   *http.Client
	cookie string // the refresh token to send, if not ""
}

func newClient(s *Server) *client {
	return &client{server: s, http: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 1}}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// answer is what came back. The zero answer means that nothing did, as is right when the server has been killed: what
// was asked for may have been done or not.
type answer struct {
	status int
	reason string // why a token is dead
	cookie string // the refresh token that came
	body   []byte
}

// came tells whether there was an answer at all.
func (a answer) came() bool { return a.status != 0 }

// outcome tells whether the caller knows what became of its request.
func (a answer) outcome() bool { return a.came() && a.status != http.StatusServiceUnavailable }

// read decodes the body.
func (a answer) read(v any) error {
	if err := json.Unmarshal(a.body, v); err != nil {
		return fmt.Errorf("status %d with the body %.200s: %w", a.status, a.body, err)
	}
	return nil
}

func (a answer) String() string { return fmt.Sprintf("%d %s %.300s", a.status, a.reason, a.body) }

// call makes a request with a token. An error means that a server which was not told to end did not answer, or not well.
func (c *client) call(method, path, token string, body any) (answer, error) {
	var text io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		text = bytes.NewReader(encoded)
	}
	request, err := http.NewRequest(method, "http://"+c.server.Address+path, text)
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if c.cookie != "" {
		request.AddCookie(&http.Cookie{Name: "jid", Value: c.cookie})
	}
	a, err := c.do(request)
	if err != nil {
		if c.server.Gone() {
			return answer{}, nil
		}
		return answer{}, fmt.Errorf("%s %s failed although the server lives: %w", method, path, err)
	}
	if a.status == http.StatusServiceUnavailable && c.server.MayRefuse {
		return a, nil
	}
	if a.status >= http.StatusInternalServerError {
		return a, fmt.Errorf("%s %s: %v", method, path, a)
	}
	return a, nil
}

// do returns an answer only if it came whole.
func (c *client) do(request *http.Request) (answer, error) {
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	_, reason, _ := strings.Cut(response.Header.Get("WWW-Authenticate"), `error_description="`)
	a := answer{status: response.StatusCode, reason: strings.TrimSuffix(reason, `"`), body: body}
	for _, sent := range response.Cookies() {
		a.cookie = sent.Value
	}
	return a, nil
}
