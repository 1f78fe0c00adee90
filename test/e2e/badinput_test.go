package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"hash/crc32"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// thorough asks for every variant of bad input on every route.
var thorough = flag.Bool("thorough", false, "try each bad input on each route, not only on each third")

// prober tries bad input on one route. The same target serves until a request was accepted.
type prober struct {
	t      *testing.T
	s      *harness.Server
	r      httpapi.Route
	number int // of the route
	good   request
	before string // what was changed before the next try
	state  target
	known  map[string]bool // fields that were tried on another route, by name and schema
}

// target says what became of the target of a good request.
type target int

const (
	spent target = iota // there is none, or a request to it was accepted
	used                // a request was accepted, and it should be there still
	fresh
)

// most is the largest body in bytes that the server of TestBadInput takes: less than usual, since it is tried everywhere.
const most = 1 << 20

// TestBadInput tries everything on every route. Whatever is refused must have left no trace, and nothing is a 5xx. Two
// servers share the work.
func TestBadInput(t *testing.T) {
	for part := range 2 {
		t.Run(strconv.Itoa(part), func(t *testing.T) {
			t.Parallel()
			s := harness.StartReady(t, harness.Unswept, harness.MaxBody(most))
			badInput(t, s, func(r httpapi.Route) bool {
				return number(s, r)%2 == part
			})
		})
	}
}

// number is the place of a route among all.
func number(s *harness.Server, r httpapi.Route) int {
	return slices.IndexFunc(s.App.API().Routes(), func(o httpapi.Route) bool { return o.ID == r.ID })
}

func badInput(t *testing.T, s *harness.Server, chosen func(httpapi.Route) bool) {
	s.Watch(t)
	d, known := published(t), map[string]bool{}
	_, stranger := s.OtherOrg(t)
	eachRoute(t, s, func(t *testing.T, r httpapi.Route) {
		if !chosen(r) {
			return
		}
		p := &prober{t: t, s: s, r: r, number: number(s, r) / 2, known: known}
		p.strangers(stranger)
		p.methods()
		p.paths()
		p.queries(d)
		if content := d.Paths[r.Path][strings.ToLower(r.Method)].RequestBody.Content; content != nil {
			p.bodies(d)
			p.fields(d.bodyFields(r))
		}
	})
}

// try makes a request of a good one, sends it, and expects one of the statuses. accepted stands for 200, or for what a
// route answers that has been called once and for all.
func (p *prober) try(name string, status []int, call func(good request) *harness.Answer) {
	p.t.Helper()
	p.t.Run(name, func(t *testing.T) {
		t.Helper()
		a := p.call(t, call)
		if !p.right(a, status) && p.state == used {
			p.state = spent // the target may have gone: only with one of its own is the answer a wrong one
			a = p.call(t, call)
		}
		if !p.right(a, status) {
			t.Errorf("answered %d %.500s, want one of %v (0 is accepted)", a.Status, a.Body, status)
		}
	})
}

// vary is try for one of several inputs that the same code answers for all routes: each third route tries it, so that every
// route is tried with some of them.
func (p *prober) vary(name string, status []int, call func(good request) *harness.Answer) {
	p.t.Helper()
	if *thorough || (p.number+int(crc32.ChecksumIEEE([]byte(name))))%3 == 0 {
		p.try(name, status, call)
	}
}

// call makes a request of a good one and sends it. What is refused must have changed nothing.
func (p *prober) call(t *testing.T, call func(good request) *harness.Answer) *harness.Answer {
	t.Helper()
	if p.state == spent {
		p.good, p.state = requestOf(p.t, p.s, p.r), fresh
		p.before = p.s.Changes(t)
	}
	a := call(p.good)
	wellFormed(t, a)
	after := p.s.Changes(t)
	if a.Status >= 400 && after != p.before {
		t.Errorf("it was refused, and rows were changed: %s", cmp.Diff(p.before, after))
	}
	if p.before = after; a.Status < 400 && p.r.Method != http.MethodGet {
		p.state = spent
		if p.r.Method == http.MethodPatch {
			p.state = used
		}
	}
	return a
}

// right reports whether an answer has one of the statuses.
func (p *prober) right(a *harness.Answer, status []int) bool {
	return slices.Contains(status, a.Status) || slices.Contains(status, accepted) && a.Status == whenGood(p.r)
}

// send sends a body to the good path as an administrator.
func (p *prober) send(body any) func(request) *harness.Answer {
	return func(good request) *harness.Answer { return p.s.Admin.Call(p.t, p.r.Method, good.path, body) }
}

