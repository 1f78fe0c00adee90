package org

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/seal"
)

func TestSetupCode(t *testing.T) {
	root, err := seal.NewKey(bytes.Repeat([]byte{7}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	s := &Service{root: root, requireSetupCode: true}
	code := s.SetupCode()
	if !regexp.MustCompile(`^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$`).MatchString(code) {
		t.Errorf("the code is %q", code)
	}
	for name, test := range map[string]struct {
		code string
		good bool
	}{
		"accepted/as shown":   {code, true},
		"accepted/lower case": {string(bytes.ToLower([]byte(code))), true},
		"accepted/no dashes":  {string(bytes.ReplaceAll([]byte(code), []byte("-"), nil)), true},
		"refused/none":        {"", false},
		"refused/another":     {"AAAA-AAAA-AAAA-AAAA", false},
		"refused/cut short":   {code[:18], false},
	} {
		t.Run(name, func(t *testing.T) {
			err := s.checkSetupCode(t.Context(), test.code) // no request: nothing says that it comes from this machine
			if test.good != (err == nil) || err != nil && !fault.Is(err, fault.Forbidden) {
				t.Errorf("checkSetupCode() = %v", err)
			}
		})
	}
	s.requireSetupCode = false
	if err := s.checkSetupCode(t.Context(), ""); err != nil {
		t.Errorf("none is required, and: %v", err)
	}
}
