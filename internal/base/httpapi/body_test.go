package httpapi_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

type address struct {
	IPAddress string `json:"ipAddress" format:"ip"`
}

type thing struct {
	Name     httpapi.Text      `json:"name" minLength:"1" maxLength:"8"`
	Note     httpapi.Prose     `json:"note,omitempty"`
	TTL      int64             `json:"ttl,omitempty" default:"60" minimum:"0" maximum:"100"`
	Max      *int64            `json:"max,omitempty" default:"90"`
	On       bool              `json:"on,omitempty" default:"true"`
	Kind     string            `json:"kind,omitempty" enum:"a,b" default:"a"`
	Big      int64             `json:"big,omitempty"`
	Ratio    float64           `json:"ratio,omitempty"`
	IPs      []address         `json:"accessTokenTrustedIps,omitempty" maxItems:"3"`
	Labels   map[string]string `json:"labels,omitempty"`
	Nested   nested            `json:"nested,omitempty"`
	Password string            `json:"password,omitempty" maxLength:"3"`
	Slug     string            `json:"slug,omitempty" pattern:"^[a-z]+$"`
	Tags     []httpapi.Text    `json:"tags,omitempty"`
	Small    int8              `json:"small,omitempty"`
}

type nested struct {
	Depth int `json:"depth,omitempty" default:"7"`
}

type thingIn struct{ Body thing }
type thingOut struct{ Body thing }

// echo registers every method on /echo, which sends back the body that it was given.
func echo(a *httpapi.API) {
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		r := httpapi.Route{Method: method, Path: "/echo", ID: method + "Echo", AnyActor: true}
		httpapi.Handle(a, r, func(_ context.Context, _ *access.Actor, in *thingIn) (*thingOut, error) {
			return &thingOut{in.Body}, nil
		})
	}
}

