package importer

import (
	"bytes"
	"encoding/json"
)

// wireProject is a project as both servers answer it (docs/reference/secrets.md section 3.3).
type wireProject struct {
	ID              string    `json:"id"`
	Name            string    `json:"name"`
	Slug            string    `json:"slug"`
	Type            string    `json:"type"`
	Description     *string   `json:"description"`
	AutoCapital     *bool     `json:"autoCapitalization"`
	HasProtection   *bool     `json:"hasDeleteProtection"`
	SecretSharing   *bool     `json:"secretSharing"`
	SnapshotsLegacy *bool     `json:"showSnapshotsLegacy"`
	IgnoredValues   []string  `json:"secretDetectionIgnoreValues"`
	SealedMetadata  *bool     `json:"enforceEncryptedSecretManagerSecretMetadata"`
	VersionLimit    *int64    `json:"pitVersionLimit"`
	AuditDays       *int64    `json:"auditLogsRetentionDays"`
	Environments    []wireEnv `json:"environments"`
	Deleted         []wireEnv `json:"deletedEnvironments"`
}

type wireEnv struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Slug string `json:"slug"`
}

type wireTag struct {
	ID    string  `json:"id"`
	Slug  string  `json:"slug"`
	Color *string `json:"color"`
}

// text returns what a pointer points to, "" for nil: servers answer null and "" for the same.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// alike compares two things that were read from JSON.
func alike(a, b any) bool {
	x, err := json.Marshal(a)
	y, errB := json.Marshal(b)
	return err == nil && errB == nil && bytes.Equal(x, y)
}
