package secret

import (
	"fmt"
	"sync/atomic"
	"testing"
)

// BenchmarkReads measures the reading of secrets below HTTP, with a role that has conditions, everything else warm.
func BenchmarkReads(b *testing.B) {
	f := newFixture(b, "sqlite")
	at := f.in("dev", "/")
	for i := range 100 {
		f.put(at, fmt.Sprintf("SECRET_%d", i), "postgres://user:password@database.example.com:5432/shop")
	}
	actor := f.member(`[{"subject":"secrets","action":["describeSecret","readValue"],"conditions":{"environment":"dev","secretPath":{"$glob":"/**"}}}]`)
	all := View{Values: true, Expand: true, Imports: true}
	b.Run("get", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := f.Get(b.Context(), actor, at, Find{Name: "SECRET_7", View: all}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("list 100", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := f.List(b.Context(), actor, at, Query{View: all}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("update by 16", func(b *testing.B) {
		var n atomic.Int64
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			name := fmt.Sprintf("SECRET_%d", n.Add(1))
			for pb.Next() {
				if _, err := f.Update(b.Context(), f.admin, at, Changes{Name: name, Value: &name}); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
