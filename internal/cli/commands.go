//go:build !windows

package cli

// serverCommands are those that need a server's own code and a system that it runs on.
type serverCommands struct {
	Serve       serveCmd       `cmd:"" group:"Running a server" help:"Run the server."`
	Dev         devCmd         `cmd:"" group:"Running a server" help:"Run the server for this machine only, set up and ready to try."`
	Healthcheck healthcheckCmd `cmd:"" group:"Running a server" help:"Ask the server of this machine or container whether it lives. For health checks of containers."`
	Backup      backupCmd      `cmd:"" group:"Running a server" help:"Back up the embedded database while the server runs, or save the revocations of a database that you give up."`
	Restore     restoreCmd     `cmd:"" group:"Running a server" help:"Restore a backup so that it is safe to serve: everything that was revoked since stays revoked."`
	Doctor      doctorCmd      `cmd:"" group:"Running a server" help:"Check an installation for problems, and say how to fix them. Without --repair it changes nothing."`
	Recover     recoverCmd     `cmd:"" group:"Running a server" help:"Make a database that was restored from a backup safe to serve. Revokes every token, and prints a new one for the administrator."`
	Import      importCmd      `cmd:"" group:"Running a server" help:"Copy the data of another server to this one."`
	Migrate     migrateCmd     `cmd:"" group:"Running a server" help:"Move everything from SQLite to an empty PostgreSQL database, for more than one server."`
}
