package access

// The subjects that only a project has (docs/reference/secrets.md section 4.4).
const (
	SubjectSecrets                  Subject = "secrets"
	SubjectSecretFolders            Subject = "secret-folders"
	SubjectSecretImports            Subject = "secret-imports"
	SubjectDynamicSecrets           Subject = "dynamic-secrets"
	SubjectSecretRotation           Subject = "secret-rotation"
	SubjectSecretRollback           Subject = "secret-rollback"
	SubjectCommits                  Subject = "commits"
	SubjectSecretApproval           Subject = "secret-approval"
	SubjectSecretApprovalRequest    Subject = "secret-approval-request"
	SubjectSecretSyncs              Subject = "secret-syncs"
	SubjectSecretEventSubscriptions Subject = "secret-event-subscriptions"
	SubjectEnvironments             Subject = "environments"
	SubjectTags                     Subject = "tags"
	SubjectIPAllowlist              Subject = "ip-allowlist"
	SubjectServiceTokens            Subject = "service-tokens"
	SubjectIntegrations             Subject = "integrations"
	SubjectWebhooks                 Subject = "webhooks"
	SubjectCMEK                     Subject = "cmek"
	SubjectApprovalRequests         Subject = "approval-requests"
)

// The actions that only a project has (docs/reference/secrets.md section 4.4). On secrets, Read in a rule stands for
// DescribeSecret and ReadValue; a check asks for one of those two.
const (
	DescribeSecret Action = "describeSecret"
	ReadValue      Action = "readValue"

	ReadRootCredential   Action = "read-root-credential"
	CreateRootCredential Action = "create-root-credential"
	EditRootCredential   Action = "edit-root-credential"
	DeleteRootCredential Action = "delete-root-credential"
	Lease                Action = "lease"

	ReadGeneratedCredentials Action = "read-generated-credentials"
	RotateSecrets            Action = "rotate-secrets"
	PerformRollback          Action = "perform-rollback"
	AllowChangeBypass        Action = "allow-change-bypass"
	AllowAccessBypass        Action = "allow-access-bypass"
	SyncSecrets              Action = "sync-secrets"
	ImportSecrets            Action = "import-secrets"
	RemoveSecrets            Action = "remove-secrets"

	SubscribeToCreation       Action = "subscribe-to-creation-events"
	SubscribeToUpdate         Action = "subscribe-to-update-events"
	SubscribeToDeletion       Action = "subscribe-to-deletion-events"
	SubscribeToImportMutation Action = "subscribe-to-import-mutation-events"

	AssignRole                 Action = "assign-role"
	AssignAdditionalPrivileges Action = "assign-additional-privileges"
	AssumePrivileges           Action = "assume-privileges"

	Encrypt          Action = "encrypt"
	Decrypt          Action = "decrypt"
	Sign             Action = "sign"
	Verify           Action = "verify"
	ExportPrivateKey Action = "export-private-key"

	CreateClients             Action = "create-clients"
	UpdateClients             Action = "update-clients"
	DeleteClients             Action = "delete-clients"
	ReadClients               Action = "read-clients"
	GenerateClientCertificate Action = "generate-client-certificates"

	ReadAppConnections    Action = "read-app-connections"
	CreateAppConnections  Action = "create-app-connections"
	EditAppConnections    Action = "edit-app-connections"
	DeleteAppConnections  Action = "delete-app-connections"
	ConnectAppConnections Action = "connect-app-connections"
	RotateCredentials     Action = "rotate-credentials"
)

// project is the vocabulary of docs/reference/secrets.md sections 4.2 and 4.4.
var project = newProjectVocabulary()

func newProjectVocabulary() *vocabulary {
	v := newVocabulary(append(secretWords(), projectWords()...))
	v.open = isOtherProduct
	return v
}

