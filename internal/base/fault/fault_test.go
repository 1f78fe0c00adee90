package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/fault"
)

var errCause = errors.New("the disk is full")

func TestCopiesLeaveTheOriginal(t *testing.T) {
	original := fault.New(fault.BadRequest, "The name %q is taken.", "x")
	for name, changed := range map[string]*fault.Error{
		"Because": original.Because(errCause), "With": original.With(5), "Named": original.Named("Other"),
	} {
		if changed == original || changed.Kind != fault.BadRequest || changed.Message != `The name "x" is taken.` {
			t.Errorf("%s made %+v", name, changed)
		}
	}
	if original.Details != nil || original.Name != "" || original.Unwrap() != nil || original.Error() != `The name "x" is taken.` {
		t.Errorf("the original is now %+v", original)
	}
}

// TestCauseIsForTheLogAlone: it is in the text of the error, and not in the message for the caller.
func TestCauseIsForTheLogAlone(t *testing.T) {
	e := fault.New(fault.Unavailable, "Try again.").Because(errCause)
	if e.Message != "Try again." || e.Error() != "Try again.: the disk is full" || !errors.Is(e, errCause) {
		t.Errorf("%+v says %q", e, e.Error())
	}
}

func TestFrom(t *testing.T) {
	own := fault.Dead("expired", "It has expired.")
	if got := fault.From(own); got != own {
		t.Errorf("a fault became %+v", got)
	}
	if got := fault.From(fmt.Errorf("on the way: %w", own)); got != own {
		t.Errorf("a wrapped fault became %+v", got)
	}
	foreign := fault.From(errCause)
	if foreign.Kind != fault.Internal || !errors.Is(foreign, errCause) {
		t.Errorf("another error became %+v", foreign)
	}
	if got := foreign.Message; got == "" || cmp.Equal(got, errCause.Error()) {
		t.Errorf("the message of another error is %q", got)
	}
}

func TestIs(t *testing.T) {
	e := fmt.Errorf("on the way: %w", fault.New(fault.NotFound, "It is not there."))
	for name, c := range map[string]struct {
		err  error
		kind fault.Kind
		want bool
	}{
		"its kind":      {e, fault.NotFound, true},
		"another kind":  {e, fault.Forbidden, false},
		"another error": {errCause, fault.Internal, false},
		"no error":      {nil, fault.Internal, false},
	} {
		if got := fault.Is(c.err, c.kind); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestInvalid: a path is a list also where it is empty, since clients read one.
func TestInvalid(t *testing.T) {
	want := []fault.Issue{{Code: "custom", Message: "Wrong.", Path: []string{}}}
	if diff := cmp.Diff(want, fault.Invalid("custom", "Wrong.").Issues); diff != "" {
		t.Error(diff)
	}
	path := []string{"a", "b"}
	e := fault.Invalid("custom", "Wrong.", path...)
	path[0] = "changed"
	if diff := cmp.Diff([]string{"a", "b"}, e.Issues[0].Path); diff != "" || e.Kind != fault.Validation {
		t.Errorf("kind %d\n%s", e.Kind, diff)
	}
}
