package config

// Quotas says how much organizations, members and identities may store.
type Quotas struct {
	Projects         int64 `name:"quota-projects" default:"10000" within:"1,1000000000" env:"SALLYPORT_QUOTA_PROJECTS" help:"Most projects of an organization."`
	MemberProjects   int64 `name:"quota-member-projects" default:"1000" within:"1,1000000000" env:"SALLYPORT_QUOTA_MEMBER_PROJECTS" help:"Most projects that one identity or user has created, of those that exist."`
	Identities       int64 `name:"quota-identities" default:"100000" within:"1,1000000000" env:"SALLYPORT_QUOTA_IDENTITIES" help:"Most identities of an organization, those that its projects own included."`
	MemberIdentities int64 `name:"quota-member-identities" default:"10000" within:"1,1000000000" env:"SALLYPORT_QUOTA_MEMBER_IDENTITIES" help:"Most identities that one identity or user has created, of those that exist."`
	Members          int64 `name:"quota-members" default:"10000" within:"1,1000000000" env:"SALLYPORT_QUOTA_MEMBERS" help:"Most users of an organization, invited ones included."`
	Tokens           int64 `name:"quota-tokens" default:"100000" within:"1,1000000000" env:"SALLYPORT_QUOTA_TOKENS" help:"Most stored access tokens of one identity and login method: those of Token Auth, and those of logins with a use limit. A token is stored until a day after it has expired."`
	ClientSecrets    int64 `name:"quota-client-secrets" default:"10000" within:"1,1000000000" env:"SALLYPORT_QUOTA_CLIENT_SECRETS" help:"Most client secrets of one identity, those that ended within the last 90 days included."`
	SecretVersions   int64 `name:"quota-secret-versions" default:"1000" within:"1,1000000000" env:"SALLYPORT_QUOTA_SECRET_VERSIONS" help:"Most older versions of one secret; with one more the oldest goes."`
}