// at sends the good body to another path, with the query of the good one.
func (p *prober) at(change func(path string) string) func(request) *harness.Answer {
	return func(good request) *harness.Answer {
		path, query, found := strings.Cut(good.path, "?")
		if path = change(path); found {
			path = withQuery(path, query)
		}
		return p.s.Admin.Call(p.t, p.r.Method, path, good.body)
	}
}

// withQuery adds parameters to a path.
func withQuery(path, query string) string {
	if strings.Contains(path, "?") {
		return path + "&" + query
	}
	return path + "?" + query
}

// strangers call with the token of another organization.
func (p *prober) strangers(stranger harness.Client) {
	status := []int{accepted}
	switch {
	case p.r.ID == "create-identity" || slices.Contains(instanceAdmin, p.r.ID):
		status = []int{403}
	case strings.Contains(p.r.Path, "{") || inProject(p.r) || p.r.ID == "invite-users" || p.r.ID == "renew-invitation":
		status = []int{404}
	}
	p.try("with a token of another organization", status, func(good request) *harness.Answer {
		return stranger.Call(p.t, p.r.Method, good.path, good.body)
	})
	if !p.r.Open {
		p.try("without a token nothing else counts", []int{401}, func(good request) *harness.Answer {
			return p.s.As("").With("Content-Type", "text/plain").Call(p.t, p.r.Method, withQuery(good.path, "limit=-1&limit=%zz"), "{")
		})
	}
}

// methods calls the path with every other method.
func (p *prober) methods() {
	var known []string
	for _, r := range p.s.App.API().Routes() {
		if r.Path == p.r.Path {
			known = append(known, r.Method)
		}
	}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"} {
		if slices.Contains(known, method) {
			continue
		}
		status := 405
		if strings.HasSuffix(p.r.Path, "/folders/batch") && (method == "GET" || method == "DELETE") {
			continue // there the path is that of a folder with this name
		}
		if strings.HasSuffix(p.r.Path, "/details") && (method == "PATCH" || method == "DELETE") || strings.HasSuffix(p.r.Path, "/search") && method != "PUT" {
			continue // there the path is that of an identity with a strange id
		}
		if p.named(method) || p.shadowed(method) {
			continue
		}
		p.vary("method "+method, []int{status}, func(good request) *harness.Answer {
			return p.s.Admin.Call(p.t, method, good.path, good.body)
		})
	}
}

// paths bends the path and the ids in it.
func (p *prober) paths() {
	p.vary("a trailing slash", []int{accepted}, p.at(func(path string) string { return path + "/" }))
	p.vary("two trailing slashes", []int{404}, p.at(func(path string) string { return path + "//" }))
	p.vary("a double slash", []int{404}, p.at(func(path string) string { return "/" + path }))
	p.vary("a double slash inside", []int{404}, p.at(func(path string) string { return "/" + strings.Replace(path[1:], "/", "//", 1) + "//x" }))
	p.vary("a dot", []int{404}, p.at(func(path string) string { return "/." + path }))
	p.vary("two dots", []int{404}, p.at(func(path string) string { return "/api/.." + path }))
	p.vary("more behind", []int{404}, p.at(func(path string) string { return path + "/x/y/z/0" }))
	p.vary("upper case", []int{404}, p.at(func(path string) string { return "/" + strings.ToUpper(path[1:5]) + path[5:] }))
	for i, segment := range strings.Split(p.r.Path, "/") {
		if segment == "{secretName}" {
			p.names(i)
		} else if strings.HasPrefix(segment, "{") {
			p.ids(segment, i)
		}
	}
}

