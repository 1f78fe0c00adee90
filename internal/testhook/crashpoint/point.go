// Package crashpoint names the places around every durable step of the program, so that a test can end the process at each
// of them as a power cut would. It does not decide what must hold afterwards: test/crashpoints does.
package crashpoint

// Point is a place in the program.
type Point string

// Transactions: of what waits together, and on PostgreSQL also of their own.
const (
	GroupBegin     Point = "group-begin"     // a group's transaction is about to begin
	GroupBetween   Point = "group-between"   // one function of a group is done, the next one comes
	GroupCommit    Point = "group-commit"    // a group is about to be committed
	GroupCommitted Point = "group-committed" // it is, and nobody has been told
	WriteCommit    Point = "write-commit"    // a transaction of its own is about to be committed (PostgreSQL)
	WriteCommitted Point = "write-committed" // it is, and its caller has not been told (PostgreSQL)
	Migrated       Point = "migrated"        // one step of the schema is done
)

// The log of changes, and on PostgreSQL the register of replicas.
const (
	FeedAppend   Point = "feed-append"   // a change is made, its entries are not in the log
	FeedAppended Point = "feed-appended" // they are, and are not committed
	FeedSettle   Point = "feed-settle"   // they are committed, and other replicas may not know them
	FeedPrune    Point = "feed-prune"    // old entries are about to be deleted
	FeedPruned   Point = "feed-pruned"   // they are deleted
	Register     Point = "register"      // the replica is about to be registered (PostgreSQL)
	Registered   Point = "registered"    // it is, and has read nothing (PostgreSQL)
	Renew        Point = "renew"         // the lease is about to be renewed (PostgreSQL)
	Beaten       Point = "beaten"        // the beat is committed, the log not read (PostgreSQL)
	Renewed      Point = "renewed"       // the lease is renewed, and not reported (PostgreSQL)
	Strike       Point = "strike"        // a silent replica is about to be struck off (PostgreSQL)
	Struck       Point = "struck"        // it is struck off (PostgreSQL)
	SignOff      Point = "sign-off"      // this replica is about to leave the register (PostgreSQL)
)

// Tokens, and what is noted of them.
const (
	Spend        Point = "spend"         // a use is about to be spent
	Spent        Point = "spent"         // it is, and the request does not go on yet
	UsesFlush    Point = "uses-flush"    // uses were taken from memory and are not written
	UsesFlushed  Point = "uses-flushed"  // some are written
	NotesFlush   Point = "notes-flush"   // audit events were taken from memory and are not written
	NotesFlushed Point = "notes-flushed" // they are written
	Clean        Point = "clean"         // expired tokens are about to be deleted
	Cleaned      Point = "cleaned"       // they are deleted
)

// Logins: of clients with a secret, of callers who fail, of users.
const (
	SecretSpend     Point = "secret-spend"     // a use of a client secret is about to be spent
	SecretSpent     Point = "secret-spent"     // it is, and there is no token yet
	SecretsFlush    Point = "secrets-flush"    // uses of client secrets were taken from memory and are not written
	SecretsFlushed  Point = "secrets-flushed"  // some are written
	LoginFail       Point = "login-fail"       // a failed login is about to be counted
	LoginFailed     Point = "login-failed"     // it is, and the caller has not been told
	LoginsFlush     Point = "logins-flush"     // who logged in was taken from memory and is not written
	LoginsFlushed   Point = "logins-flushed"   // it is written
	SessionsFlush   Point = "sessions-flush"   // uses of sessions were taken from memory and are not written
	SessionsFlushed Point = "sessions-flushed" // some are written
)

// Cleaning up, of every kind.
const (
	Sweep Point = "sweep" // some of what is not needed any more is about to be deleted
	Swept Point = "swept" // it is deleted
)

// The import from another server.
const (
	ImportNote  Point = "import-note"  // a line of the journal is about to be written
	ImportNoted Point = "import-noted" // it is on the disk
	ImportSend  Point = "import-send"  // a change is about to be asked of the target
	ImportSent  Point = "import-sent"  // the target has made it, and the import has not noted that
)

// The first start.
const (
	RootKeyWritten  Point = "root-key-written" // a file of root keys is whole, under another name
	RootKeyPlaced   Point = "root-key-placed"  // it has its name, its folder is not synced
	FirstKey        Point = "first-key"        // the first signing key is about to be made
	FirstKeyMade    Point = "first-key-made"   // it is made
	BootstrapCommit Point = "bootstrap-commit" // the instance is set up and not committed
	Bootstrapped    Point = "bootstrapped"     // it is committed, and the caller has no token yet
)

// The rotation of keys.
const (
	RotationBegun   Point = "rotation-begun"   // a new key seals
	RotationStep    Point = "rotation-step"    // some of what the old key sealed is sealed again
	RotationDrop    Point = "rotation-drop"    // nothing refers to the old key any more, but it is there
	RotationDropped Point = "rotation-dropped" // it is gone
	RootComing      Point = "root-coming"      // the database says that a root key is coming
	RootTidy        Point = "root-tidy"        // the file of root keys is about to lose the old one (SQLite)
)

// Files that commands write.
const (
	BackupWritten Point = "backup-written" // a backup or a log of revocations is written under another name
	BackupSynced  Point = "backup-synced"  // it is on the disk
	BackupRenamed Point = "backup-renamed" // it has its name, its folder is not synced
	RestoreCopied Point = "restore-copied" // a backup was copied to a folder of its own (SQLite)
	RestorePlace  Point = "restore-place"  // it is safe to serve, and not in its place (SQLite)
	RestorePlaced Point = "restore-placed" // it is in its place, and the folder is not synced (SQLite)
)

// All returns every point.
func All() []Point {
	return []Point{
		GroupBegin, GroupBetween, GroupCommit, GroupCommitted, WriteCommit, WriteCommitted, Migrated, FeedAppend,
		FeedAppended, FeedSettle, FeedPrune, FeedPruned, Register, Registered, Renew, Beaten, Renewed, Strike, Struck,
		SignOff, Spend, Spent, UsesFlush, UsesFlushed, NotesFlush, NotesFlushed, Clean, Cleaned, RootKeyWritten,
		RootKeyPlaced, FirstKey, FirstKeyMade, BootstrapCommit, Bootstrapped, RotationBegun, RotationStep, RotationDrop,
		RotationDropped, RootComing, RootTidy, BackupWritten, BackupSynced, BackupRenamed, RestoreCopied, RestorePlace,
		RestorePlaced, SecretSpend, SecretSpent, SecretsFlush, SecretsFlushed, LoginFail, LoginFailed, LoginsFlush,
		LoginsFlushed, SessionsFlush, SessionsFlushed, Sweep, Swept, ImportNote, ImportNoted, ImportSend, ImportSent,
	}
}
