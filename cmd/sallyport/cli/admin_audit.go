package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

type auditCommand struct {
	List   auditList   `cmd:"" help:"List entries of an audit log, the newest first."`
	Show   auditShow   `cmd:"" help:"Show one entry with all its fields."`
	Export auditExport `cmd:"" help:"Write an audit log, or a part of it, as CSV or JSON lines, the oldest entry first."`
	Verify auditVerify `cmd:"" help:"Check that no entry of the audit logs was changed, taken out or put elsewhere."`
	Retain auditRetain `cmd:"" help:"Show or set for how long a tenant's audit log is kept."`
}

// logArg names a log.
type logArg struct {
	Tenant string `arg:"" help:"The tenant, or - for the deployment's own log."`
}

// auditFlags say which entries are wanted.
type auditFlags struct {
	User    string  `placeholder:"USER" help:"Whom it was done to: ID, e-mail address or user name."`
	By      string  `placeholder:"WHO" help:"Who did it: likewise, or a client ID, operator or retention."`
	Action  string  `placeholder:"ACTION" help:"What was done: sign_in.factor, sign_in.*, or several with commas between."`
	Outcome string  `help:"ok, refused, failed or sent."`
	Client  string  `placeholder:"ID" help:"With which application."`
	Factor  string  `placeholder:"ID" help:"With which factor."`
	Rule    string  `help:"Which rule decided, by name; or the ID of a report-only rule."`
	Address string  `placeholder:"IP" help:"From which IP address or network (192.0.2.0/24)."`
	Text    string  `help:"What stands in any of the texts."`
	From    moments `placeholder:"TIME" help:"From when on: 2006-01-02 (UTC) or RFC 3339."`
	Until   moments `placeholder:"TIME" help:"Until when: likewise; the time itself is not within."`
}

// moments is a time on the command line.
type moments struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *moments) UnmarshalText(text []byte) (err error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if m.Time, err = time.Parse(layout, string(text)); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%q is no time: write 2006-01-02 or 2006-01-02T15:04:05Z", text)
}

func (f auditFlags) filter() admin.AuditFilter {
	return admin.AuditFilter{
		User: f.User, By: f.By, Action: f.Action, Outcome: f.Outcome, Client: f.Client, Factor: f.Factor, Rule: f.Rule,
		Address: f.Address, Text: f.Text, From: f.From.Time, Until: f.Until.Time,
	}
}

type auditList struct {
	logArg
	auditFlags
	After string `placeholder:"ID" help:"Go on behind this entry, which a list before named."`
	Limit int    `default:"50" help:"Most that are listed, up to 200."`
}

// Run lists entries.
func (c *auditList) Run(w *world, a *adminCommand) error {
	if c.Limit < 1 || c.Limit > audit.MaxLimit {
		return finding{What: fmt.Sprintf("%d can't be listed at once", c.Limit), Where: "--limit", Do: fmt.Sprintf("give 1 to %d", audit.MaxLimit)}
	}
	return a.do(w, func(s *admin.Service) error {
		found, err := s.FindAudit(w.ctx, web.Operator(), c.Tenant, c.filter(), admin.Page{After: c.After, Limit: c.Limit})
		if err != nil {
			return err
		}
		return a.print(w, found, func(w io.Writer) {
			fmt.Fprintln(w, "ENTRY\tTIME\tACTION\tOUTCOME\tBY\tUSER\tADDRESS\tRULE\tREASON")
			for _, e := range found.Items {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.ID, moment(e.Time), e.Action, e.Outcome,
					cmp.Or(e.ActorName, e.Actor, "–"), cmp.Or(e.UserName, e.User, "–"), cmp.Or(e.Address, "–"), cmp.Or(e.Rule, "–"), cmp.Or(e.Reason, "–"))
			}
			if found.Next != "" {
				fmt.Fprintf(w, "\nSearched %d entries, back to %s. Go on: --after %s\n", found.Searched, moment(found.Until), found.Next)
			}
		})
	})
}

type auditShow struct {
	logArg
	ID string `arg:"" name:"entry" help:"The entry's ID."`
}

// Run shows an entry.
func (c *auditShow) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		e, err := s.AuditEntry(w.ctx, web.Operator(), c.Tenant, c.ID)
		if err != nil {
			return err
		}
		return a.print(w, e, func(w io.Writer) {
			named := func(id, name string) string {
				if id == "" || name == "" {
					return id
				}
				return name + " (" + id + ")"
			}
			for _, row := range [...][2]string{
				{"Entry", e.ID},
				{"Time", e.Time.Format(time.RFC3339Nano)},
				{"Action", e.Action},
				{"Outcome", e.Outcome},
				{"By", named(e.Actor, e.ActorName)},
				{"User", named(e.User, e.UserName)},
				{"Application", named(e.Client, e.ClientName)},
				{"Factor", e.Factor},
				{"Rule", e.Rule},
				{"Report-only rules", e.Reports},
				{"Reason", e.Reason},
				{"Address", e.Address},
				{"Browser", e.Agent},
				{"Request", e.Request},
				{"Hash before", e.Previous},
				{"Hash", e.Hash},
			} {
				if row[1] != "" {
					fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
				}
			}
		})
	})
}

