package org

import (
	_ "embed"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// minPassword is how many characters a new password needs where no setting says otherwise. NIST SP 800-63B asks for 15
// where a password is the only factor, and for 8 beside another one.
const minPassword = 12

// minDistinct is how many different characters a new password needs.
const minDistinct = 5

// commonList has one word or phrase a line that many people make passwords of, in lower case. It is our own.
//
//go:embed common.txt
var commonList string

// common are the lines of commonList.
var common = func() map[string]bool {
	words := map[string]bool{}
	for line := range strings.Lines(commonList) {
		words[strings.TrimSpace(line)] = true
	}
	return words
}()

// runs are texts that passwords are read off, on a keyboard or by heart. Each is also read backwards.
var runs = []string{"01234567890123456789012345678901234567890", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
	"qwertyuiopasdfghjklzxcvbnm", "1234567890qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn", "`1234567890-=", "!@#$%^&*()_+"}

// checkNew refuses, as Validation, a new password that is short, or that someone would guess who tries common ones. about
// are names that guessers know: of the user and of the organization. Passwords that exist are not checked: they go on
// working.
func (s *Service) checkNew(password string, about ...string) error {
	if n := utf8.RuneCountInString(password); n < s.minPassword {
		return fault.Invalid("too_small", fmt.Sprintf("The password has %d characters, and at least %d are required. A few words in a row make a long password that is easy to remember.", n, s.minPassword), "password")
	}
	if guessable(strings.ToLower(password), about) {
		return fault.Invalid("custom", "The password is common, a simple pattern, or made from a name, so it is easy to guess. Choose another, such as a few unrelated words.", "password")
	}
	return nil
}

// guessable reports whether a password in lower case is common: as it is, without the digits and signs around it, or with
// letters in the place of digits that look like them.
func guessable(password string, about []string) bool {
	if isRun(password) || repeats(password) || distinct(password) < minDistinct {
		return true
	}
	for _, form := range []string{password, lookalikes.Replace(password)} {
		for _, word := range []string{form, core(form), core(lookalikes.Replace(core(form)))} {
			if common[word] || isRun(word) && len(word) > 3 || isAbout(word, about) {
				return true
			}
		}
	}
	return false
}

// lookalikes turns digits and signs into the letters that they stand for.
var lookalikes = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "8", "b", "@", "a", "$", "s", "!", "i")

// core is a text without what is no letter at its ends.
func core(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
}

// isRun reports whether a text is read off one of the runs.
func isRun(text string) bool {
	if text == "" {
		return false
	}
	for _, row := range runs {
		if strings.Contains(row, text) || strings.Contains(row, reversed(text)) {
			return true
		}
	}
	return false
}

func reversed(text string) string {
	r := []rune(text)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return string(r)
}

// repeats reports whether a text is the same part over and over.
func repeats(text string) bool {
	// A text that repeats is found in two of it in a row before its own length.
	return strings.Contains((text + text)[1:2*len(text)-1], text)
}

func distinct(text string) int {
	seen := map[rune]bool{}
	for _, r := range text {
		seen[r] = true
	}
	return len(seen)
}

// isAbout reports whether a word is one of the names.
func isAbout(word string, names []string) bool {
	for _, name := range names {
		if name = strings.ToLower(name); name != "" && (word == name || word == core(name)) {
			return true
		}
	}
	return false
}
