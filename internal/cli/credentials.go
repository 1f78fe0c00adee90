package cli

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/cli/terminal"
)

// The names under which systemd passes credentials on (systemd.exec(5)).
const (
	urlCredential = "sallyport.database-url"
	keyCredential = "sallyport.root-key"
)

// commandWithin is how long --root-key-command may take.
const commandWithin = time.Minute

// completeStorage fills in what the settings of a command name but do not hold: the URL of the database, and the root key.
func completeStorage(con *terminal.Console, call *kong.Context) error {
	node := call.Selected()
	if node == nil || !node.Target.CanAddr() {
		return nil
	}
	holder, ok := node.Target.Addr().Interface().(interface{ StorageSettings() *config.Storage })
	if !ok {
		return nil
	}
	s := holder.StorageSettings()
	if err := databaseURLOf(s); err != nil {
		return err
	}
	return rootKeyOf(con, s)
}

// credential returns the file of a credential that systemd passes on; "" if there is none.
func credential(name string) string {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return ""
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil { //nolint:gosec // systemd names the folder
		return ""
	}
	return path
}

func databaseURLOf(s *config.Storage) error {
	file := s.DatabaseURLFile
	if s.DatabaseURL != "" && file != "" {
		return terminal.Exit(terminal.WrongCall, errors.New("use either --database-url or --database-url-file"))
	}
	if s.DatabaseURL == "" && file == "" {
		file = credential(urlCredential)
	}
	if file == "" {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("cannot read the URL of the database: %w", err)
	}
	if s.DatabaseURL = strings.TrimSpace(string(text)); s.DatabaseURL == "" {
		return fmt.Errorf("%s contains no URL of a database", file)
	}
	return nil
}

func rootKeyOf(con *terminal.Console, s *config.Storage) error {
	named := 0
	for _, setting := range []string{s.RootKey, s.RootKeyFile, s.RootKeyCommand} {
		if setting != "" {
			named++
		}
	}
	switch {
	case named > 1:
		return terminal.Exit(terminal.WrongCall, errors.New("use only one of SALLYPORT_ROOT_KEY, --root-key-file and --root-key-command"))
	case s.RootKeyCommand != "":
		return runKeyCommand(con, s)
	case named == 0:
		s.RootKeyFile = credential(keyCredential)
	}
	return nil
}

// runKeyCommand takes the root key from what a command prints. What the command says goes to our standard error.
func runKeyCommand(con *terminal.Console, s *config.Storage) error {
	ctx, cancel := context.WithTimeout(con.Ctx, commandWithin)
	defer cancel()
	words := strings.Fields(s.RootKeyCommand)
	if len(words) == 0 {
		return errors.New("--root-key-command names no command")
	}
	command := exec.CommandContext(ctx, words[0], words[1:]...) //nolint:gosec // the operator names it
	command.Stderr = con.Err
	text, err := command.Output()
	if err != nil {
		return fmt.Errorf("the command %s of --root-key-command failed: %w", words[0], err)
	}
	keys := strings.Fields(string(text))
	for _, key := range keys {
		if raw, err := base64.StdEncoding.DecodeString(key); err != nil || len(raw) != seal.KeySize {
			keys = nil
			break
		}
	}
	if len(keys) == 0 {
		return fmt.Errorf("the command %s of --root-key-command did not print a root key of %d bytes in base64", words[0], seal.KeySize)
	}
	s.RootKey = strings.Join(keys, " ")
	return nil
}
