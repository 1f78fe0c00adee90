package secret

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/fault"
)

func TestParseName(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"plain": {"DB_URL", "DB_URL"}, "dots": {"a.b.c", "a.b.c"}, "a space inside": {" A B ", "A B"}, "an emoji": {"🔑", "🔑"},
		"percent sign": {"a%2Fb", "a%2Fb"}, "as long as it may be": {strings.Repeat("ü", MaxName), strings.Repeat("ü", MaxName)},
	} {
		t.Run("accepted/"+name, func(t *testing.T) {
			if got, err := ParseName(c.text); err != nil || got != c.want {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
	for name, text := range map[string]string{"empty": "", "blank": " \t", "a colon": "a:b", "a slash": "a/b", "a control character": "a\x01b",
		"a character too long": strings.Repeat("ü", MaxName+1), "4 KB": strings.Repeat("a", 4096)} {
		t.Run("refused/"+name, func(t *testing.T) {
			_, err := ParseName(text, "secretName")
			want(t, err, fault.Validation)
		})
	}
}

func TestParseFilter(t *testing.T) {
	for text, want := range map[string]Filter{
		"": nil, "key=a,value=b": {{Key: "a", Value: "b"}}, "key=a,value=b|key=c,value=d": {{Key: "a", Value: "b"}, {Key: "c", Value: "d"}},
		"key=a": nil, "value=b": nil, "nonsense": nil, "key,a=value=b": {{Key: "a", Value: "b"}}, "|||": nil, "value=b,key=a": {{Key: "a", Value: "b"}},
	} {
		got, err := ParseFilter(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("ParseFilter(%q): %v %s", text, err, diff)
		}
	}
	_, err := ParseFilter(strings.Repeat("key=a,value=b|", 11))
	want(t, err, fault.Validation)
}

func FuzzParseFilter(f *testing.F) {
	f.Add("key=a,value=b|key=c,value=d")
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := ParseFilter(text)
		if err == nil && len(filter) > maxFilters {
			t.Errorf("%d pairs", len(filter))
		}
		for _, m := range filter {
			if m.Key == "" || m.Value == "" {
				t.Errorf("%q gave the pair %+v", text, m)
			}
		}
	})
}
