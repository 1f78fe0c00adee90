package access

// Pattern is a glob as rules have it, for the features that compare other names than those of rules, such as the claims
// of a login. The zero value matches nothing.
type Pattern struct{ glob *glob }

// CompilePattern reads a glob of at most 512 bytes: *, **, ?, [] and {}, where only ** crosses a slash and a backslash
// takes the next character as it is. The error is a Validation fault that speaks of a rule's $glob; write your own.
func CompilePattern(s string) (Pattern, error) {
	g, err := compileGlob(s)
	return Pattern{g}, err
}

// Match reports whether the pattern matches the whole value. Its time grows with the length of the value times that of
// the pattern, not faster.
func (p Pattern) Match(value string) bool { return p.glob != nil && p.glob.match(value) }
