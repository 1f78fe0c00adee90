// Package client owns the commands of daily work: logins, identities, tokens, secrets and the rest. They speak HTTP to a server,
// as any other client does. It holds no rules of the features, and does not know how a server is run.
package client

// Commands is the part of the grammar that talks to a server.
type Commands struct {
	Login   loginCmd   `cmd:"" group:"Logging in" help:"Log in to a server, and remember the login as a context."`
	Logout  logoutCmd  `cmd:"" group:"Logging in" help:"Forget a login, and revoke its token if it was issued for this login."`
	Whoami  whoamiCmd  `cmd:"" group:"Logging in" help:"Show who you are at the server."`
	Context contextCmd `cmd:"" group:"Logging in" help:"List the servers that you logged in to, and choose one."`

	Identity     identityCmd     `cmd:"" group:"Identities and tokens" help:"Create, list, show, change and delete machine identities."`
	ClientSecret clientSecretCmd `cmd:"" group:"Identities and tokens" help:"Create, list and revoke the client secrets with which identities log in."`
	Token        tokenCmd        `cmd:"" group:"Identities and tokens" help:"Create, list, inspect, renew and revoke access tokens."`
}
