package mail_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-id/sallyport/provider/mail"
)

// eximConfig takes mail from whoever has signed in over TLS, and puts each into a file of its own.
const eximConfig = `
primary_hostname = mail.test
spool_directory = %[1]s/spool
log_file_path = %[1]s/log/%%slog
keep_environment =
tls_advertise_hosts = *
tls_certificate = %[1]s/cert.pem
tls_privatekey = %[1]s/key.pem
auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
acl_smtp_rcpt = check
acl_smtp_data = accept
begin acl
check:
  accept authenticated = *
  deny message = log in first
begin routers
all:
  driver = accept
  transport = keep
begin transports
keep:
  driver = appendfile
  directory = %[1]s/box
  user = Debian-exim
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${if and{{eq{$auth2}{sallyport}}{eq{$auth3}{let me in}}}}
  server_set_id = $auth2
`

// exim is the mail server of that name, speaking to one connection at a time.
type exim struct {
	t    *testing.T
	dir  string
	port int

	// over gets a word for each connection that is over, with all its mail delivered.
	over  chan struct{}
	mu    sync.Mutex
	errs  []error
	sides sync.WaitGroup
}

// startExim starts Exim 4, as Debian packages it; it wants to be root to take on the account that owns the box.
func startExim(t *testing.T, cert *tls.Certificate) *exim {
	t.Helper()
	program, err := exec.LookPath("exim4")
	account, noAccount := user.Lookup("Debian-exim")
	if err = errors.Join(err, noAccount); err != nil || os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatalf("Exim 4 is not there, or this is not root: %v", err)
		}
		t.Skip("needs Exim 4 and root")
	}
	x := &exim{t: t, dir: t.TempDir(), over: make(chan struct{}, 8)}
	uid, err := strconv.Atoi(account.Uid)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	x.file("conf", []byte(fmt.Sprintf(eximConfig, x.dir)))
	x.file("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}))
	x.file("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	for _, name := range []string{"spool", "log", "box"} {
		if err := os.Mkdir(filepath.Join(x.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"", "spool", "log", "box", "cert.pem", "key.pem"} {
		if err := os.Chown(filepath.Join(x.dir, name), uid, 0); err != nil {
			t.Fatal(err)
		}
	}
	// The account has to get through the folders above, which are the test's own.
	if err := os.Chmod(filepath.Dir(x.dir), 0o711); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x.port = l.Addr().(*net.TCPAddr).Port
	x.sides.Go(func() { x.accept(program, l) })
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		x.sides.Wait()
		if err := errors.Join(x.errs...); err != nil {
			t.Error("exim:", err)
		}
	})
	return x
}

func (x *exim) file(name string, data []byte) {
	x.t.Helper()
	if err := os.WriteFile(filepath.Join(x.dir, name), data, 0o600); err != nil {
		x.t.Fatal(err)
	}
}

// accept has Exim speak to each connection as inetd would, and then deliver what it took.
func (x *exim) accept(program string, l net.Listener) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			err = x.speak(program, c)
		}
		if err != nil {
			x.mu.Lock()
			x.errs = append(x.errs, err)
			x.mu.Unlock()
		}
		x.over <- struct{}{}
	}
}

func (x *exim) speak(program string, c net.Conn) error {
	f, err := c.(*net.TCPConn).File()
	if err != nil {
		return errors.Join(err, c.Close())
	}
	cmd := exec.Command(program, "-C", filepath.Join(x.dir, "conf"), "-odq", "-bs")
	var said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = f, f, &said
	err = errors.Join(cmd.Start(), f.Close(), c.Close())
	if err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, said.String())
	}
	if out, err := exec.Command(program, "-C", filepath.Join(x.dir, "conf"), "-q").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// log is what the server wrote down.
func (x *exim) log() string {
	x.t.Helper()
	files, err := filepath.Glob(filepath.Join(x.dir, "log", "*"))
	if err != nil {
		x.t.Fatal(err)
	}
	var b strings.Builder
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			x.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s:\n%s", filepath.Base(name), data)
	}
	return b.String()
}

// box is what was delivered.
func (x *exim) box() []*netmail.Message {
	x.t.Helper()
	files, err := filepath.Glob(filepath.Join(x.dir, "box", "*"))
	if err != nil {
		x.t.Fatal(err)
	}
	var all []*netmail.Message
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			x.t.Fatal(err)
		}
		m, err := netmail.ReadMessage(bytes.NewReader(data))
		if err != nil {
			x.t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// A mail server that we did not write takes our mails out of the durable queue, over TLS and after a sign-in, and what
// arrives is what was sent.
func TestQueueDeliversThroughExim(t *testing.T) {
	cert := goodCertificate(t)
	x := startExim(t, cert)
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	sender := &mail.SMTP{
		Host: "127.0.0.1", Port: x.port, Username: "sallyport", Password: "let me in",
		From: netmail.Address{Name: "Sallyport", Address: "id@sallyport.example"}, TLS: &tls.Config{RootCAs: roots},
	}
	q := newOffice(t).another()
	q.Sender = sender
	text := "Grüße,\n.\nein Punkt für sich, und eine lange Zeile: " + strings.Repeat("lang ", 300) + "\n"
	page := "<!doctype html>\n<html lang=\"de\"><p>Grüße\n.\n" + strings.Repeat("<td>ä</td>", 300) + "</html>\n"
	if err := q.Send(t.Context(), mail.Message{Tenant: "acme", To: "robin@acme.example", Subject: "Prüfen Sie das", Text: text, HTML: page}); err != nil {
		t.Fatal(err)
	}
	if n, err := q.Deliver(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d delivered, %v", n, err)
	}
	<-x.over
	got := x.box()
	if len(got) != 1 {
		t.Fatalf("%d mails in the box; the server's log:\n%s", len(got), x.log())
	}
	if via := got[0].Header.Get("Received"); !strings.Contains(via, "esmtpsa") {
		t.Errorf("not over TLS and after a sign-in: %s", via)
	}
	if h := got[0].Header; h.Get("Auto-Submitted") != "auto-generated" || !strings.HasSuffix(h.Get("Message-Id"), "@sallyport.example>") {
		t.Errorf("header: %v", h)
	}
	types, bodies := parts(t, got[0])
	if len(types) != 2 || bodies[0] != strings.TrimRight(text, "\n") || bodies[1] != strings.TrimRight(page, "\n") {
		t.Errorf("%q came as %q", types, bodies)
	}

	sender.Password = "guessed"
	if err := sender.Send(t.Context(), mail.Message{Tenant: "acme", To: "robin@acme.example", Subject: "s", Text: "t"}); err == nil {
		t.Error("taken without the password")
	}
}
