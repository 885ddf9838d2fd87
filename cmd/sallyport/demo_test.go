package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/html"
)

type demo struct {
	Issuer, App, Outbox string
	Users               []struct{ Tenant, Login, Password, Role, Type string }
	Program             struct {
		Name, Tenant string
		ID           string `json:"client_id"`
		Secret       string `json:"client_secret"`
	}

	pid int
	// said is what was printed.
	said func() string
}

// program is the file of the program itself, so that what it takes of memory is measured and not what these tests take. With the
// race detector it is the tests' own, which spares building everything twice.
var program = sync.OnceValues(func() (string, error) {
	tests, err := exec.LookPath("sallyport")
	if err != nil || raceDetector {
		return tests, err
	}
	itself := filepath.Join(filepath.Dir(tests), "sallyport-itself") // the folder is removed in the end
	if out, err := exec.Command("go", "build", "-o", itself, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return itself, nil
})

// startDemo runs the program as a user would, and stops it at the end.
func startDemo(t *testing.T) *demo {
	t.Helper()
	name, err := program()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "info.json")
	c := exec.Command(name, "demo", "--listen", "localhost:0", "--info", file)
	out := &journal{}
	c.Stdout, c.Stderr = out, out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := c.Wait(); err != nil {
			t.Errorf("demo ended with %v: %s", err, out.String())
		}
	})
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		d := &demo{pid: c.Process.Pid, said: out.String}
		if err := json.Unmarshal(data, d); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		return d
	}
	t.Fatal("the demonstration did not come up")
	return nil
}

// journal keeps what a program prints, which may be read while it goes on.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// browser is somebody at a browser without JavaScript.
type browser struct {
	t    *testing.T
	http *http.Client
	at   *url.URL
	page *html.Node
	text string
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, http: &http.Client{Jar: jar, Timeout: patience}}
}

func (b *browser) open(address string) *browser {
	b.t.Helper()
	return b.took(b.http.Get(address))
}

func (b *browser) took(r *http.Response, err error) *browser {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.at, b.text = r.Request.URL, string(body)
	if b.page, err = html.Parse(strings.NewReader(b.text)); err != nil {
		b.t.Fatal(err)
	}
	return b
}

// submit fills in and sends the form that has all the fields; a field that is a choice takes the one that is given.
func (b *browser) submit(fields map[string]string) *browser {
	b.t.Helper()
	return b.press("", fields)
}

// press is submit for the form whose action has a word in it.
func (b *browser) press(action string, fields map[string]string) *browser {
	b.t.Helper()
	for n := range b.page.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" || !strings.Contains(attr(n, "action"), action) {
			continue
		}
		values := url.Values{}
		has := map[string]bool{}
		for in := range n.Descendants() {
			name := attr(in, "name")
			if name == "" {
				continue
			}
			has[name] = true
			if in.Data == "input" && attr(in, "type") != "radio" && attr(in, "type") != "checkbox" {
				values.Set(name, attr(in, "value"))
			}
		}
		fits := true
		for name, value := range fields {
			fits = fits && has[name]
			values.Set(name, value)
		}
		if !fits {
			continue
		}
		to, err := b.at.Parse(attr(n, "action"))
		if err != nil {
			b.t.Fatal(err)
		}
		return b.took(b.http.PostForm(to.String(), values))
	}
	b.t.Fatalf("no form to %q with %v on %s:\n%s", action, fields, b.at, b.text)
	return nil
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func (b *browser) sees(words ...string) *browser {
	b.t.Helper()
	for _, w := range words {
		if !strings.Contains(b.text, w) {
			b.t.Errorf("%s does not show %q:\n%s", b.at, w, b.text)
		}
	}
	return b
}

func (b *browser) signIn(login, password string) *browser {
	b.t.Helper()
	return b.submit(map[string]string{"login": login, "password": password})
}

func (d *demo) user(t *testing.T, tenant, kind string) (login, password string) {
	t.Helper()
	for _, u := range d.Users {
		if u.Tenant == tenant && u.Type == kind {
			return u.Login, u.Password
		}
	}
	t.Fatalf("no %s in %s", kind, tenant)
	return "", ""
}

