package mail_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/sallyport-id/sallyport/provider/mail"
)

// mailServer is an SMTP server on loopback that does as it is told.
type mailServer struct {
	// recipient, content and hangUp are what it does at RCPT, after DATA, and instead of an answer to that.
	recipient, content error
	sender             error
	hangUp             bool
	// noGoodbye: it hangs up as soon as it has the message.
	noGoodbye bool
	// stall is closed when it is to go on after DATA.
	stall chan struct{}

	addr net.Addr

	mu  sync.Mutex
	got []received
}

type received struct {
	hello, user, from, to, content string
	tls                            bool
}

func (s *mailServer) all() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.got...)
}

type mailSession struct {
	*mailServer
	conn *smtp.Conn
	now  received
}

func (s *mailServer) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &mailSession{mailServer: s, conn: c}, nil
}

func (s *mailSession) Reset() {
	if s.noGoodbye && len(s.all()) > 0 {
		_ = s.conn.Conn().Close() // The client may have been faster.
	}
}
func (*mailSession) Logout() error            { return nil }
func (*mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }
func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "sallyport" || password != "let me in" {
			return smtp.ErrAuthFailed
		}
		s.now.user = user
		return nil
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	s.now.from = from
	return s.sender
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.now.to = to
	return s.recipient
}

func (s *mailSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.stall != nil {
		<-s.stall
	}
	if s.hangUp {
		return s.conn.Conn().Close()
	}
	if s.content != nil {
		return s.content
	}
	_, s.now.tls = s.conn.TLSConnectionState()
	s.now.hello, s.now.content = s.conn.Hostname(), string(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, s.now)
	return nil
}

// serve starts s, by TLS from the start or by STARTTLS, or neither without a certificate, and returns settings for it.
func (s *mailServer) serve(t *testing.T, cert *tls.Certificate, implicit bool) *mail.SMTP {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr()
	server := smtp.NewServer(s)
	server.Domain, server.AllowInsecureAuth = "mx.example", true
	server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	settings := &mail.SMTP{
		Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Encryption: mail.StartTLS,
		From: netmail.Address{Name: "Sallyport – Anmeldung", Address: "no-reply@login.example"},
		Now:  func() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) },
	}
	if cert != nil {
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12}
		roots := x509.NewCertPool()
		roots.AddCert(cert.Leaf)
		settings.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	if implicit {
		l = tls.NewListener(l, server.TLSConfig)
		settings.Encryption = mail.ImplicitTLS
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		// A server that is closed before it has begun to serve leaves its listener open.
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if err := <-served; err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return settings
}

