// Package importer copies what an organization has on one server to another one, over the API that both speak: projects
// with all that they hold, roles, identities, memberships. It knows nothing of how either server keeps it.
package importer

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Server is one side of an import.
type Server struct {
	URL   string // base URL, with or without /api at its end
	Token string // access token of a machine identity
}

// Options says what to import; all but the functions, Projects and the flags are needed.
type Options struct {
	Source, Target Server
	Projects       []string // slugs; none: all that the source's token is a member of, and all identities and roles
	State          string   // path of the file that remembers between runs what was begun
	DryRun         bool     // only compares and tells; writes nothing, the state neither
	Overwrite      bool     // changes what the target has already and has otherwise
	BatchBytes     int      // of secrets that one request sends at most, unless one alone has more; 0: 4 MB, half of what servers take

	Report func(Progress) // told how far the import is; may be nil
	Tell   func(Finding)  // told what is not as it should be; may be nil

	Wait      func(context.Context, time.Duration) error // waits between two tries; nil: by the clock
	Transport http.RoundTripper                          // what requests go through; nil: the default one, which verifies TLS
}

// Kind is a kind of things that are imported.
type Kind string

// The kinds, as results and the state name them.
const (
	OrgRoles     Kind = "organization roles"
	Identities   Kind = "identities"
	AuthMethods  Kind = "login methods"
	OrgMembers   Kind = "organization memberships"
	Projects     Kind = "projects"
	Environments Kind = "environments"
	Tags         Kind = "tags"
	Roles        Kind = "project roles"
	Folders      Kind = "folders"
	Secrets      Kind = "secrets"
	Imports      Kind = "secret imports"
	Members      Kind = "project memberships"
	Privileges   Kind = "additional privileges"
)

// Kinds lists all kinds in the order in which results show them.
var Kinds = []Kind{OrgRoles, Identities, AuthMethods, OrgMembers, Projects, Environments, Tags, Roles, Folders, Secrets, Imports, Members, Privileges}

// Count tells what became of the things of one kind.
type Count struct {
	Made      int64 // or would be, in a dry run
	Same      int64 // they were there already
	Changed   int64 // they were there and were brought to what the source has
	Different int64 // they were there, differ, and were left
	Failed    int64 // they could not be brought over; a Finding says why
}

// Result tells what an import did, by kind.
type Result map[Kind]*Count

// Open returns how many things are not at the target as the source has them.
func (r Result) Open() (n int64) {
	for _, c := range r {
		n += c.Different + c.Failed
	}
	return n
}

// Finding is something that people should know of.
type Finding struct {
	Kind   Kind
	Where  string
	Reason string
	Note   bool // nothing went wrong: it cannot be carried over, by design, or was carried over in another form
}

// Progress says how far an import is: parts are identities and folders.
type Progress struct {
	What     string // that is done now
	Done, Of int64  // parts
}

// run is one import on its way.
type run struct {
	Options
	source, target *client
	from, to       orgOf
	journal        *journal
	result         Result
	progress       Progress

	names    map[string]int      // at the source: how many identities have a name
	taken    map[string][]string // at the target: identities by name
	settled  map[string]string   // identities that this run has brought over: source id to target id, "" if it could not
	orgRoles map[string]bool     // slugs that this run has brought over
	oneRole  bool                // the source shows only one role of each identity
}

// Run imports. What it cannot bring over for good reason it tells and goes on; it ends with an error when it cannot go on,
// such as with a server that does not answer. Run again with the same options it goes on where it was: what is there is
// compared, never made twice. The result is there with an error too.
func Run(ctx context.Context, o Options) (_ Result, err error) {
	r := &run{Options: o, result: Result{}, settled: map[string]string{}, orgRoles: map[string]bool{}}
	for _, k := range Kinds {
		r.result[k] = &Count{}
	}
	if err := r.connect(ctx); err != nil {
		return r.result, err
	}
	if r.journal, err = openJournal(o.State, header{r.from.OrgID, r.to.OrgID}, o.DryRun); err != nil {
		return r.result, err
	}
	defer func() { err = errors.Join(err, r.journal.close()) }()
	projects, err := r.chart(ctx)
	if err == nil && len(o.Projects) == 0 {
		err = r.organization(ctx)
	}
	for _, id := range projects {
		if err == nil {
			err = r.project(ctx, id)
		}
	}
	return r.result, err
}