type auditExport struct {
	logArg
	auditFlags
	Format string `default:"jsonl" enum:"csv,jsonl" help:"csv or jsonl; whoever compares hashes takes jsonl."`
	Output string `short:"o" type:"path" placeholder:"FILE" help:"File to write, which must not exist yet; standard output if left out."`
}

// Run writes an audit log.
func (c *auditExport) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) (err error) {
		d, err := s.ExportAudit(w.ctx, web.Operator(), c.Tenant, c.filter(), c.Format)
		if err != nil || c.Output == "" {
			if err == nil {
				err = d.Write(w.out)
			}
			return err
		}
		f, err := os.OpenFile(c.Output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			return finding{What: "there is a file of that name already", Where: c.Output, Do: "choose another name"}
		}
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		return d.Write(f)
	})
}

type auditVerify struct {
	Tenants []string `arg:"" optional:"" name:"tenant" help:"Tenants whose logs are checked; none: all, and the deployment's own."`
}

// errTampered ends a check that found something.
var errTampered = errors.New("an audit log is not as it was written")

// Run checks audit logs.
func (c *auditVerify) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		var reports []audit.Report
		keep := func(r audit.Report) error {
			reports = append(reports, r)
			return nil
		}
		if len(c.Tenants) == 0 {
			if err := s.VerifyAudits(w.ctx, web.Operator(), keep); err != nil {
				return err
			}
		}
		for _, tenant := range c.Tenants {
			r, err := s.VerifyAudit(w.ctx, web.Operator(), tenant)
			if err != nil {
				return err
			}
			reports = append(reports, r)
		}
		err := a.print(w, reports, func(w io.Writer) {
			fmt.Fprintln(w, "LOG\tENTRIES\tRESULT\tHEAD")
			for _, r := range reports {
				printReport(w, r)
			}
		})
		for _, r := range reports {
			if err == nil && !r.OK() {
				err = errTampered
			}
		}
		return err
	})
}

func printReport(w io.Writer, r audit.Report) {
	name, result := r.Tenant, "whole"
	if name == storage.Global {
		name = "(deployment)"
	}
	if r.Removed > 0 {
		result += fmt.Sprintf(", %d older ones removed by retention", r.Removed)
	}
	if !r.OK() {
		result = fmt.Sprintf("%d faults", len(r.Faults)+r.More)
	}
	fmt.Fprintf(w, "%s\t%d\t%s\t%.16s\n", name, r.Entries, result, r.Head)
	for _, f := range r.Faults {
		fmt.Fprintf(w, "\t\tentry %s: %s (%d)\t\n", f.ID, f.Kind, f.Count)
	}
}

type auditRetain struct {
	Tenant string `arg:"" help:"The tenant."`
	Days   *int   `placeholder:"N" help:"Keep entries for so many days, 30 to 3650; 0 keeps them for good."`
	Now    bool   `help:"Remove what is due now, rather than within a day."`
	DryRun bool   `help:"Tell what would be removed, and change nothing."`
}

// retainResult is what is kept, and what was removed.
type retainResult struct {
	Tenant string `json:"tenant"`
	admin.Retention
	// Removed is how many entries were removed just now.
	Removed int `json:"removed,omitempty"`
}

// Run shows or sets the retention.
func (c *auditRetain) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) (err error) {
		by, r := web.Operator(), retainResult{Tenant: c.Tenant}
		if c.Days != nil && !c.DryRun {
			r.Retention, err = s.SetRetention(w.ctx, by, c.Tenant, *c.Days)
		} else {
			r.Retention, err = s.Retention(w.ctx, by, c.Tenant, c.Days)
		}
		if err == nil && c.Now && !c.DryRun {
			r.Removed, err = s.Retain(w.ctx, by, c.Tenant)
			r.Due = 0
		}
		if err != nil {
			return err
		}
		return a.print(w, r, func(w io.Writer) {
			switch {
			case r.Days == 0:
				fmt.Fprintf(w, "The audit log of %s is kept for good.\n", r.Tenant)
			case c.DryRun:
				fmt.Fprintf(w, "Kept for %d days, the audit log of %s would lose %d entries from before %s.\n", r.Days, r.Tenant, r.Due, moment(r.Before))
			default:
				fmt.Fprintf(w, "The audit log of %s is kept for %d days.\n", r.Tenant, r.Days)
			}
			switch {
			case r.Removed > 0:
				fmt.Fprintf(w, "%d entries from before %s were removed.\n", r.Removed, moment(r.Before))
			case r.Due > 0 && !c.DryRun:
				fmt.Fprintf(w, "%d entries from before %s will be removed within a day.\n", r.Due, moment(r.Before))
			}
		})
	})
}
