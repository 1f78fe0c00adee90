//go:build !nextschema

package sqldb

import "io/fs"

// schemaSteps returns the files of the schema, one numbered file a step.
func schemaSteps() (fs.FS, error) { return fs.Sub(migrations, "migrations") }
