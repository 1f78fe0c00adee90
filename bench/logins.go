package main

import (
	"encoding/json"
	"errors"
)

// logins measures logging in with a client secret, beside a bare net/http handler that sends the bytes of one answer.
func logins(b *bench) ([]line, error) {
	s, err := b.setUp()
	if err != nil {
		return nil, err
	}
	table, err := b.logins(s)
	return table, errors.Join(err, s.stop())
}

func (b *bench) logins(s *instance) ([]line, error) {
	body, err := s.clientSecret()
	if err != nil {
		return nil, err
	}
	return b.read(s, line{what: "log in with a client secret", least: 0.4, rate: 5000},
		request("POST", "/api/v1/auth/universal-auth/login", "", body))
}

// clientSecret gives the administrator's identity Universal Auth, and returns the body of its login.
func (s *instance) clientSecret() (string, error) {
	at := "/api/v1/auth/universal-auth/identities/" + s.identity
	var config struct {
		IdentityUniversalAuth struct{ ClientID string }
	}
	var made struct{ ClientSecret string }
	err := s.post(at, "{}", &config)
	if err == nil {
		err = s.post(at+"/client-secrets", "{}", &made)
	}
	login, errMarshal := json.Marshal(map[string]string{"clientId": config.IdentityUniversalAuth.ClientID, "clientSecret": made.ClientSecret})
	return string(login), errors.Join(err, errMarshal)
}