// ids puts ids that are none in the place of one in the path.
func (p *prober) ids(name string, at int) {
	unknown := 404
	if p.r.ID == "get-token-auth-token-of-identity" && name == "{identityId}" {
		unknown = accepted // the deprecated alias ignores it
	}
	upper := unknown
	if strings.HasSuffix(name, "Id}") && !(name == "{projectId}" && strings.HasSuffix(p.r.ID, "-oldest")) { // there it is a slug
		upper = accepted
	}
	form := unknown // of a UUID as this server makes them
	if p.r.ID == "revoke-any-token" && name == "{tokenId}" {
		form = accepted // tokens of logins leave no trace to look for
	}
	for _, id := range []struct {
		name, id string
		status   int
	}{
		{"unknown", "01890000-0000-7000-8000-000000000000", form}, {"of no UUID", "nope", unknown}, {"in upper case", "", upper},
		{"of zeros", "00000000-0000-0000-0000-000000000000", unknown}, {"in braces", "%7B01890000-0000-7000-8000-000000000000%7D", unknown},
		{"with a slash", "a%2Fb", unknown}, {"climbing", "..%2F..%2Fadmin", unknown}, {"of a space", "%20", unknown}, {"of quotes", "'%22;--", unknown},
		{"of a percent sign", "%25", unknown}, {"of a star", "*", unknown}, {"of an emoji", "%F0%9F%92%A3", unknown}, {"of 10000 characters", strings.Repeat("a", 10_000), unknown},
		{"with a NUL", "%00", 422}, {"with a NUL inside", "a%00b", 422}, {"of invalid UTF-8", "%FF", 422},
	} {
		try := p.vary
		if id.name == "unknown" {
			try = p.try
		}
		try(name+" "+id.name, []int{id.status}, p.at(func(path string) string {
			parts := strings.Split(path, "/")
			if id.id == "" {
				parts[at] = strings.ToUpper(parts[at])
			} else {
				parts[at] = id.id
			}
			return strings.Join(parts, "/")
		}))
	}
}

// queries tries every documented parameter, and some that are not.
func (p *prober) queries(d *document) {
	query := func(q string) func(request) *harness.Answer {
		return func(good request) *harness.Answer {
			return p.s.Admin.Call(p.t, p.r.Method, withQuery(good.path, q), good.body)
		}
	}
	p.try("unknown parameters", []int{accepted}, query("a=b&c&=&%20=1"))
	known := 0
	for _, parameter := range d.Paths[p.r.Path][strings.ToLower(p.r.Method)].Parameters {
		if parameter.In != "query" {
			continue
		}
		known++
		name := parameter.Name + "="
		p.try(name+" NUL", []int{422}, query(name+"%00"))
		p.try(name+" invalid UTF-8", []int{422}, query(name+"%FF"))
		p.try(name+" bad percent-encoding", []int{400}, query(name+"%zz"))
		p.try(name+" nothing", []int{accepted}, query(name))
		if kindOf(parameter.Schema) != "integer" {
			continue
		}
		for _, value := range []string{"x", "-1", "1.5", "1e400", "9223372036854775808", "-9223372036854775809", "0x10", "%20", "NaN"} {
			p.vary(name+value, []int{422}, query(name+value))
		}
	}
	if known > 0 {
		p.try("201 parameters", []int{400}, query(strings.Repeat("a&", 200)+"a"))
		p.try("a parameter of 50000 characters", []int{accepted}, query("x="+strings.Repeat("a", 50_000)))
	}
}

