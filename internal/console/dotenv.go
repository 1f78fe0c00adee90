package console

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/base/dotenv"
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
	lines, err := dotenv.Parse(text)
	at := map[string]int{}
	for _, line := range lines {
		if n, known := at[line.Name]; known {
			pairs[n].Value = line.Value
			continue
		}
		at[line.Name] = len(pairs)
		pairs = append(pairs, api.Pair{Key: line.Name, Value: line.Value})
	}
	return pairs, err
}
