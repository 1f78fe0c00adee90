package console

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/console/api"
)

// mostPasted bounds how many secrets one text may hold.
const mostPasted = 1000

// parsePasted reads secrets from a text: lines of KEY=value as a .env file has them, or a JSON object of plain values. Later
// lines win. The error names the line.
func parsePasted(text string) ([]api.Pair, error) {
	pairs, err := []api.Pair(nil), error(nil)
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		pairs, err = parseObject(text)
	} else {
		pairs, err = parseLines(text)
	}
	switch {
	case err != nil:
		return nil, err
	case len(pairs) == 0:
		return nil, fmt.Errorf("the text has no line such as KEY=value")
	case len(pairs) > mostPasted:
		return nil, fmt.Errorf("the text has %d secrets; paste at most %d at once", len(pairs), mostPasted)
	}
	return pairs, nil
}

func parseObject(text string) (pairs []api.Pair, err error) {
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return nil, fmt.Errorf("the text begins like JSON but is not a JSON object")
	}
	for key, value := range object {
		switch value.(type) {
		case map[string]any, []any:
			return nil, fmt.Errorf("the value of %s is a list or an object; only plain values can be secrets", key)
		case nil:
			value = ""
		}
		pairs = append(pairs, api.Pair{Key: key, Value: fmt.Sprint(value)})
	}
	slices.SortFunc(pairs, func(a, b api.Pair) int { return strings.Compare(a.Key, b.Key) })
	return pairs, nil
}

func parseLines(text string) (pairs []api.Pair, err error) {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	at := map[string]int{}
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, found := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		if key = strings.TrimSpace(key); !found || key == "" || strings.ContainsAny(key, " \t\"'") {
			return nil, fmt.Errorf("line %d is not KEY=value", i+1)
		}
		begin := i
		value, i, err = readValue(strings.TrimSpace(value), lines, i)
		if err != nil {
			return nil, fmt.Errorf("the quotes that begin in line %d do not end", begin+1)
		}
		if n, known := at[key]; known {
			pairs[n].Value = value
			continue
		}
		at[key] = len(pairs)
		pairs = append(pairs, api.Pair{Key: key, Value: value})
	}
	return pairs, nil
}

var errQuotes = fmt.Errorf("quotes do not end")

// readValue reads the value that begins in line i, and returns the line that it ends in. In quotes it may have several lines;
// without, a comment ends it.
func readValue(value string, lines []string, i int) (string, int, error) {
	if value == "" || !strings.ContainsRune(`"'`+"`", rune(value[0])) {
		value, _, _ = strings.Cut(value, " #")
		return strings.TrimSpace(value), i, nil
	}
	quote, rest := value[0], value[1:]
	for {
		if end := closing(rest, quote); end >= 0 {
			if rest = rest[:end]; quote == '"' {
				rest = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r", `\"`, `"`, `\\`, `\`).Replace(rest)
			}
			return rest, i, nil
		}
		if i++; i >= len(lines) {
			return "", i, errQuotes
		}
		rest += "\n" + lines[i]
	}
}

// closing returns where a quote ends a text; -1 for nowhere. A backslash keeps the quote after it in double quotes.
func closing(text string, quote byte) int {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote == '"':
			i++
		case text[i] == quote:
			return i
		}
	}
	return -1
}
