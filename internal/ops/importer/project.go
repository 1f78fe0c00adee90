package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// place is one project on its way.
type place struct {
	*run
	from *wireProject
	to   *wireProject      // its ID is empty where a dry run would make it
	tags map[string]string // ids at the target by slug
	ours bool              // this import made it and has not been through it yet
}

const projectsPath = "/api/v1/projects"

// project brings one project over with all that it holds. What comes later needs what comes before: secrets their tags
// and folders, imports their sources, memberships their roles.
func (r *run) project(ctx context.Context, id string) error {
	from, err := one[wireProject](ctx, r.source, projectsPath+"/"+url.PathEscape(id), nil, "project")
	if err != nil {
		return r.fail(Projects, id, err)
	}
	if from.Type != "" && from.Type != "secret-manager" {
		r.note(Projects, from.Slug, "it is a project of the type "+from.Type+", and this server has only those for secrets")
		return nil
	}
	p := &place{run: r, from: from}
	if there, err := p.open(ctx); err != nil || !there {
		return err
	}
	for _, step := range []func(context.Context) error{p.environments, p.bringTags, p.members, p.contents, p.links, p.settings} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return r.journal.note(entry{Projects, from.ID, p.to.ID, true})
}

// open finds the project at the target by its slug, or makes it. It reports false where there is nothing to go on with.
func (p *place) open(ctx context.Context) (there bool, err error) {
	e, begun := p.journal.of(Projects, p.from.ID)
	for _, slug := range slices.Compact([]string{p.from.Slug, p.provisional()}) {
		p.to, err = one[wireProject](ctx, p.target, projectsPath+"/slug/"+url.PathEscape(slug), nil, "")
		if err == nil || !refused(err, http.StatusNotFound) {
			break
		}
	}
	if err == nil {
		p.ours = begun && !e.Done
		return true, nil
	}
	if !refused(err, http.StatusNotFound) {
		return false, p.fail(Projects, p.from.Slug, err)
	}
	return p.make(ctx)
}

func (p *place) make(ctx context.Context) (made bool, err error) {
	p.to, p.ours = &wireProject{}, true
	if !p.DryRun {
		if err := p.journal.note(entry{Kind: Projects, From: p.from.ID}); err != nil {
			return false, err
		}
	}
	return p.settle(thing{kind: Projects, where: p.from.Slug, make: func() error {
		text, err := p.target.send(ctx, http.MethodPost, projectsPath, map[string]any{"projectName": p.from.Name,
			"projectDescription": p.from.Description, "slug": p.provisional(), "shouldCreateDefaultEnvs": false})
		if err == nil {
			p.to, err = decode[wireProject](p.target, text, "project")
		}
		return err
	}})
}

// provisional returns the slug under which the project is made: its own, but where a project can only get it by a change.
func (p *place) provisional() string {
	if n := len(p.from.Slug); n >= 5 && n <= 36 {
		return p.from.Slug
	}
	return "import-" + marker(p.from.ID)
}

// marker returns a short text for an id.
func marker(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:8])
}

// settings brings over what can only be set by a change. It comes last: settings may forbid what the project holds.
func (p *place) settings(ctx context.Context) error {
	for _, e := range p.from.Deleted {
		p.note(Environments, p.from.Slug+" "+e.Slug, "it is deleted at the source")
	}
	changes := p.different()
	if p.to.ID == "" || p.ours && len(changes) == 0 {
		return nil // counted as made
	}
	change := func() error { return p.set(ctx, changes) }
	if p.ours {
		return p.quietly(Projects, p.from.Slug, change)
	}
	_, err := p.settle(thing{kind: Projects, where: p.from.Slug, there: true, apart: strings.Join(slices.Sorted(maps.Keys(changes)), ", "), change: change})
	return err
}

const auditDays = "auditLogsRetentionDays" // which has a route of its own

func (p *place) set(ctx context.Context, changes map[string]any) error {
	path := projectsPath + "/" + p.to.ID
	if days, there := changes[auditDays]; there {
		if _, err := p.target.send(ctx, http.MethodPut, path+"/audit-logs-retention", map[string]any{auditDays: days}); err != nil {
			return err
		}
		delete(changes, auditDays)
	}
	if len(changes) == 0 {
		return nil
	}
	_, err := p.target.send(ctx, http.MethodPatch, path, changes)
	return err
}

// quietly finishes what is counted already.
func (r *run) quietly(kind Kind, where string, change func() error) error {
	if r.DryRun {
		return nil
	}
	if err := change(); err != nil {
		return r.fail(kind, where, err)
	}
	return nil
}

