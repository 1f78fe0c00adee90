package secret

import (
	"strconv"

	"github.com/sallyport/sallyport/internal/project"
)

// box seals and opens what one version of a secret keeps. Each piece is bound to its place, so that one that was put into
// another row, or back from an older version, does not open.
type box struct {
	key                 *project.DataKey
	projectID, secretID string
	version             int64
}

func (b box) place(field string) []string {
	return []string{"secret_versions", b.projectID, b.secretID, strconv.FormatInt(b.version, 10), field}
}

func (b box) seal(field, plain string) []byte { return b.key.Seal([]byte(plain), b.place(field)...) }

func (b box) open(field string, sealed []byte) (string, error) {
	plain, err := b.key.Open(sealed, b.place(field)...)
	return string(plain), err
}

// sealComment returns nil for an empty comment: most secrets have none.
func (b box) sealComment(comment string) []byte {
	if comment == "" {
		return nil
	}
	return b.seal("comment", comment)
}

func (b box) openComment(sealed []byte) (string, error) {
	if sealed == nil {
		return "", nil
	}
	return b.open("comment", sealed)
}
