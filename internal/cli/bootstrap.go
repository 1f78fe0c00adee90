package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

type bootstrapCmd struct {
	Domain       string `default:"http://127.0.0.1:8080" env:"SALLYPORT_DOMAIN" help:"Base URL of the server."`
	Email        string `required:"" env:"SALLYPORT_ADMIN_EMAIL" help:"E-mail address of the first user."`
	Password     string `required:"" env:"SALLYPORT_ADMIN_PASSWORD" help:"Password of the first user. Better set in the environment, since others can see flags."`
	Organization string `required:"" env:"SALLYPORT_ADMIN_ORGANIZATION" help:"Name of the first organization."`
}

// Run sets up the server and prints its answer, with the token of the first identity.
func (c *bootstrapCmd) Run(con *console) error {
	setup, err := bootstrap(con.ctx, c.Domain, c.Email, c.Password, c.Organization)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(con.out)
	encoder.SetIndent("", "  ")
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

func bootstrap(ctx context.Context, baseURL, email, password, organization string) (*setup, error) {
	answer := &setup{}
	err := post(ctx, baseURL, "/api/v1/admin/bootstrap",
		map[string]string{"email": email, "password": password, "organization": organization}, answer)
	return answer, err
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 16 << 20

// post sends a JSON body and reads the JSON answer; an error of the server becomes an error with its words.
func post(ctx context.Context, baseURL, path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	url := strings.TrimSuffix(strings.TrimSuffix(baseURL, "/"), "/api") + path
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("cannot reach the server at %s; is it running? %w", baseURL, err)
	}
	defer response.Body.Close()
	return read(response, answer)
}

func read(response *http.Response, answer any) error {
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return err
	}
	if response.StatusCode == http.StatusOK {
		return json.Unmarshal(text, answer)
	}
	var failure struct {
		Message json.RawMessage `json:"message"`
		ReqID   string          `json:"reqId"`
	}
	if json.Unmarshal(text, &failure) != nil || len(failure.Message) == 0 {
		return fmt.Errorf("the server answered %s, and not as Sallyport does; check the address", response.Status)
	}
	message := string(failure.Message)
	_ = json.Unmarshal(failure.Message, &message) // a list of issues stays as it is
	return fmt.Errorf("the server refused (%d, %s): %s", response.StatusCode, failure.ReqID, message)
}
