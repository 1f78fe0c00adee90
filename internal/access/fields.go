package access

// Fields are the attributes of the one thing that is acted on, as conditions of rules see them. Give all that the
// thing has. Without fields a check asks about the sort of thing: is there any that the actor may act on?
type Fields []Field

// Field is one attribute, made by the function of its name. The zero Field is not valid.
type Field struct {
	key   key
	text  string
	list  []string
	pairs []Pair
}

// Pair is one entry of the metadata of a thing.
type Pair struct{ Key, Value string }

// IdentityID is the id of an identity.
func IdentityID(id string) Field { return Field{key: keyIdentityID, text: id} }

// AssignableRole is the slug of the role that is handed out.
func AssignableRole(slug string) Field { return Field{key: keyAssignableRole, text: slug} }

// ConnectionID is the id of an app connection.
func ConnectionID(id string) Field { return Field{key: keyConnectionID, text: id} }

// Environment is the slug of an environment.
func Environment(slug string) Field { return Field{key: keyEnvironment, text: slug} }

// SecretPath is the full path of a folder, with a leading slash and none at the end; the root is "/".
func SecretPath(path string) Field { return Field{key: keySecretPath, text: path} }

// SecretName is the key of a secret.
func SecretName(name string) Field { return Field{key: keySecretName, text: name} }

// SecretTags are the slugs of the tags of a secret.
func SecretTags(slugs []string) Field { return Field{key: keySecretTags, list: slugs} }

// Metadata is the metadata of a thing.
func Metadata(pairs []Pair) Field { return Field{key: keyMetadata, pairs: pairs} }

// key numbers the attributes, so that a check finds them by index.
type key uint8

const (
	keyIdentityID key = iota
	keyAssignableRole
	keyConnectionID
	keyEnvironment
	keySecretPath
	keySecretName
	keySecretTags
	keyMetadata
	keyCount
)

// keyNames are the names of the attributes in the conditions of rules.
var keyNames = [keyCount]string{
	"identityId", "assignableRole", "connectionId", "environment", "secretPath", "secretName", "secretTags", "metadata",
}

// keyNamed returns the attribute of a name.
func keyNamed(name string) (key, bool) {
	for i, n := range keyNames {
		if n == name {
			return key(i), true
		}
	}
	return 0, false
}

// maxValue is the longest attribute, in bytes, that a check looks at; it bounds the time of matching.
const maxValue = 2048

// attributes are Fields by key; nil where the thing has none.
type attributes [keyCount]*Field

// place returns the fields by key, and false if one is longer than maxValue.
func (f Fields) place() (at attributes, ok bool) {
	for i := range f {
		if !f[i].bounded() {
			return at, false
		}
		at[f[i].key] = &f[i]
	}
	return at, true
}

func (f *Field) bounded() bool {
	for _, s := range f.list {
		if len(s) > maxValue {
			return false
		}
	}
	for _, p := range f.pairs {
		if len(p.Key) > maxValue || len(p.Value) > maxValue {
			return false
		}
	}
	return len(f.text) <= maxValue
}
