package sqldb

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// DefaultSearchTime is how long one search may take where no option says otherwise.
const DefaultSearchTime = 5 * time.Second

var errTooLong = errors.New("the search took too long")

// Search calls fn, whose statements look through more rows than an index picks: by a part of a name, or by what an event tells.
// Few run at once, in all and under one key, which names the sort of search and whose it is, so that connections are left
// for everyone else. Nothing else of the request may hold a connection. fn reads under the context that it is given, which ends
// after a time; SQLite looks at it until a statement has its first row, so a statement must do its work before that:
// sort what it finds, or count it. Errors: RateLimited where too many wait, BadRequest where the time was not enough, and
// those of fn.
func (db *DB) Search(ctx context.Context, key string, fn func(context.Context) error) error {
	leave, err := db.turns.take(ctx, key)
	if err != nil {
		return err
	}
	defer leave()
	bounded, cancel := context.WithTimeoutCause(ctx, db.searchTime, errTooLong)
	defer cancel()
	err = fn(bounded)
	if err != nil && errors.Is(context.Cause(bounded), errTooLong) {
		return fault.New(fault.BadRequest, "The search was stopped, since it would take longer than %s. Ask for a shorter time, or for fewer at once.", db.searchTime).Because(err)
	}
	return err
}

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
