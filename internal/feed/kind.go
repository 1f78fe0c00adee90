package feed

import "strings"

// Kind tells what an entry is about, and what its key holds.
type Kind string

// The cut-offs and revocations: they are state, loaded at start, and remembered until every token that they could
// concern has expired. A cut-off kills the tokens whose born is below the entry's sequence number.
const (
	TokenRevoked  Kind = "token"          // Key(token id, identity id), or Key(session id, user id): UUIDs, and nothing else
	CutIdentity   Kind = "cut-identity"   // identity or user id
	CutMethod     Kind = "cut-method"     // Key(identity id, method)
	CutSecret     Kind = "cut-secret"     // client secret id
	CutMembership Kind = "cut-membership" // Key(identity id, organization id)
	CutOrg        Kind = "cut-org"        // organization id
	CutInstance   Kind = "cut-instance"   // empty
)

// The evictions: a fact that replicas cache was changed, and must be read anew.
const (
	Grants      Kind = "grants"       // Key(actor id, organization or project id): what an identity or user may do there
	Roles       Kind = "roles"        // organization or project id: the rules of one of its roles
	Config      Kind = "config"       // Key(identity id, method): a login method's configuration
	IdentityRow Kind = "identity"     // identity id
	UserRow     Kind = "user"         // user id
	OrgRow      Kind = "org"          // organization id
	SigningKeys Kind = "signing-keys" // empty
	Project     Kind = "project"      // project id: its row, or its environments, folders or tags
	ProjectSlug Kind = "project-slug" // Key(organization id, slug): which project has the slug
	ProjectKey  Kind = "project-key"  // project id: its data key was rotated, or is gone
	Secrets     Kind = "secrets"      // Key(environment id, path): a secret of the folder there
	RootKey     Kind = "root-key"     // fingerprint: which root keys servers must have, or which of them seals, changed
)

// Key joins the parts of an entry's key. Parts are ids, slugs and paths of folders: they hold no space.
func Key(parts ...string) string { return strings.Join(parts, " ") }

// Cut splits a key of two parts.
func Cut(key string) (first, second string) {
	first, second, _ = strings.Cut(key, " ")
	return first, second
}
