package access

import (
	"regexp"
	"strings"
)

// The pieces of regular expressions that picomatch makes of a glob. They are written as JavaScript writes them.
const (
	reDot      = `\.`
	reSlash    = `\/`
	reOne      = `(?=.)`                         // another character comes
	reAny      = `[^/]`                          // ?
	reAnyNoDot = `[^.\/]`                        // ? at the start of a name
	reStar     = `[^/]*?`                        // *
	reNoDot    = `(?!\.)`                        // a name that starts with a dot is only matched by a dot
	reNoDots   = `(?!\.{0,1}(?:\/|$))`           // after a dot: neither "." nor ".."
	reGlobstar = `(?:(?:(?!(?:^|\/)\.).)*?)`     // **
	reRootStar = `(?:^|\/|` + reGlobstar + `\/)` // ** at the start of a glob, with its slash
	reMidStar  = reGlobstar + `\/|\/`            // ** between slashes, with the second one
)

// globSource returns the regular expression that picomatch 4 makes of a glob with its default options, for a glob that
// checkGlob lets pass. It follows picomatch's parser step by step: what a glob means is what that does.
func globSource(glob string) string {
	if r := map[string]string{"**/**": "**", "**/**/**": "**"}[glob]; r != "" {
		glob = r
	}
	if glob != "" && strings.IndexByte(".*", glob[0]) >= 0 {
		if source := commonGlob(glob); source != "" {
			return source + reSlash + "?"
		}
	}
	if glob != "" && glob[0] != '*' && !strings.ContainsAny(glob, "/[]{}") {
		return nameGlob(glob)
	}
	p := globParser{in: []rune(glob), at: -1}
	p.prev = &globToken{kind: tokenStart}
	p.tokens = []*globToken{p.prev}
	for p.at < len(p.in)-1 {
		p.at++
		p.next()
	}
	if p.prev.kind == tokenStar || p.prev.kind == tokenClass {
		p.out += reSlash + "?"
	}
	return p.out
}

var extension = regexp.MustCompile(`^(.*)\.(\w+)$`)

// commonGlob returns the expression of a few frequent globs, or "".
func commonGlob(glob string) string {
	switch glob {
	case "*":
		return reNoDot + reOne + reStar
	case ".*":
		return reDot + reOne + reStar
	case "*.*":
		return reNoDot + reStar + reDot + reOne + reStar
	case "*/*":
		return reNoDot + reStar + reSlash + reOne + reNoDot + reStar
	case "**":
		return reNoDot + reGlobstar
	case "**/*":
		return `(?:` + reNoDot + reGlobstar + reSlash + `)?` + reNoDot + reOne + reStar
	case "**/*.*":
		return `(?:` + reNoDot + reGlobstar + reSlash + `)?` + reNoDot + reStar + reDot + reOne + reStar
	case "**/.*":
		return `(?:` + reNoDot + reGlobstar + reSlash + `)?` + reDot + reOne + reStar
	}
	if m := extension.FindStringSubmatch(glob); m != nil {
		if source := commonGlob(m[1]); source != "" {
			return source + reDot + m[2]
		}
	}
	return ""
}

