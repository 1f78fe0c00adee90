package sqldb

import (
	"strings"
	"unicode"
)

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Contains returns a condition that a text column holds a term, upper and lower case alike. arg adds an argument to the
// statement and returns its placeholder. It is the same on both engines: lower folds ASCII alone, and what else the term has
// is replaced letter by letter, in the order in which the arguments are used.
func Contains(column, term string, arg func(any) string) string {
	text := `lower(` + column + `)`
	var others []rune
	pattern := strings.Map(func(r rune) rune {
		folded := fold(r)
		if r >= unicode.MaxASCII {
			others = append(others, r)
		}
		return folded
	}, term)
	done := map[rune]bool{}
	for _, r := range others {
		to := fold(r)
		for other := unicode.SimpleFold(to); other != to; other = unicode.SimpleFold(other) {
			if other > unicode.MaxASCII && !done[other] {
				done[other] = true
				text = `replace(` + text + `, ` + arg(string(other)) + `, ` + arg(string(to)) + `)`
			}
		}
	}
	return text + ` LIKE ` + arg("%"+likeEscaper.Replace(pattern)+"%") + ` ESCAPE '\'`
}

// fold returns the letter that stands for one in either case.
func fold(r rune) rune {
	if r < unicode.MaxASCII {
		return unicode.ToLower(r)
	}
	lower := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		if other > unicode.MaxASCII && unicode.IsLower(other) && (!unicode.IsLower(lower) || other < lower) {
			lower = other
		}
	}
	return lower
}
