package profile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/zalando/go-keyring"
)

// service is what the keyring of the system lists the tokens under.
const service = "sallyport"

// hasKeyring reports whether a keyring can be there. Without a message bus the library would start one, which no session has
// asked for.
func hasKeyring() bool {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" || os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return true
	}
	_, err := os.Stat(filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "bus")) //nolint:gosec // the session of the user names the folder
	return os.Getenv("XDG_RUNTIME_DIR") != "" && err == nil
}

// putInKeyring reports whether the keyring has taken the token.
func putInKeyring(name, token string) bool {
	return hasKeyring() && keyring.Set(service, name, token) == nil
}

func fromKeyring(name string) (string, error) {
	token, err := keyring.Get(service, name)
	if err != nil {
		return "", fmt.Errorf("cannot read the token of context %q from the keyring; log in again: %w", name, err)
	}
	return token, nil
}

func dropFromKeyring(name string) error {
	if err := keyring.Delete(service, name); err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return fmt.Errorf("cannot delete the token of context %q from the keyring: %w", name, err)
	}
	return nil
}
