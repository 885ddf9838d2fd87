package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

type policyCommand struct {
	Show    policyShow    `cmd:"" help:"Show who must use two-factor authentication, and all rules in their order."`
	Set     policySet     `cmd:"" help:"Change who must use two-factor authentication, or all rules at once."`
	Preview policyPreview `cmd:"" help:"Tell what a change would do, without making it."`
	Explain policyExplain `cmd:"" help:"Tell what a sign-in would be asked for, and which rule says so."`
	Reports policyReports `cmd:"" help:"Tell what rules that are only reported would have decided within the last 30 days."`
	Rules   rulesCommand  `cmd:"" help:"Add, replace and remove single rules."`
}

// policyFlags are what can be changed of a policy.
type policyFlags struct {
	tenantFlag
	Require2FA       []string `name:"require-2fa" placeholder:"TYPE" help:"User types that must use two-factor authentication, everyone, or none."`
	RecoveryCodeOnly *bool    `negatable:"" help:"Of those, who has not set it up gets in by a recovery code only."`
	Rules            string   `placeholder:"FILE" help:"All rules in their order, as a JSON list such as “policy show --json” prints; - is standard input."`
}

func (f policyFlags) change(w *world) (c admin.PolicyChange, err error) {
	if f.Require2FA != nil {
		c.Require2FA = &f.Require2FA
		if slices.Equal(f.Require2FA, []string{none}) {
			c.Require2FA = &[]string{}
		}
	}
	c.RecoveryCodeOnly = f.RecoveryCodeOnly
	if f.Rules != "" {
		c.Rules = &[]storage.Rule{}
		err = readJSON(w, f.Rules, "--rules", c.Rules)
	}
	if err == nil && c == (admin.PolicyChange{}) {
		err = finding{What: "there is nothing to change", Where: "policy", Do: "give at least one flag; --help lists them"}
	}
	return c, err
}

// maxJSON bounds what is read as JSON, in bytes.
const maxJSON = 4 << 20

// readJSON reads a file, or standard input where it is called -, strictly.
func readJSON(w *world, name, where string, into any) (err error) {
	in, err := w.input(name, where)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	d := json.NewDecoder(io.LimitReader(in, maxJSON))
	d.DisallowUnknownFields()
	if err = d.Decode(into); err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more than one JSON value")
		}
	}
	if err != nil {
		return finding{What: err.Error(), Where: where, Do: "write it as --json prints it"}
	}
	return nil
}

type policyShow struct{ tenantFlag }

// Run shows a policy.
func (c *policyShow) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		p, err := s.Policy(w.ctx, web.Operator(), c.Tenant)
		if err != nil {
			return err
		}
		return printPolicy(w, a, p)
	})
}

func printPolicy(w *world, a *adminCommand, p admin.Policy) error {
	return a.print(w, p, func(w io.Writer) {
		notSetUp := "set it up at their next sign-in"
		if p.RecoveryCodeOnly {
			notSetUp = "get in by a recovery code only"
		}
		fmt.Fprintf(w, "Must use 2FA\t%s\nNot set up\t%s\nNetworks\t%s\nSign-in from\t%s\n\n",
			orNone(p.Require2FA), notSetUp, orNone(prefixesOf(p.Networks)), from(p.Restricted))
		fmt.Fprintln(w, "RULE\tNAME\tDECIDES\tSTATE")
		for _, r := range p.Rules {
			state := "enforced"
			if r.ReportOnly {
				state = "only reported"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.ID, r.Name, decides(r.Then), state)
		}
	})
}

func prefixesOf(networks []storage.Network) (all []string) {
	for _, n := range networks {
		all = append(all, n.Prefix)
	}
	return all
}

func from(restricted bool) string {
	if restricted {
		return "these networks only"
	}
	return "anywhere"
}

// decides says in a word what a rule does.
func decides(t storage.Then) string {
	switch {
	case t.Access == "":
		return "nobody gets in"
	case t.TwoFactor == "":
		return "2FA required"
	default:
		return "2FA " + t.TwoFactor
	}
}

type policySet struct{ policyFlags }

// Run changes a policy.
func (c *policySet) Run(w *world, a *adminCommand) error {
	change, err := c.change(w)
	if err != nil {
		return err
	}
	return setPolicy(w, a, c.Tenant, func(admin.Policy) (admin.PolicyChange, error) { return change, nil })
}

