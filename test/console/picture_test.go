package console

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// shown are the pictures that docs/console.md has: `make console-shots` writes them there, small.
var shown = []string{"setup", "cli", "identity-new", "credential", "identity", "identity-revoke", "tokens", "leak-found", "secrets", "paste-preview", "audit", "member-invited"}

// mostPicture is the most bytes that such a picture may have.
const mostPicture = 60 << 10

// colors is how many colors a small picture has.
const colors = 72

// shrink writes a picture with few colors.
func shrink(t *testing.T, picture []byte, path string) {
	t.Helper()
	full, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	small := image.NewPaletted(full.Bounds(), palette(full))
	known := map[color.Color]uint8{}
	for y := range full.Bounds().Dy() {
		for x := range full.Bounds().Dx() {
			c := full.At(x, y)
			n, seen := known[c]
			if !seen {
				n = uint8(small.Palette.Index(c))
				known[c] = n
			}
			small.SetColorIndex(x, y, n)
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small); err != nil {
		t.Fatal(err)
	}
	if out.Len() > mostPicture {
		t.Errorf("%s has %d bytes", path, out.Len())
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// palette returns the colors that a picture has most of, and that can be told apart.
func palette(full image.Image) color.Palette {
	count := map[color.Color]int{}
	for y := range full.Bounds().Dy() {
		for x := range full.Bounds().Dx() {
			count[full.At(x, y)]++
		}
	}
	all := make(color.Palette, 0, len(count))
	for c := range count {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.Color) int { return count[b] - count[a] })
	var chosen color.Palette
	for _, c := range all {
		if len(chosen) < colors && !slices.ContainsFunc(chosen, func(o color.Color) bool { return alike(c, o) }) {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

// alike reports whether nobody tells two colors apart in a small picture. So the few dots of an accent keep theirs.
func alike(a, b color.Color) bool {
	ar, ag, ab, _ := a.RGBA()
	br, bg, bb, _ := b.RGBA()
	far := func(x, y uint32) int64 { d := (int64(x) - int64(y)) >> 8; return d * d }
	return far(ar, br)+far(ag, bg)+far(ab, bb) < 12*12
}
