package httpapi_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/limit"
)

// library has shelves in all the ways in which answers hold lists.
type library struct {
	Name   string   `json:"name"`
	Main   *shelf   `json:"main"`
	More   []*shelf `json:"more,omitempty"`
	Plain  []book   `json:"plain"`
	Maybe  book     `json:"maybe,omitempty"`
	Bytes  []byte   `json:"bytes,omitempty"`
	Hidden string   `json:"-"`
	notes  string
}

type book struct {
	Title  string       `json:"title"`
	Short  string       `json:"short,omitempty"`
	At     httpapi.Time `json:"at"`
	Number *int64       `json:"number,omitempty"`
	Any    any          `json:"any,omitempty"`
	Pages  []struct {
		Text string `json:"text"`
	} `json:"pages"`
}

func libraries() *rapid.Generator[library] {
	books := rapid.Custom(func(t *rapid.T) book {
		b := book{Title: rapid.String().Draw(t, "title"), Short: rapid.String().Draw(t, "short"), At: httpapi.Time(rapid.Int64Range(0, 1<<42).Draw(t, "at")),
			Number: rapid.Ptr(rapid.Int64(), true).Draw(t, "number")}
		for _, text := range rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "pages") {
			b.Pages = append(b.Pages, struct {
				Text string `json:"text"`
			}{text})
		}
		return b
	})
	return rapid.Custom(func(t *rapid.T) library {
		return library{Name: rapid.String().Draw(t, "name"), Main: rapid.Ptr(shelves(0), true).Draw(t, "main"), Hidden: "hidden", notes: "notes",
			More: rapid.SliceOfN(rapid.Ptr(shelves(0), true), 0, 2).Draw(t, "more"), Plain: rapid.SliceOfN(books, 0, 3).Draw(t, "plain"),
			Maybe: books.Draw(t, "maybe"), Bytes: rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "bytes")}
	})
}

// TestPiecesAreTheWhole: an answer that is encoded in pieces has the bytes, the length and the tag of one that is encoded at once.
func TestPiecesAreTheWhole(t *testing.T) {
	var next library
	var used int64
	a := httpapi.New(httpapi.Options{})
	httpapi.HandleOpen(a, httpapi.Route{Method: "GET", Path: "/library", ID: "library", Open: true},
		func(ctx context.Context, _ access.Client, _ *httpapi.Empty) (*struct{ Body library }, error) {
			return &struct{ Body library }{next}, limit.Use(ctx, used)
		})
	get := func(match string, uses int64) *httptest.ResponseRecorder {
		used = uses
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/library", nil)
		r.Header.Set("If-None-Match", match)
		a.Handler().ServeHTTP(w, r)
		return w
	}
	rapid.Check(t, func(t *rapid.T) {
		next = libraries().Draw(t, "library")
		whole, pieces := get("", 0), get("", 100<<20)
		if diff := cmp.Diff(whole.Body.String(), pieces.Body.String()); diff != "" {
			t.Fatalf("the body differs (- whole, + pieces):\n%s", diff)
		}
		if tag := whole.Header().Get("Etag"); tag == "" || tag != pieces.Header().Get("Etag") {
			t.Fatalf("the tags are %q and %q", tag, pieces.Header().Get("Etag"))
		} else if again := get(tag, 100<<20); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Fatalf("its own tag is answered %d", again.Code)
		}
	})
}

// users answers requests that use as much memory as they ask for.
func users(a *httpapi.API) {
	type in struct {
		Bytes int64 `query:"bytes"`
	}
	httpapi.Handle(a, httpapi.Route{Method: "GET", Path: "/use", ID: "use", AnyActor: true},
		func(ctx context.Context, _ *access.Actor, i *in) (*echoOut, error) {
			return &echoOut{map[string]any{}}, limit.Use(ctx, i.Bytes)
		})
	echo(a)
}

