package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// mailServer takes any mail.
type mailServer struct{ took chan string }

func (m mailServer) NewSession(*smtp.Conn) (smtp.Session, error) { return &mailSession{server: m}, nil }

type mailSession struct {
	server   mailServer
	envelope string
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	s.envelope = from
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.envelope += " " + to
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err == nil {
		s.server.took <- s.envelope + "\n" + string(data)
	}
	return err
}

func (*mailSession) Reset()        {}
func (*mailSession) Logout() error { return nil }

func startMailServer(t *testing.T) (port string, took <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := mailServer{make(chan string, 10)}
	s := smtp.NewServer(m)
	s.Domain = "localhost"
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, m.took
}

// posted is what an SMS gateway gets.
type posted struct {
	authorization string
	To, Text      string
	Tenant        string
}

func startGateway(t *testing.T) (url string, took <-chan posted) {
	t.Helper()
	messages := make(chan posted, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := posted{authorization: r.Header.Get("Authorization")}
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		messages <- p
	}))
	t.Cleanup(s.Close)
	return s.URL, messages
}

func wanted[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	var v T
	select {
	case v = <-from:
	case <-time.After(patience):
		t.Fatal(what + " did not come")
	}
	return v
}

// server is a "sallyport serve" under a test.
type server struct {
	t           *testing.T
	dir, issuer string
}

// run runs another command on the same configuration.
func (s *server) run(args ...string) string {
	s.t.Helper()
	c := exec.Command("sallyport", args...)
	c.Dir = s.dir
	out, err := c.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%q: %v: %s", args, err, out)
	}
	return string(out)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// startServer serves with settings, and at the end hands over what was logged.
func startServer(t *testing.T, settings string, logged func(log string)) *server {
	t.Helper()
	address := freeAddress(t)
	s := &server{t: t, dir: t.TempDir(), issuer: "http://" + address}
	file := filepath.Join(s.dir, "sallyport.yaml")
	if err := os.WriteFile(file, []byte("listen: "+address+"\n"+settings), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("sallyport", "serve")
	c.Dir = s.dir
	var log strings.Builder
	c.Stderr = &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := c.Wait(); err != nil {
			t.Errorf("serve ended with %v", err)
		}
		logged(log.String())
	})
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		r, err := http.Get(s.issuer + "/readyz")
		if err != nil {
			continue
		}
		if err := r.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if r.StatusCode == http.StatusOK {
			return s
		}
	}
	t.Fatal("the server did not come up")
	return nil
}

func TestServeSendsAndCountsAsItIsTold(t *testing.T) {
	port, mails := startMailServer(t)
	gateway, texts := startGateway(t)
	headers := filepath.Join(t.TempDir(), "headers")
	const secret = "Bearer tangled-hedgehog"
	if err := os.WriteFile(headers, []byte("Authorization: "+secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	metrics := freeAddress(t)
	s := startServer(t, `
smtp_host: 127.0.0.1
smtp_port: `+port+`
smtp_tls: none
mail_from: Northwind Sign-in <no-reply@northwind.example>
sms_sender: http
sms_url: `+gateway+`
sms_headers_file: `+headers+`
sms_countries: [DE, AU]
metrics_listen: `+metrics+`
`, func(log string) {
		if strings.Contains(log, "NOT SENT") || strings.Contains(log, "level=ERROR") || strings.Contains(log, "tangled") {
			t.Errorf("logged:\n%s", log)
		}
	})
	s.run("admin", "tenants", "create", "northwind", "--require-2fa", "staff")
	var made struct{ Password string }
	out := s.run("admin", "--json", "users", "create", "--tenant", "northwind", "--email", "sam@northwind.example", "--email-verified", "--name", "Sam")
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	b.open(s.issuer+"/account/security").signIn("sam@northwind.example", "wrong-"+made.Password)
	b.open(s.issuer+"/account/security").signIn("sam@northwind.example", made.Password)
	b.press("/set-up/sms", nil).submit(map[string]string{"input": "+61 491 570 156"})
	text := wanted(t, "the text message", texts)
	code := regexp.MustCompile(`^\d{6}`).FindString(text.Text)
	if text.To != "+61491570156" || text.Tenant != "northwind" || text.authorization != secret || code == "" {
		t.Errorf("the gateway got %+v", text)
	}
	b.submit(map[string]string{"code": code}).sees("Save your backup codes")
	mail := wanted(t, "the mail", mails)
	if !strings.HasPrefix(mail, "no-reply@northwind.example sam@northwind.example\n") || !strings.Contains(mail, "Northwind Sign-in") {
		t.Errorf("the mail server got %s", mail)
	}
	counted := newBrowser(t).open("http://" + metrics + "/metrics").text
	for _, line := range []string{
		`sallyport_events_total{action="sign_in.password",factor="password",outcome="refused"} 1`, "go_goroutines ", "process_resident_memory_bytes ",
	} {
		if !strings.Contains(counted, line) {
			t.Errorf("no %s in the metrics:\n%s", line, counted)
		}
	}
	for _, address := range []string{s.issuer + "/metrics", "http://" + metrics + "/signin"} {
		r, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", address, r.Status)
		}
	}
}
