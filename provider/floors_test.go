package provider_test

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "github.com/sallyport-id/sallyport"

// floor is where packages stand. Imports go down only.
type floor struct {
	// match is a pattern of package folders, as path.Match reads it.
	match string
	level int
	// kit: it checks others, so only tests import it.
	kit bool
}

// floors are looked through in order; the first match counts.
var floors = [...]floor{
	{match: "storage/storagetest", level: 1, kit: true},
	{match: "mfa/mfatest", level: 1, kit: true},
	{match: "provider/directory/directorytest", level: 2, kit: true},
	{match: "storage/sqlite/sqlitetest", level: 2, kit: true},
	{match: "provider/place/placetest", level: 2, kit: true},

	{match: "storage", level: 0},
	{match: "mfa", level: 0},
	{match: "ui", level: 0},

	{match: "storage/sqlite", level: 1},
	{match: "storage/mongo", level: 1},
	{match: "mfa/*", level: 1},
	// How a message is sent stands on what a message is.
	{match: "mfa/sms/internal/*", level: 1},
	{match: "mfa/sms/*", level: 2},
	{match: "provider/policy", level: 1},
	{match: "provider/audit", level: 1},
	{match: "provider/keys", level: 1},
	{match: "provider/mail", level: 1},
	{match: "provider/web", level: 1},
	{match: "provider/directory", level: 1},
	{match: "provider/logo", level: 1},
	{match: "provider/place", level: 1},

	{match: "provider/credential", level: 2},
	{match: "provider/hook", level: 2},
	{match: "provider/webhook", level: 2},

	{match: "provider/login", level: 3},
	{match: "provider/account", level: 3},
	{match: "provider/admin", level: 3},
	{match: "provider/rescue", level: 3},
	{match: "provider/transfer", level: 3},

	{match: "provider/oidc", level: 4},
	{match: "provider/api", level: 4},
	{match: "provider/console", level: 4},
	{match: "provider", level: 5},

	// A program has floors of its own: what it shows, its commands, and what names every plugin.
	{match: "cmd/sallyport/sampleapp", level: 6},
	{match: "cmd/sallyport/*", level: 7},
	{match: "cmd/*", level: 8},
}

// alone are the libraries that few packages may see, so that they can be replaced. They are named by the beginnings of
// their import paths.
var alone = [...]struct {
	library string
	only    []string
	// tests: those of other packages may see it too, as the applications do that mount what they test.
	tests bool
}{
	{library: "github.com/zitadel/", only: []string{"provider/oidc"}},
	{library: "github.com/labstack/echo/", only: []string{"provider/web", "provider", "cmd"}, tests: true},
	{library: "go.mongodb.org/mongo-driver/", only: []string{"storage/mongo"}},
	{library: "modernc.org/sqlite", only: []string{"storage/sqlite"}},
	{library: "github.com/twilio/", only: []string{"mfa/sms/twilio"}},
	{library: "github.com/nyaruka/phonenumbers", only: []string{"mfa/sms"}},
	{library: "github.com/go-webauthn/", only: []string{"mfa/webauthn"}},
	{library: "github.com/go-json-experiment/", only: []string{"provider/web"}},
	{library: "github.com/oschwald/maxminddb-golang/", only: []string{"provider/place"}},
	{library: "golang.org/x/image/", only: []string{"provider/logo"}, tests: true},
	{library: "github.com/swaggest/", only: []string{"no package"}, tests: true},
}

// answering is where HTTP status codes are chosen. What else fails, fails with an error.
var answering = [...]string{"provider/web", "provider/oidc", "provider/health.go", "provider/reports.go", "cmd"}

// within tells whether a folder or file is one of the places. A command's folders are the command.
func within(name string, places []string) bool {
	return slices.Contains(places, name) || strings.HasPrefix(name, "cmd/") && slices.Contains(places, "cmd")
}

func floorOf(dir string) (floor, bool) {
	for _, f := range floors {
		if ok, err := path.Match(f.match, dir); ok && err == nil {
			return f, true
		}
	}
	return floor{}, false
}

