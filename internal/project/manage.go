package project

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/role"
)

// DefaultProjects and DefaultMemberProjects are how many projects an organization has, and one member has created, at most, unless
// a setting says otherwise.
const (
	DefaultProjects       = 10_000
	DefaultMemberProjects = 1000
)

// Draft is a project to be made.
type Draft struct {
	Name             string
	Slug             string // empty: made of the name
	Description      *string
	Bare             bool // without the default environments
	DeleteProtection bool
}

// Create makes a project in the actor's organization. The actor becomes its administrator. Errors: PermissionDenied,
// Validation, BadRequest for a slug that is taken.
func (s *Service) Create(ctx context.Context, actor *access.Actor, d Draft) (*Project, error) {
	if err := actor.Check(access.Create, access.SubjectWorkspace, nil); err != nil {
		return nil, err
	}
	if d.Slug == "" {
		d.Slug = slugOf(d.Name)
	}
	if err := checkSlug(d.Slug); err != nil {
		return nil, err
	}
	var p *Project
	err := s.feed.Change(ctx, func(tx *feed.Tx) error {
		p = &Project{ID: id.New(), OrgID: actor.OrgID, Name: d.Name, Slug: d.Slug, Description: d.Description, Type: "secret-manager",
			AutoCapital: true, DeleteProtection: d.DeleteProtection, SecretSharing: true, VersionLimit: 10, IgnoredValues: "[]",
			CreatedAt: tx.Now().UnixMilli(), UpdatedAt: tx.Now().UnixMilli()}
		if err := s.create(ctx, tx, actor, p, d); err != nil {
			return err
		}
		return s.record(ctx, tx, actor, p.ID, audit.CreateProject, map[string]any{"name": p.Name, "slug": p.Slug,
			"projectDescription": p.Description, "type": p.Type, "hasDeleteProtection": p.DeleteProtection, "shouldCreateDefaultEnvs": !d.Bare})
	})
	return p, err
}

func (s *Service) create(ctx context.Context, tx *feed.Tx, actor *access.Actor, p *Project, d Draft) error {
	err := s.checkQuota(ctx, tx.Tx, actor)
	if err == nil {
		err = insert(ctx, tx.Tx, p, actor.ID)
	}
	if err == nil {
		err = s.MakeKey(ctx, tx.Tx, p.OrgID, p.ID)
	}
	for i, e := range defaults {
		if err == nil && !d.Bare {
			e.ProjectID, e.Position = p.ID, int64(i+1)
			err = insertEnvironment(ctx, tx.Tx, &e)
			p.Environments = append(p.Environments, e)
		}
	}
	if err != nil {
		return err
	}
	m := member.Draft{OrgID: p.OrgID, ProjectID: p.ID, Roles: member.Permanent(role.ProjectBuiltIn(role.Admin))}
	if actor.Type == access.ActorUser {
		m.UserID = actor.ID
	} else {
		m.IdentityID = actor.ID
	}
	_, err = member.Join(ctx, tx.Tx, m)
	member.Changed(tx, actor.ID, p.ID)
	return err
}

// Changes is what Update sets; nil leaves alone.
type Changes struct {
	Name, Slug, Description        *string
	AutoCapital, DeleteProtection  *bool
	SecretSharing, SnapshotsLegacy *bool
	SealedMetadata                 *bool
	VersionLimit                   *int64
	IgnoredValues                  *[]string
}

// Update changes the settings of a project. Errors: those of Enter, PermissionDenied, Validation, BadRequest for a slug
// that is taken.
func (s *Service) Update(ctx context.Context, actor *access.Actor, projectID string, c Changes) (*Project, error) {
	a, err := s.Enter(ctx, actor, projectID)
	if err == nil {
		err = a.Check(access.Edit, access.SubjectSettings, nil)
	}
	if err == nil && c.Slug != nil {
		err = checkSlug(*c.Slug)
	}
	if err != nil {
		return nil, err
	}
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		p, err := lock(ctx, tx, projectID)
		if err != nil {
			return err
		}
		tx.Append(feed.ProjectSlug, feed.Key(p.OrgID, p.Slug), feed.Evict)
		changed := p.apply(c)
		if err := store(ctx, tx.Tx, p); err != nil {
			return err
		}
		Changed(tx, projectID)
		return s.record(ctx, tx, actor, projectID, audit.UpdateProject, changed)
	})
	if err != nil {
		return nil, err
	}
	return s.Find(ctx, actor.OrgID, projectID)
}

// UpdateSlug is Update of a project that is named by its slug.
func (s *Service) UpdateSlug(ctx context.Context, actor *access.Actor, slug string, c Changes) (*Project, error) {
	p, err := s.FindSlug(ctx, actor.OrgID, slug)
	if err != nil {
		return nil, err
	}
	return s.Update(ctx, actor, p.ID, c)
}

