package limit

// Keys returns how many buckets are kept, about.
func (b *Buckets[K]) Keys() int {
	b.items.CleanUp()
	return b.items.EstimatedSize()
}