// TestFloors holds the order of the house.
func TestFloors(t *testing.T) {
	t.Parallel()
	h, err := survey(os.DirFS(".."))
	if err != nil {
		t.Fatal(err)
	}
	if len(h.packages) < 20 {
		t.Fatalf("only %d packages were found: is this still the module's folder?", len(h.packages))
	}
	for _, fault := range h.faults {
		t.Error(fault)
	}
	// A floor without a package is a slip of the pen, which would let its package stand anywhere.
	for _, f := range floors {
		if !strings.Contains(f.match, "*") && !slices.Contains(h.packages, f.match) {
			t.Errorf("there is no package %s", f.match)
		}
	}
}

// TestFloorsFault shows that each kind of fault is found, and that what is allowed is not.
func TestFloorsFault(t *testing.T) {
	t.Parallel()
	const (
		status = "import \"net/http\"\nvar _ = http.StatusTeapot\n"
		other  = "import web \"net/http\"\nvar _ = web.StatusTeapot\n"
	)
	// outside marks what stands in the test package beside the package.
	const outside = "// outside\n"
	imports := func(paths ...string) string {
		var b strings.Builder
		for _, p := range paths {
			if !strings.Contains(p, ".") {
				p = module + "/" + p
			}
			fmt.Fprintf(&b, "import _ %q\n", p)
		}
		return b.String()
	}
	for _, c := range []struct {
		name, file, source string
		want               string // a part of the one fault; none when empty
	}{
		{"down", "provider/login/a.go", imports("storage", "mfa", "ui", "provider/web", "provider/credential"), ""},
		{"up", "storage/a.go", imports("provider/web"), "storage/a.go: imports provider/web, which is not on a lower floor"},
		{"same floor", "provider/keys/a.go", imports("storage/sqlite"), "imports storage/sqlite, which is not on a lower floor"},
		{"neighbour factor", "mfa/totp/a.go", imports("mfa/backup"), "imports mfa/backup"},
		{"same floor in a test", "provider/keys/a_test.go", imports("storage/sqlite"), ""},
		{"itself in a test", "provider/keys/a_test.go", imports("provider/keys"), ""},
		{"up in a test from outside", "provider/keys/a_test.go", outside + imports("provider/login"), ""},
		{"up in a test", "provider/keys/a_test.go", imports("provider/login"), "imports provider/login, which is on a higher floor"},
		{"no such floor", "provider/attic/a.go", "", "provider/attic: stands on no floor"},
		{"import of no floor", "provider/a.go", imports("provider/attic"), "imports provider/attic, which stands on no floor"},
		{"the top level", "a.go", "", ".: stands on no floor"},
		{"kit in a test", "storage/sqlite/a_test.go", imports("storage/storagetest"), ""},
		{"kit in a test below", "provider/mail/a_test.go", imports("provider/directory/directorytest"), ""},
		{"kit in the program", "cmd/sallyport/cli/a.go", imports("storage/storagetest"), "imports storage/storagetest, which is for tests only"},
		{"kit in a kit", "provider/directory/directorytest/a.go", imports("mfa/mfatest"), "imports mfa/mfatest, which is for tests only"},
		{"command of commands", "cmd/sallyport/a.go", imports("cmd/sallyport/cli"), ""},
		{"command from below", "cmd/sallyport/sampleapp/a.go", imports("cmd/sallyport/cli"), "imports cmd/sallyport/cli"},
		{"engine", "provider/oidc/a.go", imports("github.com/zitadel/oidc/v3/pkg/op"), ""},
		{"engine elsewhere", "provider/login/a.go", imports("github.com/zitadel/oidc/v3/pkg/op"), "imports github.com/zitadel/oidc/v3/pkg/op, which only provider/oidc may"},
		{"engine in a test", "provider/a_test.go", imports("github.com/zitadel/oidc/v3/pkg/op"), "which only provider/oidc may"},
		{"echo", "provider/web/a.go", imports("github.com/labstack/echo/v4"), ""},
		{"echo in a command", "cmd/sallyport/cli/a.go", imports("github.com/labstack/echo/v4"), ""},
		{"echo in a test", "provider/oidc/a_test.go", imports("github.com/labstack/echo/v4"), ""},
		{"echo elsewhere", "provider/account/a.go", imports("github.com/labstack/echo/v4"), "which only provider/web, provider, cmd may"},
		{"driver", "storage/mongo/a.go", imports("go.mongodb.org/mongo-driver/v2/bson"), ""},
		{"driver in a command", "cmd/sallyport/cli/a.go", imports("go.mongodb.org/mongo-driver/v2/bson"), "which only storage/mongo may"},
		{"sqlite", "storage/sqlite/a.go", imports("modernc.org/sqlite"), ""},
		{"sqlite elsewhere", "storage/a.go", imports("modernc.org/sqlite/lib"), "which only storage/sqlite may"},
		{"webauthn", "mfa/webauthn/a.go", imports("github.com/go-webauthn/webauthn/protocol"), ""},
		{"webauthn elsewhere", "provider/login/a.go", imports("github.com/go-webauthn/webauthn/protocol"), "which only mfa/webauthn may"},
		{"status", "provider/web/a.go", status, ""},
		{"status in one file", "provider/health.go", status, ""},
		{"status in a test", "provider/login/a_test.go", status, ""},
		{"status elsewhere", "provider/login/a.go", status, "provider/login/a.go:3: http.StatusTeapot"},
		{"status in the façade", "provider/a.go", status, "provider/a.go:3: http.StatusTeapot"},
		{"status by another name", "provider/login/a.go", other, "provider/login/a.go:3: web.StatusTeapot"},
		{"a hidden folder", ".ci/tool/a.go", imports("provider"), ""},
		{"test data", "provider/web/testdata/a.go", imports("provider"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := path.Dir(c.file)
			name := strings.TrimSuffix(strings.ReplaceAll(path.Base(dir), ".", "x"), "_test")
			clause := "package " + name
			if strings.HasPrefix(c.source, outside) {
				clause += "_test"
			}
			h, err := survey(fstest.MapFS{
				c.file:                   {Data: []byte(clause + "\n" + strings.TrimPrefix(c.source, outside))},
				path.Join(dir, "doc.go"): {Data: []byte("// Package " + name + " is one sentence.\npackage " + name + "\n")},
			})
			if err != nil {
				t.Fatal(err)
			}
			expect(t, h.faults, c.want)
		})
	}
}