// apply sets what the changes name and returns it for the audit log.
func (p *Project) apply(c Changes) map[string]any {
	changed := map[string]any{}
	set(changed, "name", &p.Name, c.Name)
	set(changed, "slug", &p.Slug, c.Slug)
	set(changed, "autoCapitalization", &p.AutoCapital, c.AutoCapital)
	set(changed, "hasDeleteProtection", &p.DeleteProtection, c.DeleteProtection)
	set(changed, "secretSharing", &p.SecretSharing, c.SecretSharing)
	set(changed, "showSnapshotsLegacy", &p.SnapshotsLegacy, c.SnapshotsLegacy)
	set(changed, "pitVersionLimit", &p.VersionLimit, c.VersionLimit)
	if c.Description != nil {
		p.Description, changed["description"] = c.Description, *c.Description
	}
	if c.SealedMetadata != nil {
		p.SealedMetadata, changed["enforceEncryptedSecretManagerSecretMetadata"] = c.SealedMetadata, *c.SealedMetadata
	}
	if c.IgnoredValues != nil {
		text, _ := json.Marshal(append([]string{}, *c.IgnoredValues...)) // a list of strings always can be written
		p.IgnoredValues, changed["secretDetectionIgnoreValues"] = string(text), len(*c.IgnoredValues)
	}
	return changed
}

// set assigns a value that was given, and notes it.
func set[T any](changed map[string]any, name string, to, from *T) {
	if from != nil {
		*to, changed[name] = *from, *from
	}
}

// Delete takes a project out of sight at once, destroys its key, and kills the tokens of the identities that it owns: what
// it holds cannot be read again, and goes in small steps. Errors: those of Enter, PermissionDenied, Forbidden while it is protected.
func (s *Service) Delete(ctx context.Context, actor *access.Actor, projectID string) (*Project, error) {
	a, err := s.Enter(ctx, actor, projectID)
	if err == nil {
		err = a.Check(access.Delete, access.SubjectWorkspace, nil)
	}
	if err != nil {
		return nil, err
	}
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		p, err := lock(ctx, tx, projectID)
		if err == nil {
			err = s.mayErase(ctx, tx.Tx, a)
		}
		if err == nil {
			err = erase(ctx, tx, p)
		}
		if err == nil {
			err = s.identities.RemoveOwned(ctx, tx, projectID)
		}
		if err != nil {
			return err
		}
		Changed(tx, projectID)
		tx.Append(feed.ProjectSlug, feed.Key(p.OrgID, p.Slug), feed.Evict)
		tx.Append(feed.ProjectKey, projectID, feed.Evict)
		return s.record(ctx, tx, actor, projectID, audit.DeleteProject, map[string]any{"name": p.Name, "slug": p.Slug})
	})
	return projectOf(a, err)
}

// DeleteSlug is Delete of a project that is named by its slug.
func (s *Service) DeleteSlug(ctx context.Context, actor *access.Actor, slug string) (*Project, error) {
	p, err := s.FindSlug(ctx, actor.OrgID, slug)
	if err != nil {
		return nil, err
	}
	return s.Delete(ctx, actor, p.ID)
}

// Read returns a project that the actor is a member of. Errors: those of Enter.
func (s *Service) Read(ctx context.Context, actor *access.Actor, projectID string) (*Project, error) {
	return projectOf(s.Enter(ctx, actor, projectID))
}

// ReadSlug is Read by a slug.
func (s *Service) ReadSlug(ctx context.Context, actor *access.Actor, slug string) (*Project, error) {
	return projectOf(s.EnterSlug(ctx, actor, slug))
}

func projectOf(a *Access, err error) (*Project, error) {
	if err != nil {
		return nil, err
	}
	return a.Project, nil
}

// List returns the projects that the actor is a member of, by name.
func (s *Service) List(ctx context.Context, actor *access.Actor) ([]*Project, error) {
	return s.mine(ctx, actor)
}

func (s *Service) record(ctx context.Context, tx *feed.Tx, actor *access.Actor, projectID string, event audit.Type, metadata map[string]any) error {
	return s.audit.Record(ctx, tx.Tx, actor, audit.Event{Type: event, ProjectID: projectID, Metadata: metadata})
}

var (
	slugForm = regexp.MustCompile(`^[a-z0-9]+(?:[_-][a-z0-9]+)*$`)
	notSlug  = regexp.MustCompile(`[^a-z0-9]+`)
)

// maxSlug is the length of the longest slug of a project, and of an environment.
const maxSlug = 64

// checkSlug refuses what is no slug. One that looks like an id could be taken for the project that has it.
func checkSlug(slug string) error {
	if len(slug) > maxSlug || !slugForm.MatchString(slug) || id.Valid(slug) {
		return fault.Invalid("invalid_string", "A slug has 1 to 64 lower-case letters and digits, with single hyphens or underscores between, and is not a UUID.", "slug")
	}
	return nil
}

// slugOf makes a slug of a name: its letters and digits, and a random end that makes it unique.
func slugOf(name string) string {
	base := strings.Trim(notSlug.ReplaceAllString(strings.ToLower(name), "-"), "-")
	if len(base) > 29 {
		base = strings.TrimRight(base[:29], "-")
	}
	if base == "" {
		base = "project"
	}
	return base + "-" + id.Secret(3)
}

// mayErase asks for the right to delete all environments of a project, those that can be restored too, with all that they hold.
func (s *Service) mayErase(ctx context.Context, tx *sqldb.Tx, a *Access) error {
	var all []Environment
	if err := tx.Select(ctx, &all, `SELECT `+environmentColumns+` FROM environments e WHERE e.project_id = $1`, a.Project.ID); err != nil {
		return err
	}
	if len(all) > 0 {
		if err := a.Check(access.Delete, access.SubjectEnvironments, nil); err != nil {
			return err
		}
	}
	for i := range all {
		if err := s.holdings.mayDelete(ctx, tx, a, Subtree{all[i].ID, all[i].Slug, "/"}); err != nil {
			return err
		}
	}
	return nil
}
