//go:build race

package console

// slower is how much slower than the program itself this build may be: the race detector looks at every access to memory.
const slower = 10
