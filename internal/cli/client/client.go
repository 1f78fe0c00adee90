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

	Secret   secretCmd   `cmd:"" group:"Secrets" help:"Read, write, list, compare, export and import secrets."`
	Run      runCmd      `cmd:"" group:"Secrets" help:"Run a command with the secrets of a folder in its environment."`
	Template templateCmd `cmd:"" group:"Secrets" help:"Fill secrets into a template file."`

	Project projectCmd `cmd:"" group:"Access and administration" help:"Create, list and delete projects, environments and folders."`
	Member  memberCmd  `cmd:"" group:"Access and administration" help:"List, add and remove the members of a project, and set their roles."`
	Role    roleCmd    `cmd:"" group:"Access and administration" help:"List, show, create and delete roles."`
	Audit   auditCmd   `cmd:"" group:"Access and administration" help:"List audit events, or print them as they happen."`
	Org     orgCmd     `cmd:"" group:"Access and administration" help:"List organizations, and revoke every token of yours."`
	Server  serverCmd  `cmd:"" group:"Access and administration" help:"Show whether a server can work, and its replicas."`
}
