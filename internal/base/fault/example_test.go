package fault_test

import (
	"errors"
	"fmt"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// The caller gets the message. The cause behind it goes to the log.
func ExampleError() {
	diskFull := errors.New("write /data/sallyport.db: no space left on device")
	err := fault.New(fault.Unavailable, "The change could not be stored. Try again in a moment.").Because(diskFull)

	fmt.Println("caller:", err.Message)
	fmt.Println("log:   ", err)
	fmt.Println("is it a full disk?", errors.Is(err, diskFull))
	// Output:
	// caller: The change could not be stored. Try again in a moment.
	// log:    The change could not be stored. Try again in a moment.: write /data/sallyport.db: no space left on device
	// is it a full disk? true
}

// A validation fault says which field broke which rule.
func ExampleInvalid() {
	err := fault.Invalid("too_big", "The TTL must be at most 315360000 seconds.", "accessTokenTTL")

	for _, issue := range err.Issues {
		fmt.Printf("%s at %v: %s\n", issue.Code, issue.Path, issue.Message)
	}
	// Output:
	// too_big at [accessTokenTTL]: The TTL must be at most 315360000 seconds.
}

// An error that is not a fault is the server's own: its text stays away from the caller.
func ExampleFrom() {
	err := fault.From(errors.New("sql: connection refused"))

	fmt.Println(err.Kind == fault.Internal)
	fmt.Println(err.Message)
	// Output:
	// true
	// The server failed. Its log has the details under this reqId.
}

// Callers ask for the kind, also when the fault is wrapped.
func ExampleIs() {
	err := fmt.Errorf("read the project: %w", fault.New(fault.NotFound, "There is no such project."))

	fmt.Println(fault.Is(err, fault.NotFound), fault.Is(err, fault.Forbidden))
	// Output:
	// true false
}
