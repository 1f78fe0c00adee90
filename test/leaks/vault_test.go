package leaks

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// vault is every secret that a run has used, by what it is.
type vault map[string]string

// keep notes a secret and returns it. Of a JWT the signature alone is as good as the whole: the rest says who it is for.
func (v vault) keep(name, value string) string {
	if parts := strings.Split(value, "."); len(parts) == 3 && len(parts[2]) > 60 {
		v["the signature of "+name] = parts[2]
	}
	v[name] = value
	return value
}

// make returns a new secret, with characters that many encodings have to say something about.
func (v vault) make(name string) string {
	return v.keep(name, "s3cret+/é "+rand.Text())
}

// forms are the ways in which a secret may lie somewhere.
func forms(secret string) map[string][]byte {
	inJSON, _ := json.Marshal(secret) // a string always has a form
	all := map[string][]byte{
		"as it is": []byte(secret), "in hex": []byte(hex.EncodeToString([]byte(secret))),
		"in upper hex": []byte(strings.ToUpper(hex.EncodeToString([]byte(secret)))),
		"in a query":   []byte(url.QueryEscape(secret)), "in a path": []byte(url.PathEscape(secret)),
		"in JSON": inJSON[1 : len(inJSON)-1], "quoted": []byte(strings.Trim(fmt.Sprintf("%q", secret), `"`)),
	}
	for shift := range 3 { // base64 looks different by where in a text the secret begins
		text := append(make([]byte, shift), secret...)
		for name, e := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			whole := e.EncodeToString(text)
			from, to := []int{0, 2, 3}[shift], len(text)/3*4 // what depends on what stands before or behind is left out
			all[fmt.Sprintf("in %s, from byte %d", name, shift)] = []byte(whole[from:to])
		}
	}
	return all
}

// search returns where secrets lie, by what it was given to look through.
func (v vault) search(places map[string][]byte) (found []string) {
	for name, secret := range v {
		for form, text := range forms(secret) {
			for place, content := range places {
				if at := bytes.Index(content, text); at >= 0 {
					found = append(found, fmt.Sprintf("%s lies in %s at byte %d, %s: %.120q", name, place, at, form, content[max(0, at-60):at]))
				}
			}
		}
	}
	slices.Sort(found)
	return found
}
