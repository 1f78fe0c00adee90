package httpapi

import "strings"

// Trimmed returns the text without white space around it.
func (t Text) Trimmed() string { return strings.TrimSpace(string(t)) }