func (r *run) connect(ctx context.Context) (err error) {
	if r.Report == nil {
		r.Report = func(Progress) {}
	}
	if r.Tell == nil {
		r.Tell = func(Finding) {}
	}
	if r.BatchBytes == 0 {
		r.BatchBytes = 4 << 20
	}
	if r.Wait == nil {
		r.Wait = pause
	}
	if r.source, err = newClient("source", r.Source, &r.Options); err != nil {
		return err
	}
	if r.target, err = newClient("target", r.Target, &r.Options); err != nil {
		return err
	}
	if r.from, err = meet(ctx, r.source); err != nil {
		return err
	}
	if r.to, err = meet(ctx, r.target); err != nil {
		return err
	}
	if r.from == r.to {
		return errors.New("the source and the target are the same organization")
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// orgOf is whom a token stands for.
type orgOf struct{ OrgID, IdentityID string }

// meet asks a server for the organization of the token. The identity stands in the token itself
// (docs/reference/identity.md section 2.1).
func meet(ctx context.Context, c *client) (who orgOf, err error) {
	details, err := one[struct {
		Organization struct {
			ID string `json:"id"`
		} `json:"organization"`
	}](ctx, c, "/api/v1/identities/details", nil, "identityDetails")
	if refused(err) {
		return who, fmt.Errorf("the token of the %s must be that of a machine identity: %w", c.side, err)
	}
	if err != nil {
		return who, err
	}
	var claims struct {
		IdentityID string `json:"identityId"`
	}
	if parts := strings.Split(c.token, "."); len(parts) == 3 {
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(payload, &claims) // not known is no harm: it only spares the identity's own roles
	}
	return orgOf{details.Organization.ID, claims.IdentityID}, nil
}

// chart lists the projects to import, and counts identities and folders, so that progress can be told.
func (r *run) chart(ctx context.Context) (ids []string, err error) {
	r.progress.What = "reading"
	if err := r.chartNames(ctx); err != nil {
		return nil, err
	}
	all, err := list[wireProject](ctx, r.source, "/api/v1/projects", nil, "projects")
	if err != nil {
		return nil, err
	}
	missing := map[string]bool{}
	for _, slug := range r.Projects {
		missing[slug] = true
	}
	for _, p := range all {
		if len(r.Projects) > 0 && !missing[p.Slug] {
			continue
		}
		delete(missing, p.Slug)
		ids = append(ids, p.ID)
		if err := r.chartFolders(ctx, &p); err != nil {
			return nil, err
		}
	}
	for slug := range missing {
		return nil, fmt.Errorf("the source has no project with the slug %q that its token is a member of", slug)
	}
	return ids, nil
}

func (r *run) chartFolders(ctx context.Context, p *wireProject) error {
	for _, e := range p.Environments {
		folders, err := foldersOf(ctx, r.source, p.ID, e.Slug)
		if err != nil && !refused(err) { // what is refused is told when its turn comes
			return err
		}
		r.progress.Of += int64(len(folders)) + 1
		r.Report(r.progress)
	}
	return nil
}

// step tells that one more part is done.
func (r *run) step(what string) {
	r.progress.What, r.progress.Done = brief(what, 40), r.progress.Done+1
	r.Report(r.progress)
}

// note tells of something that is not carried over, or not as it was, without anything being wrong.
func (r *run) note(kind Kind, where, reason string) {
	r.Tell(Finding{kind, brief(where, 200), reason, true})
}

// fail tells that something could not be carried over, if that is all that the error says: then it returns nil.
func (r *run) fail(kind Kind, where string, err error) error {
	if !refused(err) {
		return err
	}
	r.failed(kind, where, err.Error())
	return nil
}

func (r *run) failed(kind Kind, where, reason string) {
	r.result[kind].Failed++
	r.Tell(Finding{kind, brief(where, 200), reason, false})
}

// thing is something of the source that the target is to have.
type thing struct {
	kind  Kind
	where string
	there bool   // the target has one of that name
	apart string // what of it differs, "" for nothing
	ours  bool   // it was begun by this import, so it may be finished

	make, change func() error // change may be nil: then it is left as it is
}

// settle makes what is missing, leaves what is equal, and changes what differs, where it may. It reports whether the
// target has the thing now, in whatever form, or would have it.
func (r *run) settle(t thing) (there bool, err error) {
	count := r.result[t.kind]
	done, do := &count.Made, t.make
	switch {
	case t.there && t.apart == "":
		count.Same++
		return true, nil
	case t.there && (!t.ours && !r.Overwrite || t.change == nil):
		count.Different++
		r.Tell(Finding{t.kind, brief(t.where, 200), "the target has it, but with another " + t.apart + "; it was left unchanged", false})
		return true, nil
	case t.there:
		done, do = &count.Changed, t.change
	}
	if !r.DryRun {
		err = do()
	}
	if err == nil {
		*done++
		return true, nil
	}
	return t.there, r.fail(t.kind, t.where, err)
}
