package httpapi_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

func TestFault(t *testing.T) {
	unavailable := fault.New(fault.Unavailable, "m")
	unavailable.RetryAfter = 1500 * time.Millisecond
	limited := fault.New(fault.RateLimited, "m")
	limited.RetryAfter = time.Minute
	tests := map[string]struct {
		err    error
		status int
		name   string
		header [2]string
	}{
		"400/bad request":           {fault.New(fault.BadRequest, "m"), 400, "BadRequest", [2]string{}},
		"400/with a name":           {fault.New(fault.BadRequest, "m").Named("CryptographyError"), 400, "CryptographyError", [2]string{}},
		"401/not authenticated":     {fault.New(fault.Unauthenticated, "m"), 401, "UnauthorizedError", [2]string{"WWW-Authenticate", "Bearer"}},
		"401/dead token":            {fault.Dead("used up", "m"), 401, "TokenError", [2]string{"WWW-Authenticate", `Bearer error="invalid_token", error_description="used up"`}},
		"401/quotes in the reason":  {fault.Dead("a\"\\\n\u00e9b", "m"), 401, "TokenError", [2]string{"WWW-Authenticate", `Bearer error="invalid_token", error_description="ab"`}},
		"403/permission":            {fault.New(fault.PermissionDenied, "m"), 403, "PermissionDenied", [2]string{}},
		"403/boundary":              {fault.New(fault.Boundary, "m"), 403, "PermissionBoundaryError", [2]string{}},
		"403/other":                 {fault.New(fault.Forbidden, "m"), 403, "ForbiddenError", [2]string{}},
		"404":                       {fault.New(fault.NotFound, "m"), 404, "NotFound", [2]string{}},
		"413":                       {fault.New(fault.TooLarge, "m"), 413, "PayloadTooLarge", [2]string{}},
		"415":                       {fault.New(fault.MediaType, "m"), 415, "UnsupportedMediaType", [2]string{}},
		"422":                       {fault.Invalid("custom", "m", "a"), 422, "ValidationFailure", [2]string{}},
		"429/whole seconds":         {limited, 429, "RateLimitExceeded", [2]string{"Retry-After", "60"}},
		"503/seconds rounded up":    {unavailable, 503, "ServiceUnavailable", [2]string{"Retry-After", "2"}},
		"503/without a time":        {fault.New(fault.Unavailable, "m"), 503, "ServiceUnavailable", [2]string{"Retry-After", "1"}},
		"500/a fault":               {fault.New(fault.Internal, "m"), 500, "InternalServerError", [2]string{}},
		"500/any other error":       {errors.New("secret cause"), 500, "InternalServerError", [2]string{}},
		"500/of an unknown kind":    {fault.New(fault.Kind(200), "m"), 500, "InternalServerError", [2]string{}},
		"404/wrapped in an error":   {errors.Join(errors.New("x"), fault.New(fault.NotFound, "m")), 404, "NotFound", [2]string{}},
		"400/details that will not": {fault.New(fault.BadRequest, "m").With(func() {}), 400, "BadRequest", [2]string{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := serve(t, httpapi.Options{}, answering(func(context.Context) (map[string]any, error) { return nil, tt.err }))
			got := call(t, s, "GET", "/api/thing", "", withToken)
			e := wantError(t, got, tt.status, tt.name)
			if tt.header[0] != "" && got.Header.Get(tt.header[0]) != tt.header[1] {
				t.Errorf("%s: %q, want %q", tt.header[0], got.Header.Get(tt.header[0]), tt.header[1])
			}
			if strings.Contains(got.Body, "secret cause") {
				t.Errorf("the private cause got out: %s", got.Body)
			}
			if _, ok := e["details"]; ok {
				t.Errorf("details without any: %s", got.Body)
			}
		})
	}
}

