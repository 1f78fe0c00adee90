package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// field is a place in a request body, with what the published schema says of it.
type field struct {
	place    []string // names, and indexes of lists
	kind     string   // its JSON type; "" for any
	required bool
	schema   map[string]any
}

func (f field) String() string { return strings.Join(f.place, ".") }

// key tells fields apart that are checked differently.
func (f field) key() string { return fmt.Sprint(f.place[len(f.place)-1], f.required, f.schema) }

// limit returns a number of the schema, such as maxLength.
func (f field) limit(name string) (int, bool) {
	n, ok := f.schema[name].(float64)
	return int(n), ok
}

// bodyFields returns the fields of a route's body, those of objects in lists as those of the list's first item.
func (d *document) bodyFields(r httpapi.Route) []field {
	operation := d.Paths[r.Path][strings.ToLower(r.Method)]
	content, ok := operation.RequestBody.Content["application/json"]
	if !ok {
		return nil
	}
	fields := d.fieldsIn(content.Schema, nil)
	for i, f := range fields {
		fields[i].required = f.required || slices.Contains(needed[r.ID], f.String())
	}
	return fields
}

func (d *document) fieldsIn(s map[string]any, place []string) (fields []field) {
	s = d.resolve(s)
	properties, _ := s["properties"].(map[string]any)
	required, _ := s["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		inner := d.resolve(properties[name].(map[string]any))
		if slices.Contains(ignored, name) || inner["readOnly"] == true {
			continue
		}
		f := field{place: append(slices.Clone(place), name), kind: kindOf(inner), required: slices.Contains(required, any(name)), schema: inner}
		fields = append(fields, f)
		switch f.kind {
		case "object":
			fields = append(fields, d.fieldsIn(inner, f.place)...)
		case "array":
			fields = append(fields, d.fieldsIn(inner["items"].(map[string]any), append(slices.Clone(f.place), "0"))...)
		}
	}
	return fields
}

// ignored are fields that a request may send back as it got them, and that nothing comes of.
var ignored = []string{"type", "prefix"}

// kindOf returns the type of a schema, without "null".
func kindOf(s map[string]any) string {
	switch kind := s["type"].(type) {
	case string:
		return kind
	case []any:
		for _, k := range kind {
			if k != "null" {
				return k.(string)
			}
		}
	}
	return ""
}

// nasty is a value that somebody may send in a field, and how it is to be answered.
type nasty struct {
	name   string
	value  string // raw JSON
	status []int  // the answers that are right; accepted stands for that of a good request
}

const accepted = 0

// wrongTypes are values of each JSON type.
var wrongTypes = map[string]string{"string": `"x"`, "number": `7`, "boolean": `true`, "array": `[]`, "object": `{}`}

// nasties returns what to try in a field.
func (f field) nasties() []nasty {
	null := nasty{"null", `null`, []int{accepted}}
	switch {
	case f.required:
		null.status = []int{422}
	case f.String() == "token": // of OAuth, which has its own words for what is missing
		null.status = []int{400}
	}
	all := []nasty{null, {"half a surrogate pair", `"\ud800"`, []int{400}}, {"invalid UTF-8", "\"\xff\"", []int{400}}, {"1e400", `1e400`, []int{400}}}
	if f.kind == "" {
		return all
	}
	for kind, value := range wrongTypes {
		if kind != f.kind && !(kind == "number" && f.kind == "integer") {
			all = append(all, nasty{"a value of type " + kind, value, []int{422}})
		}
	}
	switch f.kind {
	case "integer":
		all = append(all, f.numbers()...)
	case "string":
		all = append(all, f.strings()...)
	case "array":
		if most, ok := f.limit("maxItems"); ok {
			all = append(all, nasty{"too many items", "[" + strings.Repeat("{},", most) + "{}]", []int{422}})
		}
	}
	return all
}

func (f field) numbers() []nasty {
	all := []nasty{
		{"a fraction", `1.5`, []int{422}}, {"a number as string", `"7"`, []int{422}}, {"2^63", `9223372036854775808`, []int{422}},
		{"2^53+1", `9007199254740993`, []int{422}}, {"1e30", `1e30`, []int{422}}, {"-1e400", `-1e400`, []int{400}},
		{"negative", `-1`, []int{422}}, {"very negative", `-9223372036854775809`, []int{422}},
	}
	if most, ok := f.limit("maximum"); ok {
		all = append(all, nasty{"one too many", strconv.Itoa(most + 1), []int{422}})
	}
	return all
}

func (f field) strings() []nasty {
	all := []nasty{{"a NUL", `"a\u0000b"`, []int{422}}, {"an escape character", `"a\u001b[2J"`, []int{422}}}
	if f.String() == "password" { // never stored, never shown: any character is good, and it is the wrong one for a login
		all = []nasty{{"a NUL", `"a\u0000b"`, []int{accepted, 400}}}
	}
	if f.String() == "token" || f.String() == "token_type_hint" { // of OAuth: what is no token is a dead one
		all = []nasty{{"a NUL", `"a\u0000b"`, []int{accepted}}}
	}
	if strings.HasSuffix(f.String(), "secretValue") { // sealed, so that any character is good
		all = []nasty{{"a NUL", `"a\u0000b"`, []int{accepted}}}
	}
	if most, ok := f.limit("maxLength"); ok {
		all = append(all, nasty{"a character too long", `"` + strings.Repeat("ä", most+1) + `"`, []int{422}})
	} else {
		all = append(all, nasty{"100000 characters", `"` + strings.Repeat("a", 100_000) + `"`, []int{accepted, 401, 403, 413, 422}})
	}
	if least, ok := f.limit("minLength"); ok && least > 0 {
		all = append(all, nasty{"empty", `""`, []int{422}})
	}
	return all
}

// with returns a body with a raw value in a field.
func with(t *testing.T, body any, f field, raw string) string {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	const mark = "the value comes here"
	if !put(tree, f.place, mark) {
		t.Fatalf("the good body %s has no %s: add it to requests", text, f)
	}
	if text, err = json.Marshal(tree); err != nil {
		t.Fatal(err)
	}
	return strings.Replace(string(text), `"`+mark+`"`, raw, 1)
}

// put sets the value at a place, and reports whether the place was there.
func put(tree any, place []string, value any) bool {
	for i, name := range place {
		last := i == len(place)-1
		switch node := tree.(type) {
		case map[string]any:
			inner, ok := node[name]
			if !ok {
				return false
			}
			if last {
				node[name] = value
			}
			tree = inner
		case []any:
			at, err := strconv.Atoi(name)
			if err != nil || at >= len(node) {
				return false
			}
			if last {
				node[at] = value
			}
			tree = node[at]
		default:
			return false
		}
	}
	return true
}

// twice returns a body whose first field is repeated, with nonsense the first time.
func twice(t *testing.T, body any, f field) string {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{%q:[{}],%s`, f.place[0], text[1:])
}
