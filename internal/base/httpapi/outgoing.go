package httpapi

import (
	"net/http"
	"time"
)

// outgoing is a long answer on its way. A caller who does not take a piece of it within stalled is cut off, so that nobody keeps
// answers in memory by not reading them.
type outgoing struct {
	ex         *exchange
	connection *http.ResponseController
	end        time.Time // zero for never
}

// outgoing returns a writer for the body of the answer.
func (ex *exchange) outgoing() *outgoing {
	o := &outgoing{ex: ex, connection: http.NewResponseController(ex.ResponseWriter)}
	if most := ex.api.options.AnswerTimeout; most > 0 {
		o.end = time.Now().Add(most - ex.api.options.Now().Sub(ex.started))
	}
	return o
}

// Write sends a text.
func (o *outgoing) Write(text []byte) (sent int, err error) {
	for err == nil && sent < len(text) {
		var n int
		_ = o.connection.SetWriteDeadline(sooner(o.end, time.Now().Add(stalled))) // not every writer has one
		n, err = o.ex.Write(text[sent:min(len(text), sent+piece)])
		sent += n
	}
	_ = o.connection.SetWriteDeadline(o.end)
	return sent, err
}