// bodies tries bodies that are broken as a whole.
func (p *prober) bodies(d *document) {
	empty := accepted
	if p.r.Form {
		empty = 400 // without a token there is nothing to ask about (RFC 6749 section 5.2)
	}
	if namesSomebody(p.r) {
		empty = 422
	}
	for _, f := range d.bodyFields(p.r) {
		if f.required && len(f.place) == 1 {
			empty = 422
		}
	}
	for name, body := range map[string]string{"empty": "", "blank": " \r\n\t ", "null": "null", "an empty object": "{}", "spaced": " { } "} {
		p.vary("a body that is "+name, []int{empty}, p.send(body))
	}
	for name, body := range map[string]string{
		"open": "{", "open in a string": `{"a":"`, "followed by more": "{}{}", "followed by text": "{}x", "with a comma too many": `{"a":1,}`,
		"with NaN": `{"a":NaN}`, "in single quotes": `{'a':1}`, "with a comment": "{}//", "after a byte order mark": "\xef\xbb\xbf{}", "in UTF-16": "\xff\xfe{\x00}\x00",
		"with a raw control character": "{\"a\":\"\x01\"}", "with a bad escape": `{"a":"\x41"}`, "with a leading zero": `{"a":01}`, "with an unknown name in invalid UTF-8": "{\"\xff\":1}",
		"nested 60000 deep": `{"a":` + strings.Repeat("[", 60_000), "nested 101 deep and closed": `{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}",
		"with half a surrogate pair in an unknown field": `{"a":"\udc00"}`, "with 1e400 in an unknown field": `{"a":1e400}`,
	} {
		p.vary("a body "+name, []int{400}, p.send(body))
	}
	for name, body := range map[string]string{"a list": "[]", "a number": "5", "a string": `"x"`, "a boolean": "true"} {
		p.vary("a body that is "+name, []int{422}, p.send(body))
	}
	p.try("a body that is too large", []int{413}, func(good request) *harness.Answer { return p.send(blank)(good) })
	p.vary("a body that is too large, in chunks", []int{413}, func(good request) *harness.Answer {
		return p.send(io.MultiReader(bytes.NewReader(blank)))(good)
	})
	p.vary("a body of 200000 values", []int{413}, p.send(`{"a":[`+strings.Repeat("0,", 200_000)+`0]}`))
	p.mediaTypes()
}

// namesSomebody reports whether a route needs one of two lists, neither of which is required by itself: who takes users out of a project
// must say whom.
func takesNewPassword(r httpapi.Route) bool {
	return slices.Contains([]string{"accept-invitation", "reset-password", "change-password"}, r.ID)
}

func namesSomebody(r httpapi.Route) bool { return strings.HasPrefix(r.ID, "remove-project-users") }

// blank is a body that is larger than what is taken.
var blank = bytes.Repeat([]byte(" "), most+1)

// mediaTypes says of a good body that it is something else.
func (p *prober) mediaTypes() {
	as := func(name, value string) func(request) *harness.Answer {
		return func(good request) *harness.Answer {
			body, err := json.Marshal(good.body)
			if err != nil {
				p.t.Fatal(err)
			}
			return p.s.Admin.With(name, value).Call(p.t, p.r.Method, good.path, body)
		}
	}
	for _, media := range []string{"text/plain", "multipart/form-data", "application/xml", "nonsense"} {
		p.vary("content type "+media, []int{415}, as("Content-Type", media))
	}
	for _, media := range []string{"application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json", ""} {
		p.vary("content type "+media, []int{accepted}, as("Content-Type", media))
	}
	p.try("content encoding gzip", []int{415}, as("Content-Encoding", "gzip"))
}

// fields tries every field of the body, in full once for each name and schema, since one piece of code answers for all
// routes; on the other routes some values show that it is asked.
func (p *prober) fields(fields []field) {
	for _, f := range fields {
		key, try := f.key(), p.try
		if p.known[key] {
			try = p.vary
		}
		for _, n := range f.nasties() {
			status := n.status
			if namesSomebody(p.r) && f.kind == "array" {
				status = append(slices.Clone(status), 422)
			}
			if takesNewPassword(p.r) && strings.HasSuffix(strings.ToLower(f.String()), "password") {
				status = append(slices.Clone(status), 400, 422) // most of them are wrong, or weak
			}
			try(f.String()+" of "+n.name, status, func(good request) *harness.Answer {
				return p.send(with(p.t, good.body, f, n.value))(good)
			})
		}
		p.known[key] = true
		if f.required {
			p.try(f.String()+" missing", []int{422}, func(good request) *harness.Answer {
				text := with(p.t, good.body, f, `null`)
				name := f.place[len(f.place)-1]
				return p.send(strings.Replace(text, `"`+name+`":null`, `"other":1`, 1))(good)
			})
		}
		if len(f.place) == 1 {
			p.try(f.String()+" twice, the last one counts", []int{accepted}, func(good request) *harness.Answer {
				return p.send(twice(p.t, good.body, f))(good)
			})
			p.try(f.String()+" in upper case is unknown", []int{accepted}, func(good request) *harness.Answer {
				text, err := json.Marshal(good.body)
				if err != nil {
					p.t.Fatal(err)
				}
				return p.send(`{"` + strings.ToUpper(f.String()) + `":[5],` + string(text[1:]))(good)
			})
		}
	}
}

func TestUnknownRoutes(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/api", "/api/", "/api/v1", "/api/v9/identities", "/favicon.ico", "/api/v1/auth/token-auth/tokens", "/api/v1/auth/token-auth/tokens/",
		"/api/v1/identities/a/b", "/%00", "/%FF", "/" + strings.Repeat("a", 50_000)} {
		t.Run(path[:min(len(path), 40)], func(t *testing.T) {
			a := shared.Admin.Call(t, http.MethodGet, path, nil).WantError(404, "NotFound")
			wellFormed(t, a)
		})
	}
}

func TestHeadAnswersAsGetWithoutABody(t *testing.T) {
	t.Parallel()
	eachRoute(t, shared, func(t *testing.T, r httpapi.Route) {
		if r.Method != http.MethodGet {
			return
		}
		good := requestOf(t, shared, r)
		get := shared.Admin.Call(t, http.MethodGet, good.path, nil).Want(whenGood(r))
		head := shared.Admin.Call(t, http.MethodHead, good.path, nil).Want(whenGood(r))
		if len(head.Body) != 0 || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") || head.Header.Get("Content-Length") == "" {
			t.Errorf("HEAD answered %v %s", head.Header, head.Body)
		}
	})
}
