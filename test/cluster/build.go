package cluster

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

// PlantedBugs is the build tag of a server that can be told to misbehave; see internal/bug.
const PlantedBugs = "plantedbugs"

// Build builds the server into a folder, and returns the program's path. tags may be "" or build tags.
func Build(dir, tags string) (program string, err error) {
	program = filepath.Join(dir, "sallyport-"+tags)
	cmd := exec.Command("go", "build", "-tags", tags, "-o", program, "github.com/sallyport/sallyport/cmd/sallyport")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the server: %w\n%s", err, out)
	}
	return program, nil
}