// different returns the settings in which the target differs from the source, with what the source has.
func (p *place) different() map[string]any {
	changes := map[string]any{}
	differ(changes, "name", &p.from.Name, &p.to.Name)
	differ(changes, "slug", &p.from.Slug, &p.to.Slug)
	differ(changes, "autoCapitalization", p.from.AutoCapital, p.to.AutoCapital)
	differ(changes, "hasDeleteProtection", p.from.HasProtection, p.to.HasProtection)
	differ(changes, "secretSharing", p.from.SecretSharing, p.to.SecretSharing)
	differ(changes, "showSnapshotsLegacy", p.from.SnapshotsLegacy, p.to.SnapshotsLegacy)
	differ(changes, "pitVersionLimit", p.from.VersionLimit, p.to.VersionLimit)
	differ(changes, auditDays, p.from.AuditDays, p.to.AuditDays)
	differ(changes, "enforceEncryptedSecretManagerSecretMetadata", p.from.SealedMetadata, p.to.SealedMetadata)
	if text(p.from.Description) != text(p.to.Description) {
		changes["description"] = text(p.from.Description)
	}
	if len(p.from.IgnoredValues)+len(p.to.IgnoredValues) > 0 && !slices.Equal(p.from.IgnoredValues, p.to.IgnoredValues) {
		changes["secretDetectionIgnoreValues"] = append([]string{}, p.from.IgnoredValues...)
	}
	return changes
}

// differ notes what the source has, if it has anything and the target does not have the same.
func differ[T comparable](changes map[string]any, name string, from, to *T) {
	if from != nil && (to == nil || *from != *to) {
		changes[name] = *from
	}
}

// environments brings the environments over in their order.
func (p *place) environments(ctx context.Context) error {
	path := projectsPath + "/" + p.to.ID + "/environments"
	var wanted, have []string
	for _, e := range p.to.Environments {
		have = append(have, e.Slug)
	}
	for i, e := range p.from.Environments {
		wanted = append(wanted, e.Slug)
		t := thing{kind: Environments, where: p.from.Slug + " " + e.Slug, ours: p.ours, make: func() error {
			_, err := p.target.send(ctx, http.MethodPost, path, map[string]any{"name": e.Name, "slug": e.Slug, "position": i + 1})
			return err
		}}
		if at := slices.Index(have, e.Slug); at >= 0 {
			t.there, t.apart = true, apart("name", e.Name != p.to.Environments[at].Name)
			if !inOrder(slices.Concat(wanted, after(p.from.Environments, i)), have) {
				t.apart = strings.TrimPrefix(t.apart+" and position", " and ")
			}
			t.change = func() error {
				_, err := p.target.send(ctx, http.MethodPatch, path+"/"+p.to.Environments[at].ID, map[string]any{"name": e.Name, "position": i + 1})
				return err
			}
		}
		if _, err := p.settle(t); err != nil {
			return err
		}
	}
	return nil
}

func after(envs []wireEnv, i int) (slugs []string) {
	for _, e := range envs[i+1:] {
		slugs = append(slugs, e.Slug)
	}
	return slugs
}

// apart names what differs, if it does.
func apart(what string, differs bool) string {
	if differs {
		return what
	}
	return ""
}

// inOrder reports whether what two lists have in common stands in the same order in both.
func inOrder(a, b []string) bool {
	common := func(of, other []string) []string {
		return slices.DeleteFunc(slices.Clone(of), func(s string) bool { return !slices.Contains(other, s) })
	}
	return slices.Equal(common(a, b), common(b, a))
}

// bringTags brings the tags over and remembers their ids at the target.
func (p *place) bringTags(ctx context.Context) error {
	from, err := list[wireTag](ctx, p.source, projectsPath+"/"+p.from.ID+"/tags", nil, "tags")
	if err != nil {
		return p.fail(Tags, p.from.Slug, err)
	}
	path, there := projectsPath+"/"+p.to.ID+"/tags", []wireTag{}
	if p.to.ID != "" {
		if there, err = list[wireTag](ctx, p.target, path, nil, "tags"); err != nil {
			return p.fail(Tags, p.from.Slug, err)
		}
	}
	p.tags = map[string]string{}
	for _, t := range there {
		p.tags[t.Slug] = t.ID
	}
	for _, t := range from {
		if err := p.tag(ctx, path, t, there); err != nil {
			return err
		}
	}
	return nil
}

func (p *place) tag(ctx context.Context, path string, t wireTag, there []wireTag) error {
	todo := thing{kind: Tags, where: p.from.Slug + " " + t.Slug, ours: p.ours, make: func() error {
		text, err := p.target.send(ctx, http.MethodPost, path, map[string]any{"slug": t.Slug, "color": t.Color})
		if err != nil {
			return err
		}
		made, err := decode[wireTag](p.target, text, "tag")
		if err == nil {
			p.tags[t.Slug] = made.ID
		}
		return err
	}}
	if at := slices.IndexFunc(there, func(o wireTag) bool { return o.Slug == t.Slug }); at >= 0 {
		todo.there, todo.apart = true, apart("color", text(there[at].Color) != text(t.Color))
		todo.change = func() error {
			_, err := p.target.send(ctx, http.MethodPatch, path+"/"+there[at].ID, map[string]any{"color": text(t.Color)})
			return err
		}
	}
	_, err := p.settle(todo)
	return err
}
