package clients

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// install installs the SDK as its lock file says, once for all tests.
var install = sync.OnceValue(func() error {
	cmd := exec.Command("npm", "ci", "--ignore-scripts")
	cmd.Dir = "node"
	cmd.Stderr = os.Stderr
	return cmd.Run()
})

// TestNodeSDK has Node walk through node/walk.mjs, and sees that the token of its end can be taken back.
func TestNodeSDK(t *testing.T) {
	if err := install(); err != nil {
		t.Fatalf("cannot install the Node SDK, which takes Node.js 20 and npm: %v", err)
	}
	onEach(t, func(t *testing.T, s *stage) {
		cmd := exec.CommandContext(t.Context(), "node", "walk.mjs")
		cmd.Dir = "node"
		cmd.Env = append(os.Environ(), "SITE_URL="+s.URL, "CLIENT_ID="+s.clientID, "CLIENT_SECRET="+s.secret, "PROJECT_ID="+s.projectID)
		cmd.Stderr = os.Stderr
		said, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		jwt := strings.TrimSpace(string(said))
		if !s.As(jwt).Works(t) {
			t.Fatal("the renewed token does not work")
		}
		s.revokeSecret(t)
		if s.As(jwt).Works(t) {
			t.Error("the token works after the client secret was revoked")
		}
	})
}
