package app

import (
	"log/slog"
	"runtime/debug"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// guarded runs do. If it panics, the log has its stack, and the process ends, since nobody knows what was left half done.
// It ends by another panic: Go prints the value of the one that ends a process, and the first may quote a secret.
func guarded(log *slog.Logger, do func()) {
	if err := caught(log, do); err != nil {
		panic(err)
	}
}

// caught runs do and returns what may be said of its panic; nil if there was none. It has to return before the next panic
// begins, or Go would print both.
func caught(log *slog.Logger, do func()) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fault.Panicked(value)
			log.Error("panic outside of a request; the server stops", "panic", err.Error(), "stack", string(debug.Stack()))
		}
	}()
	do()
	return nil
}
