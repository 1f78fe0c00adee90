package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Answer is what a replica said.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Text returns the string at a place in the JSON body such as "identity.id", "" if there is none.
func (a *Answer) Text(place string) string {
	var v any
	if json.Unmarshal(a.Body, &v) != nil {
		return ""
	}
	for name := range strings.SplitSeq(place, ".") {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	text, _ := v.(string)
	return text
}

// transport keeps connections open, and gives up soon on a replica that does not even accept one.
var transport = &http.Transport{
	DialContext:         (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
	MaxIdleConnsPerHost: 256, DisableCompression: true,
}

// Call sends a request to the replica: with a bearer token unless it is "", with a JSON body unless it is nil. An error
// means that no answer came: what became of the request is unknown.
func (r *Replica) Call(ctx context.Context, method, path, token string, body any) (*Answer, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+r.Addr+path, content)
	if err != nil {
		return nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if content != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	return &Answer{response.StatusCode, response.Header, text}, nil
}
