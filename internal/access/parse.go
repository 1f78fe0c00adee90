package access

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// parseOperators reads what a rule asks of one attribute: a plain string, or an object of operators.
func parseOperators(raw any, allowed operator, k key) ([]condition, error) {
	if s, ok := raw.(string); ok && allowed&opEqual != 0 {
		c, err := parseOperator("$eq", s, k)
		return []condition{c}, err
	}
	object, ok := raw.(map[string]any)
	if !ok || len(object) == 0 {
		return nil, fault.Invalid("invalid_type", "Expected "+expected(allowed)+".")
	}
	var found []condition
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if operators[name]&allowed == 0 {
			return nil, fault.Invalid("unrecognized_keys", fmt.Sprintf("%.64q is not an operator here. Expected %s.", name, expected(allowed)))
		}
		c, err := parseOperator(name, object[name], k)
		if err != nil {
			return nil, under(err, name)
		}
		found = append(found, c)
	}
	return found, nil
}

// expected tells which forms a condition may take.
func expected(allowed operator) string {
	var names []string
	for name, op := range operators {
		if op&allowed != 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if allowed&opEqual != 0 {
		return "a string or an object of " + join(names)
	}
	return "an object of " + join(names)
}

// parseOperator reads the value of one operator.
func parseOperator(name string, raw any, k key) (condition, error) {
	c := condition{key: k, op: operators[name]}
	var err error
	switch c.op {
	case opElement:
		c.name, c.value, err = parseElement(raw)
	case opIn:
		c.values, err = parseList(raw)
	case opGlob:
		return parseGlob(c, raw)
	default:
		var s string
		s, err = parseText(raw)
		c.values = []string{s}
	}
	if err != nil {
		return c, err
	}
	for _, v := range c.values {
		if err := checkText(v, k); err != nil {
			return c, err
		}
		c.templated = c.templated || hasTemplate(v)
	}
	return c, nil
}

func parseText(raw any) (string, error) {
	s, ok := raw.(string)
	if !ok {
		return "", fault.Invalid("invalid_type", "Expected a string.")
	}
	return s, nil
}

// parseList reads the values of an $in and sorts them.
func parseList(raw any) ([]string, error) {
	var values []string
	switch list := raw.(type) {
	case []string:
		values = slices.Clone(list)
	case []any:
		for _, v := range list {
			s, ok := v.(string)
			if !ok {
				return nil, fault.Invalid("invalid_type", "Expected a list of strings.")
			}
			values = append(values, s)
		}
	default:
		return nil, fault.Invalid("invalid_type", "Expected a list of strings.")
	}
	if len(values) == 0 || len(values) > maxValues {
		return nil, fault.Invalid("custom", fmt.Sprintf("Expected 1 to %d strings, got %d.", maxValues, len(values)))
	}
	slices.Sort(values)
	return slices.Compact(values), nil
}

func parseGlob(c condition, raw any) (condition, error) {
	s, err := parseText(raw)
	if err != nil {
		return c, err
	}
	if err := checkText(s, c.key); err != nil {
		return c, err
	}
	c.templated = hasTemplate(s)
	if c.glob, err = compileGlob(s); err != nil {
		return c, err
	}
	if values, few := c.glob.list(); few { // it amounts to an $in
		c.values, c.glob, c.op = values, nil, opIn
	}
	return c, nil
}

// parseElement reads an $elemMatch over metadata: conditions on the key and the value of one pair.
func parseElement(raw any) (name, value []condition, err error) {
	object, ok := raw.(map[string]any)
	if !ok || len(object) == 0 {
		return nil, nil, fault.Invalid("invalid_type", `Expected an object with "key", "value" or both.`)
	}
	for _, part := range slices.Sorted(maps.Keys(object)) {
		found, err := parseOperators(object[part], plain, keyMetadata)
		if err != nil {
			return nil, nil, under(err, part)
		}
		switch part {
		case "key":
			name = found
		case "value":
			value = found
		default:
			return nil, nil, fault.Invalid("unrecognized_keys", fmt.Sprintf(`%.64q is not a part of a pair. Expected "key" or "value".`, part))
		}
	}
	return name, value, nil
}

// checkText refuses values that are too long, templates of another root, and paths that could never match.
func checkText(s string, k key) error {
	if len(s) > maxText {
		return fault.Invalid("too_big", fmt.Sprintf("A value has at most %d bytes, and this one has %d.", maxText, len(s)))
	}
	if k == keySecretPath && !strings.HasPrefix(s, "/") {
		return fault.Invalid("custom", fmt.Sprintf(`A secret path starts with "/"; %.64q does not.`, s))
	}
	return checkTemplates(s)
}

// isTemplated reports whether the condition holds a template that nobody filled in.
func (c condition) isTemplated() bool {
	return c.templated || slices.ContainsFunc(c.name, condition.isTemplated) || slices.ContainsFunc(c.value, condition.isTemplated)
}
