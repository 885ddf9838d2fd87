package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

type checkCommand struct {
	settings
	smsLimits
	Health string `placeholder:"URL" help:"Ask a running server instead, as https://id.example.com/readyz."`
}

const healthTime = 3 * time.Second

// Run prints what is wrong.
func (c *checkCommand) Run(w *world) error {
	if c.Health != "" {
		return askHealth(w.ctx, c.Health)
	}
	d, err := c.check(w.plugins, c.smsLimits)
	if err != nil {
		return err
	}
	if d.issuer == "" {
		d.issuer = c.loopbackIssuer(d.listen)
	}
	if err := c.tryTheme(d.theme); err != nil {
		return err
	}
	c.advise(w, d)
	if d.kind.File != nil {
		// Looking must not make one.
		if _, err := os.Stat(d.kind.File(d.url)); errors.Is(err, fs.ErrNotExist) {
			return c.good(w, d, fmt.Sprintf("The configuration is good. There is no database %s yet; “sallyport serve” will make it.", d.kind.File(d.url)))
		}
	}
	o, err := c.open(w.ctx, d, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if err := o.close(o.store.Ping(w.ctx)); err != nil {
		return finding{What: err.Error(), Where: c.where("store"), Do: "check that the database can be written to"}
	}
	return c.good(w, d, "The configuration is good, and the database answers.")
}

// good says so, and what the settings come to.
func (c *checkCommand) good(w *world, d deployment, says string) error {
	factors := make([]string, len(d.offer.kinds))
	for i, k := range d.offer.kinds {
		factors[i] = k.ID
	}
	mails, texts, theme := "stay in the database", "none", ""
	if d.theme != nil {
		theme = fmt.Sprintf("  theme:   %s\n", c.Theme)
	}
	if d.mail != nil {
		mails = "by " + c.Mail.Host
	}
	if d.offer.sender != nil {
		texts = fmt.Sprintf("by %s, to %s", c.SMS.Sender, strings.Join(d.offer.factor.SMSCountries, ", "))
	}
	_, err := fmt.Fprintf(w.out, "%s\n  issuer:  %s\n  listen:  %s\n  factors: %s\n  mails:   %s\n  SMS:     %s\n%s",
		says, d.issuer, d.listen, strings.Join(factors, ", "), mails, texts, theme)
	return err
}

// advise points out what works but should not stay so.
func (c *checkCommand) advise(w *world, d deployment) {
	for _, path := range append([]string{
		c.MasterKeyFile, c.StoreFile, c.TLSKeyFile, c.Mail.PasswordFile, c.SMS.TwilioAuthTokenFile, c.SMS.TwilioAPIKeySecretFile,
		c.SMS.HeadersFile,
	}, c.PreviousMasterKeyFiles...) {
		if info, err := os.Stat(path); path != "" && err == nil && info.Mode().Perm()&0o007 != 0 {
			finding{What: "every user of this machine can read " + path, Where: path, Do: "chmod 600 it"}.print(w.err)
		}
	}
	if host, _, err := net.SplitHostPort(c.MetricsListen); err == nil && !loopbackHost(host) {
		finding{
			What: "everybody who reaches this machine can read the metrics", Where: c.where("metrics_listen"),
			Do: "listen on a loopback address, or let nobody but Prometheus through",
		}.print(w.err)
	}
	if d.offer.sender != nil && d.offer.sender.Kept {
		finding{
			What: "text messages are not sent: they stay in the database", Where: c.where("sms_sender"),
			Do: "leave that for trials; for people, choose another sms_sender",
		}.print(w.err)
	}
}

func askHealth(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	unhealthy := finding{Where: url, Do: "look at the server's log"}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		unhealthy.What, unhealthy.Do = "this can't be asked: "+err.Error(), "give a URL such as http://127.0.0.1:8080/readyz"
		return unhealthy
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		unhealthy.What = "the server does not answer: " + err.Error()
		return unhealthy
	}
	defer func() { _ = resp.Body.Close() }() // Not read.
	if resp.StatusCode != http.StatusOK {
		unhealthy.What = "the server says that it is not well: " + resp.Status
		return unhealthy
	}
	return nil
}