// TestMemoryOfAnswers: what there is not now is a 503 that says when to come again, what there never is a 400, and what a
// request took is there again when it is over.
func TestMemoryOfAnswers(t *testing.T) {
	budget := limit.NewBudget(1 << 30)
	s := serve(t, httpapi.Options{Memory: budget}, users)
	for range 5 {
		if got := call(t, s, "GET", "/use?bytes=400000000", "", withToken); got.Status != 200 {
			t.Fatalf("answered %d", got.Status)
		}
	}
	wantError(t, call(t, s, "GET", "/use?bytes=1000000000", "", withToken), 400, "BadRequest")
	if budget.Used() != 0 {
		t.Errorf("%d bytes are still taken", budget.Used())
	}
	budget.Take("somebody", budget.Share("somebody"))
	budget.Take("somebody else", budget.Share("somebody else"))
	got := call(t, s, "GET", "/use?bytes=1000000", "", withToken)
	if wantError(t, got, 503, "ServiceUnavailable"); got.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After is %q", got.Header.Get("Retry-After"))
	}
	if got := call(t, s, "GET", "/use?bytes=1000", "", withToken); got.Status != 200 {
		t.Errorf("a small request is answered %d", got.Status)
	}
}

// unfinished sends most of a body of 8 MB, and leaves the connection open. The channel tells when the server answers or hangs up.
func unfinished(t *testing.T, address string) (conn net.Conn, refused <-chan struct{}) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = conn.Read(make([]byte, 1))
	}()
	_, _ = io.WriteString(conn, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 8000000\r\n"+withToken+"\r\n\r\n")
	text := strings.Repeat(" ", 1<<20)
	for range 7 {
		if _, err := io.WriteString(conn, text); err != nil {
			break // the server has hung up
		}
	}
	return conn, done
}

// TestUnfinishedBodies: however many bodies a caller begins, they hold no more than its share. Memory is given back when
// the caller hangs up.
func TestUnfinishedBodies(t *testing.T) {
	budget := limit.NewBudget(512 << 20)
	s := serve(t, httpapi.Options{Memory: budget}, users)
	var open []net.Conn
	refused := make(chan struct{}, 9)
	for range 9 {
		conn, done := unfinished(t, s.Listener.Addr().String())
		open = append(open, conn)
		go func() {
			<-done
			refused <- struct{}{}
		}()
		if budget.Used() > budget.Share("actor-1") {
			t.Fatalf("%d bytes are taken; the share is %d", budget.Used(), budget.Share("actor-1"))
		}
	}
	// The sockets hold megabytes that the server has not read yet, so a refusal may come after the last byte was sent.
	select {
	case <-refused:
	case <-time.After(10 * time.Second):
		t.Error("all bodies were taken")
	}
	if got := call(t, s, "POST", "/echo", `{"name":"n"}`, withToken, withJSON); got.Status != 200 {
		t.Errorf("a small body is answered %d", got.Status)
	}
	for _, conn := range open {
		conn.Close()
	}
	s.Close() // returns when all requests are over
	if budget.Used() != 0 {
		t.Errorf("%d bytes are still taken", budget.Used())
	}
}

// TestBodyOfAStranger: before a token was verified nothing of a body is read.
func TestBodyOfAStranger(t *testing.T) {
	budget := limit.NewBudget(0)
	s := serve(t, httpapi.Options{Memory: budget}, users)
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+"/echo", &reader{t: t, most: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 8 << 20
	if res, err := s.Client().Do(r); err == nil {
		defer res.Body.Close()
		if res.StatusCode != 401 {
			t.Errorf("answered %d", res.StatusCode)
		}
	}
	if budget.Used() != 0 {
		t.Errorf("%d bytes were taken", budget.Used())
	}
}

// reader gives blanks, and fails a test that takes too many: more than what lies in sockets.
type reader struct {
	t          *testing.T
	most, gave int
}

func (r *reader) Read(p []byte) (int, error) {
	if r.gave += len(p); r.gave > r.most {
		return 0, errors.New("enough")
	}
	return copy(p, strings.Repeat(" ", len(p))), nil
}