func TestDemoSignsUsersInToTheSampleApplication(t *testing.T) {
	d := startDemo(t)
	for _, u := range d.Users {
		if u.Tenant == "" || u.Login == "" || u.Password == "" || u.Role == "" || u.Type == "" {
			t.Errorf("user lacks a field: %+v", u)
		}
	}
	t.Run("a client of a tenant where it is optional", func(t *testing.T) {
		login, password := d.user(t, "Harbour Dental", "client")
		b := newBrowser(t).open(d.App).sees("Sign in").open(d.App+"/signin").signIn(login, password)
		if !strings.HasPrefix(b.at.String(), d.App) {
			t.Fatalf("at %s:\n%s", b.at, b.text)
		}
		b.sees("Hello, Paul Novak", "Signed in with a password", "A password alone", "harbour", "&#34;sid&#34;")
		// One who is asked for more sets a second step up.
		b.open(d.App + "/signin?second-step")
		if !strings.HasPrefix(b.at.String(), d.Issuer) {
			t.Errorf("a second step was not asked for, at %s", b.at)
		}
		b.open(d.App).submit(nil)
		b.open(d.App).sees("Plan the day")
		if b.open(d.App + "/signin"); !strings.HasPrefix(b.at.String(), d.Issuer+"/signin") && !strings.HasPrefix(b.at.String(), d.Issuer+"/authorize") {
			t.Errorf("still signed in: at %s", b.at)
		}
	})
	t.Run("staff who must set it up", func(t *testing.T) {
		login, password := d.user(t, "Northwind Joinery", "staff")
		b := newBrowser(t).open(d.App+"/signin").signIn(login, password)
		if !strings.HasPrefix(b.at.String(), d.Issuer) {
			t.Fatalf("got in to %s without a second step", b.at)
		}
		b.sees("Staff must use two-factor authentication")
	})
	t.Run("one address in two tenants", func(t *testing.T) {
		login, password := d.user(t, "Harbour Dental", "contractor")
		b := newBrowser(t).open(d.App+"/signin").signIn(login, password).sees("Northwind Joinery", "Harbour Dental")
		b.submit(map[string]string{"tenant": "harbour"}).sees("Hello, Robin Marsh", "harbour")
	})
	t.Run("a wrong password", func(t *testing.T) {
		login, _ := d.user(t, "Harbour Dental", "staff")
		b := newBrowser(t).open(d.App+"/signin").signIn(login, "not-the-password")
		if !strings.HasPrefix(b.at.String(), d.Issuer) || strings.Contains(b.text, "Hello") {
			t.Errorf("at %s", b.at)
		}
	})
	t.Run("a sign-in of another browser", func(t *testing.T) {
		login, password := d.user(t, "Harbour Dental", "client")
		victim, thief := newBrowser(t), newBrowser(t)
		thief.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
			if strings.HasPrefix(r.URL.String(), d.App+"/callback") {
				return http.ErrUseLastResponse
			}
			return nil
		}
		r, err := thief.open(d.App+"/signin").signInResponse(login, password)
		if err != nil {
			t.Fatal(err)
		}
		victim.open(r).sees("This sign-in was not begun here")
	})
	t.Run("a program, by what the terminal says", func(t *testing.T) {
		out, err := d.example(t)
		var page struct {
			Items []struct{ Tenant, Email string }
		}
		if err := errors.Join(err, json.Unmarshal(out, &page)); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if len(page.Items) != 5 || page.Items[0].Tenant != d.Program.Tenant {
			t.Errorf("listed %+v, want the five of %s", page.Items, d.Program.Tenant)
		}
	})
	resident(t, d.pid)
}

// example runs the lines that are printed for a shell, as whoever copies them does.
func (d *demo) example(t *testing.T) ([]byte, error) {
	t.Helper()
	for _, program := range []string{"sh", "curl", "sed"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	// It is printed after the file was written.
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if from := strings.Index(d.said(), "TOKEN=$("); from >= 0 {
			if lines, _, whole := strings.Cut(d.said()[from:], "\n\n"); whole {
				return exec.Command("sh", "-c", lines).CombinedOutput()
			}
		}
	}
	return nil, errors.New("no example was printed")
}

// signInResponse sends the sign-in form and returns where it leads, unfollowed.
func (b *browser) signInResponse(login, password string) (string, error) {
	var to string
	stop := b.http.CheckRedirect
	b.http.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		err := stop(r, via)
		if err != nil {
			to = r.URL.String()
		}
		return err
	}
	b.signIn(login, password)
	if to == "" {
		return "", fmt.Errorf("not sent back to the application, but to %s", b.at)
	}
	return to, nil
}

// maxResident is what the demonstration may hold of memory, in KiB, beside its own executable, of which the system shares
// pages and lets them go as it needs room.
const maxResident = 40 << 10

// resident holds the memory of a process against maxResident, on systems that tell it.
func resident(t *testing.T, pid int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("no /proc: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		if name != "RssAnon" {
			continue
		}
		kib, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d KiB resident", kib)
		// The race detector's own books take more than the program.
		if !raceDetector && kib > maxResident {
			t.Errorf("%d KiB resident, want at most %d", kib, maxResident)
		}
		return
	}
	t.Errorf("the system does not tell what is resident:\n%s", status)
}

// choose follows the first link of the page whose address has all the words in it.
func (b *browser) choose(words ...string) *browser {
	b.t.Helper()
	for n := range b.page.Descendants() {
		href := attr(n, "href")
		fits := n.Type == html.ElementNode && n.Data == "a"
		for _, w := range words {
			fits = fits && strings.Contains(href, w)
		}
		if !fits {
			continue
		}
		to, err := b.at.Parse(href)
		if err != nil {
			b.t.Fatal(err)
		}
		return b.open(to.String())
	}
	b.t.Fatalf("no link with %q on %s:\n%s", words, b.at, b.text)
	return nil
}