// nameGlob returns the expression of a glob of one name without classes and braces.
func nameGlob(glob string) string {
	var b strings.Builder
	in := []rune(glob)
	for i := 0; i < len(in); i++ {
		switch c := in[i]; {
		case c == '\\':
			i++
			b.WriteString(`\` + string(in[i]))
		case c == '?' && i == 0:
			b.WriteString(reAnyNoDot)
		case c == '?':
			b.WriteString(reAny)
		case c == '*' && i+1 < len(in) && in[i+1] == '*': // a run of stars is one
		case c == '*':
			b.WriteString(reStar)
		default:
			b.WriteString(`\` + string(c))
		}
	}
	return b.String()
}

// globToken is one element of a glob, as far as what comes after it depends on it.
type globToken struct {
	kind     tokenKind
	value    string
	output   string
	before   *globToken
	comma    bool // of an open brace
	outIndex int
	index    int
}

type tokenKind uint8

const (
	tokenStart tokenKind = iota
	tokenText
	tokenSlash
	tokenDot
	tokenStar
	tokenGlobstar
	tokenAny
	tokenClass
	tokenBrace
	tokenComma
)

// globParser is the state of picomatch's parser.
type globParser struct {
	in       []rune
	at       int
	out      string
	prev     *globToken
	tokens   []*globToken
	braces   []*globToken
	brackets bool
}

func (p *globParser) rest() string { return string(p.in[p.at+1:]) }

// peek returns the character n places on, or 0.
func (p *globParser) peek(n int) rune {
	if p.at+n < len(p.in) {
		return p.in[p.at+n]
	}
	return 0
}

// push adds a token. A globstar that something other than a slash follows is a star.
func (p *globParser) push(t *globToken) {
	inBrace := len(p.braces) > 0 && (t.kind == tokenComma || t.kind == tokenBrace)
	if p.prev.kind == tokenGlobstar && t.kind != tokenSlash && !inBrace {
		p.cut(p.prev.output)
		p.prev.kind, p.prev.output = tokenStar, reStar
		p.out += reStar
	}
	p.out += t.output
	if p.prev.kind == tokenText && t.kind == tokenText {
		p.prev.value += t.value
		p.prev.output += t.output
		return
	}
	t.before = p.prev
	p.tokens = append(p.tokens, t)
	p.prev = t
}

// cut takes what was written last back.
func (p *globParser) cut(s string) { p.out = p.out[:len(p.out)-len(s)] }

// next reads one token.
func (p *globParser) next() {
	c := p.in[p.at]
	text := string(c)
	if c == '\\' {
		following := p.peek(1)
		if following == '/' || following == '.' || following == ';' {
			return
		}
		p.at++
		if text += string(following); !p.brackets {
			p.push(&globToken{kind: tokenText, value: text, output: text})
			return
		}
	}
	switch {
	case p.brackets && text != "]":
		if text == "-" && p.peek(1) == ']' {
			text = `\-`
		}
		p.prev.value += text
		p.out += text
	case c == '[':
		p.brackets = true
		p.push(&globToken{kind: tokenClass, value: "[", output: "["})
	case c == ']' && p.brackets:
		p.closeClass()
	case c == '{':
		p.open()
	case c == '}' && len(p.braces) > 0:
		p.close()
	case c == ',' && len(p.braces) > 0:
		p.braces[len(p.braces)-1].comma = true
		p.push(&globToken{kind: tokenComma, value: text, output: "|"})
	case c == '/':
		p.push(&globToken{kind: tokenSlash, value: text, output: reSlash})
	case c == '.':
		kind := tokenDot
		if len(p.braces) == 0 && p.prev.kind != tokenStart && p.prev.kind != tokenSlash {
			kind = tokenText
		}
		p.push(&globToken{kind: kind, value: text, output: reDot})
	case c == '?' && (p.prev.kind == tokenSlash || p.prev.kind == tokenStart):
		p.push(&globToken{kind: tokenAny, value: text, output: reAnyNoDot})
	case c == '?':
		p.push(&globToken{kind: tokenAny, value: text, output: reAny})
	case c == '*':
		p.star()
	default:
		p.push(&globToken{kind: tokenText, value: text, output: `\` + text})
	}
}

// closeClass ends [...]. One without characters of regular expressions also matches itself.
func (p *globParser) closeClass() {
	p.brackets = false
	inside, end := p.prev.value[1:], "]"
	if inside[0] == '^' && !strings.Contains(inside, "/") {
		end = "/]"
	}
	p.prev.value += end
	p.out += end
	if strings.ContainsAny(inside, `-*+?.^${}(|)[]`) {
		return
	}
	p.cut(p.prev.value)
	p.prev.value = `(?:` + quoted(p.prev.value) + `|` + p.prev.value + `)`
	p.out += p.prev.value
}

func quoted(s string) string {
	var b strings.Builder
	for _, c := range s {
		b.WriteString(`\` + string(c))
	}
	return b.String()
}

func (p *globParser) open() {
	t := &globToken{kind: tokenBrace, value: "{", output: "(?:", outIndex: len(p.out), index: len(p.tokens)}
	p.braces = append(p.braces, t)
	p.push(t)
}

// close ends {...}. Without a comma in it the braces stand for themselves.
func (p *globParser) close() {
	t := p.braces[len(p.braces)-1]
	end := &globToken{kind: tokenBrace, value: "}", output: ")"}
	if !t.comma {
		t.output, end.output = `\{`, `\}`
		p.out = p.out[:t.outIndex]
		for _, inner := range p.tokens[t.index:] {
			p.out += inner.text()
		}
	}
	p.push(end)
	p.braces = p.braces[:len(p.braces)-1]
}

// text is what the token has written.
func (t *globToken) text() string {
	if t.kind == tokenClass {
		return t.value
	}
	return t.output
}

// star reads one star.
func (p *globParser) star() {
	if p.prev.kind == tokenStar {
		p.secondStar()
		return
	}
	if p.at == 0 || p.prev.kind == tokenSlash || p.prev.kind == tokenDot {
		guard := reNoDot
		if p.prev.kind == tokenDot {
			guard = reNoDots
		}
		if p.peek(1) != '*' {
			guard += reOne
		}
		p.out += guard
		p.prev.output += guard
	}
	p.push(&globToken{kind: tokenStar, value: "*", output: reStar})
}

// secondStar reads the second star of two.
func (p *globParser) secondStar() {
	prior := p.prev.before
	isStart := prior.kind == tokenSlash || prior.kind == tokenStart
	inBrace := len(p.braces) > 0 && (prior.kind == tokenComma || prior.kind == tokenBrace)
	if !isStart && !inBrace {
		p.push(&globToken{kind: tokenStar, value: "*"})
		return
	}
	for strings.HasPrefix(p.rest(), "/**") && (p.peek(4) == 0 || p.peek(4) == '/') {
		p.at += 3
	}
	ends := p.at == len(p.in)-1
	inner := prior.kind == tokenSlash && prior.before.kind != tokenStart
	afterStar := prior.before != nil && (prior.before.kind == tokenStar || prior.before.kind == tokenGlobstar)
	switch slash := p.peek(1) == '/'; {
	case prior.kind == tokenStart && ends:
		p.become(reGlobstar)
		p.out = reGlobstar
	case inner && !afterStar && ends:
		p.group(prior, reGlobstar+`|$)`)
	case inner && slash:
		end := ""
		if p.peek(2) != 0 {
			end = "|$"
		}
		p.group(prior, reMidStar+end+`)`)
		p.slash()
	case prior.kind == tokenStart && slash:
		p.become(reRootStar)
		p.out = reRootStar
		p.slash()
	default:
		p.cut(p.prev.output)
		p.become(reGlobstar)
		p.out += reGlobstar
	}
}

func (p *globParser) become(output string) { p.prev.kind, p.prev.output = tokenGlobstar, output }

// group puts the slash before a globstar and the globstar into one group.
func (p *globParser) group(prior *globToken, output string) {
	p.cut(prior.output + p.prev.output)
	prior.output = `(?:` + prior.output
	p.become(output)
	p.out += prior.output + output
}

// slash takes the slash after a globstar, which has it.
func (p *globParser) slash() {
	p.at++
	p.push(&globToken{kind: tokenSlash, value: "/"})
}
