package cli

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/sallyport/sallyport/internal/cli/remote"
	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type bootstrapCmd struct {
	Domain       string `default:"http://127.0.0.1:8080" env:"SALLYPORT_URL,SALLYPORT_DOMAIN" help:"Base URL of the server."`
	Email        string `required:"" env:"SALLYPORT_ADMIN_EMAIL" help:"E-mail address of the first user."`
	Password     string `required:"" env:"SALLYPORT_ADMIN_PASSWORD" help:"Password of the first user. Set it in the environment, because others can see flags."`
	Organization string `required:"" env:"SALLYPORT_ADMIN_ORGANIZATION" help:"Name of the first organization."`
	SetupCode    string `env:"SALLYPORT_ADMIN_SETUP_CODE" help:"The code that the log of the empty server shows. Only a server on another machine asks for it."`
	CACert       string `name:"ca-cert" env:"SALLYPORT_CA_CERT" type:"path" placeholder:"FILE" help:"PEM file with certificates to trust, in addition to those of the system."`
}

// Run sets up the server and prints its answer, with the token of the first identity.
func (c *bootstrapCmd) Run(con *terminal.Console) error {
	client, err := remote.NewClient(c.CACert)
	if err != nil {
		return err
	}
	setup, err := bootstrap(con.Ctx, remote.Caller{BaseURL: c.Domain, Client: client}, c.Email, c.Password, c.Organization, c.SetupCode)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(con.Out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(setup)
}

// setup is the answer to a bootstrap.
type setup struct {
	Message string `json:"message"`
	User    struct {
		ID    string `json:"id"`
		Email string `json:"email"`
	} `json:"user"`
	Organization struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Slug string `json:"slug"`
	} `json:"organization"`
	Identity struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		Credentials struct {
			Token string `json:"token"`
		} `json:"credentials"`
	} `json:"identity"`
}

func bootstrap(ctx context.Context, server remote.Caller, email, password, organization, code string) (*setup, error) {
	answer := &setup{}
	err := server.Post(ctx, "/api/v1/admin/bootstrap",
		map[string]string{"email": email, "password": password, "organization": organization, "setupCode": code}, answer)
	return answer, err
}

// isSetUp reports whether a bootstrap was refused because the instance has had one
// (docs/reference/identity.md section 8.1).
func isSetUp(err error) bool {
	var refused *remote.Refusal
	return errors.As(err, &refused) && refused.Name == "Instance initialization"
}