// certificate is self-signed, for the names given.
func certificate(t *testing.T, until time.Time, dns string, ips ...net.IP) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: dns}, DNSNames: []string{dns}, IPAddresses: ips,
		NotBefore: until.Add(-48 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func goodCertificate(t *testing.T) *tls.Certificate {
	return certificate(t, time.Now().Add(time.Hour), "localhost", net.IPv4(127, 0, 0, 1))
}

var resetMail = mail.Message{
	Tenant: "acme", To: "ada@example.com", Subject: "Zurücksetzen – 忘れた?",
	Text: "Grüße!\n\n.\nhttps://login.example/reset?token=0123456789-0123456789-0123456789-0123456789-0123456789-0123456789\n",
}

func TestSMTPSends(t *testing.T) {
	for name, c := range map[string]struct{ tls, implicit, auth bool }{
		"STARTTLS": {tls: true}, "STARTTLS and AUTH": {tls: true, auth: true},
		"TLS": {tls: true, implicit: true}, "TLS and AUTH": {tls: true, implicit: true, auth: true},
		"loopback": {}, "loopback and AUTH": {auth: true},
	} {
		t.Run(name, func(t *testing.T) {
			var s mailServer
			var cert *tls.Certificate
			if c.tls {
				cert = goodCertificate(t)
			}
			settings := s.serve(t, cert, c.implicit)
			if !c.tls {
				settings.Encryption = mail.NoTLS
			}
			user := ""
			if c.auth {
				settings.Username, settings.Password, user = "sallyport", "let me in", "sallyport"
			}
			if err := settings.Send(t.Context(), resetMail); err != nil {
				t.Fatal(err)
			}
			got := s.all()
			if len(got) != 1 {
				t.Fatalf("%d messages", len(got))
			}
			if g := got[0]; g.from != "no-reply@login.example" || g.to != "ada@example.com" || g.hello != "login.example" ||
				g.tls != c.tls || g.user != user {
				t.Errorf("%+v", g)
			}
		})
	}
}

// What arrives says who it is from and that a machine wrote it, and its texts are those that were sent.
func TestSMTPMessage(t *testing.T) {
	var s mailServer
	settings := s.serve(t, goodCertificate(t), false)
	settings.Hello = "app1.internal.example"
	for range 2 {
		if err := settings.Send(t.Context(), resetMail); err != nil {
			t.Fatal(err)
		}
	}
	ids := map[string]bool{}
	for _, got := range s.all() {
		if got.hello != settings.Hello {
			t.Errorf("greeted as %q", got.hello)
		}
		for i := range len(got.content) {
			if got.content[i] > '~' {
				t.Fatalf("not ASCII on its way: %q", got.content)
			}
		}
		m, err := netmail.ReadMessage(strings.NewReader(got.content))
		if err != nil {
			t.Fatal(err)
		}
		for header, want := range map[string]string{
			"From": `"Sallyport – Anmeldung" <no-reply@login.example>`, "To": "<ada@example.com>", "Subject": resetMail.Subject,
			"Date": "Sun, 01 Mar 2026 08:00:00 +0000", "Auto-Submitted": "auto-generated", "MIME-Version": "1.0",
			"Content-Transfer-Encoding": "quoted-printable", "Content-Type": "text/plain; charset=UTF-8",
			"User-Agent": "", "X-Mailer": "", "Bcc": "", "Cc": "",
		} {
			got, err := (&mime.WordDecoder{}).DecodeHeader(m.Header.Get(header))
			if a, aErr := netmail.ParseAddress(m.Header.Get(header)); header == "From" && aErr == nil {
				got = `"` + a.Name + `" <` + a.Address + ">"
			}
			if err != nil || got != want {
				t.Errorf("%s: %q, %v; want %q", header, got, err, want)
			}
		}
		id := m.Header.Get("Message-ID")
		if !regexp.MustCompile(`^<[a-z2-7]{26}@login\.example>$`).MatchString(id) || ids[id] {
			t.Errorf("Message-ID %q", id)
		}
		ids[id] = true
		text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
		if err != nil || strings.TrimRight(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n") != strings.TrimRight(resetMail.Text, "\n") {
			t.Errorf("text %q, %v", text, err)
		}
	}
}

// parts are the bodies of a mail, by their types, in the order in which they stand.
func parts(t *testing.T, m *netmail.Message) (types, bodies []string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s, %v", m.Header.Get("Content-Type"), err)
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return types, bodies
		}
		if err != nil {
			t.Fatal(err)
		}
		if e := p.Header.Get("Content-Transfer-Encoding"); e != "quoted-printable" {
			t.Errorf("%s is encoded as %q", p.Header.Get("Content-Type"), e)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		types = append(types, p.Header.Get("Content-Type"))
		bodies = append(bodies, strings.TrimRight(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n"))
	}
}

// Where there is HTML it stands behind the text, and both arrive as they were sent, in lines that every server takes.
func TestSMTPMessageWithHTML(t *testing.T) {
	var s mailServer
	settings := s.serve(t, goodCertificate(t), false)
	m := resetMail
	m.ID = "01772352000000000000-abcdefghijklmnopqrstuvwxyz"
	m.Text = "Grüße\n.\n-- \nمرحبا " + strings.Repeat("lang ", 400) + "\n"
	m.HTML = "<!doctype html>\n<html lang=\"ar\" dir=\"rtl\"><p style=\"color: #fff\">مرحبا = 1</p>\n.\n" + strings.Repeat("<td>ü</td>", 400) + "\n</html>\n"
	for range 2 {
		if err := settings.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	all := s.all()
	if len(all) != 2 {
		t.Fatalf("%d messages", len(all))
	}
	for _, g := range all {
		for line := range strings.Lines(g.content) {
			if len(line) > 80 && !strings.HasPrefix(line, "Content-Type: ") {
				t.Errorf("a line of %d bytes: %s", len(line), line)
			}
		}
		got, err := netmail.ReadMessage(strings.NewReader(g.content))
		if err != nil {
			t.Fatal(err)
		}
		if id := got.Header.Get("Message-Id"); id != "<"+m.ID+"@login.example>" || got.Header.Get("Auto-Submitted") != "auto-generated" {
			t.Errorf("header: %v", got.Header)
		}
		types, bodies := parts(t, got)
		if !slices.Equal(types, []string{"text/plain; charset=UTF-8", "text/html; charset=UTF-8"}) {
			t.Fatalf("parts: %q", types)
		}
		if bodies[0] != strings.TrimRight(m.Text, "\n") || bodies[1] != strings.TrimRight(m.HTML, "\n") {
			t.Errorf("came as %q", bodies)
		}
	}
}

// Each way to fail is told apart: what to try again, and what not.
func TestSMTPFailures(t *testing.T) {
	smtpError := func(code int, enhanced smtp.EnhancedCode) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: "no: ada@example.com https://login.example/reset"}
	}
	for name, c := range map[string]struct {
		server    *mailServer
		settings  func(s *mail.SMTP)
		permanent bool
		want      string
	}{
		"greylisted":         {server: &mailServer{recipient: smtpError(451, smtp.EnhancedCode{4, 7, 1})}, want: "451 4.7.1"},
		"no such mailbox":    {server: &mailServer{recipient: smtpError(550, smtp.EnhancedCode{5, 1, 1})}, permanent: true, want: "550 5.1.1"},
		"content refused":    {server: &mailServer{content: smtpError(554, smtp.EnhancedCode{5, 6, 0})}, permanent: true, want: "554 5.6.0"},
		"content postponed":  {server: &mailServer{content: smtpError(452, smtp.EnhancedCode{4, 3, 1})}, want: "452 4.3.1"},
		"sender refused":     {server: &mailServer{sender: smtpError(550, smtp.EnhancedCode{5, 7, 1})}, want: "550 5.7.1"},
		"sign-in asked for":  {server: &mailServer{recipient: smtpError(530, smtp.EnhancedCode{5, 7, 0})}, want: "530 5.7.0"},
		"dropped after DATA": {server: &mailServer{hangUp: true}, want: "no answer"},
		"wrong password":     {settings: func(s *mail.SMTP) { s.Username, s.Password = "sallyport", "guess" }, want: "535"},
		"nobody there":       {settings: func(s *mail.SMTP) { s.Port = 1 }, want: "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.server == nil {
				c.server = &mailServer{}
			}
			settings := c.server.serve(t, goodCertificate(t), false)
			if c.settings != nil {
				c.settings(settings)
			}
			err := settings.Send(t.Context(), resetMail)
			if err == nil || errors.Is(err, mail.ErrPermanent) != c.permanent || errors.Is(err, mail.ErrMessage) {
				t.Fatalf("%v; permanent: want %t", err, c.permanent)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want it to say %q", err, c.want)
			}
			for _, secret := range []string{"ada@", "https://", "Grüße", "guess"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%v: tells %q", err, secret)
				}
			}
			if got := c.server.all(); len(got) != 0 {
				t.Errorf("sent %+v", got)
			}
		})
	}
}

