// Package bounded keeps values in memory, up to a bound. It is the library behind a narrow door: whoever imports a package
// with the library's generic types in its own would compile all of them again.
package bounded

import "github.com/maypok86/otter/v2"

// Options are the bound (MaximumSize, or MaximumWeight with a Weigher) and what is called of a value that goes (OnDeletion).
type Options[K comparable, V any] = otter.Options[K, V]

// Deletion tells of a value that goes.
type Deletion[K comparable, V any] = otter.DeletionEvent[K, V]

// Cache keeps values by key. What was not used for long goes first. It is safe for concurrent use.
type Cache[K comparable, V any] interface {
	// GetIfPresent returns the value of a key, and whether there is one.
	GetIfPresent(K) (V, bool)
	// Set keeps a value. It returns the one that was there before and false, or otherwise the new one and true.
	Set(K, V) (V, bool)
	// SetIfAbsent keeps a value if there is none. It returns the one that is kept, and whether that is the new one.
	SetIfAbsent(K, V) (V, bool)
	// Invalidate forgets the value of a key, and returns it.
	Invalidate(K) (V, bool)
	// InvalidateAll forgets everything.
	InvalidateAll()
	// CleanUp does at once what else is done later: it throws out what is too much.
	CleanUp()
	// EstimatedSize is about how many values are kept.
	EstimatedSize() int
	// WeightedSize is the sum of the weights of what is kept.
	WeightedSize() uint64
}

// New returns an empty cache. Options that contradict each other panic: they are a mistake in the program.
func New[K comparable, V any](o *Options[K, V]) Cache[K, V] { return otter.Must(o) }
