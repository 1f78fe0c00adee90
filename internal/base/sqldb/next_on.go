//go:build nextschema

package sqldb

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"testing/fstest"
)

// next holds steps of releases that do not exist, for tests of two versions side by side. In this build the environment variable
// SALLYPORT_NEXT_SCHEMA says how many of them the program has, 0 to 3.
//
//go:embed testdata/next/*.sql
var next embed.FS

func schemaSteps() (fs.FS, error) {
	count := 0
	if text := os.Getenv("SALLYPORT_NEXT_SCHEMA"); text != "" {
		if _, err := fmt.Sscanf(text, "%d", &count); err != nil {
			return nil, fmt.Errorf("SALLYPORT_NEXT_SCHEMA: %w", err)
		}
	}
	all := fstest.MapFS{}
	for _, from := range []struct {
		files   embed.FS
		pattern string
		most    int
	}{{migrations, "migrations/*.sql", 1 << 20}, {next, "testdata/next/*.sql", count}} {
		names, err := fs.Glob(from.files, from.pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names[:min(len(names), from.most)] {
			text, err := from.files.ReadFile(name)
			if err != nil {
				return nil, err
			}
			all[name[len(from.pattern)-len("*.sql"):]] = &fstest.MapFile{Data: text}
		}
	}
	return all, nil
}
