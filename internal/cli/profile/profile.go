// Package profile owns what the command line remembers between calls: contexts, which are servers with a login, and where the
// access token of each is kept. It does not know how a login works.
package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// Context is a server and who is logged in there.
type Context struct {
	Name         string `json:"name"`
	URL          string `json:"url"`
	CACert       string `json:"caCert,omitempty"`    // file with certificates to trust in addition
	PlainHTTP    bool   `json:"plainHttp,omitempty"` // http:// to another machine is allowed
	Identity     string `json:"identity,omitempty"`
	Organization string `json:"organization,omitempty"`
	Keyring      bool   `json:"keyring,omitempty"` // the token is in the keyring of the system
	Issued       bool   `json:"issued,omitempty"`  // the token was issued for this login, so that logout may revoke it
}

// Profile is all that is remembered.
type Profile struct {
	Current  string    `json:"current"`
	Contexts []Context `json:"contexts"`

	dir string
}

// The files in the folder of the settings.
const (
	contextsFile = "contexts.json"
	tokensFile   = "tokens.json"
)

// Dir returns the folder of the settings: $XDG_CONFIG_HOME/sallyport, or what the system has instead.
func Dir() (string, error) {
	base := os.Getenv("XDG_CONFIG_HOME")
	if base == "" {
		var err error
		if base, err = os.UserConfigDir(); err != nil {
			return "", fmt.Errorf("cannot find the folder for settings; set XDG_CONFIG_HOME: %w", err)
		}
	}
	return filepath.Join(base, "sallyport"), nil
}

// Load reads what is remembered in a folder; nothing where the folder does not exist.
func Load(dir string) (*Profile, error) {
	p := &Profile{dir: dir}
	return p, readJSON(filepath.Join(dir, contextsFile), p)
}

// Find returns a context by its name, or the current one for "". It returns nil for one that does not exist.
func (p *Profile) Find(name string) *Context {
	if name == "" {
		name = p.Current
	}
	if i := slices.IndexFunc(p.Contexts, func(c Context) bool { return c.Name == name }); i >= 0 {
		return &p.Contexts[i]
	}
	return nil
}

// ValidName is what a context may be called.
var ValidName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Put remembers a context with its token, in place of one of the same name, and makes it the current one. The token is kept
// in the keyring of the system if inKeyring is set and there is one, and otherwise in a file that only the user can read.
func (p *Profile) Put(c Context, token string, inKeyring bool) (kept Context, err error) {
	if !ValidName.MatchString(c.Name) {
		return c, fmt.Errorf("%q cannot name a context; use letters, digits, dots, dashes and underscores", c.Name)
	}
	if old := p.Find(c.Name); old != nil {
		if err := p.forget(*old); err != nil {
			return c, err
		}
	}
	c.Keyring = inKeyring && putInKeyring(c.Name, token)
	if !c.Keyring {
		if err := p.changeTokens(func(tokens map[string]string) { tokens[c.Name] = token }); err != nil {
			return c, err
		}
	}
	p.Contexts = append(slices.DeleteFunc(p.Contexts, func(o Context) bool { return o.Name == c.Name }), c)
	p.Current = c.Name
	return c, p.save()
}

// Use makes a context the current one.
func (p *Profile) Use(name string) error {
	if p.Find(name) == nil {
		return fmt.Errorf("there is no context %q; sallyport context list shows them", name)
	}
	p.Current = name
	return p.save()
}

// Remove forgets a context and its token.
func (p *Profile) Remove(c Context) error {
	if err := p.forget(c); err != nil {
		return err
	}
	p.Contexts = slices.DeleteFunc(p.Contexts, func(o Context) bool { return o.Name == c.Name })
	if p.Current == c.Name {
		p.Current = ""
	}
	return p.save()
}

// Token returns the token of a context.
func (p *Profile) Token(c Context) (string, error) {
	if c.Keyring {
		return fromKeyring(c.Name)
	}
	tokens := map[string]string{}
	err := readJSON(p.TokensFile(), &tokens)
	return tokens[c.Name], err
}

// TokensFile is the path of the file with the tokens that are in no keyring.
func (p *Profile) TokensFile() string { return filepath.Join(p.dir, tokensFile) }

func (p *Profile) forget(c Context) error {
	if c.Keyring {
		return dropFromKeyring(c.Name)
	}
	return p.changeTokens(func(tokens map[string]string) { delete(tokens, c.Name) })
}

func (p *Profile) changeTokens(change func(map[string]string)) error {
	tokens := map[string]string{}
	if err := readJSON(p.TokensFile(), &tokens); err != nil {
		return err
	}
	change(tokens)
	return writeJSON(p.dir, tokensFile, tokens)
}

func (p *Profile) save() error { return writeJSON(p.dir, contextsFile, p) }

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("cannot read %s; correct or delete the file: %w", path, err)
	}
	return nil
}

// writeJSON replaces a file as a whole, so that a crash leaves the old one. Only the user can read it.
func writeJSON(dir, name string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, name+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
