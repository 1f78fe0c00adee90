package secret

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// Metadata is a pair that a secret carries, for filters and for people.
type Metadata struct {
	Key       string
	Value     string
	Encrypted bool // the value is as secret as that of the secret
}

// storedPair is a pair as it is stored: with a plain value or with a sealed one.
type storedPair struct {
	Key    string `json:"k"`
	Value  string `json:"v,omitempty"`
	Sealed []byte `json:"s,omitempty"`
}

// sealMetadata returns the form of the pairs that is stored.
func (b box) sealMetadata(pairs []Metadata) string {
	if len(pairs) == 0 {
		return "[]"
	}
	stored := make([]storedPair, len(pairs))
	for i, m := range pairs {
		stored[i] = storedPair{Key: m.Key, Value: m.Value}
		if m.Encrypted {
			stored[i].Value, stored[i].Sealed = "", b.seal("metadata "+strconv.Itoa(i), m.Value)
		}
	}
	text, _ := json.Marshal(stored) // strings and bytes always can be written
	return string(text)
}

// readMetadata returns the pairs of the stored form, the sealed ones without their values.
func readMetadata(text string) ([]Metadata, error) {
	if text == "[]" {
		return nil, nil
	}
	var stored []storedPair
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return nil, err
	}
	pairs := make([]Metadata, len(stored))
	for i, m := range stored {
		pairs[i] = Metadata{Key: m.Key, Value: m.Value, Encrypted: m.Sealed != nil}
	}
	return pairs, nil
}

// openMetadata fills in the values of the sealed pairs.
func (b box) openMetadata(text string, pairs []Metadata) error {
	var stored []storedPair
	for i := range pairs {
		if !pairs[i].Encrypted {
			continue
		}
		if stored == nil {
			if err := json.Unmarshal([]byte(text), &stored); err != nil {
				return err
			}
		}
		value, err := b.open("metadata "+strconv.Itoa(i), stored[i].Sealed)
		if err != nil {
			return err
		}
		pairs[i].Value = value
	}
	return nil
}

// maxFilters is how many pairs a filter may have (docs/reference/secrets.md section 1.4).
const maxFilters = 10

// Filter chooses secrets whose metadata has all of its pairs, encrypted values aside.
type Filter []Metadata

// ParseFilter reads the query parameter metadataFilter: key=k1,value=v1|key=k2,value=v2. A pair that lacks its key or its
// value does not count. More than ten pairs are a Validation fault.
func ParseFilter(text string) (Filter, error) {
	var filter Filter
	for group := range strings.SplitSeq(text, "|") {
		if pair := parsePair(group); pair.Key != "" && pair.Value != "" {
			filter = append(filter, pair)
		}
		if len(filter) > maxFilters {
			return nil, fault.Invalid("too_big", "Filter by at most 10 pairs of metadata.", "metadataFilter")
		}
	}
	return filter, nil
}

// parsePair reads one pair: the word after "key" and the one after "value", between commas or equals signs.
func parsePair(group string) (pair Metadata) {
	words := strings.FieldsFunc(group, func(r rune) bool { return r == ',' || r == '=' })
	for i := 0; i+1 < len(words); i += 2 {
		switch strings.TrimSpace(words[i]) {
		case "key":
			pair.Key = strings.TrimSpace(words[i+1])
		case "value":
			pair.Value = strings.TrimSpace(words[i+1])
		}
	}
	return pair
}

// chooses reports whether a secret has all pairs of the filter.
func (f Filter) chooses(s *Secret) bool {
	for _, want := range f {
		if !has(s.Metadata, want) {
			return false
		}
	}
	return true
}

func has(pairs []Metadata, want Metadata) bool {
	for _, m := range pairs {
		if m == want { // want is not encrypted
			return true
		}
	}
	return false
}
