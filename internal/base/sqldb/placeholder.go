package sqldb

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// CheckPlaceholders returns an error unless the placeholders of a query are $1, $2, ... and are first used in that
// order. Text in quotes and comments does not count.
func CheckPlaceholders(query string) error {
	_, err := placeholders(query)
	return err
}

// placeholders returns how many arguments a query takes.
func placeholders(query string) (int, error) {
	return eachPlaceholder(query, func(int, int, int) {})
}

// positional returns a query with ? in place of every $n, and which argument, from 0, each of them takes. (SQLite's driver looks for
// the argument of a ? by its place, and for that of a $n by comparing its name with that of every argument, as text.)
func positional(query string) (text string, order []int, err error) {
	var b strings.Builder
	done := 0
	_, err = eachPlaceholder(query, func(start, end, k int) {
		b.WriteString(query[done:start] + "?")
		done = end
		order = append(order, k-1)
	})
	return b.String() + query[done:], order, err
}

// eachPlaceholder calls found for each placeholder $k of a query with where it begins and ends, and returns how many arguments
// the query takes.
func eachPlaceholder(query string, found func(start, end, k int)) (int, error) {
	n := 0
	for i := 0; i < len(query); {
		c := query[i]
		switch {
		case c == '\'' || c == '"':
			i = skipPast(query, i+1, query[i:i+1])
		case strings.HasPrefix(query[i:], "--"):
			i = skipPast(query, i, "\n")
		case strings.HasPrefix(query[i:], "/*"):
			i = skipPast(query, i+2, "*/")
		case c == '?':
			return 0, fmt.Errorf("query uses the placeholder ?; write $1, $2, ...: %s", brief(query))
		case c == '$':
			number := digits(query[i+1:])
			k, err := strconv.Atoi(number)
			if err != nil || k < 1 || k > n+1 || number[0] == '0' {
				return 0, fmt.Errorf("query uses the placeholder $%s where $%d is next: %s", number, n+1, brief(query))
			}
			n = max(n, k)
			found(i, i+1+len(number), k)
			i += 1 + len(number)
		default:
			i++
		}
	}
	return n, nil
}

// skipPast returns the index after the next end in s at or after i, or the length of s.
func skipPast(s string, i int, end string) int {
	j := strings.Index(s[i:], end)
	if j < 0 {
		return len(s)
	}
	return i + j + len(end)
}

// digits returns the digits and letters that s begins with: a placeholder's whole name.
func digits(s string) string {
	end := strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	if end < 0 {
		return s
	}
	return s[:end]
}

// brief returns a query on one line, shortened, for an error.
func brief(query string) string {
	line := strings.Join(strings.Fields(query), " ")
	if len(line) > 160 {
		line = line[:160] + "..."
	}
	return line
}

// maxTexts bounds what is remembered of query texts. The texts stand in the program, so there are some hundreds.
const maxTexts = 1024

// texts remembers the query texts that were checked, and how many arguments each takes.
type texts struct {
	known sync.Map // string -> int
	count atomic.Int64
}

// check returns an error unless query follows the rule for placeholders and takes as many arguments as given. SQLite
// would ignore superfluous ones, PostgreSQL would not.
func (t *texts) check(query string, given int) error {
	var want int
	if v, ok := t.known.Load(query); ok {
		want = v.(int)
	} else {
		n, err := placeholders(query)
		if err != nil {
			return err
		}
		want = n
		if t.count.Load() < maxTexts {
			t.known.Store(query, n)
			t.count.Add(1)
		}
	}
	if want != given {
		return fmt.Errorf("query takes %d arguments, was given %d: %s", want, given, brief(query))
	}
	return nil
}
