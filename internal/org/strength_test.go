package org

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/base/fault"
)

func TestNewPasswords(t *testing.T) {
	t.Parallel()
	s := &Service{minPassword: minPassword}
	for name, passwords := range map[string][]string{
		"too_small": {"a", "passw0rd", "horse stapl", "ααααααβγδε", "12345678901"},
		"custom": {"aaaaaaaaaaaa", "abababababab", "123456789012", "098765432109", "abcdefghijkl", "qwertyuiopas", "lkjhgfdsapoi",
			"password1234", "Password1234!", "P@ssw0rd1234", "!!password!!!", "administrator", "Administrator1", "adm1n1strat0r", "changeme1234", "ChangeMe!2026",
			"passwordpassword", "letmeinplease", "1q2w3e4r5t6y", "1qaz2wsx3edc", "sallyport2026", "Summer202620262026", "qwerty123456",
			"grace.hopper1", "Grace.Hopper!!!", "Acme Rockets 1", "correcthorsebatterystaple", "112211221122"},
		"": {"correct horse", "a long password", "testpassword123", "E2eAdminPassw0rd!23", "correct-horse-battery-9", "tulip mantle gravel", "ünïcödé wörds", "x9$Kq2!mLw7z",
			"passwords are hard", "0123456789abX"},
	} {
		for _, password := range passwords {
			want := name
			err := s.checkNew(password, "grace.hopper", "Acme Rockets")
			got := ""
			if err != nil {
				got = fault.From(err).Issues[0].Code
				if strings.Contains(fault.From(err).Message, password) && len(password) > 1 {
					t.Errorf("the message repeats the password: %v", err)
				}
			}
			if got != want {
				t.Errorf("%q is answered %q, want %q", password, got, want)
			}
		}
	}
}

func TestLeastLengthIsASetting(t *testing.T) {
	t.Parallel()
	s := &Service{minPassword: 20}
	if s.checkNew("tulip mantle gravel") == nil || s.checkNew("tulip mantle gravel!") != nil {
		t.Error("a least length of 20 is not kept to")
	}
}

func TestCommonWordsAreInLowerCase(t *testing.T) {
	t.Parallel()
	for word := range common {
		if word == "" || word != strings.ToLower(strings.TrimSpace(word)) {
			t.Errorf("the list has %q", word)
		}
	}
}
