package httpapi

import (
	"errors"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// explain returns err as a fault: as it is, as Options.Explain tells it apart, or as a mistake of ours.
func (a *API) explain(err error) *fault.Error {
	var f *fault.Error
	if errors.As(err, &f) && f.Kind != fault.Internal {
		return f
	}
	if a.options.Explain != nil {
		if f := a.options.Explain(err); f != nil {
			return f
		}
	}
	return fault.From(err)
}
