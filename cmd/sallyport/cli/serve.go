package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
)

type serveCommand struct {
	settings
	smsLimits
}

// Run serves until it is told to stop.
func (c *serveCommand) Run(w *world) (err error) {
	d, err := c.check(w.plugins, c.smsLimits)
	if err != nil {
		return err
	}
	logger := c.logger(w)
	l, err := listen(w.ctx, d.listen, c.where("listen"))
	if err != nil {
		return err
	}
	if d.issuer == "" {
		d.issuer = c.loopbackIssuer(l.Addr().String())
	}
	m, err := c.openMetrics(w.ctx)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	// Whoever serves has closed them already, and they say so.
	defer func() { _, _ = l.Close(), m.close() }()
	d.sinks = m.sinks
	o, err := c.open(w.ctx, d, logger)
	if err != nil {
		return err
	}
	defer func() { err = o.close(err) }()
	return c.serve(w, d, o, l, m, logger)
}

func (c *serveCommand) serve(w *world, d deployment, o opened, l net.Listener, m metrics, logger *slog.Logger) error {
	e, err := newEcho(o.Provider, d.issuer, logger)
	if err != nil {
		return err
	}
	background, stop := context.WithCancel(context.WithoutCancel(w.ctx))
	var tasks sync.WaitGroup
	if m.listener != nil {
		tasks.Go(func() {
			if err := serve(background, newServer(m.handler, logger), nil, m.listener); err != nil {
				logger.Error("metrics stopped", "error", err)
			}
		})
	}
	tasks.Go(func() {
		if err := o.Run(background); err != nil && background.Err() == nil {
			logger.Error("background work stopped", "error", err)
		}
	})
	defer tasks.Wait()
	defer stop()
	logger.Info("serving", "issuer", d.issuer, "listen", l.Addr().String())
	c.warn(d, logger)
	if err := c.hint(w, o.Admin()); err != nil {
		return err
	}
	err = serve(w.ctx, newServer(e, logger), d.cert, l)
	logger.Info("stopped")
	return err
}

// warn tells of messages that nobody gets, because whoever waits for one would look for it elsewhere.
func (c *serveCommand) warn(d deployment, logger *slog.Logger) {
	const kept = "they stay in the database's outbox for a day, and nobody gets them"
	if d.mail == nil {
		logger.Warn("MAILS ARE NOT SENT: "+kept, "to send them, set", "smtp_host")
	}
	if d.offer.sender != nil && d.offer.sender.Kept {
		logger.Warn("TEXT MESSAGES ARE NOT SENT: "+kept, "to send them, set", "sms_sender")
	}
}

// hint tells who has nothing yet what comes next.
func (c *serveCommand) hint(w *world, a *admin.Service) error {
	some, err := a.Tenants(w.ctx, web.Operator(), admin.Page{Limit: 1})
	if err != nil || len(some) > 0 {
		return err
	}
	flags := c.again()
	_, err = fmt.Fprintf(w.err, `
There is no tenant yet, so nobody can sign in. To begin, run in another terminal:

  sallyport admin%[1]s tenants create northwind --name "Northwind Joinery"
  sallyport admin%[1]s users create --tenant northwind --email you@example.com --name "Your Name" --role owner
  sallyport admin%[1]s clients create --name "My application" --type web --redirect-uri https://app.example.com/callback

`, flags)
	return err
}

// again are the flags that make another command find the same database.
func (c *serveCommand) again() string {
	var b strings.Builder
	for _, f := range []struct{ name, value string }{
		{"config", c.Config}, {"issuer", c.Issuer}, {"store", c.Store}, {"store-file", c.StoreFile}, {"master-key-file", c.MasterKeyFile},
	} {
		if c.flags[f.name] {
			fmt.Fprintf(&b, " --%s %s", f.name, quote(f.value))
		}
	}
	return b.String()
}

// quote makes one word of a text for a shell.
func quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+,=", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
