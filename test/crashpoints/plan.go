package crashpoints

import (
	"slices"

	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// Engine is a database engine.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Plan is how a server is brought to a point.
type Plan struct {
	Point   crashpoint.Point
	Engines []Engine
	Most    int                      // it dies at the n-th time it comes there, n from 1 to this
	drive   func(*host, Death) error // brings it there; the error says that nothing could be found out
}

// Death is one run: a server of an engine that dies when it comes to a point for the n-th time.
type Death struct {
	Plan   *Plan
	Engine Engine
	N      int
}

var (
	both  = []Engine{SQLite, Postgres}
	lite  = []Engine{SQLite}
	posts = []Engine{Postgres}
)

// Plans returns every way to die: each point at least once.
func Plans() []*Plan {
	return slices.Concat(
		plans((*host).dieWorking, both, 40, crashpoint.GroupBegin, crashpoint.GroupCommit, crashpoint.GroupCommitted,
			crashpoint.FeedAppend, crashpoint.FeedAppended, crashpoint.FeedSettle),
		plans((*host).dieWorking, both, 8, crashpoint.GroupBetween, crashpoint.Spend, crashpoint.Spent),
		plans((*host).dieWorking, both, 3, crashpoint.UsesFlush, crashpoint.UsesFlushed, crashpoint.NotesFlush, crashpoint.NotesFlushed,
			crashpoint.FeedPrune, crashpoint.FeedPruned),
		plans((*host).dieWorking, both, 6, crashpoint.SecretSpend, crashpoint.SecretSpent, crashpoint.LoginFail, crashpoint.LoginFailed),
		plans((*host).dieWorking, both, 3, crashpoint.SecretsFlush, crashpoint.SecretsFlushed, crashpoint.LoginsFlush, crashpoint.LoginsFlushed,
			crashpoint.SessionsFlush, crashpoint.SessionsFlushed),
		plans((*host).dieWorking, both, 10, crashpoint.Sweep, crashpoint.Swept),
		plans((*host).dieImporting, both, 24, crashpoint.ImportNote, crashpoint.ImportNoted, crashpoint.ImportSend, crashpoint.ImportSent),
		plans((*host).dieCleaning, both, 2, crashpoint.Clean, crashpoint.Cleaned),
		plans((*host).dieWorking, posts, 12, crashpoint.WriteCommit, crashpoint.WriteCommitted),
		plans((*host).dieWorking, posts, 3, crashpoint.Renew, crashpoint.Beaten, crashpoint.Renewed),
		plans((*host).dieWorking, posts, 1, crashpoint.Register, crashpoint.Registered, crashpoint.Strike, crashpoint.Struck),
		plans((*host).dieEnding, posts, 1, crashpoint.SignOff),
		plans((*host).dieNew, both, 10, crashpoint.Migrated),
		plans((*host).dieNew, both, 1, crashpoint.RootKeyWritten, crashpoint.RootKeyPlaced, crashpoint.FirstKey, crashpoint.FirstKeyMade,
			crashpoint.BootstrapCommit, crashpoint.Bootstrapped),
		plans((*host).dieRotating, both, 3, crashpoint.RotationBegun, crashpoint.RotationDrop, crashpoint.RotationDropped),
		plans((*host).dieRotating, both, 6, crashpoint.RotationStep),
		plans((*host).dieRotating, both, 1, crashpoint.RootComing),
		plans((*host).dieRotating, lite, 1, crashpoint.RootTidy),
		plans((*host).dieRotating, lite, 2, crashpoint.RootKeyWritten, crashpoint.RootKeyPlaced),
		plans((*host).dieBackingUp, lite, 1, crashpoint.BackupWritten, crashpoint.BackupSynced, crashpoint.BackupRenamed),
		plans((*host).dieSavingRevocations, both, 1, crashpoint.BackupWritten, crashpoint.BackupSynced, crashpoint.BackupRenamed),
		plans((*host).dieRecovering, lite, 4, crashpoint.GroupBegin, crashpoint.GroupCommit, crashpoint.GroupCommitted),
		plans((*host).dieRecovering, posts, 3, crashpoint.WriteCommit, crashpoint.WriteCommitted),
		plans((*host).dieRestoring, lite, 1, crashpoint.RestoreCopied, crashpoint.RestorePlace, crashpoint.RestorePlaced),
	)
}

func plans(drive func(*host, Death) error, engines []Engine, most int, points ...crashpoint.Point) (made []*Plan) {
	for _, p := range points {
		made = append(made, &Plan{p, engines, most, drive})
	}
	return made
}
