package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// answerWithin and maxAnswer bound how long a command waits for the server, and how many bytes of an answer it reads.
const (
	answerWithin = time.Minute
	maxAnswer    = 16 << 20
)

// newClient returns a client that follows no redirect: a password goes where it was meant to go and nowhere else.
func newClient() *http.Client {
	return &http.Client{Timeout: answerWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// post is caller.post for someone without a token.
func post(ctx context.Context, baseURL, path string, body, answer any) error {
	return caller{baseURL: baseURL}.post(ctx, path, body, answer)
}

// caller calls a server as the holder of a token; empty for none.
type caller struct{ baseURL, token string }

// post sends a JSON body and reads the JSON answer. An error answer of the server becomes a *refusal.
func (c caller) post(ctx context.Context, path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPost, path, bytes.NewReader(text), answer)
}

// get is post without a body.
func (c caller) get(ctx context.Context, path string, answer any) error {
	return c.call(ctx, http.MethodGet, path, http.NoBody, answer)
}

func (c caller) call(ctx context.Context, method, path string, body io.Reader, answer any) error {
	baseURL := c.baseURL
	base := strings.TrimSuffix(strings.TrimSuffix(baseURL, "/"), "/api")
	request, err := http.NewRequestWithContext(ctx, method, base+path, body)
	if err != nil {
		return fmt.Errorf("%q is not the base URL of a server, such as http://127.0.0.1:8080", baseURL)
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := newClient().Do(request)
	if ctx.Err() != nil {
		return errors.New("interrupted before the server answered")
	}
	if err != nil {
		return fmt.Errorf("cannot reach the server at %s; is it running? %w", baseURL, err)
	}
	defer response.Body.Close()
	return read(response, answer)
}

func read(response *http.Response, answer any) error {
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return err
	}
	refused := &refusal{}
	switch {
	case response.StatusCode == http.StatusOK && json.Unmarshal(text, answer) == nil:
		return nil
	case response.StatusCode != http.StatusOK && json.Unmarshal(text, refused) == nil && refused.Name != "":
		return refused
	}
	return fmt.Errorf("the server answered %s, but not as Sallyport does; check the address", response.Status)
}

// refusal is an error answer of the server.
type refusal struct {
	RequestID string          `json:"reqId"`
	Status    int             `json:"statusCode"`
	Name      string          `json:"error"`
	Message   json.RawMessage `json:"message"` // a string; under 422 a list of issues
}

// Error says what the server said.
func (r *refusal) Error() string {
	return fmt.Sprintf("the server refused (%d, %s): %s", r.Status, r.RequestID, r.words())
}

func (r *refusal) words() string {
	var issues []struct {
		Message string   `json:"message"`
		Path    []string `json:"path"`
	}
	if json.Unmarshal(r.Message, &issues) == nil {
		words := make([]string, len(issues))
		for i, issue := range issues {
			words[i] = strings.Join(issue.Path, ".") + ": " + issue.Message
		}
		return strings.Join(words, " ")
	}
	var message string
	_ = json.Unmarshal(r.Message, &message) // neither form: the status and the request id have to do
	return message
}
