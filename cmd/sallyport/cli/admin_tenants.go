package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
)

type tenantsCommand struct {
	Create   tenantsCreate   `cmd:"" help:"Make a tenant."`
	List     tenantsList     `cmd:"" help:"List tenants."`
	Show     tenantsShow     `cmd:"" help:"Show a tenant."`
	Set      tenantsSet      `cmd:"" help:"Change a tenant: name, plan, settings, and who must use two-factor authentication."`
	Logo     tenantsLogo     `cmd:"" help:"Put a picture beside a tenant's name, or take it away."`
	Adoption tenantsAdoption `cmd:"" help:"Show how many of a tenant's users have a second step, day by day, and how many text messages were sent."`
	Disable  tenantsDisable  `cmd:"" help:"Keep all of a tenant's users out. Nothing is lost."`
	Enable   tenantsEnable   `cmd:"" help:"Let a tenant's users in again."`
}

// tenantFlags are what can be said of a tenant; what is left out stays as it is.
type tenantFlags struct {
	Name          *string        `help:"Name that users see."`
	Plan          *string        `help:"Name of the tenant's plan; empty takes it away."`
	UserTypes     []string       `help:"User types (default: staff,client,contractor)."`
	Require2FA    []string       `name:"require-2fa" placeholder:"TYPE" help:"User types that must use two-factor authentication, everyone, or none."`
	TOTPDigits    *int           `name:"totp-digits" help:"Digits in the codes of authenticator apps: 6 or 8."`
	TOTPAlgorithm *string        `name:"totp-algorithm" help:"SHA1, which every app has, or SHA256."`
	BackupCodes   *int           `help:"Backup codes in a set: 10 or 1."`
	SessionIdle   *time.Duration `help:"How long a session lasts that is not used: 5m to 24h."`
	EmailReset    *string        `placeholder:"WHO" help:"Who may take lost factors off by a mailed link and the password: on (all), off (nobody) or members."`
	SMSCountries  []string       `name:"sms-countries" placeholder:"CODE" help:"Countries that text messages are sent to, within those of the deployment, or all."`
	SMSBudget     *int           `name:"sms-budget" placeholder:"N" help:"Text messages that may be sent a day; 0 is the deployment's number."`
	Support       *string        `help:"Where a user who is stuck may turn: an e-mail address or https URL."`
	Language      *string        `placeholder:"TAG" help:"Language of pages and mails where nobody asks for another, such as de; empty takes it away."`
	AuditDays     *int           `placeholder:"N" help:"For how many days the audit log is kept, 30 to 3650; 0 is for good. See also “audit retain”."`
	Accent        *string        `placeholder:"COLOUR" help:"Colour of buttons and links, such as #0b5d6e; empty is the deployment's."`
	HelpURL       *string        `name:"help-url" placeholder:"URL" help:"The tenant's page of help, which the foot of pages links to; empty takes it away."`
	PrivacyURL    *string        `name:"privacy-url" placeholder:"URL" help:"The tenant's privacy notice, likewise."`
	TermsURL      *string        `name:"terms-url" placeholder:"URL" help:"The tenant's terms, likewise."`
	Signature     *string        `help:"Up to 300 characters of plain text at the foot of mails, without links; empty takes it away."`
}

const (
	// none is how a list is emptied on the command line, all how a limit is taken away.
	none = "none"
	all  = "all"
)

func (f tenantFlags) fields() admin.TenantFields {
	in := admin.TenantFields{
		Name: f.Name, Plan: f.Plan, TOTPDigits: f.TOTPDigits, TOTPAlgorithm: f.TOTPAlgorithm, BackupCodes: f.BackupCodes,
		SessionIdle: (*admin.Duration)(f.SessionIdle), SMSBudget: f.SMSBudget, EmailReset: f.EmailReset, Support: f.Support, AuditDays: f.AuditDays,
		Accent: f.Accent, HelpURL: f.HelpURL, PrivacyURL: f.PrivacyURL, TermsURL: f.TermsURL, Signature: f.Signature, Language: f.Language,
	}
	if f.SMSCountries != nil {
		in.SMSCountries = &f.SMSCountries
		if slices.Equal(f.SMSCountries, []string{all}) {
			in.SMSCountries = &[]string{}
		}
	}
	if f.UserTypes != nil {
		in.UserTypes = &f.UserTypes
	}
	if f.Require2FA != nil {
		in.Require2FA = &f.Require2FA
		if slices.Equal(f.Require2FA, []string{none}) {
			in.Require2FA = &[]string{}
		}
	}
	return in
}

func printTenant(w *world, a *adminCommand, t admin.Tenant) error {
	return a.print(w, t, func(w io.Writer) {
		fmt.Fprintf(w, "Tenant\t%s\nName\t%s\nState\t%s\n", t.ID, t.Name, state(t.Disabled))
		if t.Plan != "" {
			fmt.Fprintf(w, "Plan\t%s\n", t.Plan)
		}
		fmt.Fprintf(w, "User types\t%s\nMust use 2FA\t%s\n", orNone(t.UserTypes), orNone(t.Require2FA))
		for i, r := range t.Rules {
			fmt.Fprintf(w, "Rule %d\t%s\n", i+1, r.Name)
		}
		fmt.Fprintf(w, "Authenticator\t%d digits, %s\nBackup codes\t%d\nIdle session\t%s\n",
			t.Settings.TOTPDigits, t.Settings.TOTPAlgorithm, t.Settings.BackupCodes, t.Settings.SessionIdle)
		countries, budget := "all of the deployment", "the deployment's"
		if len(t.Settings.SMSCountries) > 0 {
			countries = strings.Join(t.Settings.SMSCountries, ", ")
		}
		if n := t.Settings.SMSBudget; n > 0 {
			budget = fmt.Sprint(n)
		}
		fmt.Fprintf(w, "SMS countries\t%s\nSMS a day\t%s\nReset by mail\t%s\n", countries, budget, t.Settings.EmailReset)
		if t.Settings.Support != "" {
			fmt.Fprintf(w, "Support\t%s\n", t.Settings.Support)
		}
		if t.Settings.Language != "" {
			fmt.Fprintf(w, "Language\t%s\n", t.Settings.Language)
		}
		printBranding(w, t.Branding)
		kept := "for good"
		if n := t.Settings.AuditDays; n > 0 {
			kept = fmt.Sprintf("%d days", n)
		}
		fmt.Fprintf(w, "Audit log kept\t%s\nCreated\t%s\n", kept, moment(t.Created))
	})
}

