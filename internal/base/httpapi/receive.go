package httpapi

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/limit"
)

const (
	// bodyCost is how many bytes of memory a byte of a body takes: as it was read, parsed, in canonical form, in the input of the
	// handler, as what the handler makes of it, and in the memory of the database. It was measured.
	bodyCost = 6

	// valueCost is about how many bytes a value takes in the parsed form of a body, next to its text.
	valueCost = 100

	// piece is how many bytes of a large body are read at a time.
	piece = 64 << 10

	// stalled is how long a caller may take to send a piece of a large body. So what it makes the server keep costs it some
	// bandwidth of its own.
	stalled = 10 * time.Second
)

// receive reads the body, up to the route's limit: into the page if it fits there.
func (ep *endpoint) receive(ex *exchange, r *http.Request, page *page) ([]byte, *fault.Error) {
	if r.ContentLength > ep.maxBody {
		return nil, ep.tooLarge()
	}
	defer limit.Waiting(&ex.ctx)()
	in := &incoming{Reader: r.Body, ex: ex} // net/http reads no further than the length that was announced
	text, err := []byte(nil), error(nil)
	if r.ContentLength >= 0 && r.ContentLength <= piece {
		page.Grow(int(r.ContentLength) + bytes.MinRead)
		_, err = page.ReadFrom(in)
		text = page.Bytes()
	} else {
		text, err = in.large(r.ContentLength, ep.maxBody)
	}
	if err != nil {
		return nil, ep.unreceived(err)
	}
	return text, nil
}

// unreceived turns an error of reading a body into a fault.
func (ep *endpoint) unreceived(err error) *fault.Error {
	tooBig := (*http.MaxBytesError)(nil)
	switch {
	case errors.As(err, &tooBig):
		return ep.tooLarge()
	case fault.Is(err, fault.BadRequest):
		return fault.New(fault.TooLarge, "%s", fault.From(err).Message)
	case fault.Is(err, fault.Unavailable):
		return fault.From(err)
	}
	return fault.New(fault.BadRequest, "The body ended early. Send it again.").Because(err)
}

func (ep *endpoint) tooLarge() *fault.Error {
	return fault.New(fault.TooLarge, "The body is larger than the %d bytes that this route takes.", ep.maxBody)
}

// incoming is a body as it arrives. The account of its request uses the memory for each piece before the next is read.
type incoming struct {
	io.Reader
	ex *exchange
}

// Read reads a piece. Errors: also those of Account.Await.
func (in *incoming) Read(p []byte) (int, error) {
	n, err := in.Reader.Read(p[:min(len(p), piece)])
	if f := in.ex.memory.Await(&in.ex.ctx, int64(n)*bodyCost); f != nil {
		return n, f
	}
	return n, err
}

// large reads a body of an announced length, or a negative one for any length up to most. Its caller is cut off who sends no
// piece for long.
func (in *incoming) large(announced, most int64) (text []byte, err error) {
	if announced < 0 {
		announced, in.Reader = most, http.MaxBytesReader(in.ex.ResponseWriter, io.NopCloser(in.Reader), most)
	}
	connection, end := http.NewResponseController(in.ex.ResponseWriter), in.ex.api.requestEnd()
	defer func() { _ = connection.SetReadDeadline(end) }() // a connection that cannot have one has no deadline to lose
	for err == nil {
		if len(text) == cap(text) {
			text = append(make([]byte, 0, min(announced+1, max(piece, 2*int64(cap(text))))), text...)
		}
		_ = connection.SetReadDeadline(sooner(end, time.Now().Add(stalled)))
		var n int
		n, err = in.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return text, err
}

// requestEnd returns when a body must be there whose header has just been read; the zero time if there is no such time.
func (a *API) requestEnd() time.Time {
	if a.options.RequestTimeout <= 0 {
		return time.Time{}
	}
	return time.Now().Add(a.options.RequestTimeout)
}

// sooner returns the earlier of two times, of which a zero one is never.
func sooner(a, b time.Time) time.Time {
	if !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}
