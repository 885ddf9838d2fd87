package ui

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestCataloguesHaveOneOrder: a section is the keys that begin with the same word. It stands in one piece, with an empty
// line before the next, and in the same place in every language, so that translations can be read side by side.
func TestCataloguesHaveOneOrder(t *testing.T) {
	t.Parallel()
	english := keysOf(t, "i18n/en.json")
	for _, name := range append(glob(t, "i18n/*.json"), glob(t, "../deploy/theme/i18n/*.json")...) {
		keys := keysOf(t, name)
		if len(keys) == 0 {
			t.Errorf("%s: no keys were found", name)
		}
		if fault := disorder(keys, english); fault != "" {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// TestDisorder shows what is refused.
func TestDisorder(t *testing.T) {
	t.Parallel()
	english := []string{"code.title", "code.help", "", "ways.title", "ways.help"}
	for _, c := range []struct {
		name string
		keys []string
		want string
	}{
		{"the same", english, ""},
		{"a part", []string{"code.help", "", "ways.help"}, ""},
		{"added at the end", append(slices.Clone(english), "code.new"), "code.new: no empty line stands before the section"},
		{"a section twice", append(slices.Clone(english), "", "code.new"), "code.new: the section stands further up"},
		{"an empty line within", []string{"code.title", "", "code.help"}, "code.help: an empty line divides the section"},
		{"another order", []string{"code.help", "code.title"}, "code.title: stands before code.help in English"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := disorder(c.keys, english); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// keysOf are a catalogue's keys in the order of the file, and "" where a line is empty.
func keysOf(t *testing.T, name string) []string {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`^ {2}"([^"]+)":`)
	var keys []string
	for line := range strings.Lines(string(raw)) {
		if m := key.FindStringSubmatch(line); m != nil {
			keys = append(keys, m[1])
		} else if strings.TrimSpace(line) == "" {
			keys = append(keys, "")
		}
	}
	return keys
}

// disorder says where keys leave the order; empty where they don't.
func disorder(keys, english []string) string {
	section, last, empty := "", "", true
	seen := map[string]bool{}
	for _, key := range keys {
		if key == "" {
			empty = true
			continue
		}
		now, _, _ := strings.Cut(key, ".")
		switch {
		case now == section && empty:
			return key + ": an empty line divides the section"
		case now != section && !empty:
			return key + ": no empty line stands before the section"
		case now != section && seen[now]:
			return key + ": the section stands further up"
		}
		at := slices.Index(english, key)
		if last != "" && at >= 0 && at < slices.Index(english, last) {
			return key + ": stands before " + last + " in English"
		}
		section, last, empty, seen[now] = now, key, false, true
	}
	return ""
}
