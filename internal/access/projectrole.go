package access

// ProjectRole returns the rules of a built-in project role, admin, member, viewer, no-access or cryptographic-operator,
// and whether the slug names one (docs/reference/secrets.md section 4.5).
func ProjectRole(slug string) ([]Rule, bool) {
	switch slug {
	case "admin":
		return project.everything(), true
	case "member":
		return projectMember(), true
	case "viewer":
		return projectViewer(), true
	case "no-access":
		return []Rule{}, true
	case "cryptographic-operator":
		return []Rule{allow(SubjectCMEK, Encrypt, Decrypt, Sign, Verify)}, true
	}
	return nil, false
}

func projectMember() []Rule {
	rules := []Rule{
		allow(SubjectSecrets, DescribeSecret, ReadValue, Create, Edit, Delete),
		allow(SubjectSecretFolders, crud()...),
		allow(SubjectSecretImports, crud()...),
		allow(SubjectDynamicSecrets, dynamicSecretActions()...),
		allow(SubjectCommits, Read, PerformRollback),
		allow(SubjectSecretRollback, Read, Create),
		allow(SubjectSecretApproval, Read),
		allow(SubjectSecretRotation, Read),
		allow(SubjectSecretSyncs, secretSyncActions()...),
		allow(SubjectSecretEventSubscriptions, subscriptionActions()...),
		allow(SubjectIdentity, crud()...),
		allow(SubjectMember, Read, Create),
		allow(SubjectGroups, Read),
		allow(SubjectRole, Read),
		allow(SubjectAuditLogs, Read),
		allow(SubjectIPAllowlist, Read),
		allow(SubjectCMEK, append(crud(), Encrypt, Decrypt, Sign, Verify)...),
		allow(SubjectAppConnections, ConnectAppConnections),
		allow(SubjectApprovalRequests, Create),
	}
	for _, s := range []Subject{
		SubjectIntegrations, SubjectWebhooks, SubjectServiceTokens, SubjectSettings, SubjectEnvironments, SubjectTags,
	} {
		rules = append(rules, allow(s, crud()...))
	}
	return rules
}

func projectViewer() []Rule {
	rules := []Rule{
		allow(SubjectSecrets, DescribeSecret, ReadValue),
		allow(SubjectDynamicSecrets, ReadRootCredential),
		allow(SubjectSecretEventSubscriptions, subscriptionActions()...),
	}
	for _, s := range []Subject{
		SubjectSecretFolders, SubjectSecretImports, SubjectSecretApproval, SubjectSecretRollback, SubjectSecretRotation,
		SubjectMember, SubjectGroups, SubjectRole, SubjectIntegrations, SubjectWebhooks, SubjectIdentity,
		SubjectServiceTokens, SubjectSettings, SubjectEnvironments, SubjectTags, SubjectAuditLogs, SubjectIPAllowlist,
		SubjectSecretSyncs, SubjectCMEK, SubjectCommits,
	} {
		rules = append(rules, allow(s, Read))
	}
	return rules
}