// TestFloorsDoc shows which package comments are refused.
func TestFloorsDoc(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		files fstest.MapFS
		want  string
	}{
		{"one sentence", source("ui/doc.go", "// Package ui draws v2.0 pages (RFC 1, section 2.3): one,\n// and another.\npackage ui"), ""},
		{"no doc.go", source("ui/ui.go", "// Package ui draws.\npackage ui"), "ui: has no doc.go"},
		{"no comment", source("ui/doc.go", "package ui"), "ui/doc.go: does not say in one sentence"},
		{"detached comment", source("ui/doc.go", "// Package ui draws.\n\npackage ui"), "ui/doc.go: does not say in one sentence"},
		{"two sentences", source("ui/doc.go", "// Package ui draws. It also paints.\npackage ui"), "ui/doc.go: does not say in one sentence"},
		{"two paragraphs", source("ui/doc.go", "// Package ui draws\n//\n// It also paints.\npackage ui"), "ui/doc.go: does not say in one sentence"},
		{"no full stop", source("ui/doc.go", "// Package ui draws\npackage ui"), "ui/doc.go: does not say in one sentence"},
		{"other words", source("ui/doc.go", "// This draws.\npackage ui"), "ui/doc.go: does not say in one sentence"},
		{"command", source("cmd/sallyport/main.go", "// Command sallyport serves.\npackage main"), ""},
		{"command without", source("cmd/sallyport/main.go", "package main"), "cmd/sallyport/main.go: does not say in one sentence"},
		{"not Go", source("ui/doc.go", "packag ui"), "expected 'package'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h, err := survey(c.files)
			if err != nil {
				h.faults = append(h.faults, err.Error())
			}
			expect(t, h.faults, c.want)
		})
	}
}

func source(name, text string) fstest.MapFS { return fstest.MapFS{name: {Data: []byte(text + "\n")}} }