func TestFaultBody(t *testing.T) {
	rules := []map[string]any{{"action": "read", "subject": "identity"}}
	tests := map[string]struct {
		err  error
		want map[string]any
	}{
		"with details": {fault.New(fault.PermissionDenied, "No.").With(rules), map[string]any{
			"statusCode": 403.0, "message": "No.", "error": "PermissionDenied", "details": []any{map[string]any{"action": "read", "subject": "identity"}},
		}},
		"with issues": {fault.Invalid("too_big", "Too big.", "ips", "0"), map[string]any{
			"statusCode": 422.0, "error": "ValidationFailure",
			"message": []any{map[string]any{"code": "too_big", "message": "Too big.", "path": []any{"ips", "0"}}},
		}},
		"with an issue about the whole": {fault.Invalid("custom", "No."), map[string]any{
			"statusCode": 422.0, "error": "ValidationFailure",
			"message": []any{map[string]any{"code": "custom", "message": "No.", "path": []any{}}},
		}},
		"validation without issues": {fault.New(fault.Validation, "No."), map[string]any{
			"statusCode": 422.0, "error": "ValidationFailure",
			"message": []any{map[string]any{"code": "custom", "message": "No.", "path": []any{}}},
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := serve(t, httpapi.Options{}, answering(func(context.Context) (map[string]any, error) { return nil, tt.err }))
			got := call(t, s, "GET", "/api/thing", "", withToken).envelope(t)
			delete(got, "reqId")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	tests := map[string]struct {
		kind  fault.Kind
		token string
		told  bool
		actor string
	}{
		"told/permission":          {fault.PermissionDenied, good, true, "actor-1"},
		"told/boundary":            {fault.Boundary, good, true, "actor-1"},
		"told/other refusal":       {fault.Forbidden, good, true, "actor-1"},
		"told/by authentication":   {fault.Forbidden, "elsewhere", true, ""},
		"not told/not found":       {fault.NotFound, good, false, ""},
		"not told/unauthenticated": {fault.Unauthenticated, good, false, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			told, actorID, route, reqID := false, "", "", ""
			refused := func(ctx context.Context, actor *access.Actor, _ *fault.Error, r httpapi.Route) {
				told, route, reqID = true, r.ID, httpapi.RequestID(ctx)
				if actor != nil {
					actorID = actor.ID
				}
			}
			s := serve(t, httpapi.Options{Refused: refused}, answering(func(context.Context) (map[string]any, error) {
				return nil, fault.New(tt.kind, "no")
			}))
			got := call(t, s, "GET", "/api/thing", "", "Authorization: Bearer "+tt.token)
			if told != tt.told || actorID != tt.actor {
				t.Errorf("told %v of actor %q, want %v of %q", told, actorID, tt.told, tt.actor)
			}
			if told && (route != "getThing" || reqID != got.Header.Get("X-Request-Id")) {
				t.Errorf("told of route %q and request %q", route, reqID)
			}
		})
	}
}

func TestPanic(t *testing.T) {
	var log bytes.Buffer
	o := httpapi.Options{Logger: slog.New(slog.NewJSONHandler(&log, nil))}
	s := serve(t, o, answering(func(ctx context.Context) (map[string]any, error) {
		switch sent := httpapi.Client(ctx).UserAgent; sent {
		case "boom":
			_ = []int{}[len(sent)]
		case "s3cret":
			uuid.MustParse(sent)
		}
		return map[string]any{}, nil
	}))
	for sent, want := range map[string]string{"boom": "index out of range [4] with length 0", "s3cret": "panic with a value of type string"} {
		log.Reset()
		got := call(t, s, "GET", "/api/thing", "", withToken, "User-Agent: "+sent)
		wantError(t, got, 500, "InternalServerError")
		for _, want := range []string{want, "fail_test.go", got.Header.Get("X-Request-Id")} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%s: the log lacks %q", sent, want)
			}
			if want != got.Header.Get("X-Request-Id") && strings.Contains(got.Body, want) {
				t.Errorf("%s: the panic got out: %s", sent, got.Body)
			}
		}
		if strings.Contains(log.String(), "s3cret") {
			t.Errorf("what was sent lies in the log: %s", &log)
		}
	}
	if got := call(t, s, "GET", "/api/thing", "", withToken); got.Status != 200 {
		t.Errorf("after the panic: status %d", got.Status)
	}
}