// setPolicy changes the policy that change was given, or none.
func setPolicy(w *world, a *adminCommand, tenant string, change func(admin.Policy) (admin.PolicyChange, error)) error {
	return a.do(w, func(s *admin.Service) error {
		p, err := s.Policy(w.ctx, web.Operator(), tenant)
		if err != nil {
			return err
		}
		c, err := change(p)
		if err != nil {
			return err
		}
		c.Version = p.Version
		if p, err = s.ChangePolicy(w.ctx, web.Operator(), tenant, c); err != nil {
			return err
		}
		return printPolicy(w, a, p)
	})
}

type policyPreview struct{ policyFlags }

// Run tells what a change would do.
func (c *policyPreview) Run(w *world, a *adminCommand) error {
	change, err := c.change(w)
	if err != nil {
		return err
	}
	return a.do(w, func(s *admin.Service) error {
		p, err := s.PreviewPolicy(w.ctx, web.Operator(), c.Tenant, change)
		if err != nil {
			return err
		}
		return a.print(w, p, func(w io.Writer) {
			fmt.Fprintf(w, "Changes\t%s\n", orNone(slices.DeleteFunc(strings.Split(p.Changes.String(), "; "), func(s string) bool { return s == "" })))
			fmt.Fprintf(w, "Users\t%d\nAsked for more\t%d\nAsked for less\t%d\nHave to set it up\t%d\nMust, and have not\t%d\nAnother factor\t%d\nLocked out\t%d\n",
				p.Users, p.More, p.Less, p.Enrol, p.NoFactor, p.Another, p.LockedOut)
			printEffects(w, &p)
			for _, u := range p.Named {
				fmt.Fprintf(w, "Locked out\t%s\t%s\n", u.ID, u.Account())
			}
			for _, c := range p.Clients {
				fmt.Fprintf(w, "Cut off\t%s (%s)\t%s\n", c.ID, c.Name, orNone(c.Addresses))
			}
			if p.Partial {
				fmt.Fprintln(w, "Not all tokens of the last 30 days were looked at: there are too many.")
			}
		})
	})
}

// printEffects tells what a change means at applications only, and which rules are heard.
func printEffects(w io.Writer, p *admin.Preview) {
	for _, at := range p.Applications {
		var names []string
		for _, c := range at.Clients {
			names = append(names, c.Name)
		}
		if at.MoreClients > 0 {
			names = append(names, fmt.Sprintf("%d more", at.MoreClients))
		}
		fmt.Fprintf(w, "At %s\tmore %d, less %d, set it up %d, another factor %d, locked out %d\n",
			strings.Join(names, ", "), at.More, at.Less, at.Enrol, at.Another, at.LockedOut)
	}
	if p.PartialApplications {
		fmt.Fprintln(w, "Not everybody was looked at at each application: there are too many.")
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.Change == admin.RuleRemoved || r.Rule.ReportOnly {
			continue
		}
		fmt.Fprintf(w, "Rule %d of %d\t%s: decides on %d users\n", r.Place, r.Of, r.Rule.Name, r.Decides)
		for _, o := range r.Earlier {
			fmt.Fprintf(w, "\tfor %d users %q (%s) decides first\n", o.Users, o.Name, o.ID)
		}
	}
}

type policyExplain struct {
	userArg
	Client  string    `placeholder:"ID" help:"The application (default: the provider's own pages)."`
	Address string    `placeholder:"IP" help:"The address that the user comes from (default: one that can't be told)."`
	At      time.Time `placeholder:"TIME" help:"When, as 2026-03-04T14:03:00Z (default: now)."`
}

// Run tells what a sign-in would be asked for.
func (c *policyExplain) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		x, err := s.ExplainPolicy(w.ctx, web.Operator(), c.Tenant, admin.Question{User: c.User, Client: c.Client, Address: c.Address, At: c.At})
		if err != nil {
			return err
		}
		return a.print(w, x, func(w io.Writer) {
			fmt.Fprintf(w, "User\t%s\nAsked\t%s\n", x.User.Account(), askedFor(x.Asked))
			if x.Rule != "" {
				fmt.Fprintf(w, "Because of\t%s (%s)\n", x.Rule, x.RuleID)
			}
			fmt.Fprintln(w, "\nRULE\tNAME\tHOLDS\tDOES NOT HOLD")
			for _, v := range x.Rules {
				holds := string(v.Holds)
				if v.Decides {
					holds += ", decides"
				}
				if v.ReportOnly {
					holds += ", only reported"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", v.ID, v.Name, holds, orNone(v.Failed))
			}
		})
	})
}

