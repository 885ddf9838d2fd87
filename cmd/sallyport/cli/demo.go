package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"text/tabwriter"

	"github.com/sallyport-id/sallyport/cmd/sallyport/sampleapp"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/ui"
)

type demoCommand struct {
	Listen    string `default:"localhost:8080" placeholder:"ADDRESS" help:"Loopback address and port of the identity provider; port 0 picks a free one."`
	AppListen string `placeholder:"ADDRESS" help:"Loopback address and port of the sample application (default: the next port)."`
	Info      string `placeholder:"FILE" help:"Write what is printed to a file, as JSON, once everything answers."`
	Keep      string `placeholder:"DIR" help:"Keep the data in this folder, and go on with it the next time."`
	Theme     string `placeholder:"DIR" help:"Folder of templates, texts, languages and static files that take the place of the built-in ones."`
	LogLevel  string `default:"warn" enum:"debug,info,warn,error" help:"Least level that is logged: debug, info, warn or error."`
}

const (
	// demoMemory is where the collector begins to work harder, in bytes. An argon2id hash takes 19 MiB while it is
	// computed; a demonstration should not hold on to that.
	demoMemory = 40 << 20
	// demoGrowth is by how much of itself, in percent, the heap grows before the collector runs.
	demoGrowth = 20
)

// info is what a demonstration tells of itself.
type info struct {
	Issuer string           `json:"issuer"`
	App    string           `json:"app"`
	Outbox string           `json:"outbox"`
	Users  []sampleapp.User `json:"users"`
	// Program can use the API.
	Program sampleProgram `json:"program"`
}

// Run shows everything until it is told to stop.
func (c *demoCommand) Run(w *world) (err error) {
	debug.SetMemoryLimit(demoMemory)
	debug.SetGCPercent(demoGrowth)
	idp, app, err := c.listen(w.ctx)
	if err != nil {
		return err
	}
	// Listeners that a server took over are closed already, and say so.
	defer func() { _, _ = idp.close(), app.close() }()
	dir, remove, err := c.folder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	s := &settings{Product: "Sallyport", LogLevel: c.LogLevel, LogFormat: "text", Theme: c.Theme, flags: map[string]bool{"theme": c.Theme != ""}}
	logger := s.logger(w)
	d, err := c.deployment(w.plugins, dir, idp.url)
	if err != nil {
		return err
	}
	if d.theme, err = s.openTheme(); err != nil {
		return err
	}
	o, err := s.open(w.ctx, d, logger)
	if err != nil {
		return err
	}
	defer func() { err = o.close(err) }()
	return c.show(w, o, idp, app, logger)
}

// demoCountries are those that the demonstration "sends" to.
var demoCountries = [...]string{"DE", "AT", "CH", "GB", "US", "AU"}

// deployment is a database in dir, with every factor that is on offer by default. Text messages stay in its outbox.
func (c *demoCommand) deployment(plugins Plugins, dir, issuer string) (deployment, error) {
	kind, ok := plugins.Stores["sqlite"]
	if !ok {
		return deployment{}, finding{What: "this program was built without SQLite, which the demonstration keeps its data in"}
	}
	u, err := url.Parse(issuer)
	if err != nil {
		return deployment{}, err
	}
	o := offer{factor: FactorSettings{Issuer: u, SMSCountries: demoCountries[:]}}
	if s, ok := plugins.Senders["outbox"]; ok {
		o.sender = &s
	}
	o.withDefaults(plugins.Factors)
	return deployment{
		issuer: issuer, kind: kind, url: "sqlite:" + filepath.Join(dir, "sallyport.db"), offer: o, hasher: &oneAtATime{},
	}, nil
}

// oneAtATime computes the hashes of passwords one after the other, so that they hold 19 MiB and not that for each core.
type oneAtATime struct {
	directory.Argon2id
	turn sync.Mutex
}

// Hash implements directory.Hasher.
func (o *oneAtATime) Hash(settings, password string) (string, error) {
	o.turn.Lock()
	defer o.turn.Unlock()
	// The collector would let the next hash begin before it gives the last one's memory back.
	defer debug.FreeOSMemory()
	return o.Argon2id.Hash(settings, password)
}

// listen opens both addresses. Passwords that everybody knows are for this machine only.
func (c *demoCommand) listen(ctx context.Context) (idp, app site, err error) {
	for _, a := range []struct{ flag, address string }{{"--listen", c.Listen}, {"--app-listen", c.AppListen}} {
		if host, _, err := net.SplitHostPort(a.address); a.address != "" && (err != nil || !loopbackHost(host)) {
			return idp, app, finding{
				What: fmt.Sprintf("%q is no loopback address with a port", a.address), Where: a.flag,
				Do: "give one such as localhost:8080: the sample users' passwords are no secret, so nobody else may reach them",
			}
		}
	}
	if idp, err = listenHere(ctx, c.Listen, "--listen"); err != nil {
		return idp, app, err
	}
	address, where := c.AppListen, "--app-listen"
	if address == "" {
		if address, err = nextPort(c.Listen); err != nil {
			return idp, app, errors.Join(err, idp.close())
		}
		where = "the port after --listen, for the sample application"
	}
	if app, err = listenHere(ctx, address, where); err != nil {
		return idp, app, errors.Join(err, idp.close())
	}
	return idp, app, nil
}

