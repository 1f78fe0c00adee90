package org

import (
	"strings"
	"testing"
)

func TestCheckPassword(t *testing.T) {
	s := &Service{cost: Cost{}.orRecommended()}
	hash, err := s.cost.hash("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		hash, password string
		want           bool
	}{
		"accepted/the password":         {hash, "correct horse", true},
		"refused/another":               {hash, "correct hors", false},
		"refused/none":                  {hash, "", false},
		"refused/longer":                {hash, "correct horse\x00", false},
		"refused/no user":               {"", "correct horse", false},
		"refused/no user, no password":  {"", "", false},
		"refused/the hash for password": {hash, hash, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := s.CheckPassword(c.hash, c.password); err != nil || got != c.want {
				t.Errorf("got %v, %v; want %v", got, err, c.want)
			}
		})
	}
}

// TestCheckPasswordTakesNoStrangeHash: a damaged row must not let anyone in, nor choose what a check costs.
func TestCheckPasswordTakesNoStrangeHash(t *testing.T) {
	s := &Service{cost: Cost{}.orRecommended()}
	hash, err := s.cost.hash("p")
	if err != nil {
		t.Fatal(err)
	}
	last := strings.LastIndexByte(hash, '$')
	for name, strange := range map[string]string{
		"of nothing": " ", "without a key": hash[:last], "with an empty key": hash[:last+1], "with half a key": hash[:last+20], "with more behind": hash + "AAAA",
		"with other costs": strings.Replace(hash, "t=3", "t=1", 1), "of another sort": strings.Replace(hash, "argon2id", "argon2i", 1),
		"with bits that do not count": hash[:len(hash)-1] + "/", "in another alphabet": strings.Repeat("-", len(hash)), "of bcrypt": "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
	} {
		t.Run("refused/"+name, func(t *testing.T) {
			if ok, err := s.CheckPassword(strange, "p"); ok || err == nil {
				t.Errorf("got %v, %v", ok, err)
			}
		})
	}
}
