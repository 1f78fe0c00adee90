//go:build !race

package console

// slower is how much slower than the program itself this build may be.
const slower = 1
