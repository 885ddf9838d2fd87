package ui

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// themeFiles are the kinds of files that a theme can hold, as patterns of package path, with what each does.
var themeFiles = [...]struct{ pattern, does string }{
	{"templates/*.html", "takes the place of the built-in template of that name"},
	{"templates/mail.txt", "takes the place of the built-in template of mails in plain text"},
	{"static/*", "takes the place of the built-in file of that name, or is there besides"},
	{"i18n/*.json", "changes the texts that it holds, or adds a language"},
	{"help/*/*.md", "takes the place of the guide of that language and name, or adds it"},
}

// ThemeError is what is wrong with a theme; see Options.Override.
type ThemeError struct{ err error }

// Error implements error. It names the file.
func (e *ThemeError) Error() string { return strings.TrimPrefix(e.err.Error(), "ui: ") }

// Unwrap returns what is wrong.
func (e *ThemeError) Unwrap() error { return e.err }

// checkTheme finds files that would change nothing: a slip in a name would else be looked for for a long time. Files that
// begin with a full stop, and those beside the folders, are nobody's business.
func checkTheme(theme fs.FS) error {
	found := false
	err := fs.WalkDir(theme, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("ui: %s: %w", name, err)
		case name == ".":
			return nil
		case strings.HasPrefix(d.Name(), ".") && d.IsDir():
			return fs.SkipDir
		case strings.HasPrefix(d.Name(), ".") || d.IsDir() || path.Dir(name) == ".":
			return nil
		}
		found = true
		var kinds []string
		for _, k := range themeFiles {
			if fits, err := path.Match(k.pattern, name); fits || err != nil {
				return err
			}
			kinds = append(kinds, k.pattern)
		}
		return fmt.Errorf("ui: %s: a theme has no such file; it can hold %s", name, strings.Join(kinds, ", "))
	})
	if err == nil && !found {
		err = fmt.Errorf("ui: there is nothing in it; a theme can hold such files as %s", themeFiles[0].pattern)
	}
	return err
}
