package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/sallyport-id/sallyport/storage"
)

// Encryption is how the connection to a mail server is kept from others.
type Encryption string

const (
	// StartTLS begins in the clear and goes on by STARTTLS (RFC 3207), or not at all.
	StartTLS Encryption = "starttls"
	// ImplicitTLS begins by TLS (RFC 8314, section 3.3).
	ImplicitTLS Encryption = "tls"
	// NoTLS is for a server on this machine.
	NoTLS Encryption = "none"
)

// sendTime bounds how long it may take to hand one message over, from the look-up of the server's name on.
const sendTime = 30 * time.Second

// SMTP is a Sender that hands messages to a mail server (RFC 6409), over a connection each. Host and From are needed.
//
// A connection that breaks before the server's last word leaves open whether it took the message; a second Send may
// then bring it twice.
type SMTP struct {
	Host string
	// Port is 587 when 0, and 465 for ImplicitTLS.
	Port int
	// Username and Password are for AUTH PLAIN or LOGIN (RFC 4954); without a Username nobody signs in.
	Username, Password string
	// From is who the messages are from, in their header and on their envelope.
	From netmail.Address
	// Encryption is StartTLS when empty.
	Encryption Encryption
	// TLS may hold the authorities that the server's certificate is checked by, or a certificate to show; nil means
	// those of the system.
	TLS *tls.Config
	// Hello is the name that the server is greeted with (RFC 5321, section 4.1.1.1); empty means the domain of From.
	Hello string
	// Now is the clock that messages are dated by; nil means time.Now.
	Now func() time.Time
}

var _ Sender = (*SMTP)(nil)

// Check tells what is wrong with the settings.
func (s *SMTP) Check() error {
	switch a, err := netmail.ParseAddress(s.From.String()); {
	case s.Host == "" || strings.ContainsAny(s.Host, "/: \r\n") && !isIP(s.Host):
		return errors.New("mail: SMTP host is not a host name or address")
	case s.Port < 0 || s.Port > 65535:
		return fmt.Errorf("mail: SMTP port %d is none", s.Port)
	case s.From.Address == "" || err != nil || a.Address != s.From.Address || !line(s.From.Name):
		return errors.New("mail: sender is not a bare address, or its name not one line")
	case (s.Username == "") != (s.Password == ""):
		return errors.New("mail: SMTP user name and password go together")
	case s.Hello != "" && (strings.ContainsAny(s.Hello, " \t") || !line(s.Hello)):
		return errors.New("mail: SMTP hello name is not a host name")
	case s.TLS != nil && s.TLS.InsecureSkipVerify:
		return errors.New("mail: the server's certificate must be checked; name its authority in TLS.RootCAs")
	}
	switch s.Encryption {
	case "", StartTLS, ImplicitTLS:
		return nil
	case NoTLS:
		if !loopback(s.Host) {
			return fmt.Errorf("mail: %s is another machine: messages hold links that sign people in, and need TLS on the way", s.Host)
		}
		return nil
	default:
		return fmt.Errorf("mail: encryption %q is none of %s, %s, %s", s.Encryption, StartTLS, ImplicitTLS, NoTLS)
	}
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// Send hands the message over. Where the server refuses it for good (a recipient that is not there) the error is
// ErrPermanent; everything else, wrong settings included, may be mended before the next try. Errors hold neither what
// the server said of a message, which can quote it, nor the recipient.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	if err := m.Check(); err != nil {
		return err
	}
	if err := s.Check(); err != nil {
		return err
	}
	msg, err := s.message(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	dial := dialer{tls: s.config(), implicit: s.Encryption == ImplicitTLS}
	defer dial.hangUp()
	stop := context.AfterFunc(ctx, dial.hangUp)
	defer stop()
	client, err := s.client(&dial)
	if err != nil {
		return fmt.Errorf("mail: %s: %w", s.Host, err)
	}
	err = client.DialAndSendWithContext(ctx, msg)
	switch {
	case err == nil, msg.IsDelivered(): // The server has it, however the goodbye went.
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("mail: %s: %w", s.Host, ctx.Err())
	default:
		return fmt.Errorf("mail: %s: %w", s.Host, explain(err))
	}
}

