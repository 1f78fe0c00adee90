package importer

// Left is something that no import can carry over, and why.
type Left struct{ What, Reason string }

// LeftBehind lists what stays at the source by the nature of things. What of it can be seen there is told as a Finding, too.
var LeftBehind = []Left{
	{"client secrets and access tokens", "servers keep no readable copy; create new ones for each identity, and distribute them with the new client ids"},
	{"users, their memberships and personal secrets", "only users know their passwords, and only they can read their overrides"},
	{"groups, single sign-on, service tokens", "this server does not have them"},
	{"old versions of secrets", "versions are numbered by the server that keeps them; the import carries the latest"},
	{"deleted environments", "an import does not see them; restore them first if you need them"},
	{"approval policies, dynamic secrets, rotations, syncs, webhooks, app connections", "this server does not have them; a rotated secret is imported with its current value"},
	{"audit logs", "they are evidence of the server that wrote them; export them there"},
}
