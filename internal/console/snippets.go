package console

import "fmt"

// snippets returns how to use a credential: each works when it is pasted as it is.
func snippets(c credential) []snippet {
	if c.Method == "token-auth" {
		return tokenSnippets(c.URL, c.Token)
	}
	return clientSnippets(c.URL, c.ClientID, c.Secret)
}

func tokenSnippets(url, token string) []snippet {
	return []snippet{
		{"curl", "curl", fmt.Sprintf("curl -s %s/api/v1/identities/details \\\n  -H \"Authorization: Bearer %s\"", url, token)},
		{"cli", "CLI", fmt.Sprintf("export INFISICAL_API_URL=%s/api\nexport INFISICAL_TOKEN=%s\ninfisical secrets --projectId=PROJECT_ID --env=dev", url, token)},
		{"go", "Go", fmt.Sprintf("client := infisical.NewInfisicalClient(ctx, infisical.Config{SiteUrl: %q})\nclient.Auth().SetAccessToken(%q)\nsecrets, err := client.Secrets().List(infisical.ListSecretsOptions{\n\tProjectID: \"PROJECT_ID\", Environment: \"dev\", SecretPath: \"/\",\n})", url, token)},
		{"node", "Node", fmt.Sprintf("const client = new InfisicalSDK({ siteUrl: %q });\nclient.auth().accessToken(%q);\nconst { secrets } = await client.secrets().listSecrets({\n  projectId: \"PROJECT_ID\", environment: \"dev\",\n});", url, token)},
		{"python", "Python", fmt.Sprintf("import json, urllib.request\n\nrequest = urllib.request.Request(\n    %q,\n    headers={\"Authorization\": \"Bearer %s\"})\nprint(json.load(urllib.request.urlopen(request)))", url+"/api/v1/identities/details", token)},
	}
}

func clientSnippets(url, clientID, secret string) []snippet {
	return []snippet{
		{"curl", "curl", fmt.Sprintf("curl -s -X POST %s/api/v1/auth/universal-auth/login \\\n  -H 'Content-Type: application/json' \\\n  -d '{\"clientId\":\"%s\",\"clientSecret\":\"%s\"}'", url, clientID, secret)},
		{"cli", "CLI", fmt.Sprintf("export INFISICAL_API_URL=%s/api\nexport INFISICAL_TOKEN=$(infisical login --method=universal-auth \\\n  --client-id=%s --client-secret=%s --plain --silent)\ninfisical secrets --projectId=PROJECT_ID --env=dev", url, clientID, secret)},
		{"terraform", "Terraform", fmt.Sprintf("provider \"infisical\" {\n  host = %q\n  auth = {\n    universal = {\n      client_id     = %q\n      client_secret = var.infisical_client_secret\n    }\n  }\n}", url, clientID)},
		{"eso", "External Secrets", fmt.Sprintf("apiVersion: external-secrets.io/v1\nkind: SecretStore\nmetadata:\n  name: sallyport\nspec:\n  provider:\n    infisical:\n      hostAPI: %s\n      auth:\n        universalAuthCredentials:\n          clientId: {name: sallyport, key: clientId}\n          clientSecret: {name: sallyport, key: clientSecret}\n      secretsScope:\n        projectSlug: PROJECT\n        environmentSlug: dev", url)},
	}
}
