package feed

import "github.com/sallyport/sallyport/internal/testhook/bug"

// inOrder returns the entries as they must be applied: all of them, as they were read.
func inOrder(entries []Entry) []Entry {
	if bug.ApplyOutOfOrder && len(entries) > 0 {
		return entries[len(entries)-1:] // the newest overtakes the others, which are then taken for applied
	}
	return entries
}