// A server that is busy at first and better a moment later gets the message then.
func TestSMTPServerThatRecovers(t *testing.T) {
	s := &mailServer{recipient: &smtp.SMTPError{Code: 421, Message: "busy"}}
	settings := s.serve(t, goodCertificate(t), false)
	if err := settings.Send(t.Context(), resetMail); err == nil || errors.Is(err, mail.ErrPermanent) {
		t.Fatalf("%v", err)
	}
	s.recipient = nil
	if err := settings.Send(t.Context(), resetMail); err != nil || len(s.all()) != 1 {
		t.Errorf("%v, %d messages", err, len(s.all()))
	}
}

// What the server has is sent, even if there is no goodbye: it must not be sent again.
func TestSMTPServerWithoutGoodbye(t *testing.T) {
	s := &mailServer{noGoodbye: true}
	settings := s.serve(t, goodCertificate(t), false)
	if err := settings.Send(t.Context(), resetMail); err != nil || len(s.all()) != 1 {
		t.Errorf("%v, %d messages", err, len(s.all()))
	}
}

// No server gets a message, or a password, that has not shown who it is.
func TestSMTPRefusesServers(t *testing.T) {
	good := goodCertificate(t)
	for name, c := range map[string]struct {
		cert     *tls.Certificate
		implicit bool
		settings func(s *mail.SMTP)
	}{
		"no STARTTLS":           {},
		"for another host":      {cert: certificate(t, time.Now().Add(time.Hour), "mx.example")},
		"expired":               {cert: certificate(t, time.Now().Add(-time.Hour), "localhost", net.IPv4(127, 0, 0, 1))},
		"of no known authority": {cert: good, settings: func(s *mail.SMTP) { s.TLS.RootCAs = x509.NewCertPool() }},
		"by the system's":       {cert: good, settings: func(s *mail.SMTP) { s.TLS = nil }},
		"another name asked":    {cert: good, settings: func(s *mail.SMTP) { s.TLS.ServerName = "mx.example" }},
		"implicit, wrong":       {cert: certificate(t, time.Now().Add(time.Hour), "mx.example"), implicit: true},
		"TLS 1.1":               {cert: good, settings: func(s *mail.SMTP) { s.TLS.MinVersion, s.TLS.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }},
		"implicit, not there":   {cert: good, settings: func(s *mail.SMTP) { s.Encryption = mail.ImplicitTLS }},
	} {
		t.Run(name, func(t *testing.T) {
			var s mailServer
			settings := s.serve(t, c.cert, c.implicit)
			settings.Username, settings.Password = "sallyport", "let me in"
			if c.settings != nil {
				c.settings(settings)
			}
			if err := settings.Send(t.Context(), resetMail); err == nil || errors.Is(err, mail.ErrPermanent) || errors.Is(err, mail.ErrMessage) {
				t.Errorf("%v", err)
			}
			if got := s.all(); len(got) != 0 {
				t.Errorf("sent %+v", got)
			}
		})
	}
}

