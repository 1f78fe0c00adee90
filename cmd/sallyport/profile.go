//go:build profiled

package main

import (
	"os"
	"runtime/pprof"
)

// profile writes a profile of the processor time to the file that SALLYPORT_PROFILE names. It is for the bench alone.
func profile() (stop func()) {
	f, err := os.Create(os.Getenv("SALLYPORT_PROFILE"))
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		panic(err)
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close() // what is missing is seen when it is read
	}
}
