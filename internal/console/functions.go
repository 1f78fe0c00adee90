package console

import (
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/console/api"
)

// functions are what templates call.
func (c *Console) functions() template.FuncMap {
	version := assetVersion(c.files)
	return template.FuncMap{
		"asset": func(name string) string { return "/assets/" + version + "/" + name },
		"ago":   func(at any) string { return ago(timeOf(at), c.now()) },
		"exact": func(at any) string { return exact(timeOf(at)) },
		"iso":   func(at any) string { return timeOf(at).UTC().Format(time.RFC3339) },
		"short": short, "count": count, "plural": plural, "dict": dict, "join": strings.Join, "lower": strings.ToLower,
		"initial": initial, "agent": agent,
		"state": func(t api.Token) string { return stateOf(t, c.now()) },
		"bar":   func(n, most int) int { return 1 + n*23/max(most, 1) },
		"below": func(a, b int) int { return b - a },
		"times": func(a, b int) int { return a * b },
		"facts": facts, "words": words, "tokensOf": tokensOf,
		"unix": func(at int64) time.Time { return time.Unix(at, 0) },
		"soon": func(at time.Time) bool { return at.Sub(c.now()) < 7*24*time.Hour },
		"methods": func() []string {
			return []string{"token-auth", "universal-auth", "oidc-auth", "jwt-auth", "kubernetes-auth"}
		}, "span": span,
		"add": func(a, b int) int { return a + b },
	}
}

// timeOf takes a time or a pointer to one.
func timeOf(at any) time.Time {
	switch at := at.(type) {
	case time.Time:
		return at
	case *time.Time:
		if at != nil {
			return *at
		}
	}
	return time.Time{}
}

func exact(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2 January 2006, 15:04:05 UTC")
}

// ago says how far a time is from now, in the largest unit that fits.
func ago(at, now time.Time) string {
	if at.IsZero() {
		return "never"
	}
	d := now.Sub(at)
	if d < 0 {
		return "in " + span(-d)
	}
	if d < 5*time.Second {
		return "just now"
	}
	return span(d) + " ago"
}

func span(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{365 * 24 * time.Hour, "y"}, {30 * 24 * time.Hour, "mo"}, {24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}} {
		if d >= unit.length {
			return strconv.FormatInt(int64(d/unit.length), 10) + " " + unit.name
		}
	}
	return strconv.FormatInt(max(1, int64(d/time.Second)), 10) + " s"
}

// short shows the ends of an id.
func short(id string) string {
	if len(id) < 16 {
		return id
	}
	return id[:4] + "…" + id[len(id)-4:]
}

// count writes a number with separators of thousands.
func count(n any) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// plural returns a count with its noun, such as "1 token" or "3 tokens".
func plural(n any, one string) string {
	if fmt.Sprint(n) == "1" {
		return "1 " + one
	}
	if strings.HasSuffix(one, "y") && !strings.HasSuffix(one, "ey") {
		return count(n) + " " + strings.TrimSuffix(one, "y") + "ies"
	}
	return count(n) + " " + one + "s"
}

func initial(text string) string {
	for _, r := range text {
		return strings.ToUpper(string(r))
	}
	return "?"
}

// dict makes the argument of a template that takes several.
func dict(pairs ...any) (map[string]any, error) {
	d := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is not a name", pairs[i])
		}
		d[key] = pairs[i+1]
	}
	return d, nil
}

// words makes text of the name of an event.
func words(name string) string { return strings.ReplaceAll(name, "-", " ") }

// facts lists the details of an event in the order of their names.
func facts(e api.Event) []string {
	all := e.Facts()
	list := []string{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch value := all[name].(type) {
		case string, float64, bool:
			list = append(list, fmt.Sprintf("%s %v", name, value))
		}
	}
	return list
}

// agent names a browser or a client by its User-Agent: what people know it by, and else its first word.
func agent(text string) string {
	has := func(part string) bool { return strings.Contains(text, part) }
	if !strings.HasPrefix(text, "Mozilla/") {
		return text
	}
	name, system := "a browser", ""
	for _, known := range [][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}} {
		if has(known[0]) {
			name = known[1]
			break
		}
	}
	for _, known := range [][2]string{{"Windows", "Windows"}, {"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}} {
		if has(known[0]) {
			system = " on " + known[1]
			break
		}
	}
	return name + system
}