type tenantsCreate struct {
	ID string `arg:"" help:"ID: 3 to 40 lower-case letters, digits and hyphens."`
	tenantFlags
}

// Run makes a tenant.
func (c *tenantsCreate) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		t, err := s.CreateTenant(w.ctx, web.Operator(), c.ID, c.fields())
		if err != nil {
			return err
		}
		return printTenant(w, a, t)
	})
}

type tenantsList struct{ pageFlags }

// Run lists tenants.
func (c *tenantsList) Run(w *world, a *adminCommand) error {
	page, err := c.page()
	if err != nil {
		return err
	}
	return a.do(w, func(s *admin.Service) error {
		all, err := s.Tenants(w.ctx, web.Operator(), page)
		if err != nil {
			return err
		}
		return a.print(w, all, func(w io.Writer) {
			fmt.Fprintln(w, "TENANT\tNAME\tMUST USE 2FA\tSTATE\tCREATED")
			for _, t := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, orNone(t.Require2FA), state(t.Disabled), moment(t.Created))
			}
			if len(all) > 0 {
				c.more(w, len(all), all[len(all)-1].ID)
			}
		})
	})
}

type tenantArg struct {
	ID string `arg:"" help:"ID of the tenant."`
}

type tenantsShow struct{ tenantArg }

// Run shows a tenant.
func (c *tenantsShow) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		t, err := s.Tenant(w.ctx, web.Operator(), c.ID)
		if err != nil {
			return err
		}
		return printTenant(w, a, t)
	})
}

type tenantsSet struct {
	tenantArg
	tenantFlags
}

// Run changes a tenant.
func (c *tenantsSet) Run(w *world, a *adminCommand) error {
	in := c.fields()
	if in == (admin.TenantFields{}) {
		return finding{What: "there is nothing to change", Where: "tenants set", Do: "give at least one flag; “sallyport admin tenants set --help” lists them"}
	}
	return a.do(w, func(s *admin.Service) error {
		t, err := s.ChangeTenant(w.ctx, web.Operator(), c.ID, in)
		if err != nil {
			return err
		}
		return printTenant(w, a, t)
	})
}

type tenantsDisable struct{ tenantArg }

// Run keeps a tenant's users out.
func (c *tenantsDisable) Run(w *world, a *adminCommand) error { return c.set(w, a, true) }

type tenantsEnable struct{ tenantArg }

// Run lets a tenant's users in again.
func (c *tenantsEnable) Run(w *world, a *adminCommand) error { return c.set(w, a, false) }

func (c *tenantArg) set(w *world, a *adminCommand, disabled bool) error {
	return a.do(w, func(s *admin.Service) error {
		t, err := s.SetTenantDisabled(w.ctx, web.Operator(), c.ID, disabled)
		if err != nil {
			return err
		}
		return printTenant(w, a, t)
	})
}

func printBranding(w io.Writer, b admin.Branding) {
	if b.Accent != "" {
		fmt.Fprintf(w, "Accent\t%s, shown as %s on light and %s on dark pages\n", b.Accent, b.AccentLight, b.AccentDark)
	}
	if b.Logo != "" {
		fmt.Fprintf(w, "Logo\t%s, %d×%d\n", b.Logo, b.LogoWidth, b.LogoHeight)
	}
	for _, l := range [][2]string{{"Help", b.HelpURL}, {"Privacy", b.PrivacyURL}, {"Terms", b.TermsURL}, {"Signature", strings.ReplaceAll(b.Signature, "\n", " / ")}} {
		if l[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", l[0], l[1])
		}
	}
}

type tenantsLogo struct {
	tenantArg
	File   string `arg:"" optional:"" help:"A PNG, JPEG or WebP picture of up to 1 MiB, or “-” for standard input. Nothing is kept of it but its look."`
	Remove bool   `help:"Take the logo away."`
}

// Run sets a tenant's logo, or takes it away.
func (c *tenantsLogo) Run(w *world, a *adminCommand) error {
	if (c.File == "") != c.Remove {
		return finding{What: "it is not clear what to do with the logo", Where: "tenants logo", Do: "give a FILE or --remove"}
	}
	var file []byte
	if !c.Remove {
		var err error
		if file, err = picture(w, c.File); err != nil {
			return err
		}
	}
	return a.do(w, func(s *admin.Service) error {
		change := func() (admin.Tenant, error) { return s.SetLogo(w.ctx, web.Operator(), c.ID, file) }
		if c.Remove {
			change = func() (admin.Tenant, error) { return s.RemoveLogo(w.ctx, web.Operator(), c.ID) }
		}
		t, err := change()
		if err != nil {
			return err
		}
		return printTenant(w, a, t)
	})
}

// picture reads a file, and no more of it than is looked at.
func picture(w *world, name string) ([]byte, error) {
	in, err := w.input(name, "FILE")
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(in, admin.MaxLogo+1))
	if err := errors.Join(err, in.Close()); err != nil {
		return nil, unreadable("FILE", err)
	}
	return data, nil
}