// folder is where the data goes, and how it is removed at the end.
func (c *demoCommand) folder() (dir string, remove func() error, err error) {
	if c.Keep != "" {
		if err := os.MkdirAll(c.Keep, 0o700); err != nil {
			return "", nil, finding{What: err.Error(), Where: "--keep", Do: "name a folder that can be made or written to"}
		}
		return c.Keep, func() error { return nil }, nil
	}
	if dir, err = os.MkdirTemp("", "sallyport-demo-*"); err != nil {
		return "", nil, finding{What: err.Error(), Where: "the folder for temporary files", Do: "set TMPDIR to one that can be written to"}
	}
	return dir, func() error { return os.RemoveAll(dir) }, nil
}

func (c *demoCommand) show(w *world, o opened, idp, app site, logger *slog.Logger) error {
	told := info{Issuer: idp.url, App: app.url, Users: sampleUsers()}
	told.Outbox = told.App + "/outbox"
	e, err := newEcho(o.Provider, told.Issuer, logger)
	if err != nil {
		return err
	}
	addGallery(e, o.UI())
	ctx, stop := context.WithCancel(w.ctx)
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer stop()
	failed := make(chan error, 2)
	start := func(h http.Handler, p site) {
		tasks.Go(func() { failed <- serve(ctx, newServer(h, logger), nil, p.on...) })
	}
	// Whoever asks is answered from here on; the sample users are made meanwhile, as their passwords take time to hash.
	start(e, idp)
	tasks.Go(func() {
		if err := o.Run(ctx); err != nil && ctx.Err() == nil {
			logger.Error("background work stopped", "error", err)
		}
	})
	var client credentials
	if client, told.Program, err = seed(ctx, o.Admin(), told); err != nil {
		return err
	}
	outbox := &mail.Outbox{Messages: o.store.Messages}
	start(sampleapp.New(sampleapp.Config{
		Issuer: told.Issuer, URL: told.App, ClientID: client.ID, ClientSecret: client.Secret, Users: told.Users, Outbox: outbox.List,
		Logger: logger,
	}), app)
	if c.Info != "" {
		if err := writeJSON(c.Info, told); err != nil {
			return finding{What: err.Error(), Where: "--info", Do: "name a file that can be written"}
		}
	}
	if err := told.print(w.out, c.Keep); err != nil {
		return err
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		_, err := fmt.Fprintln(w.out, "\nStopped.")
		return err
	}
}

func (i info) print(w io.Writer, kept string) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	northwind := sampleTenants[0]
	fmt.Fprintf(tw, `
Sallyport is running, on this machine only.

What now
  1. Open %[1]s  and choose “Sign in”.
  2. Take a user from the table. Staff of %[2]s must set up a second step at the first sign-in: a passkey,
     an authenticator app, or text messages. Elsewhere it is optional:  %[3]s/account/security
  3. Mails and text messages arrive here, whatever the number, such as %[4]s:  %[5]s
  4. Sign out and in again: with “remember this device” ticked, or by passkey alone, without a password.
  5. See what owners see, as %[6]s: people, applications, webhooks, the audit log …  %[3]s%[7]s
  6. Make a rule: as the owner, under “2FA policy”, demand a second step of clients, see first what that would do, and save.
     Then sign in as %[8]s, who now has to set it up.
  7. Lose it all: “Forgot your password?”, a backup code, a mailed link; or have the owner hand out a recovery code.
  8. Let a program do what owners do. This one is %[2]s’s own, “%[9]s”, and lists its users:

`, i.App, northwind.name, i.Issuer, sampleNumber, i.Outbox, northwind.people[0].email, ui.PathPeople, northwind.people[3].email,
		i.Program.Name)
	fmt.Fprint(tw, i.example())
	fmt.Fprintf(tw, `
     More of it:  %[1]s/api/v1/openapi.json  and deploy/api.md.
  9. Every page in every state:  %[1]s/dev/gallery

`, i.Issuer)
	fmt.Fprintln(tw, "  Tenant\tSign in as\tPassword\tRole\tType")
	for _, u := range i.Users {
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\n", u.Tenant, u.Login, u.Password, u.Role, u.Type)
	}
	fmt.Fprintf(tw, `
  %s is in both tenants with one password: the sign-in asks which is meant.
  These passwords are the same on every machine, which is why nobody else can reach this one.

`, sharedLogin)
	if kept != "" {
		fmt.Fprintf(tw, "The data is kept in %s. Stop with Ctrl-C.\n", kept)
	} else {
		fmt.Fprintln(tw, "Stop with Ctrl-C; then everything is gone.")
	}
	return tw.Flush()
}

// example is how a program gets a token and uses it, for a shell. What stands in it needs no quoting: IDs are of letters
// and digits, secrets of base64url.
func (i info) example() string {
	return fmt.Sprintf(`TOKEN=$(curl -s %[1]s/token -u %[2]s:%[3]s -d grant_type=client_credentials | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
curl -s %[1]s/api/v1/tenants/%[4]s/users -H "Authorization: Bearer $TOKEN"
`, i.Issuer, i.Program.ID, i.Program.Secret, i.Program.Tenant)
}

// writeJSON writes a file that is either not there or whole: who waits for it can read it at once.
func writeJSON(path string, v any) (err error) {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".sallyport-info-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