// askedFor says what is asked.
func askedFor(asked policy.Asked) string {
	words := map[policy.Ask]string{
		policy.AskDenied: "nobody gets in", policy.AskNothing: "the password alone", policy.AskPrompt: "a second step",
		policy.AskEnrol: "to set up two-factor authentication", policy.AskRecoveryCode: "a recovery code", policy.AskUnmet: "what can't be had",
	}
	said := words[asked.Kind]
	if len(asked.Factors) > 0 {
		said += " (" + strings.Join(asked.Factors, ", ") + ")"
	}
	if asked.Then != "" {
		said += ", then " + words[asked.Then]
	}
	return said
}

type policyReports struct{ tenantFlag }

// Run tells what rules that are only reported would have decided.
func (c *policyReports) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		r, err := s.PolicyReports(w.ctx, web.Operator(), c.Tenant)
		if err != nil {
			return err
		}
		return a.print(w, r, func(w io.Writer) {
			fmt.Fprintf(w, "Sign-ins\t%d\nSince\t%s\n\nRULE\tNAME\tSIGN-INS\tUSERS\n", r.SignIns, moment(r.Since))
			for _, o := range r.Items {
				fmt.Fprintf(w, "%s\t%s\t%d\t%d\n", o.ID, o.Name, o.SignIns, o.Users)
			}
		})
	})
}

type rulesCommand struct {
	Put    rulesPut    `cmd:"" help:"Add a rule, or replace the one of the same ID."`
	Delete rulesDelete `cmd:"" help:"Remove a rule."`
}

type rulesPut struct {
	tenantFlag
	File   string `arg:"" default:"-" help:"The rule as JSON; - is standard input."`
	Before string `placeholder:"ID" help:"Where it goes: before this rule (default: a new one before the first that is for everybody; another stays)."`
}

// Run adds or replaces a rule.
func (c *rulesPut) Run(w *world, a *adminCommand) error {
	var r storage.Rule
	if err := readJSON(w, c.File, "the rule", &r); err != nil {
		return err
	}
	return setPolicy(w, a, c.Tenant, func(p admin.Policy) (admin.PolicyChange, error) {
		rules, err := c.put(p.Rules, r)
		return admin.PolicyChange{Rules: &rules}, err
	})
}

// put puts a rule where it belongs.
func (c *rulesPut) put(rules []storage.Rule, r storage.Rule) ([]storage.Rule, error) {
	rules = slices.Clone(rules)
	at := -1
	if r.ID != "" {
		at = ruleAt(rules, r.ID)
	}
	if c.Before == "" && at >= 0 {
		rules[at] = r
		return rules, nil
	}
	if at >= 0 {
		rules = slices.Delete(rules, at, at+1)
	}
	place := admin.Place(rules, r)
	if c.Before != "" {
		if place = ruleAt(rules, c.Before); place < 0 {
			return nil, noRule(c.Before)
		}
	}
	return slices.Insert(rules, place, r), nil
}

func ruleAt(rules []storage.Rule, id string) int {
	return slices.IndexFunc(rules, func(r storage.Rule) bool { return r.ID == id })
}

func noRule(id string) error {
	return finding{What: fmt.Sprintf("there is no rule %q", id), Where: "policy rules", Do: "“policy show” lists them"}
}

type rulesDelete struct {
	tenantFlag
	ID string `arg:"" help:"ID of the rule."`
}

// Run removes a rule.
func (c *rulesDelete) Run(w *world, a *adminCommand) error {
	return setPolicy(w, a, c.Tenant, func(p admin.Policy) (admin.PolicyChange, error) {
		at := ruleAt(p.Rules, c.ID)
		if at < 0 {
			return admin.PolicyChange{}, noRule(c.ID)
		}
		rules := slices.Delete(slices.Clone(p.Rules), at, at+1)
		return admin.PolicyChange{Rules: &rules}, nil
	})
}
