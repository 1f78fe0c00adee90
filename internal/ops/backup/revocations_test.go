package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// logOf returns a log with these entries, as it lies in a file.
func logOf(t testing.TB, head Header, entries ...Entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := &lines{out: &out, sum: sha256.New()}
	put := func(v any) {
		if err := w.put(v); err != nil {
			t.Fatal(err)
		}
	}
	put(head)
	for _, e := range entries {
		put(e)
	}
	put(end{int64(len(entries)), hex.EncodeToString(w.sum.Sum(nil))})
	return out.Bytes()
}

var (
	someHeader  = Header{Format: logFormat, Taken: 1, Head: 9, SigningKeys: []string{"k"}}
	someEntries = []Entry{{Change: &Change{Seq: 7, Kind: "token", Key: "t i", Until: 5, At: 2}}, {Token: &Used{ID: "t", Uses: 3}},
		{Secret: &Used{ID: "s", Revoked: true}}, {Assertion: &Spent{ID: "a", ExpiresAt: 8}}}
)

func TestLogComesBack(t *testing.T) {
	var l Log
	var got []Entry
	err := l.read(bytes.NewReader(logOf(t, someHeader, someEntries...)), func(e Entry) error {
		got = append(got, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(someEntries, got); diff != "" || !cmp.Equal(l.Header, someHeader) || l.Entries != 4 {
		t.Errorf("%+v (- written, + read):\n%s", l.Header, diff)
	}
}

// TestLogRefuses: every file that lacks a byte at its end, or has one changed, is refused.
func TestLogRefuses(t *testing.T) {
	whole := logOf(t, someHeader, someEntries...)
	refused := func(content []byte) bool {
		return new(Log).read(bytes.NewReader(content), func(Entry) error { return nil }) != nil
	}
	for n := range len(whole) - 1 { // without the last line break it says as much
		if !refused(whole[:n]) {
			t.Errorf("accepted: the first %d of %d bytes", n, len(whole))
		}
	}
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n')
	for i := range last {
		changed := bytes.Clone(whole)
		changed[i] ^= 1
		if !refused(changed) {
			t.Errorf("accepted: byte %d is %q and not %q", i, changed[i], whole[i])
		}
	}
	if !refused(append(bytes.Clone(whole), whole...)) {
		t.Error("accepted: two logs in one file")
	}
}

// FuzzLog: whatever is in a file, it is read to its end or refused, and what is accepted is whole.
func FuzzLog(f *testing.F) {
	f.Add(logOf(f, someHeader, someEntries...))
	f.Add(logOf(f, someHeader))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		var l Log
		n := int64(0)
		err := l.read(bytes.NewReader(content), func(Entry) error { n++; return nil })
		if err == nil && (n != l.Entries || l.Format != logFormat) {
			t.Errorf("accepted %d entries, and %d are told", n, l.Entries)
		}
	})
}