// explain says how far a message came, and whether there is a use in trying again.
func explain(err error) error {
	var refused *gomail.SendError
	if !errors.As(err, &refused) {
		return err
	}
	code := refused.ErrorCode()
	said := "no answer"
	if code != 0 {
		said = strings.TrimSpace(fmt.Sprint(code, " ", refused.EnhancedStatusCode()))
	}
	// A sender that is refused, or one who has to sign in (RFC 4954, section 6), is a matter of the settings, and not
	// of the message: it waits until they are mended.
	aboutMessage := slices.Contains([]gomail.SendErrReason{
		gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrWriteContent, gomail.ErrSMTPDataClose,
	}, refused.Reason)
	if code >= 500 && aboutMessage && !slices.Contains([]int{530, 534, 535, 538}, code) {
		return fmt.Errorf("%w: %s: %s", ErrPermanent, refused.Reason, said)
	}
	return fmt.Errorf("%s: %s", refused.Reason, said)
}

// message is m as it goes out.
func (s *SMTP) message(m Message) (*gomail.Msg, error) {
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP), gomail.WithCharset(gomail.CharsetUTF8))
	msg.FromMailAddress(&s.From)
	if err := msg.To(m.To); err != nil {
		return nil, fmt.Errorf("%w: recipient", ErrMessage)
	}
	msg.Subject(m.Subject)
	msg.SetDateWithValue(now())
	// The same for every try: where one brings it twice, mail programs show it once (RFC 5322, section 3.6.4).
	msg.SetMessageIDWithValue(cmp.Or(m.ID, storage.NewID()) + "@" + s.domain())
	// Out-of-office replies and the like leave it alone (RFC 3834, section 5).
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		// The last is the richest, and what most programs show (RFC 2046, section 5.1.4).
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return msg, nil
}

func (s *SMTP) domain() string { return s.From.Address[strings.LastIndexByte(s.From.Address, '@')+1:] }

// config is TLS for this server.
func (s *SMTP) config() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.TLS != nil {
		c = s.TLS.Clone()
		c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	}
	if c.ServerName == "" {
		c.ServerName = s.Host
	}
	return c
}

func (s *SMTP) client(dial *dialer) (*gomail.Client, error) {
	port, policy := 587, gomail.TLSMandatory
	switch s.Encryption {
	case ImplicitTLS:
		port = 465
	case NoTLS:
		policy = gomail.NoTLS
	}
	options := []gomail.Option{
		gomail.WithPort(cmp.Or(s.Port, port)), gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(dial.tls),
		gomail.WithTimeout(sendTime), gomail.WithHELO(cmp.Or(s.Hello, s.domain())), gomail.WithDialContextFunc(dial.dial),
	}
	if s.Encryption == ImplicitTLS {
		options = append(options, gomail.WithSSL())
	}
	if s.Username != "" {
		options = append(
			options, gomail.WithUsername(s.Username), gomail.WithPassword(s.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthPlain, gomail.SMTPAuthLogin),
		)
	}
	return gomail.NewClient(s.Host, options...)
}

// dialer makes one connection and holds it. The library knows a context only until there is a connection, and leaves
// one open that it could not greet.
type dialer struct {
	tls      *tls.Config
	implicit bool

	mu    sync.Mutex
	conn  net.Conn
	ended bool
}

// dial gives the library its connection.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var conn net.Conn
	var err error
	if d.implicit {
		conn, err = (&tls.Dialer{Config: d.tls}).DialContext(ctx, network, address)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
	}
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return nil, errors.Join(net.ErrClosed, conn.Close())
	}
	d.conn = conn
	return conn, nil
}

// hangUp ends the connection, in whatever it is doing.
func (d *dialer) hangUp() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	if d.conn != nil {
		_ = d.conn.Close() // It is closed already after a goodbye.
	}
}
