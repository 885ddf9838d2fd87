package cli

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	netmail "net/mail"
	"slices"
	"strconv"

	"github.com/sallyport-id/sallyport/provider/mail"
)

// mailSettings say which server takes the mails.
type mailSettings struct {
	Host         string `name:"smtp-host" placeholder:"HOST" env:"SALLYPORT_SMTP_HOST" help:"Mail server that takes the mails (default: they stay in the database, and nobody gets them)."`
	Port         string `name:"smtp-port" placeholder:"PORT" env:"SALLYPORT_SMTP_PORT" help:"Its port (default: 587, and 465 for smtp_tls: tls)."`
	Username     string `name:"smtp-username" placeholder:"NAME" env:"SALLYPORT_SMTP_USERNAME" help:"Name to sign in to it with."`
	PasswordFile string `name:"smtp-password-file" placeholder:"FILE" env:"SALLYPORT_SMTP_PASSWORD_FILE" help:"File that holds the password."`
	TLS          string `name:"smtp-tls" placeholder:"HOW" env:"SALLYPORT_SMTP_TLS" help:"starttls (default), tls from the first byte, or none, for a server on this machine only."`
	CAFile       string `name:"smtp-ca-file" placeholder:"FILE" env:"SALLYPORT_SMTP_CA_FILE" help:"Certificates in PEM that the server's is checked by (default: the system's)."`
	From         string `name:"mail-from" placeholder:"ADDRESS" env:"SALLYPORT_MAIL_FROM" help:"Whom mails are from, as no-reply@example.com or “Example <no-reply@example.com>”."`
}

// mail is the mail server; nil where there is none.
func (c *checker) mail() mail.Sender {
	m := c.Mail
	if m.Host == "" {
		for _, s := range [...][2]string{
			{"smtp_port", m.Port},
			{"smtp_username", m.Username},
			{"smtp_password_file", m.PasswordFile},
			{"smtp_tls", m.TLS},
			{"smtp_ca_file", m.CAFile},
			{"mail_from", m.From},
		} {
			if s[1] != "" {
				c.add(s[0], "it is about the mail server, and none is named", "set smtp_host too")
			}
		}
		return nil
	}
	before := len(c.found)
	s := &mail.SMTP{
		Host: m.Host, Port: c.smtpPort(), Username: m.Username, Password: c.smtpPassword(), From: c.mailFrom(),
		Encryption: mail.Encryption(m.TLS), TLS: c.smtpAuthorities(),
	}
	if known := []mail.Encryption{"", mail.StartTLS, mail.ImplicitTLS, mail.NoTLS}; !slices.Contains(known, s.Encryption) {
		c.add("smtp_tls", fmt.Sprintf("there is no %q", m.TLS), "choose starttls, tls or none")
	}
	if len(c.found) > before {
		return nil
	}
	if err := s.Check(); err != nil {
		key := "smtp_host"
		if s.Encryption == mail.NoTLS {
			key = "smtp_tls"
		}
		c.add(key, err.Error(), "deploy/mail.md says what belongs where")
		return nil
	}
	return s
}

func (c *checker) smtpPort() int {
	if c.Mail.Port == "" {
		return 0
	}
	n, err := strconv.ParseUint(c.Mail.Port, 10, 16)
	if err != nil || n == 0 {
		c.add("smtp_port", fmt.Sprintf("%q is no port", c.Mail.Port), "give one from 1 to 65535, mostly 587 or 465")
	}
	return int(n)
}

func (c *checker) smtpPassword() string {
	switch m := c.Mail; {
	case m.PasswordFile == "" && m.Username != "":
		c.add("smtp_username", "there is a user name without its password", "set smtp_password_file too")
	case m.PasswordFile != "" && m.Username == "":
		c.add("smtp_password_file", "there is a password without its user name", "set smtp_username too")
	case m.PasswordFile != "":
		password, err := readSecret(m.PasswordFile)
		if err != nil {
			c.add("smtp_password_file", err.Error(), "name a file that holds the password and nothing else")
		}
		return password
	}
	return ""
}

func (c *checker) mailFrom() netmail.Address {
	if c.Mail.From == "" {
		c.add("mail_from", "nothing says whom mails are from", "set it to an address that the mail server lets you send from")
		return netmail.Address{}
	}
	a, err := netmail.ParseAddress(c.Mail.From)
	if err != nil {
		c.add("mail_from", fmt.Sprintf("%q is no e-mail address", c.Mail.From), "write it as no-reply@example.com or “Example <no-reply@example.com>”")
		return netmail.Address{}
	}
	if a.Name == "" {
		a.Name = c.Product
	}
	return *a
}

func (c *checker) smtpAuthorities() *tls.Config {
	if c.Mail.CAFile == "" {
		return nil
	}
	data, err := readBounded(c.Mail.CAFile)
	roots := x509.NewCertPool()
	if err == nil && !roots.AppendCertsFromPEM(data) {
		err = fmt.Errorf("%s holds no certificate in PEM", c.Mail.CAFile)
	}
	if err != nil {
		c.add("smtp_ca_file", err.Error(), "name a file with the certificates of the authorities, in PEM")
		return nil
	}
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}
