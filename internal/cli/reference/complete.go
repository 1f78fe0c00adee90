package reference

import (
	"strings"

	"github.com/alecthomas/kong"
)

// Candidate is what a word on the command line may become.
type Candidate struct{ Word, Help string }

// Lookup returns names that a server knows, of a kind such as identity, for a command line that has come so far.
type Lookup func(kind string, words []string) []string

// Complete returns the candidates for the last of the words after the name of the program. That word may be empty.
func Complete(root *kong.Node, words []string, lookup Lookup) []Candidate {
	words = rejoined(words)
	if len(words) == 0 {
		words = []string{""}
	}
	last := words[len(words)-1]
	at := follow(root, words[:len(words)-1])
	if at.passed {
		return nil
	}
	if at.flag != nil {
		return begin(values(at.flag.Value, words, lookup), last, "")
	}
	if name, value, found := strings.Cut(last, "="); found && strings.HasPrefix(name, "--") {
		if flag := at.find(name); flag != nil {
			return begin(values(flag.Value, words, lookup), value, name+"=")
		}
		return nil
	}
	if strings.HasPrefix(last, "-") {
		return begin(at.flags(), last, "")
	}
	if len(at.node.Children) > 0 {
		found := []Candidate{}
		for _, c := range commands(at.node) {
			found = append(found, Candidate{c.Name, c.Help})
		}
		return begin(found, last, "")
	}
	if arg := at.argument(); arg != nil {
		return begin(values(arg, words, lookup), last, "")
	}
	return nil
}

// rejoined puts words together that bash takes apart at an equals sign.
func rejoined(words []string) (joined []string) {
	for i := 0; i < len(words); i++ {
		if words[i] == "=" && len(joined) > 0 && strings.HasPrefix(joined[len(joined)-1], "--") {
			joined[len(joined)-1] += "="
			if i+1 < len(words) {
				joined[len(joined)-1] += words[i+1]
				i++
			}
			continue
		}
		joined = append(joined, words[i])
	}
	return joined
}

// position is how far words have led into the grammar.
type position struct {
	node   *kong.Node
	flag   *kong.Flag // whose value comes next; nil for none
	args   int        // arguments that are there
	passed bool       // what comes now is another program's
}

func follow(root *kong.Node, words []string) *position {
	at := &position{node: root}
	for _, word := range words {
		switch {
		case at.passed:
		case at.flag != nil:
			at.flag = nil
		case word == "--":
			at.passed = true
		case strings.HasPrefix(word, "-"):
			if flag := at.find(word); flag != nil && !flag.IsBool() && !strings.Contains(word, "=") {
				at.flag = flag
			}
		case child(at.node, word) != nil:
			at.node = child(at.node, word)
		case len(at.node.Children) > 0:
			at.passed = true // there is no such command
		default:
			at.args++
		}
	}
	return at
}

// find returns the flag of a word, of the command or of those above it.
func (at *position) find(word string) *kong.Flag {
	name, _, _ := strings.Cut(word, "=")
	for node := at.node; node != nil; node = node.Parent {
		for _, flag := range node.Flags {
			if name == "--"+flag.Name || flag.Short != 0 && name == "-"+string(flag.Short) {
				return flag
			}
		}
	}
	return nil
}

func (at *position) flags() (found []Candidate) {
	for _, flag := range flags(at.node) {
		found = append(found, Candidate{"--" + flag.Name, flag.Help})
	}
	return append(found, Candidate{"--help", "Show context-sensitive help."})
}

// argument returns the argument that comes next; the last one may come often.
func (at *position) argument() *kong.Value {
	args := at.node.Positional
	if at.args < len(args) {
		return args[at.args]
	}
	if n := len(args); n > 0 && args[n-1].IsCumulative() {
		return args[n-1]
	}
	return nil
}

// values are what a flag or an argument can be: one of a list, or names that the server knows.
func values(value *kong.Value, words []string, lookup Lookup) (found []Candidate) {
	if value.Enum != "" {
		for _, word := range strings.Split(value.Enum, ",") {
			found = append(found, Candidate{Word: word})
		}
		return found
	}
	if kind := value.Tag.Get("complete"); kind != "" && lookup != nil {
		for _, word := range lookup(kind, words) {
			found = append(found, Candidate{Word: word})
		}
	}
	return found
}

// begin keeps the candidates that begin with what is typed, with a prefix before each. Words that a shell would take apart are
// left out.
func begin(all []Candidate, typed, prefix string) (found []Candidate) {
	for _, c := range all {
		if strings.HasPrefix(c.Word, typed) && !strings.ContainsAny(c.Word, " \t\n\r\"'`\\$&|;<>(){}*?[]!#~") {
			first, _, _ := strings.Cut(c.Help, ". ")
			found = append(found, Candidate{prefix + c.Word, strings.TrimSuffix(first, ".")})
		}
	}
	return found
}
