package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sallyport-id/sallyport/ui"
)

// openTheme is the theme's folder, or nil where there is none. What is in it is looked at when pages are made of it.
func (s *settings) openTheme() (fs.FS, error) {
	if s.Theme == "" {
		return nil, nil //nolint:nilnil // No theme is what most have, and no error.
	}
	f := finding{Where: s.where("theme"), Do: "name the folder that holds templates, i18n, static or help; see deploy/theme.md"}
	switch info, err := os.Stat(s.Theme); {
	case err != nil:
		f.What = "the theme can't be read: " + err.Error()
		return nil, f
	case !info.IsDir():
		f.What = fmt.Sprintf("the theme %s is no folder", s.Theme)
		return nil, f
	}
	return os.DirFS(s.Theme), nil
}

func (c *checker) theme() fs.FS {
	theme, err := c.openTheme()
	var f finding
	if errors.As(err, &f) {
		c.found = append(c.found, f)
	}
	return theme
}

// tryTheme draws every page with the theme.
func (s *settings) tryTheme(theme fs.FS) error {
	if theme == nil {
		return nil
	}
	_, err := ui.New(ui.Options{Override: theme})
	return s.explainTheme(err)
}

// explainTheme finds the words for what is wrong with a theme; other errors it passes on.
func (s *settings) explainTheme(err error) error {
	var wrong *ui.ThemeError
	if !errors.As(err, &wrong) {
		return err
	}
	// Errors begin with the file's name, where they are about a file.
	where := s.Theme
	if name, _, ok := strings.Cut(wrong.Error(), ": "); ok && fs.ValidPath(name) {
		if _, err := os.Stat(filepath.Join(s.Theme, name)); err == nil {
			where = filepath.Join(s.Theme, name)
		}
	}
	return finding{What: "the theme can't be used: " + wrong.Error(), Where: where, Do: "correct the file, or take it out; see deploy/theme.md"}
}
