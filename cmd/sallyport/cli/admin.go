package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
)

type adminCommand struct {
	settings
	Limits smsLimits `embed:"" prefix:"deployment-"`
	JSON   bool      `help:"Print JSON instead of text."`

	Tenants      tenantsCommand      `cmd:"" help:"Manage tenants: the customers whose users sign in."`
	Users        usersCommand        `cmd:"" help:"Manage a tenant's users."`
	Types        typesCommand        `cmd:"" help:"Manage a tenant's user types."`
	Policy       policyCommand       `cmd:"" help:"Manage who of a tenant must use two-factor authentication, and who may sign in at all."`
	Networks     networksCommand     `cmd:"" help:"Manage the networks of a tenant's account."`
	Clients      clientsCommand      `cmd:"" help:"Manage clients: the applications that users sign in to."`
	Integrations integrationsCommand `cmd:"" help:"Manage what applications have connected to a tenant's account."`
	Webhooks     webhooksCommand     `cmd:"" help:"Manage a tenant's webhooks: the addresses that are told what happens in its audit log."`
	Audit        auditCommand        `cmd:"" help:"Read, export and check the audit logs, and say how long they are kept."`
	Keys         keysCommand         `cmd:"" help:"Manage the keys that tokens are signed and secrets are sealed with."`
}

// do runs an operation on the database that the settings name.
func (a *adminCommand) do(w *world, op func(s *admin.Service) error) error {
	return a.with(w, func(o opened) error { return op(o.Admin()) })
}

// with is do for what has a service of its own.
func (a *adminCommand) with(w *world, op func(o opened) error) (err error) {
	d, err := a.check(w.plugins, a.Limits)
	if err != nil {
		return err
	}
	if d.issuer == "" {
		d.issuer = a.loopbackIssuer(a.Listen)
	}
	// What was done is the command's own output; the log is for what goes wrong.
	logged := a.settings
	if logged.LogLevel != "debug" {
		logged.LogLevel = "warn"
	}
	o, err := a.open(w.ctx, d, logged.logger(w))
	if err != nil {
		return err
	}
	defer func() { err = o.close(err) }()
	return op(o)
}

// print writes v as JSON, or as text in columns that are parted by tabs.
func (a *adminCommand) print(w *world, v any, text func(w io.Writer)) error {
	if a.JSON {
		e := json.NewEncoder(w.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(v)
	}
	tw := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
	text(tw)
	return tw.Flush()
}

// pageFlags are which part of a list is asked for.
type pageFlags struct {
	After string `placeholder:"ID" help:"Begin behind this ID, which was the last of the page before."`
	Limit int    `default:"100" help:"Most that are listed, up to 1,000."`
}

func (p pageFlags) page() (admin.Page, error) {
	if p.Limit < 1 || p.Limit > 1000 {
		return admin.Page{}, finding{What: fmt.Sprintf("%d can't be listed at once", p.Limit), Where: "--limit", Do: "give 1 to 1000"}
	}
	return admin.Page{After: p.After, Limit: p.Limit}, nil
}

// more tells that a list may go on.
func (p pageFlags) more(w io.Writer, listed int, last string) {
	if listed >= p.Limit {
		fmt.Fprintf(w, "\nThere may be more: --after %s\n", last)
	}
}

// maxPasswordLine bounds what is read as a password, in bytes.
const maxPasswordLine = 4096

// readPassword reads a password from standard input, where it can't be seen in the list of processes.
func readPassword(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxPasswordLine)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("read the password: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", finding{
			What: "there was no password on standard input", Where: "--password-stdin",
			Do: "pipe it in, or leave the flag out to have one made up",
		}
	}
	return line, nil
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.Local().Format("2006-01-02 15:04")
}

func state(disabled bool) string {
	if disabled {
		return "disabled"
	}
	return "enabled"
}

func orNone(words []string) string {
	if len(words) == 0 {
		return "–"
	}
	return strings.Join(words, ", ")
}
