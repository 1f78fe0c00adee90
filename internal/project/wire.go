package project

import (
	"encoding/json"

	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// wireProject is a project as every route answers it (docs/reference/secrets.md section 3.3).
type wireProject struct {
	OldID           string           `json:"_id" doc:"Same as id; for older clients"`
	ID              string           `json:"id"`
	Name            string           `json:"name"`
	Description     *string          `json:"description"`
	Type            string           `json:"type"`
	DefaultProduct  *string          `json:"defaultProduct" doc:"Always null"`
	Slug            string           `json:"slug"`
	AutoCapital     bool             `json:"autoCapitalization"`
	OrgID           string           `json:"orgId"`
	CreatedAt       httpapi.Time     `json:"createdAt"`
	UpdatedAt       httpapi.Time     `json:"updatedAt"`
	Version         int              `json:"version" doc:"Always 3"`
	UpgradeStatus   *string          `json:"upgradeStatus" doc:"Always null"`
	VersionLimit    int64            `json:"pitVersionLimit"`
	CertificateKey  *string          `json:"kmsCertificateKeyId" doc:"Always null"`
	AuditDays       *int64           `json:"auditLogsRetentionDays"`
	HasProtection   bool             `json:"hasDeleteProtection"`
	SecretSharing   bool             `json:"secretSharing"`
	SnapshotsLegacy bool             `json:"showSnapshotsLegacy"`
	IgnoredValues   []string         `json:"secretDetectionIgnoreValues"`
	SealedMetadata  *bool            `json:"enforceEncryptedSecretManagerSecretMetadata"`
	Environments    []wireShort      `json:"environments" doc:"In their order"`
	Deleted         []wireDeletedEnv `json:"deletedEnvironments" doc:"Those that can be restored"`
}

// wireShort is an environment inside its project.
type wireShort struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Slug string `json:"slug"`
}

// wireDeletedEnv is a deleted environment inside its project.
type wireDeletedEnv struct {
	ID          string        `json:"id"`
	Name        string        `json:"name"`
	Slug        string        `json:"slug"`
	DeleteAfter *httpapi.Time `json:"deleteAfter"`
	DeletedAt   *httpapi.Time `json:"softDeletedAt"`
	DeletedBy   *wireDeleter  `json:"deletedBy"`
}

// wireDeleter is who deleted an environment.
type wireDeleter struct {
	Type string `json:"type" enum:"user,identity"`
	ID   string `json:"id"`
}

func wire(p *Project) wireProject {
	w := wireProject{OldID: p.ID, ID: p.ID, Name: p.Name, Description: p.Description, Type: p.Type, Slug: p.Slug, AutoCapital: p.AutoCapital,
		OrgID: p.OrgID, CreatedAt: httpapi.Time(p.CreatedAt), UpdatedAt: httpapi.Time(p.UpdatedAt), Version: 3, VersionLimit: p.VersionLimit,
		AuditDays: p.AuditDays, HasProtection: p.DeleteProtection, SecretSharing: p.SecretSharing, SnapshotsLegacy: p.SnapshotsLegacy,
		IgnoredValues: []string{}, SealedMetadata: p.SealedMetadata, Environments: make([]wireShort, len(p.Environments)),
		Deleted: make([]wireDeletedEnv, len(p.Deleted))}
	_ = json.Unmarshal([]byte(p.IgnoredValues), &w.IgnoredValues) // a list of strings that we wrote
	for i, e := range p.Environments {
		w.Environments[i] = wireShort{e.ID, e.Name, e.Slug}
	}
	for i, e := range p.Deleted {
		w.Deleted[i] = wireDeletedEnv{ID: e.ID, Name: e.Name, Slug: e.Slug, DeleteAfter: (*httpapi.Time)(e.DeleteAfter),
			DeletedAt: (*httpapi.Time)(e.DeletedAt), DeletedBy: e.deleter()}
	}
	return w
}

func (e *Environment) deleter() *wireDeleter {
	switch {
	case e.DeletedByUser != nil:
		return &wireDeleter{"user", *e.DeletedByUser}
	case e.DeletedByIdentity != nil:
		return &wireDeleter{"identity", *e.DeletedByIdentity}
	}
	return nil
}
