package secret

import (
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// hidden stands on the wire for a value that the caller does not get to see; clients know it.
const hidden = "<hidden-by-infisical>"

// wireSecret is a secret as every route answers it: all fields that any of the routes has
// (docs/reference/secrets.md section 1.2).
type wireSecret struct {
	ID            string         `json:"id"`
	OldID         string         `json:"_id" doc:"Same as id; for older clients"`
	Workspace     string         `json:"workspace" doc:"The project's id"`
	Environment   string         `json:"environment" doc:"The environment's slug"`
	Version       int64          `json:"version"`
	Type          string         `json:"type" enum:"shared,personal"`
	Key           string         `json:"secretKey"`
	Value         string         `json:"secretValue"`
	ValueHidden   bool           `json:"secretValueHidden" doc:"secretValue is not the value"`
	Unexpanded    string         `json:"secretReferenceError,omitempty" doc:"Why the references in secretValue were not expanded"`
	Comment       string         `json:"secretComment"`
	Path          string         `json:"secretPath"`
	ReminderNote  *string        `json:"secretReminderNote"`
	ReminderDays  *int64         `json:"secretReminderRepeatDays"`
	SkipMultiline bool           `json:"skipMultilineEncoding"`
	Metadata      []wireMetadata `json:"secretMetadata"`
	Tags          []wireTag      `json:"tags"`
	Rotated       bool           `json:"isRotatedSecret" doc:"Always false"`
	RotationID    *string        `json:"rotationId" doc:"Always null"`
	CreatedAt     httpapi.Time   `json:"createdAt"`
	UpdatedAt     httpapi.Time   `json:"updatedAt"`
}

type wireMetadata struct {
	Key       string `json:"key"`
	Value     string `json:"value"`
	Encrypted bool   `json:"isEncrypted"`
}

type wireTag struct {
	ID    string  `json:"id"`
	Slug  string  `json:"slug"`
	Name  string  `json:"name" doc:"Same as slug"`
	Color *string `json:"color"`
}

func wire(s *Secret) wireSecret {
	w := wireSecret{ID: s.ID, OldID: s.ID, Workspace: s.ProjectID, Environment: s.Environment, Version: s.Version, Type: "shared", Key: s.Key,
		Value: s.Value, ValueHidden: s.Hidden, Comment: s.Comment, Path: s.Path, ReminderNote: s.ReminderNote, ReminderDays: s.ReminderDays,
		SkipMultiline: s.SkipMultiline, Metadata: []wireMetadata{}, Tags: []wireTag{},
		CreatedAt: httpapi.Time(s.CreatedAt), UpdatedAt: httpapi.Time(s.UpdatedAt)}
	if s.Personal() {
		w.Type = "personal"
	}
	if s.Hidden {
		w.Value = hidden
	}
	if s.Unexpanded != nil {
		w.Unexpanded = why(s.Unexpanded)
	}
	if s.Undescribed {
		w.Comment, w.ReminderNote, w.ReminderDays, w.SkipMultiline = "", nil, nil, false
		return w
	}
	for _, m := range s.Metadata {
		if m.Encrypted && s.Hidden {
			m.Value = hidden
		}
		w.Metadata = append(w.Metadata, wireMetadata(m))
	}
	for _, t := range s.Tags {
		w.Tags = append(w.Tags, wireTag{t.ID, t.Slug, t.Slug, t.Color})
	}
	return w
}

// why returns the message of a fault with the first of its details, if they are texts.
func why(f *fault.Error) string {
	if details, _ := f.Details.([]string); len(details) > 0 {
		return f.Message + " " + details[0]
	}
	return f.Message
}

func wireAll(secrets []*Secret) []wireSecret {
	all := make([]wireSecret, len(secrets))
	for i, s := range secrets {
		all[i] = wire(s)
	}
	return all
}

// wireImports are the secrets of one import in a list.
type wireImports struct {
	Path        string       `json:"secretPath"`
	Environment string       `json:"environment"`
	FolderID    string       `json:"folderId"`
	Secrets     []wireSecret `json:"secrets"`
}
