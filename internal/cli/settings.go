package cli

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/alecthomas/kong"
)

// settingsFile is the value of --config: the path of a JSON object whose keys are names of flags, without the dashes
// before them. Flags and environment win over it. It is stricter than kong's own files: a key that is no flag is a
// mistake that must not go unnoticed.
type settingsFile string

// BeforeResolve reads the file; kong calls it once it knows the path.
func (settingsFile) BeforeResolve(ctx *kong.Context, trace *kong.Path) error {
	path := string(ctx.FlagValue(trace.Flag).(settingsFile))
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cannot read the settings: %w", err)
	}
	s := settings{path: path}
	if err := json.Unmarshal(text, &s.values); err != nil {
		return fmt.Errorf("the settings in %s are not a JSON object of flag names and values: %w", path, err)
	}
	ctx.AddResolver(s)
	return nil
}

// settings are the keys and values of a file.
type settings struct {
	path   string
	values map[string]json.RawMessage
}

// Validate refuses keys that name no flag of any command.
func (s settings) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, command := range app.Children {
		for _, flag := range command.Flags {
			known[flag.Name] = true
		}
	}
	for name := range s.values {
		if !known[name] {
			return fmt.Errorf("%s sets %q, which is not a setting; the keys are the names of flags, such as data-dir", s.path, name)
		}
	}
	return nil
}

// Resolve returns the file's value of a flag, or nil where the environment has one.
func (s settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	raw, ok := s.values[flag.Name]
	if !ok || string(raw) == "null" {
		return nil, nil
	}
	var list []any
	if json.Unmarshal(raw, &list) == nil {
		return list, nil
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw) // a number, true or false, as a command line has it
	}
	return text, nil
}