func TestBodyAccepted(t *testing.T) {
	base := func(change func(want map[string]any)) map[string]any {
		want := map[string]any{"name": "n", "ttl": 60.0, "max": 90.0, "on": true, "kind": "a", "nested": map[string]any{"depth": 7.0}}
		change(want)
		return want
	}
	same := base(func(map[string]any) {})
	tests := map[string]struct {
		body string
		want map[string]any
	}{
		"minimal":                     {`{"name":"n"}`, same},
		"surrounded by white space":   {" \r\n\t{\"name\":\"n\"}\n", same},
		"unknown fields":              {`{"name":"n","identityId":"x","deep":{"a":[1,{"b":null}]}}`, same},
		"known field in another case": {`{"name":"n","NAME":"way too long for the rule","Ttl":1000,"oN":false}`, same},
		"duplicates/last wins":        {`{"name":"way too long for the rule","name":"n"}`, same},
		"null for optional fields":    {`{"name":"n","ttl":null,"max":null,"on":null,"kind":null,"accessTokenTrustedIps":null,"labels":null,"nested":null,"note":null}`, same},
		"zero over a default": {`{"name":"n","ttl":0,"max":0,"on":false,"nested":{"depth":0}}`, base(func(w map[string]any) {
			delete(w, "ttl")
			w["max"] = 0.0
			delete(w, "on")
			w["nested"] = map[string]any{}
		})},
		"null inside of a nested object": {`{"name":"n","nested":{"depth":null}}`, same},
		"fraction that is whole":         {`{"name":"n","ttl":5.0,"big":1e3}`, base(func(w map[string]any) { w["ttl"] = 5.0; w["big"] = 1000.0 })},
		"largest exact integer":          {`{"name":"n","big":9007199254740991}`, base(func(w map[string]any) { w["big"] = 9007199254740991.0 })},
		"characters counted, not bytes":  {`{"name":"åäöåäöåä"}`, base(func(w map[string]any) { w["name"] = "åäöåäöåä" })},
		"a surrogate pair":               {`{"name":"\ud83d\ude00\\ud800"}`, base(func(w map[string]any) { w["name"] = `😀\ud800` })},
		"markup as it is":                {`{"name":"<a&b>"}`, base(func(w map[string]any) { w["name"] = "<a&b>" })},
		"lines in prose":                 {`{"name":"n","note":"a\n\tb\r\n"}`, base(func(w map[string]any) { w["note"] = "a\n\tb\r\n" })},
		"labels with any name":           {`{"name":"n","labels":{"a.b[0]":"c","NAME":"d"}}`, base(func(w map[string]any) { w["labels"] = map[string]any{"a.b[0]": "c", "NAME": "d"} })},
	}
	s := serve(t, httpapi.Options{}, echo)
	for name, tt := range tests {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			t.Run(name+"/"+method, func(t *testing.T) {
				got := call(t, s, method, "/echo", tt.body, withToken, withJSON)
				if got.Status != 200 {
					t.Fatalf("status %d: %s", got.Status, got.Body)
				}
				if diff := cmp.Diff(tt.want, got.envelope(t)); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestBodyInvalid(t *testing.T) {
	type issue = map[string]any
	path := func(names ...any) []any { return append([]any{}, names...) }
	tests := map[string]struct {
		body string
		want []any
	}{
		"missing":               {`{}`, []any{issue{"code": "invalid_type", "message": "Is required.", "path": path("name")}}},
		"missing/empty body":    {``, []any{issue{"code": "invalid_type", "message": "Is required.", "path": path("name")}}},
		"missing/other case":    {`{"NAME":"n"}`, []any{issue{"code": "invalid_type", "message": "Is required.", "path": path("name")}}},
		"null where required":   {`{"name":null}`, []any{issue{"code": "invalid_type", "message": "Must be a string.", "path": path("name")}}},
		"not an object/list":    {`[]`, []any{issue{"code": "invalid_type", "message": "Must be an object.", "path": path()}}},
		"not an object/string":  {`"x"`, []any{issue{"code": "invalid_type", "message": "Must be an object.", "path": path()}}},
		"wrong type/string":     {`{"name":5}`, []any{issue{"code": "invalid_type", "message": "Must be a string.", "path": path("name")}}},
		"wrong type/boolean":    {`{"name":"n","on":"true"}`, []any{issue{"code": "invalid_type", "message": "Must be true or false.", "path": path("on")}}},
		"wrong type/integer":    {`{"name":"n","ttl":"5"}`, []any{issue{"code": "invalid_type", "message": "Must be a whole number.", "path": path("ttl")}}},
		"wrong type/fraction":   {`{"name":"n","ttl":5.5}`, []any{issue{"code": "invalid_type", "message": "Must be a whole number.", "path": path("ttl")}}},
		"wrong type/number":     {`{"name":"n","ratio":"x"}`, []any{issue{"code": "invalid_type", "message": "Must be a number.", "path": path("ratio")}}},
		"wrong type/list":       {`{"name":"n","accessTokenTrustedIps":{}}`, []any{issue{"code": "invalid_type", "message": "Must be a list.", "path": path("accessTokenTrustedIps")}}},
		"wrong type/null label": {`{"name":"n","labels":{"a":null}}`, []any{issue{"code": "invalid_type", "message": "Must be a string.", "path": path("labels", "a")}}},
		"dotted label": {`{"name":"n","labels":{"a.b[0].c":1,"b":2}}`, []any{
			issue{"code": "invalid_type", "message": "Must be a string.", "path": path("labels", "a.b[0].c")},
			issue{"code": "invalid_type", "message": "Must be a string.", "path": path("labels", "b")},
		}},
		"label too long":        {`{"name":"n","labels":{"` + strings.Repeat("k", 257) + `":"v"}}`, []any{issue{"code": "invalid_string", "message": "Names must have at most 256 bytes and no NUL.", "path": path("labels")}}},
		"label with NUL":        {`{"name":"n","labels":{"\u0000":"v"}}`, []any{issue{"code": "invalid_string", "message": "Names must have at most 256 bytes and no NUL.", "path": path("labels")}}},
		"too short":             {`{"name":""}`, []any{issue{"code": "too_small", "message": "Must have at least 1 characters.", "path": path("name")}}},
		"too long":              {`{"name":"123456789"}`, []any{issue{"code": "too_big", "message": "Must have at most 8 characters.", "path": path("name")}}},
		"too small":             {`{"name":"n","ttl":-1}`, []any{issue{"code": "too_small", "message": "Must be at least 0.", "path": path("ttl")}}},
		"too big":               {`{"name":"n","ttl":101}`, []any{issue{"code": "too_big", "message": "Must be at most 100.", "path": path("ttl")}}},
		"beyond exact integers": {`{"name":"n","big":9007199254740993}`, []any{issue{"code": "invalid_type", "message": "Must be a whole number between -(2^53-1) and 2^53-1.", "path": path("big")}}},
		"beyond int64":          {`{"name":"n","big":-1e30}`, []any{issue{"code": "invalid_type", "message": "Must be a whole number between -(2^53-1) and 2^53-1.", "path": path("big")}}},
		"not one of":            {`{"name":"n","kind":"c"}`, []any{issue{"code": "invalid_enum_value", "message": "Must be one of: a, b.", "path": path("kind")}}},
		"empty is not one of":   {`{"name":"n","kind":""}`, []any{issue{"code": "invalid_enum_value", "message": "Must be one of: a, b.", "path": path("kind")}}},
		"pattern":               {`{"name":"n","slug":"A"}`, []any{issue{"code": "invalid_string", "message": "Must match the pattern ^[a-z]+$.", "path": path("slug")}}},
		"too many items":        {`{"name":"n","accessTokenTrustedIps":[{"ipAddress":"::1"},{"ipAddress":"::1"},{"ipAddress":"::1"},{"ipAddress":"::1"}]}`, []any{issue{"code": "too_big", "message": "Must have at most 3 items.", "path": path("accessTokenTrustedIps")}}},
		"inside of a list": {`{"name":"n","accessTokenTrustedIps":[{"ipAddress":"x"},{},null]}`, []any{
			issue{"code": "invalid_string", "message": "Must be either RFC 2673 ipv4 or RFC 2373 ipv6.", "path": path("accessTokenTrustedIps", "0", "ipAddress")},
			issue{"code": "invalid_type", "message": "Is required.", "path": path("accessTokenTrustedIps", "1", "ipAddress")},
			issue{"code": "invalid_type", "message": "Must be an object.", "path": path("accessTokenTrustedIps", "2")},
		}},
		"text/NUL":        {`{"name":"a\u0000"}`, []any{issue{"code": "invalid_string", "message": "Must be valid UTF-8 without control characters.", "path": path("name")}}},
		"text/in a list":  {`{"name":"n","tags":["a","\u0001"]}`, []any{issue{"code": "invalid_string", "message": "Must be valid UTF-8 without control characters.", "path": path("tags", "1")}}},
		"misfit":          {`{"name":"n","small":300}`, []any{issue{"code": "invalid_type", "message": "Is out of range or of the wrong form.", "path": path("small")}}},
		"text/line break": {`{"name":"a\nb"}`, []any{issue{"code": "invalid_string", "message": "Must be valid UTF-8 without control characters.", "path": path("name")}}},
		"text/C1 control": {`{"name":"a\u0085b"}`, []any{issue{"code": "invalid_string", "message": "Must be valid UTF-8 without control characters.", "path": path("name")}}},
		"prose/NUL":       {`{"name":"n","note":"a\u0000"}`, []any{issue{"code": "invalid_string", "message": "Must be valid UTF-8 without control characters other than tab and line breaks.", "path": path("note")}}},
		"two fields": {`{"name":1,"ttl":"x"}`, []any{
			issue{"code": "invalid_type", "message": "Must be a string.", "path": path("name")},
			issue{"code": "invalid_type", "message": "Must be a whole number.", "path": path("ttl")},
		}},
	}
	s := serve(t, httpapi.Options{}, echo)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := wantError(t, call(t, s, "POST", "/echo", tt.body, withToken, withJSON), 422, "ValidationFailure")
			got := e["message"].([]any)
			slices.SortFunc(got, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }) // maps have no order
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBodyInvalidKeepsValuesPrivate(t *testing.T) {
	s := serve(t, httpapi.Options{}, echo)
	got := call(t, s, "POST", "/echo", `{"name":"n","password":"hunter2"}`, withToken, withJSON)
	wantError(t, got, 422, "ValidationFailure")
	if strings.Contains(got.Body, "hunter2") {
		t.Errorf("the value is in the answer: %s", got.Body)
	}
}

// A body that huma would need much memory for, to name the place of each of its faults.
func TestBodyWithGrowingPaths(t *testing.T) {
	s := serve(t, httpapi.Options{}, echo)
	labels := make([]string, 3_000)
	for i := range labels {
		labels[i] = fmt.Sprintf(`"%d.%s":1`, i, strings.Repeat("k", 100))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := call(t, s, "POST", "/echo", `{"name":"n","labels":{`+strings.Join(labels, ",")+`}}`, withToken, withJSON)
	runtime.ReadMemStats(&after)
	wantError(t, got, 422, "ValidationFailure")
	if used := after.TotalAlloc - before.TotalAlloc; used > 50<<20 {
		t.Errorf("the answer took %d MiB", used>>20)
	}
}

func TestBodyWithManyBrokenRules(t *testing.T) {
	s := serve(t, httpapi.Options{}, echo)
	labels := make([]string, 1000)
	for i := range labels {
		labels[i] = fmt.Sprintf(`"k%d":1`, i)
	}
	e := wantError(t, call(t, s, "POST", "/echo", `{"name":"n","labels":{`+strings.Join(labels, ",")+`}}`, withToken, withJSON), 422, "ValidationFailure")
	if n := len(e["message"].([]any)); n != 50 {
		t.Errorf("%d issues, want the first 50", n)
	}
}

func TestBodyRefused(t *testing.T) {
	deep := strings.Repeat(`[`, 101) + strings.Repeat(`]`, 101)
	tests := map[string]struct {
		body    string
		headers []string
		status  int
		name    string
		message string // what it must name
	}{
		"unreadable/cut off":        {`{"name":`, []string{withJSON}, 400, "BadRequest", "byte 8"},
		"unreadable/garbage":        {`{"name":x}`, []string{withJSON}, 400, "BadRequest", "byte 9"},
		"unreadable/after white":    {"\n\n{x", []string{withJSON}, 400, "BadRequest", "byte 4"},
		"unreadable/two documents":  {`{"name":"n"}{}`, []string{withJSON}, 400, "BadRequest", "byte 13"},
		"unreadable/open string":    {`{"name":"n`, []string{withJSON}, 400, "BadRequest", "byte 10"},
		"unreadable/open escape":    {`{"name":"n\`, []string{withJSON}, 400, "BadRequest", "byte 11"},
		"unreadable/control":        {"{\"name\":\"a\x00\"}", []string{withJSON}, 400, "BadRequest", "byte 11"},
		"number/out of range":       {`{"ratio":1e400}`, []string{withJSON}, 400, "BadRequest", "out of range"},
		"number/endless":            {`{"ratio":` + strings.Repeat("9", 5000) + `}`, []string{withJSON}, 400, "BadRequest", "out of range"},
		"UTF-8/invalid":             {"{\"name\":\"a\xff\"}", []string{withJSON}, 400, "BadRequest", "byte 11"},
		"UTF-8/in an unknown field": {"{\"x\xc3\":1}", []string{withJSON}, 400, "BadRequest", "byte 4"},
		"UTF-8/encoded surrogate":   {"{\"name\":\"\xed\xa0\x80\"}", []string{withJSON}, 400, "BadRequest", "byte 10"},
		"surrogate/lone high":       {`{"name":"\ud800"}`, []string{withJSON}, 400, "BadRequest", "byte 10"},
		"surrogate/lone low":        {`{"name":"a\uDC00"}`, []string{withJSON}, 400, "BadRequest", "byte 11"},
		"surrogate/two high":        {`{"name":"\ud800\ud800"}`, []string{withJSON}, 400, "BadRequest", "byte 10"},
		"surrogate/in a field name": {`{"\udfff":1}`, []string{withJSON}, 400, "BadRequest", "byte 3"},
		"nested/too deep":           {deep, []string{withJSON}, 400, "BadRequest", "100 levels"},
		"nested/bomb":               {strings.Repeat(`{"a":[`, 1_000_000), []string{withJSON}, 400, "BadRequest", "100 levels"},
		"too many values":           {`[` + strings.Repeat(`{},`, 60_000) + `{}]`, []string{withJSON}, 413, "PayloadTooLarge", "100000 values"},
		"too large":                 {`{"name":"` + strings.Repeat("a", httpapi.DefaultMaxBody) + `"}`, []string{withJSON}, 413, "PayloadTooLarge", "8388608 bytes"},
		"media type/several parts":  {`name=n`, []string{"Content-Type: multipart/form-data"}, 415, "UnsupportedMediaType", "application/json"},
		"media type/text":           {`{"name":"n"}`, []string{"Content-Type: text/plain"}, 415, "UnsupportedMediaType", "application/json"},
		"media type/compressed":     {`{"name":"n"}`, []string{withJSON, "Content-Encoding: gzip"}, 415, "UnsupportedMediaType", "compressed"},
	}
	s := serve(t, httpapi.Options{}, echo)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := call(t, s, "POST", "/echo", tt.body, append(tt.headers, withToken)...)
			e := wantError(t, got, tt.status, tt.name)
			if !strings.Contains(e["message"].(string), tt.message) {
				t.Errorf("message %q does not name %q", e["message"], tt.message)
			}
		})
	}
}

func TestBodyLimit(t *testing.T) {
	body := func(size int) string { return `{"name":"n"` + strings.Repeat(" ", size-len(`{"name":"n"}`)) + `}` }
	s := serve(t, httpapi.Options{MaxBody: 100}, func(a *httpapi.API) {
		echo(a)
		httpapi.HandleOpen(a, httpapi.Route{Method: "POST", Path: "/small", ID: "small", Open: true, MaxBody: 50},
			func(context.Context, access.Client, *thingIn) (*thingOut, error) { return &thingOut{}, nil })
	})
	for path, limit := range map[string]int{"/echo": 100, "/small": 50} {
		if got := call(t, s, "POST", path, body(limit), withToken, withJSON); got.Status != 200 {
			t.Errorf("%s at the limit: status %d: %s", path, got.Status, got.Body)
		}
		wantError(t, call(t, s, "POST", path, body(limit+1), withToken, withJSON), 413, "PayloadTooLarge")
		wantError(t, callChunked(t, s, path, body(limit+1)), 413, "PayloadTooLarge")
	}
}

func TestBodyMediaTypes(t *testing.T) {
	tests := map[string]string{
		"with a charset": "Content-Type: application/json; charset=utf-8",
		"in capitals":    "Content-Type: Application/JSON",
		"with a suffix":  "Content-Type: application/merge-patch+json",
		"none":           "X: y",
		"identity":       "Content-Encoding: identity",
	}
	s := serve(t, httpapi.Options{}, echo)
	for name, header := range tests {
		t.Run(name, func(t *testing.T) {
			if got := call(t, s, "POST", "/echo", `{"name":"n"}`, withToken, header); got.Status != 200 {
				t.Errorf("status %d: %s", got.Status, got.Body)
			}
		})
	}
}

type optionalIn struct {
	Body struct {
		A int  `json:"a,omitempty" default:"3"`
		B *int `json:"b,omitempty"`
	}
}

type pointerIn struct {
	Body *struct {
		A int `json:"a,omitempty" default:"3"`
	}
}

func TestEmptyBody(t *testing.T) {
	s := serve(t, httpapi.Options{}, func(a *httpapi.API) {
		httpapi.Handle(a, httpapi.Route{Method: "POST", Path: "/optional", ID: "optional", AnyActor: true},
			func(_ context.Context, _ *access.Actor, in *optionalIn) (*echoOut, error) {
				return &echoOut{map[string]any{"a": in.Body.A, "b": in.Body.B}}, nil
			})
		httpapi.Handle(a, httpapi.Route{Method: "POST", Path: "/pointer", ID: "pointer", AnyActor: true},
			func(_ context.Context, _ *access.Actor, in *pointerIn) (*echoOut, error) {
				if in.Body == nil {
					return &echoOut{map[string]any{}}, nil
				}
				return &echoOut{map[string]any{"a": in.Body.A}}, nil
			})
		httpapi.Handle(a, httpapi.Route{Method: "POST", Path: "/none", ID: "none", AnyActor: true},
			func(context.Context, *access.Actor, *httpapi.Empty) (*echoOut, error) {
				return &echoOut{map[string]any{}}, nil
			})
	})
	tests := map[string]struct{ path, body, want string }{
		"all optional":           {"/optional", ``, `{"a":3,"b":null}`},
		"all optional/spaces":    {"/optional", "  \n", `{"a":3,"b":null}`},
		"all optional/null":      {"/optional", `null`, `{"a":3,"b":null}`},
		"all optional/object":    {"/optional", `{}`, `{"a":3,"b":null}`},
		"pointer":                {"/pointer", ``, `{}`},
		"pointer/null":           {"/pointer", `null`, `{}`},
		"pointer/object":         {"/pointer", `{}`, `{"a":3}`},
		"pointer/zero":           {"/pointer", `{"a":0}`, `{"a":0}`},
		"ignored/nothing":        {"/none", ``, `{}`},
		"ignored/object":         {"/none", `{"identityId":"x","tokenId":"y"}`, `{}`},
		"ignored/garbage":        {"/none", `{{{`, `{}`},
		"ignored/larger than 8M": {"/none", strings.Repeat("a", httpapi.DefaultMaxBody+1), `{}`},
	}
	for name, tt := range tests {
		for _, contentType := range []string{withJSON, "X: y"} {
			t.Run(name+"/"+contentType, func(t *testing.T) {
				if got := call(t, s, "POST", tt.path, tt.body, withToken, contentType); got.Status != 200 || got.Body != tt.want {
					t.Errorf("status %d, body %s, want %s", got.Status, got.Body, tt.want)
				}
			})
		}
	}
}

// A caller that goes away in the middle of its body is not our fault.
func TestBodyThatEndsEarly(t *testing.T) {
	s := serve(t, httpapi.Options{}, echo)
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /echo HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: 100\r\n\r\n{\"name\"", withToken)
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := readResponse(t, conn, http.MethodPost); got.Status != 400 {
		t.Errorf("status %d: %s", got.Status, got.Body)
	}
}