func TestHandlerWithoutAnswer(t *testing.T) {
	s := serve(t, httpapi.Options{}, func(a *httpapi.API) {
		httpapi.HandleOpen(a, httpapi.Route{Method: "GET", Path: "/nil", ID: "x", Open: true},
			func(context.Context, access.Client, *httpapi.Empty) (*echoOut, error) { return nil, nil })
		httpapi.HandleOpen(a, httpapi.Route{Method: "GET", Path: "/func", ID: "y", Open: true},
			func(context.Context, access.Client, *httpapi.Empty) (*echoOut, error) {
				return &echoOut{map[string]any{"f": func() {}}}, nil
			})
	})
	for _, path := range []string{"/nil", "/func"} {
		wantError(t, call(t, s, "GET", path, ""), 500, "InternalServerError")
	}
}

func TestLog(t *testing.T) {
	tests := map[string]struct {
		err  error
		path string
		want map[string]any
	}{
		"success at debug": {nil, "/api/thing?token=hunter2", map[string]any{
			"level": "DEBUG", "msg": "request", "method": "GET", "route": "/api/thing", "status": 200.0, "actor": "actor-1",
		}},
		"4xx at debug": {fault.New(fault.NotFound, "no"), "/api/thing", map[string]any{
			"level": "DEBUG", "msg": "request", "method": "GET", "route": "/api/thing", "status": 404.0, "actor": "actor-1",
		}},
		"5xx at error with the cause": {errors.New("disk full"), "/api/thing", map[string]any{
			"level": "ERROR", "msg": "request", "method": "GET", "route": "/api/thing", "status": 500.0, "actor": "actor-1",
			"cause": "The server failed. Its log has the details under this reqId.: disk full",
		}},
		"unknown routes without their path": {nil, "/hunter2", map[string]any{
			"level": "DEBUG", "msg": "request", "method": "GET", "route": "unrouted", "status": 404.0,
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			o := httpapi.Options{Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
			s := serve(t, o, answering(func(context.Context) (map[string]any, error) { return map[string]any{}, tt.err }))
			got := call(t, s, "GET", tt.path, `{"p":"hunter2"}`, withToken, withJSON)
			s.Close() // so that the line is written
			if strings.Contains(log.String(), "hunter2") || strings.Contains(log.String(), good) {
				t.Errorf("the log has what it must not have: %s", &log)
			}
			line := answer{Body: log.String()}.envelope(t)
			if line["reqId"] != got.Header.Get("X-Request-Id") {
				t.Errorf("reqId %v, want %v", line["reqId"], got.Header.Get("X-Request-Id"))
			}
			if took, ok := line["duration"].(float64); !ok || took < 0 {
				t.Errorf("duration %v", line["duration"])
			}
			for _, k := range []string{"reqId", "duration", "time"} {
				delete(line, k)
			}
			if diff := cmp.Diff(tt.want, line); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLogIsSilentAboutHangUps(t *testing.T) {
	var log bytes.Buffer
	started, cancelled := make(chan struct{}), make(chan struct{})
	s := serve(t, httpapi.Options{Logger: slog.New(slog.NewJSONHandler(&log, nil))}, answering(func(ctx context.Context) (map[string]any, error) {
		close(started)
		<-ctx.Done()
		close(cancelled)
		return nil, ctx.Err()
	}))
	ctx, hangUp := context.WithCancel(t.Context())
	go func() { <-started; hangUp() }()
	hangUpDuring(ctx, t, s)
	<-cancelled
	s.Close()
	if log.Len() > 0 {
		t.Errorf("a caller that hung up is logged as our fault: %s", &log)
	}
}
