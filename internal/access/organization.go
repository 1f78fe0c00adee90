package access

// The subjects of an organization (docs/reference/identity.md section 7.1). Some are subjects of a project too.
const (
	SubjectWorkspace           Subject = "workspace"
	SubjectProject             Subject = "project"
	SubjectRole                Subject = "role"
	SubjectMember              Subject = "member"
	SubjectSettings            Subject = "settings"
	SubjectIncidentContact     Subject = "incident-contact"
	SubjectSSO                 Subject = "sso"
	SubjectSCIM                Subject = "scim"
	SubjectGitHubOrgSync       Subject = "github-org-sync"
	SubjectGitHubOrgSyncManual Subject = "github-org-sync-manual"
	SubjectLDAP                Subject = "ldap"
	SubjectSecretScanning      Subject = "secret-scanning"
	SubjectKMS                 Subject = "kms"
	SubjectProjectTemplates    Subject = "project-templates"
	SubjectIdentity            Subject = "identity"
	SubjectGroups              Subject = "groups"
	SubjectSubOrganization     Subject = "sub-organization"
	SubjectBilling             Subject = "billing"
	SubjectAuditLogs           Subject = "audit-logs"
	SubjectAppConnections      Subject = "app-connections"
	SubjectAdminConsole        Subject = "organization-admin-console"
	SubjectAuthTemplate        Subject = "machine-identity-auth-template"
	SubjectKMIP                Subject = "kmip"
	SubjectGateway             Subject = "gateway"
	SubjectRelay               Subject = "relay"
	SubjectSecretShare         Subject = "secret-share"
)

// The actions of an organization (docs/reference/identity.md section 7.1). Some are actions of a project too.
const (
	Read   Action = "read"
	Create Action = "create"
	Edit   Action = "edit"
	Delete Action = "delete"

	EditAuth         Action = "edit-auth"
	GrantPrivileges  Action = "grant-privileges"
	RevokeAuth       Action = "revoke-auth"
	CreateToken      Action = "create-token"
	GetToken         Action = "get-token"
	DeleteToken      Action = "delete-token"
	AddIdentities    Action = "add-identities"
	AddMembers       Action = "add-members"
	RemoveMembers    Action = "remove-members"
	RemoveIdentities Action = "remove-identities"

	DirectAccess      Action = "direct-access"
	LinkGroup         Action = "link-group"
	ManageBilling     Action = "manage-billing"
	Connect           Action = "connect"
	AccessAllProjects Action = "access-all-projects"
	Proxy             Action = "proxy"
	ManageSettings    Action = "manage-settings"

	ListTemplates   Action = "list-templates"
	EditTemplates   Action = "edit-templates"
	CreateTemplates Action = "create-templates"
	DeleteTemplates Action = "delete-templates"
	UnlinkTemplates Action = "unlink-templates"
	AttachTemplates Action = "attach-templates"

	CreateGateways Action = "create-gateways"
	ListGateways   Action = "list-gateways"
	EditGateways   Action = "edit-gateways"
	DeleteGateways Action = "delete-gateways"
	AttachGateways Action = "attach-gateways"

	CreateRelays Action = "create-relays"
	ListRelays   Action = "list-relays"
	EditRelays   Action = "edit-relays"
	DeleteRelays Action = "delete-relays"
)

// organization is the vocabulary of docs/reference/identity.md section 7.1.
var organization = newVocabulary([]words{
	{subject: SubjectWorkspace, actions: []Action{Create}},
	{subject: SubjectProject, actions: []Action{Create}},
	{subject: SubjectRole, actions: crud()},
	{subject: SubjectMember, actions: crud()},
	{subject: SubjectSettings, actions: crud()},
	{subject: SubjectIncidentContact, actions: crud()},
	{subject: SubjectSSO, actions: crud()},
	{subject: SubjectSCIM, actions: crud()},
	{subject: SubjectGitHubOrgSync, actions: crud()},
	{subject: SubjectGitHubOrgSyncManual, actions: crud()},
	{subject: SubjectLDAP, actions: crud()},
	{subject: SubjectSecretScanning, actions: crud()},
	{subject: SubjectKMS, actions: crud()},
	{subject: SubjectProjectTemplates, actions: crud()},
	{subject: SubjectIdentity, actions: append(crud(),
		EditAuth, GrantPrivileges, RevokeAuth, CreateToken, GetToken, DeleteToken)},
	{subject: SubjectGroups, actions: append(crud(),
		GrantPrivileges, AddIdentities, AddMembers, RemoveMembers, RemoveIdentities)},
	{subject: SubjectSubOrganization, actions: []Action{Create, DirectAccess, LinkGroup}},
	{subject: SubjectBilling, actions: []Action{Read, ManageBilling}},
	{subject: SubjectAuditLogs, actions: []Action{Read}},
	{subject: SubjectAppConnections, actions: append(crud(), Connect), keys: map[key]operator{keyConnectionID: plain}},
	{subject: SubjectAdminConsole, actions: []Action{AccessAllProjects}},
	{subject: SubjectAuthTemplate, actions: []Action{
		ListTemplates, EditTemplates, CreateTemplates, DeleteTemplates, UnlinkTemplates, AttachTemplates}},
	{subject: SubjectKMIP, actions: []Action{Proxy}},
	{subject: SubjectGateway, actions: []Action{CreateGateways, ListGateways, EditGateways, DeleteGateways, AttachGateways}},
	{subject: SubjectRelay, actions: []Action{CreateRelays, ListRelays, EditRelays, DeleteRelays}},
	{subject: SubjectSecretShare, actions: []Action{ManageSettings}},
})

// OrgRole returns the rules of a built-in organization role, admin, member or no-access, and whether the slug names one
// (docs/reference/identity.md section 7.2).
func OrgRole(slug string) ([]Rule, bool) {
	switch slug {
	case "admin":
		return organization.everything(), true
	case "member":
		return orgMember(), true
	case "no-access":
		return []Rule{}, true
	}
	return nil, false
}

func orgMember() []Rule {
	return []Rule{
		allow(SubjectWorkspace, Create),
		allow(SubjectProject, Create),
		allow(SubjectIdentity, crud()...),
		allow(SubjectMember, Read),
		allow(SubjectGroups, Read),
		allow(SubjectRole, Read),
		allow(SubjectSettings, Read),
		allow(SubjectBilling, Read),
		allow(SubjectIncidentContact, Read),
		allow(SubjectAuditLogs, Read),
		allow(SubjectSecretScanning, crud()...),
		allow(SubjectAppConnections, Connect),
		allow(SubjectGateway, ListGateways, CreateGateways, AttachGateways),
		allow(SubjectRelay, ListRelays, CreateRelays, EditRelays),
		allow(SubjectAuthTemplate, ListTemplates, UnlinkTemplates, AttachTemplates),
	}
}