// A server that says nothing more keeps nobody longer than the caller will wait.
func TestSMTPEndsWithItsContext(t *testing.T) {
	s := &mailServer{stall: make(chan struct{})}
	settings := s.serve(t, goodCertificate(t), false)
	defer close(s.stall)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	mute := *settings
	mute.Port = silent.Addr().(*net.TCPAddr).Port
	for name, sender := range map[string]*mail.SMTP{"after DATA": settings, "before the greeting": &mute} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		began := time.Now()
		if err := sender.Send(ctx, resetMail); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		cancel()
	}
}

func TestSMTPSettings(t *testing.T) {
	good := mail.SMTP{Host: "mx.example", From: netmail.Address{Name: "Sallyport", Address: "no-reply@login.example"}}
	for name, c := range map[string]struct {
		change func(s *mail.SMTP)
		want   string
	}{
		"good":                 {func(*mail.SMTP) {}, ""},
		"IPv6":                 {func(s *mail.SMTP) { s.Host = "2001:db8::1" }, ""},
		"implicit":             {func(s *mail.SMTP) { s.Encryption = mail.ImplicitTLS }, ""},
		"loopback":             {func(s *mail.SMTP) { s.Host, s.Encryption = "localhost", mail.NoTLS }, ""},
		"loopback, IPv6":       {func(s *mail.SMTP) { s.Host, s.Encryption = "::1", mail.NoTLS }, ""},
		"no host":              {func(s *mail.SMTP) { s.Host = "" }, "host"},
		"URL":                  {func(s *mail.SMTP) { s.Host = "smtp://mx.example" }, "host"},
		"host and port":        {func(s *mail.SMTP) { s.Host = "mx.example:25" }, "host"},
		"unix socket":          {func(s *mail.SMTP) { s.Host = "unix:///run/smtp" }, "host"},
		"port":                 {func(s *mail.SMTP) { s.Port = 70000 }, "port"},
		"no sender":            {func(s *mail.SMTP) { s.From = netmail.Address{} }, "sender"},
		"sender is no address": {func(s *mail.SMTP) { s.From.Address = "Sallyport" }, "sender"},
		"header in the sender": {func(s *mail.SMTP) { s.From.Address = "a@b.example\r\nBcc: eve@example.com" }, "sender"},
		"header in the name":   {func(s *mail.SMTP) { s.From.Name = "a\r\nBcc: eve@example.com" }, "sender"},
		"user without word":    {func(s *mail.SMTP) { s.Username = "sallyport" }, "password"},
		"word without user":    {func(s *mail.SMTP) { s.Password = "let me in" }, "password"},
		"command in the hello": {func(s *mail.SMTP) { s.Hello = "a\r\nRSET" }, "hello"},
		"none to another host": {func(s *mail.SMTP) { s.Encryption = mail.NoTLS }, "another machine"},
		"none to a lookalike":  {func(s *mail.SMTP) { s.Host, s.Encryption = "localhost.example", mail.NoTLS }, "another machine"},
		"unknown encryption":   {func(s *mail.SMTP) { s.Encryption = "opportunistic" }, "opportunistic"},
		"unchecked server":     {func(s *mail.SMTP) { s.TLS = &tls.Config{InsecureSkipVerify: true} }, "checked"},
	} {
		t.Run(name, func(t *testing.T) {
			s := good
			c.change(&s)
			err := s.Check()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want %q", err, c.want)
			}
			if err == nil {
				return
			}
			if sendErr := s.Send(t.Context(), resetMail); sendErr == nil || sendErr.Error() != err.Error() {
				t.Errorf("Send: %v", sendErr)
			}
		})
	}
	if err := good.Send(t.Context(), mail.Message{To: "a@b.example\r\nBcc: eve@example.com", Subject: "a", Text: "b"}); !errors.Is(err, mail.ErrMessage) {
		t.Errorf("a malformed message: %v", err)
	}
}
