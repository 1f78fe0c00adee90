package seal_test

import (
	"bytes"
	"testing"

	"github.com/sallyport/sallyport/internal/base/seal"
)

func TestCodesDependOnKeyAndPurpose(t *testing.T) {
	one, other := bytes.Repeat([]byte{1}, seal.KeySize), bytes.Repeat([]byte{2}, seal.KeySize)
	code := func(purpose string, raw ...[]byte) []byte {
		k, err := seal.NewKey(raw...)
		if err != nil {
			t.Fatal(err)
		}
		return k.Code(purpose)
	}
	first := code("a", one)
	if len(first) != 32 || !bytes.Equal(first, code("a", one)) || !bytes.Equal(first, code("a", one, other)) {
		t.Error("the code of a key and a purpose is not always the same 32 bytes")
	}
	if bytes.Equal(first, code("b", one)) || bytes.Equal(first, code("a", other)) {
		t.Error("another key or another purpose has the same code")
	}
}
