package audit

// Type says what happened. No other package can make one, so every event is in the catalog. Clients filter by the names, so
// a type never changes its name.
type Type struct{ name string }

// String returns the name that the API shows, such as "create-identity".
func (t Type) String() string { return t.name }

// The types of events. catalog says what each tells.
var (
	BootstrapInstance           = Type{"bootstrap-instance"}
	RestoreRevocations          = Type{"restore-revocations"}
	RotateSigningKeys           = Type{"rotate-signing-keys"}
	RevokeAllTokens             = Type{"revoke-all-tokens"}
	RotateRootKey               = Type{"rotate-root-key"}
	DropRootKey                 = Type{"drop-root-key"}
	GrantUserInstanceAdmin      = Type{"grant-user-instance-admin"}
	RevokeUserInstanceAdmin     = Type{"revoke-user-instance-admin"}
	RevokeIdentityInstanceAdmin = Type{"revoke-identity-instance-admin"}
	DeleteUser                  = Type{"delete-user"}
	DeactivateUser              = Type{"deactivate-user"}
	ActivateUser                = Type{"activate-user"}

	CreateOrgRole         = Type{"create-org-role"}
	UpdateOrgRole         = Type{"update-org-role"}
	DeleteOrgRole         = Type{"delete-org-role"}
	RotateOrganizationKey = Type{"rotate-organization-key"}
	DropOrganizationKey   = Type{"drop-organization-key"}
	ViewAuditLogs         = Type{"view-audit-logs"}
	PermissionDenied      = Type{"permission-denied"}

	CreateIdentity              = Type{"create-identity"}
	UpdateIdentity              = Type{"update-identity"}
	DeleteIdentity              = Type{"delete-identity"}
	CreateIdentityOrgMembership = Type{"create-identity-org-membership"}
	UpdateIdentityOrgMembership = Type{"update-identity-org-membership"}
	DeleteIdentityOrgMembership = Type{"delete-identity-org-membership"}

	CreateTokenIdentityTokenAuth = Type{"create-token-identity-token-auth"}
	UpdateTokenIdentityTokenAuth = Type{"update-token-identity-token-auth"}
	RenewIdentityAccessToken     = Type{"renew-identity-access-token"}
	RevokeIdentityAccessToken    = Type{"revoke-identity-access-token"}
	RevokeIdentityAccessTokens   = Type{"revoke-identity-access-tokens"}

	CreateIdentityUniversalAuthClientSecret = Type{"create-identity-universal-auth-client-secret"}
	RevokeIdentityUniversalAuthClientSecret = Type{"revoke-identity-universal-auth-client-secret"}
	ClearIdentityUniversalAuthLockouts      = Type{"clear-identity-universal-auth-lockouts"}

	ChangeUserPassword      = Type{"change-user-password"}
	CreatePasswordResetLink = Type{"create-password-reset-link"}
	ResetUserPassword       = Type{"reset-user-password"}
	InviteUser              = Type{"invite-user"}
	AcceptInvitation        = Type{"accept-invitation"}
	UpdateUserOrgMembership = Type{"update-user-org-membership"}
	DeleteUserOrgMembership = Type{"delete-user-org-membership"}
	UserLogin               = Type{"user-login"}
	UserLoginFailed         = Type{"user-login-failed"}
	SelectOrganization      = Type{"select-organization"}
	RefreshUserSession      = Type{"refresh-user-session"}
	BeginUserSession        = Type{"begin-user-session"}
	RevokeUserSession       = Type{"revoke-user-session"}
	RevokeUserSessions      = Type{"revoke-user-sessions"}

	CreateProject                            = Type{"create-project"}
	UpdateProject                            = Type{"update-project"}
	DeleteProject                            = Type{"delete-project"}
	RotateProjectKey                         = Type{"rotate-project-key"}
	DropProjectKey                           = Type{"drop-project-key"}
	CreateProjectRole                        = Type{"create-project-role"}
	UpdateProjectRole                        = Type{"update-project-role"}
	DeleteProjectRole                        = Type{"delete-project-role"}
	AddWorkspaceMembers                      = Type{"add-workspace-members"}
	UpdateUserWorkspaceRole                  = Type{"update-user-workspace-role"}
	RemoveWorkspaceMember                    = Type{"remove-workspace-member"}
	CreateIdentityProjectMembership          = Type{"create-identity-project-membership"}
	UpdateIdentityProjectMembership          = Type{"update-identity-project-membership"}
	DeleteIdentityProjectMembership          = Type{"delete-identity-project-membership"}
	CreateIdentityProjectAdditionalPrivilege = Type{"create-identity-project-additional-privilege"}
	UpdateIdentityProjectAdditionalPrivilege = Type{"update-identity-project-additional-privilege"}
	DeleteIdentityProjectAdditionalPrivilege = Type{"delete-identity-project-additional-privilege"}
	CreateEnvironment                        = Type{"create-environment"}
	GetEnvironment                           = Type{"get-environment"}
	UpdateEnvironment                        = Type{"update-environment"}
	DeleteEnvironment                        = Type{"delete-environment"}
	RestoreEnvironment                       = Type{"restore-environment"}
	CreateFolder                             = Type{"create-folder"}
	UpdateFolder                             = Type{"update-folder"}
	DeleteFolder                             = Type{"delete-folder"}
	CreateSecretTag                          = Type{"create-secret-tag"}
	UpdateSecretTag                          = Type{"update-secret-tag"}
	DeleteSecretTag                          = Type{"delete-secret-tag"}

	GetSecret          = Type{"get-secret"}
	GetSecrets         = Type{"get-secrets"}
	CreateSecret       = Type{"create-secret"}
	UpdateSecret       = Type{"update-secret"}
	DeleteSecret       = Type{"delete-secret"}
	CreateSecrets      = Type{"create-secrets"}
	UpdateSecrets      = Type{"update-secrets"}
	DeleteSecrets      = Type{"delete-secrets"}
	MoveSecrets        = Type{"move-secrets"}
	CreateSecretImport = Type{"create-secret-import"}
	GetSecretImport    = Type{"get-secret-import"}
	GetSecretImports   = Type{"get-secret-imports"}
	UpdateSecretImport = Type{"update-secret-import"}
	DeleteSecretImport = Type{"delete-secret-import"}
)

// LoginIdentity is the type of a login by a method, such as "login-identity-oidc-auth".
func LoginIdentity(method string) Type { return Type{"login-identity-" + method} }

// LoginIdentityFailed is the type of a login by a method that was refused.
func LoginIdentityFailed(method string) Type { return Type{"login-identity-" + method + "-failed"} }

// AddIdentityAuth is the type of adding a login method to an identity.
func AddIdentityAuth(method string) Type { return Type{"add-identity-" + method} }

// UpdateIdentityAuth is the type of changing a login method of an identity.
func UpdateIdentityAuth(method string) Type { return Type{"update-identity-" + method} }

// RevokeIdentityAuth is the type of taking a login method from an identity.
func RevokeIdentityAuth(method string) Type { return Type{"revoke-identity-" + method} }