func expect(t *testing.T, faults []string, want string) {
	t.Helper()
	switch {
	case want == "" && len(faults) > 0:
		t.Errorf("what is allowed was refused: %q", faults)
	case want != "" && (len(faults) != 1 || !strings.Contains(faults[0], want)):
		t.Errorf("found %q, want one fault with %q", faults, want)
	}
}

// house is what a survey finds.
type house struct {
	packages []string
	faults   []string
}

func (h *house) fault(format string, args ...any) {
	h.faults = append(h.faults, fmt.Sprintf(format, args...))
}

// survey reads all Go files as the go command would: folders that begin with a dot or underscore, and test data, are
// not part of the module.
func survey(fsys fs.FS) (house, error) {
	var h house
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if base := d.Name(); name != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata") {
			return fs.SkipDir
		}
		files, err := fs.Glob(fsys, path.Join(name, "*.go"))
		if err != nil || len(files) == 0 {
			return err
		}
		return h.enter(fsys, name, files)
	})
	return h, err
}

// enter looks at one package.
func (h *house) enter(fsys fs.FS, dir string, files []string) error {
	h.packages = append(h.packages, dir)
	at, ok := floorOf(dir)
	if !ok {
		h.fault("%s: stands on no floor; give it one", dir)
		return nil
	}
	said := ""
	for _, name := range files {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, name, data, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if base := path.Base(name); base == "doc.go" || f.Name.Name == "main" && base == "main.go" {
			said = name
			h.sentence(name, f)
		}
		if err := h.imports(name, dir, at, f); err != nil {
			return err
		}
		h.statuses(name, dir, set, f)
	}
	if said == "" {
		h.fault("%s: has no doc.go", dir)
	}
	return nil
}

func (h *house) sentence(name string, f *ast.File) {
	begin := "Package " + f.Name.Name + " "
	if f.Name.Name == "main" {
		begin = "Command " + path.Base(path.Dir(name)) + " "
	}
	comment := f.Doc.Text()
	text := strings.Join(strings.Fields(comment), " ")
	if strings.Contains(comment, "\n\n") || !strings.HasPrefix(text, begin) || !strings.HasSuffix(text, ".") || new(doc.Package).Synopsis(text) != text {
		h.fault("%s: does not say in one sentence what %sis: %q", name, begin, text)
	}
}

func (h *house) imports(name, dir string, at floor, f *ast.File) error {
	test := strings.HasSuffix(name, "_test.go")
	for _, spec := range f.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		for _, a := range alone {
			if strings.HasPrefix(imported, a.library) && !within(dir, a.only) && !(test && a.tests) {
				h.fault("%s: imports %s, which only %s may", name, imported, strings.Join(a.only, ", "))
			}
		}
		ours, ok := strings.CutPrefix(imported, module+"/")
		if !ok {
			continue
		}
		to, ok := floorOf(ours)
		switch {
		case !ok:
			h.fault("%s: imports %s, which stands on no floor", name, ours)
		case to.kit && !test:
			h.fault("%s: imports %s, which is for tests only", name, ours)
		case to.kit:
		case test && strings.HasSuffix(f.Name.Name, "_test"):
			// A test from outside of the package may tell its story through the whole house.
		case test && to.level > at.level:
			h.fault("%s: imports %s, which is on a higher floor", name, ours)
		case !test && to.level >= at.level:
			h.fault("%s: imports %s, which is not on a lower floor", name, ours)
		}
	}
	return nil
}

// statuses finds HTTP status codes where none belong.
func (h *house) statuses(name, dir string, set *token.FileSet, f *ast.File) {
	if strings.HasSuffix(name, "_test.go") || within(dir, answering[:]) || within(name, answering[:]) {
		return
	}
	called := ""
	for _, spec := range f.Imports {
		if spec.Path.Value == `"net/http"` {
			called = "http"
			if spec.Name != nil {
				called = spec.Name.Name
			}
		}
	}
	if called == "" {
		return
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(s.Sel.Name, "Status") && s.Sel.Name != "StatusText" {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == called {
				h.fault("%s:%d: %s.%s: return an error, and let provider/web choose the status", name, set.Position(s.Pos()).Line, called, s.Sel.Name)
			}
		}
		return true
	})
}
