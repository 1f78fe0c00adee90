package clients

import (
	"errors"
	"testing"

	infisical "github.com/infisical/go-sdk"
	sdkerrors "github.com/infisical/go-sdk/packages/errors"
)

// TestGoSDK walks through what a service does with the Go SDK, which External Secrets embeds too.
func TestGoSDK(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		sdk := infisical.NewInfisicalClient(t.Context(), infisical.Config{SiteUrl: s.URL, SilentMode: true, AutoTokenRefresh: infisical.BoolPtr(false)})
		login, err := sdk.Auth().UniversalAuthLogin(s.clientID, s.secret)
		if err != nil {
			t.Fatal(err)
		}
		if login.AccessToken == "" || login.ExpiresIn <= 0 || login.TokenType != "Bearer" {
			t.Errorf("the login gave %+v", login)
		}
		goSecrets(t, s, sdk.Secrets())
		goFolders(t, s, sdk.Folders())

		s.revokeSecret(t)
		refused(t, "after the client secret was revoked", func() error {
			_, err := sdk.Secrets().Retrieve(infisical.RetrieveSecretOptions{ProjectID: s.projectID, Environment: "dev", SecretKey: "DB"})
			return err
		})
		refused(t, "and so is a new login", func() error { _, err := sdk.Auth().UniversalAuthLogin(s.clientID, s.secret); return err })
	})
}

// TestGoSDKRevokesItsOwnToken: what External Secrets does when it is done.
func TestGoSDKRevokesItsOwnToken(t *testing.T) {
	onEach(t, func(t *testing.T, s *stage) {
		sdk := infisical.NewInfisicalClient(t.Context(), infisical.Config{SiteUrl: s.URL, SilentMode: true, AutoTokenRefresh: infisical.BoolPtr(false)})
		if _, err := sdk.Auth().UniversalAuthLogin(s.clientID, s.secret); err != nil {
			t.Fatal(err)
		}
		jwt := sdk.Auth().GetAccessToken()
		if err := sdk.Auth().RevokeAccessToken(); err != nil {
			t.Fatal(err)
		}
		s.As(jwt).Call(t, "GET", "/api/v1/identities/details", nil).WantError(401, "TokenError")
	})
}

// refused asks that the server answers 401.
func refused(t *testing.T, when string, call func() error) {
	t.Helper()
	answer := (*sdkerrors.APIError)(nil)
	if err := call(); !errors.As(err, &answer) || answer.StatusCode != 401 {
		t.Errorf("%s: got %v; want a 401", when, err)
	}
}

func goSecrets(t *testing.T, s *stage, secrets infisical.SecretsInterface) {
	t.Helper()
	_, err := secrets.Create(infisical.CreateSecretOptions{ProjectID: s.projectID, Environment: "dev", SecretKey: "DB",
		SecretValue: "postgres://$1", SecretComment: "the database"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = secrets.Batch().Create(infisical.BatchCreateSecretsOptions{ProjectID: s.projectID, Environment: "dev",
		Secrets: []infisical.BatchCreateSecret{{SecretKey: "A", SecretValue: "1"}, {SecretKey: "B", SecretValue: "${A}2"}}})
	if err != nil {
		t.Fatal(err)
	}
	first, err := secrets.ListSecrets(infisical.ListSecretsOptions{ProjectSlug: s.projectSlug, Environment: "dev", ExpandSecretReferences: true,
		IncludeImports: true, Recursive: true})
	if err != nil || len(first.Secrets) != 3 || first.Secrets[1].SecretValue != "12" {
		t.Fatalf("listed %+v, %v; want A, B with A in it, and DB", first, err)
	}
	updated, err := secrets.Update(infisical.UpdateSecretOptions{ProjectID: s.projectID, Environment: "dev", SecretKey: "DB", NewSecretValue: "changed"})
	if err != nil || updated.Version != 2 {
		t.Errorf("updated to %+v, %v; want version 2", updated, err)
	}
	for version, value := range map[int]string{0: "changed", 1: "postgres://$1"} {
		got, err := secrets.Retrieve(infisical.RetrieveSecretOptions{ProjectID: s.projectID, Environment: "dev", SecretKey: "DB", Version: version})
		if err != nil || got.SecretValue != value || got.SecretComment != "the database" {
			t.Errorf("version %d is %+v, %v; want %q", version, got, err, value)
		}
	}
	if _, err := secrets.Delete(infisical.DeleteSecretOptions{ProjectID: s.projectID, Environment: "dev", SecretKey: "A"}); err != nil {
		t.Error(err)
	}
	answer := (*sdkerrors.APIError)(nil)
	_, err = secrets.Retrieve(infisical.RetrieveSecretOptions{ProjectID: s.projectID, Environment: "dev", SecretKey: "A"})
	if !errors.As(err, &answer) || answer.StatusCode != 404 {
		t.Errorf("a deleted secret answers %v; want a 404", err)
	}
}

func goFolders(t *testing.T, s *stage, folders infisical.FoldersInterface) {
	t.Helper()
	made, err := folders.Create(infisical.CreateFolderOptions{ProjectID: s.projectID, Environment: "dev", Name: "backend", Path: "/"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = folders.Update(infisical.UpdateFolderOptions{ProjectID: s.projectID, Environment: "dev", FolderID: made.ID, NewName: "api", Path: "/"}); err != nil {
		t.Error(err)
	}
	found, err := folders.List(infisical.ListFoldersOptions{ProjectID: s.projectID, Environment: "dev", Path: "/"})
	if err != nil || len(found) != 1 || found[0].Name != "api" {
		t.Errorf("listed %+v, %v; want the folder api", found, err)
	}
	if _, err = folders.Delete(infisical.DeleteFolderOptions{ProjectID: s.projectID, Environment: "dev", FolderName: "api", Path: "/"}); err != nil {
		t.Error(err)
	}
}
