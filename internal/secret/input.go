package secret

import (
	"strings"

	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// PlaceQuery is how a query names a folder, in all the words that clients have for it.
type PlaceQuery struct {
	ProjectID     string `query:"projectId" maxLength:"64"`
	WorkspaceID   string `query:"workspaceId" maxLength:"64" doc:"Same as projectId"`
	ProjectSlug   string `query:"projectSlug" maxLength:"64" doc:"Instead of projectId"`
	WorkspaceSlug string `query:"workspaceSlug" maxLength:"64" doc:"Same as projectSlug"`
	Environment   string `query:"environment" maxLength:"64" doc:"Slug of the environment"`
	SecretPath    string `query:"secretPath" maxLength:"2048" doc:"Path of the folder; default /"`
}

func (q *PlaceQuery) place() Place {
	return Place{ProjectID: either(q.ProjectID, q.WorkspaceID), ProjectSlug: either(q.ProjectSlug, q.WorkspaceSlug), Environment: q.Environment, Path: q.SecretPath}
}

func either(a, b string) string {
	if a = strings.TrimSpace(a); a != "" {
		return a
	}
	return strings.TrimSpace(b)
}

// ViewQuery is how a query says what to show.
type ViewQuery struct {
	Values     string `query:"viewSecretValue" enum:"true,false" doc:"Whether to show values; default true"`
	Expand     string `query:"expandSecretReferences" enum:"true,false" doc:"Whether to replace references with values; default true in v4, false in v3"`
	Imports    string `query:"includeImports" enum:"true,false" doc:"Whether to look into imports; default true in v4, false in v3"`
	OldImports string `query:"include_imports" enum:"true,false" doc:"Same as includeImports"`
}

func (q *ViewQuery) view(d dialect) View {
	return View{Values: q.Values != "false", Expand: flag(q.Expand, d.expand), Imports: flag(either(q.Imports, q.OldImports), d.imports)}
}

// flag reads a flag of a query; nothing means the default.
func flag(text string, byDefault bool) bool {
	if text == "" {
		return byDefault
	}
	return text == "true"
}

// ProjectBody is how the body of a request names a project, in all the words that clients have for it.
type ProjectBody struct {
	ProjectID   httpapi.Text `json:"projectId,omitempty" maxLength:"64"`
	WorkspaceID httpapi.Text `json:"workspaceId,omitempty" maxLength:"64" doc:"Same as projectId"`
	ProjectSlug httpapi.Text `json:"projectSlug,omitempty" maxLength:"64" doc:"Instead of projectId"`
}

// PlaceBody is how the body of a request names a folder.
type PlaceBody struct {
	ProjectBody
	Environment httpapi.Text `json:"environment" minLength:"1" maxLength:"64" doc:"Slug of the environment"`
	SecretPath  httpapi.Text `json:"secretPath,omitempty" maxLength:"2048" doc:"Path of the folder; default /"`
}

func (b *ProjectBody) place() Place {
	return Place{ProjectID: either(string(b.ProjectID), string(b.WorkspaceID)), ProjectSlug: b.ProjectSlug.Trimmed()}
}

func (b *PlaceBody) place() Place {
	p := b.ProjectBody.place()
	p.Environment, p.Path = b.Environment.Trimmed(), string(b.SecretPath)
	return p
}

// FieldsBody is what a body may say of a secret beside its value.
type FieldsBody struct {
	Comment       *httpapi.Prose  `json:"secretComment,omitempty" maxLength:"10000"`
	Metadata      *[]MetadataBody `json:"secretMetadata,omitempty" maxItems:"100"`
	TagIDs        *[]httpapi.Text `json:"tagIds,omitempty" maxItems:"100"`
	SkipMultiline *bool           `json:"skipMultilineEncoding,omitempty"`
	ReminderNote  *httpapi.Prose  `json:"secretReminderNote,omitempty" maxLength:"1024"`
	ReminderDays  *int64          `json:"secretReminderRepeatDays,omitempty" minimum:"0" maximum:"36500"`
}

// MetadataBody is a pair of metadata in a body.
type MetadataBody struct {
	Key       httpapi.Text  `json:"key" minLength:"1" maxLength:"255"`
	Value     httpapi.Prose `json:"value,omitempty" maxLength:"1020"`
	Encrypted bool          `json:"isEncrypted,omitempty"`
}

func (b *FieldsBody) changes(name string, value *string) Changes {
	c := Changes{Name: name, Value: value, Comment: (*string)(b.Comment), SkipMultiline: b.SkipMultiline,
		ReminderNote: (*string)(b.ReminderNote), ReminderDays: b.ReminderDays}
	if b.Metadata != nil {
		pairs := make([]Metadata, len(*b.Metadata))
		for i, m := range *b.Metadata {
			pairs[i] = Metadata{m.Key.Trimmed(), string(m.Value), m.Encrypted}
		}
		c.Metadata = &pairs
	}
	if b.TagIDs != nil {
		ids := make([]string, len(*b.TagIDs))
		for i, t := range *b.TagIDs {
			ids[i] = t.Trimmed()
		}
		c.TagIDs = &ids
	}
	return c
}