// secretWords are the subjects whose rules may depend on where a secret is.
func secretWords() []words {
	place := func(environment operator, more map[key]operator) map[key]operator {
		keys := map[key]operator{keyEnvironment: environment, keySecretPath: withGlob}
		for k, op := range more {
			keys[k] = op
		}
		return keys
	}
	return []words{
		{subject: SubjectSecrets, actions: []Action{Read, DescribeSecret, ReadValue, Create, Edit, Delete},
			keys:   place(withGlob, map[key]operator{keySecretName: withGlob, keySecretTags: opIn}),
			means:  map[Action][]Action{Read: {DescribeSecret, ReadValue}},
			widens: map[Action][]Action{DescribeSecret: {Read}, ReadValue: {Read}}},
		{subject: SubjectSecretFolders, actions: crud(), keys: place(plain, nil)},
		{subject: SubjectSecretImports, actions: crud(), keys: place(withGlob, nil)},
		{subject: SubjectDynamicSecrets, actions: dynamicSecretActions(),
			keys: place(withGlob, map[key]operator{keyMetadata: opElement})},
		{subject: SubjectSecretRotation, actions: append(crud(), ReadGeneratedCredentials, RotateSecrets),
			keys: place(plain, map[key]operator{keyConnectionID: plain})},
		{subject: SubjectSecretSyncs, actions: secretSyncActions(),
			keys: place(withGlob, map[key]operator{keyConnectionID: plain})},
		{subject: SubjectSecretEventSubscriptions, actions: subscriptionActions(), keys: place(withGlob, nil)},
	}
}

func projectWords() []words {
	member := append(crud(), GrantPrivileges, AssignRole, AssignAdditionalPrivileges, AssumePrivileges)
	grants := map[Action][]Action{AssignRole: {GrantPrivileges}, AssignAdditionalPrivileges: {GrantPrivileges}}
	return []words{
		{subject: SubjectSecretRollback, actions: []Action{Read, Create}},
		{subject: SubjectCommits, actions: []Action{Read, PerformRollback}},
		{subject: SubjectSecretApproval, actions: append(crud(), AllowChangeBypass, AllowAccessBypass)},
		{subject: SubjectSecretApprovalRequest, actions: []Action{Read}},
		{subject: SubjectWorkspace, actions: []Action{Edit, Delete}},
		{subject: SubjectRole, actions: crud()},
		{subject: SubjectSettings, actions: crud()},
		{subject: SubjectEnvironments, actions: crud()},
		{subject: SubjectTags, actions: crud()},
		{subject: SubjectIPAllowlist, actions: crud()},
		{subject: SubjectServiceTokens, actions: crud()},
		{subject: SubjectIntegrations, actions: crud()},
		{subject: SubjectWebhooks, actions: crud()},
		{subject: SubjectAuditLogs, actions: []Action{Read}},
		{subject: SubjectMember, actions: member, widens: grants},
		{subject: SubjectIdentity, actions: append(member[:len(member):len(member)],
			EditAuth, RevokeAuth, CreateToken, GetToken, DeleteToken),
			keys: map[key]operator{keyIdentityID: plain, keyAssignableRole: plain}, widens: grants},
		{subject: SubjectGroups, actions: append(crud(), GrantPrivileges, AssignRole), widens: grants},
		{subject: SubjectKMS, actions: []Action{Edit}},
		{subject: SubjectCMEK, actions: append(crud(), Encrypt, Decrypt, Sign, Verify, ExportPrivateKey)},
		{subject: SubjectKMIP, actions: []Action{
			CreateClients, UpdateClients, DeleteClients, ReadClients, GenerateClientCertificate}},
		{subject: SubjectAppConnections, actions: []Action{ReadAppConnections, CreateAppConnections,
			EditAppConnections, DeleteAppConnections, ConnectAppConnections, RotateCredentials},
			keys: map[key]operator{keyConnectionID: plain}},
	}
}

func dynamicSecretActions() []Action {
	return []Action{ReadRootCredential, CreateRootCredential, EditRootCredential, DeleteRootCredential, Lease}
}

func secretSyncActions() []Action {
	return append(crud(), SyncSecrets, ImportSecrets, RemoveSecrets)
}

func subscriptionActions() []Action {
	return []Action{SubscribeToCreation, SubscribeToUpdate, SubscribeToDeletion, SubscribeToImportMutation}
}

// CompileProject makes an Ability of the rules of a project; otherwise it is like Compile.
func CompileProject(rules []Rule) (*Ability, error) { return project.compile(rules) }
