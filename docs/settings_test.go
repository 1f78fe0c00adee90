package docs

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/base/config"
)

var update = flag.Bool("update", false, "write the generated parts of pages again")

// TestSettings: the reference of settings in operations.md is what the tags of internal/base/config make it. Run it with
// -update to write it again.
func TestSettings(t *testing.T) {
	const page, begin, end = "operations.md", "<!-- settings: generated -->\n", "<!-- end of the settings -->\n"
	head, rest, found := strings.Cut(read(t, page), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s lacks the lines %q and %q around its settings", page, begin, end)
	}
	want := head + begin + settingsTables() + end + tail
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, page) != want {
		t.Errorf("the settings in docs/%s are stale: run `make generate`", page)
	}
}

// settingsTables returns a table for the settings of each group.
func settingsTables() string {
	var text strings.Builder
	last := "none"
	for _, s := range config.Settings() {
		if s.Group != last {
			last = s.Group
			title := s.Group
			if title == "" {
				title = "Server"
			}
			fmt.Fprintf(&text, "\n### %s\n\n| flag | default | allowed | |\n|---|---|---|---|\n", title)
		}
		name := "--" + s.Flag
		if s.Hidden {
			name = s.Env
		}
		fmt.Fprintf(&text, "| `%s` | %s | %s | %s |\n", name, code(s.Default), allowed(s), strings.ReplaceAll(s.Help, "|", "\\|"))
	}
	return text.String() + "\n"
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}

func allowed(s config.Setting) string {
	if s.Most == "" {
		return ""
	}
	zero := ""
	if s.OrZero {
		zero = "0, or "
	}
	return fmt.Sprintf("%s%s to %s", zero, s.Least, s.Most)
}
