package httpapi

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// reused is an answer that was made before: its entity tag, and what opens its body.
type reused struct {
	tag  string
	body func() ([]byte, error)
}

// Reuse has the request that ctx belongs to be answered with a body that Keep handed out for the same question, in place of
// what the handler returns. Whoever calls it knows that the answer would be the same. A caller who has the body is
// answered 304 without its being opened. Outside of a request it does nothing.
func Reuse(ctx context.Context, tag string, body func() ([]byte, error)) {
	if ex := exchangeOf(ctx); ex != nil {
		ex.reused = reused{tag, body}
	}
}

// Keep has keep be told of the answer to the request that ctx belongs to, before it is sent, if it is a GET's. The body is good
// until keep returns. Outside of a request it does nothing.
func Keep(ctx context.Context, keep func(tag string, body []byte)) {
	if ex := exchangeOf(ctx); ex != nil {
		ex.keep = keep
	}
}

// finishReused answers with what was made before.
func (ex *exchange) finishReused(r *http.Request) {
	if ex.unchanged(r, ex.reused.tag) {
		return
	}
	body, err := ex.reused.body()
	if err == nil && len(body) > maxKept {
		err = ex.memory.Use(int64(len(body)))
	}
	if err != nil {
		ex.fail(fault.From(err))
		ex.writeFault()
		return
	}
	ex.writeJSON(http.StatusOK, body)
}
