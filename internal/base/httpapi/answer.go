package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"

	fastjson "github.com/segmentio/encoding/json"

	"github.com/sallyport/sallyport/internal/base/fault"
)

const (
	maxKept  = 64 << 10 // the largest buffer in bytes that is kept for the next answer
	maxShort = 2 << 10  // the longest body in bytes that net/http holds back until it knows the length
	maxWhole = 4 << 20  // the most memory in bytes that a request may have used for its answer to be encoded at once
)

// page is a buffer that is used again and again.
type page struct{ bytes.Buffer }

func (a *API) takePage() *page { return a.pages.Get().(*page) }

func (a *API) givePage(p *page) {
	if p.Cap() <= maxKept {
		p.Reset()
		a.pages.Put(p)
	}
}

// encode replaces the page's content by the JSON of v: what encoding/json writes, in less than half the time (a test
// compares the two).
func (p *page) encode(v any) error {
	p.Reset()
	text, err := fastjson.Append(p.AvailableBuffer(), v, fastjson.SortMapKeys)
	p.Write(text)
	settle()
	return err
}

// settle makes up for the JSON library, which reads with AVX instructions and leaves the registers as they are: SHA-256, of
// an entity tag or a token, then takes up to a hundred times as long. IndexByte over more than 32 bytes clears them
// (VZEROUPPER), and takes some nanoseconds.
func settle() { _ = bytes.IndexByte(settling[:], 1) }

var settling [64]byte

// finish writes what the exchange has come to: its fault, or its answer with status 200. What took much memory to find
// is encoded in pieces.
func (ex *exchange) finish(r *http.Request) {
	if ex.fault != nil {
		ex.refused()
		ex.writeFault()
		return
	}
	if ex.reused.body != nil {
		ex.finishReused(r)
		return
	}
	send := ex.sendWhole
	if ex.memory.Used() > maxWhole {
		send = ex.sendPieces
	}
	if err := send(r); err != nil {
		ex.fail(fault.From(err))
		ex.writeFault()
	}
}

// sendWhole encodes the answer at once. An error means that nothing was sent.
func (ex *exchange) sendWhole(r *http.Request) error {
	page := ex.api.takePage()
	defer ex.api.givePage(page)
	if err := page.encode(ex.answer); err != nil {
		return err
	}
	body := page.Bytes()
	if isRead(r) {
		if len(body) > maxKept {
			if err := ex.memory.Use(int64(page.Cap())); err != nil {
				return err
			}
		}
		tag := etag(sha256.Sum256(body))
		if ex.keep != nil {
			ex.keep(tag, body)
		}
		if ex.unchanged(r, tag) {
			return nil
		}
	}
	ex.writeJSON(http.StatusOK, body)
	return nil
}

// sendPieces encodes the answer twice: for its tag and its length, and to send it. An error means that nothing was sent.
func (ex *exchange) sendPieces(r *http.Request) error {
	sum, length := sha256.New(), counter(0)
	if err := encodePieces(io.MultiWriter(sum, &length), ex.answer); err != nil {
		return err
	}
	if isRead(r) && ex.unchanged(r, etag([sha256.Size]byte(sum.Sum(nil)))) {
		return nil
	}
	h := ex.Header()
	h["Content-Type"], h["Content-Length"] = jsonType, ex.header(2, strconv.Itoa(int(length)))
	ex.WriteHeader(http.StatusOK)
	_ = encodePieces(ex.outgoing(), ex.answer) // an error means that the caller has gone
	return nil
}

// counter counts the bytes that are written to it.
type counter int

// Write counts.
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// unchanged sets the tag of a body, and answers 304 if that is what the caller has.
func (ex *exchange) unchanged(r *http.Request, tag string) bool {
	ex.Header()["Etag"] = ex.header(1, tag)
	if !matches(r.Header["If-None-Match"], tag) {
		return false
	}
	ex.WriteHeader(http.StatusNotModified)
	return true
}

// refused tells the audit log of a 403. A caller who hangs up does not cancel that.
func (ex *exchange) refused() {
	if ex.api.options.Refused != nil && failureOf(ex.fault).status == http.StatusForbidden {
		ex.api.options.Refused(context.WithoutCancel(&ex.ctx), ex.actor, ex.fault, ex.endpoint.route)
	}
}

// writeJSON writes an answer. net/http knows the length of a short one by itself, and says it at less cost.
func (ex *exchange) writeJSON(status int, body []byte) {
	h := ex.Header()
	h["Content-Type"] = jsonType
	if len(body) > maxShort {
		h["Content-Length"] = ex.header(2, strconv.Itoa(len(body)))
	}
	ex.WriteHeader(status)
	if len(body) <= maxKept {
		_, _ = ex.Write(body) // an error means that the caller has gone
		return
	}
	_, _ = ex.outgoing().Write(body)
}

// etag returns a strong entity tag of a body, by its sum: it depends on the body alone (RFC 9110 section 8.8.3): 144 bits of its SHA-256.
func etag(sum [sha256.Size]byte) string {
	var tag [26]byte
	tag[0], tag[25] = '"', '"'
	base64.RawURLEncoding.Encode(tag[1:25], sum[:18])
	return string(tag[:])
}

// matches reports whether an If-None-Match header names the tag (RFC 9110 section 13.1.2: weak comparison).
func matches(headers []string, tag string) bool {
	for _, header := range headers {
		for candidate := range strings.SplitSeq(header, ",") {
			candidate = strings.TrimSpace(candidate)
			if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
				return true
			}
		}
	}
	return false
}
