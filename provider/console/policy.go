package console

import (
	"context"
	"slices"
	"strconv"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

func (s *Service) policyRoutes() []web.Route {
	const rule = ui.PathRules + "/:id"
	return slices.Concat([]web.Route{
		web.Get(ui.PathPolicy, web.Self, s.policy),
		web.Post(ui.PathPolicy, web.Self, s.proposeSwitches),
		web.Get(newRulePath, web.Self, s.newRule),
		web.Post(newRulePath, web.Self, s.proposeNewRule),
		web.Get(rule, web.Self, s.showRule),
		web.Post(rule, web.Self, s.proposeRule),
		web.Post(rule+"/up", web.Self, s.proposeUp),
		web.Post(rule+"/down", web.Self, s.proposeDown),
		web.Post(rule+"/delete", web.Self, s.proposeDelete),
		web.Get(ui.PathNetworks, web.Self, s.networks),
		web.Post(ui.PathNetworks, web.Self, s.proposeNetworks),
		web.Get(ui.PathExplain, web.Self, s.explain),
	}, s.previewRoutes())
}

const newRulePath = ui.PathRules + "/new"

type policyIn struct {
	Notice string `form:"notice"`
}

// policy shows the switches, and all rules in words.
func (s *Service) policy(ctx context.Context, by *web.Actor, in policyIn) (web.Result, error) {
	p, err := s.Admin.Policy(ctx, by, by.Tenant.ID)
	if err != nil {
		return web.Result{}, err
	}
	k, err := s.kinds(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	reports, err := s.Admin.PolicyReports(ctx, by, by.Tenant.ID)
	if err != nil {
		return web.Result{}, err
	}
	page := ui.Policy{
		Switches: []ui.Switch{}, RecoveryCodeOnly: p.RecoveryCodeOnly, Restricted: p.Restricted, Since: ui.Stamp(reports.Since),
		Version: version(p), Action: ui.PathPolicy, New: newRulePath, Explain: ui.PathExplain, Notice: s.said().Read(in.Notice),
	}
	for _, userType := range k {
		page.Switches = append(page.Switches, ui.Switch{Type: userType, On: slices.Contains(p.Require2FA, userType.ID)})
	}
	page.Switches = append(page.Switches, ui.Switch{Type: ui.Choice{ID: ui.EveryType}, On: slices.Contains(p.Require2FA, admin.Everyone)})
	for _, n := range p.Networks {
		if n.Require2FA {
			page.Asking++
		}
	}
	page.Because = forcedBy(by.Tenant, p.Rules)
	page.Rules, err = s.ruleRows(ctx, by, k, p, reports)
	return web.Draw(page), err
}

func version(p admin.Policy) string { return strconv.FormatInt(p.Version, 10) }

// forcedBy names the connected integrations for whose sake two-factor authentication is mandatory.
func forcedBy(t *storage.Tenant, rules []storage.Rule) []string {
	i := slices.IndexFunc(rules, func(r storage.Rule) bool { return r.ID == admin.RuleFinancial })
	if i < 0 {
		return nil
	}
	var names []string
	for _, one := range t.Integrations {
		if slices.Contains(rules[i].When.Integrations, one.Kind) {
			names = append(names, one.Name)
		}
	}
	return names
}

// ruleRows puts rules into words.
func (s *Service) ruleRows(ctx context.Context, by *web.Actor, k kinds, p admin.Policy, reports admin.Reports) ([]ui.RuleRow, error) {
	rows := []ui.RuleRow{}
	for i := range p.Rules {
		r := &p.Rules[i]
		to := at(ui.PathRules, r.ID)
		row := ui.RuleRow{ID: r.ID, Name: r.Name, BuiltIn: admin.BuiltIn(r.ID), ReportOnly: r.ReportOnly, Then: s.thenInWords(&r.Then), Path: to}
		var err error
		if row.When, err = s.whenInWords(ctx, by.Tenant.ID, k, &r.When); err != nil {
			return nil, err
		}
		if i > 0 {
			row.Up = to + "/up"
		}
		if i < len(p.Rules)-1 {
			row.Down = to + "/down"
		}
		if !row.BuiltIn {
			row.Delete = to + "/delete"
		}
		for _, o := range reports.Items {
			if o.ID == r.ID {
				row.SignIns, row.Users = o.SignIns, o.Users
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// mostNamed is how many users and applications a rule names in a list.
const mostNamed = 5

// whenInWords puts conditions into words. Users and applications that are gone are named by their IDs.
func (s *Service) whenInWords(ctx context.Context, tenant string, k kinds, w *storage.When) (ui.RuleWhen, error) {
	words := ui.RuleWhen{
		Ticked: w.Ticked, Networks: w.Networks, NotNetworks: w.NotNetworks, Tags: w.ClientTags, Plans: w.Plans, Integrations: w.Integrations,
		From: ui.Stamp(w.From), Until: ui.Stamp(w.Until), MoreUsers: max(0, len(w.Users)-mostNamed),
	}
	for _, userType := range w.UserTypes {
		words.Types = append(words.Types, k.of(userType))
	}
	for _, role := range w.Roles {
		words.Roles = append(words.Roles, string(role))
	}
	var err error
	if words.Users, err = s.accounts(ctx, tenant, w.Users[:min(len(w.Users), mostNamed)]); err != nil {
		return words, err
	}
	for _, id := range w.Clients {
		c, err := s.Store.Clients.Get(ctx, storage.Global, id)
		if unavailable(err) {
			return words, web.Unavailable("client", err)
		}
		words.Clients = append(words.Clients, orID(c.Name, id))
	}
	return words, nil
}

func (s *Service) thenInWords(t *storage.Then) ui.RuleThen {
	words := ui.RuleThen{
		Deny: t.Access != accessAllow, TwoFactor: twoFactorWord(t.TwoFactor), Resistant: t.Strength != strengthAny,
		RememberDays: t.RememberDays, Enrol: t.Unenrolled == enrolAtLogin, Grace: ui.Stamp(t.GraceUntil),
	}
	for _, id := range t.Factors {
		words.Factors = append(words.Factors, s.factor(id))
	}
	return words
}

// The words of storage.Then, and what pages call its zero values.
const (
	accessAllow  = "allow"
	accessDeny   = "deny"
	strengthAny  = "any"
	resistant    = "resistant"
	enrolAtLogin = "enrol_at_login"
	enrol        = "enrol"
	recovery     = "recovery"
	required     = "required"
)

func twoFactorWord(kept string) string {
	if kept == "" {
		return required
	}
	return kept
}

// factor is how a factor is shown; one that the deployment does not have any more by its ID.
func (s *Service) factor(id string) ui.Factor {
	f, err := s.Credentials.Factor(id)
	if err != nil {
		return ui.Factor{ID: id, Name: id}
	}
	return ui.Factor{ID: f.Info().ID, Name: f.Info().Name}
}

type switchesIn struct {
	Must       []string `form:"must"`
	Unenrolled string   `form:"unenrolled"`
	Version    string   `form:"version"`
}

// proposeSwitches leads to what the switches would do (001-3, 001-4, 002-17, 002-18).
func (s *Service) proposeSwitches(ctx context.Context, by *web.Actor, in switchesIn) (web.Result, error) {
	_, v, err := s.seen(ctx, by, in.Version)
	if err != nil {
		return web.Result{}, err
	}
	only := in.Unenrolled == recovery
	must := append([]string{}, in.Must...)
	return s.propose(ctx, by, draft{
		Change: admin.PolicyChange{Require2FA: &must, RecoveryCodeOnly: &only, Version: v}, Back: ui.PathPolicy,
	})
}

// seen is the policy as it is, and the version of the one that a form was made from.
func (s *Service) seen(ctx context.Context, by *web.Actor, version string) (admin.Policy, int64, error) {
	p, err := s.Admin.Policy(ctx, by, by.Tenant.ID)
	if err != nil {
		return p, 0, err
	}
	n, err := strconv.ParseInt(version, 10, 64)
	if err != nil || n < 1 {
		return p, 0, web.ErrBadRequest
	}
	return p, n, nil
}

type ruleIn struct {
	ID      string `path:"id"`
	Version string `form:"version"`
}

func (s *Service) proposeUp(ctx context.Context, by *web.Actor, in ruleIn) (web.Result, error) {
	return s.proposeRules(ctx, by, in, func(rules []storage.Rule, i int) []storage.Rule {
		rules[i], rules[max(i-1, 0)] = rules[max(i-1, 0)], rules[i]
		return rules
	})
}

func (s *Service) proposeDown(ctx context.Context, by *web.Actor, in ruleIn) (web.Result, error) {
	return s.proposeRules(ctx, by, in, func(rules []storage.Rule, i int) []storage.Rule {
		next := min(i+1, len(rules)-1)
		rules[i], rules[next] = rules[next], rules[i]
		return rules
	})
}

func (s *Service) proposeDelete(ctx context.Context, by *web.Actor, in ruleIn) (web.Result, error) {
	return s.proposeRules(ctx, by, in, func(rules []storage.Rule, i int) []storage.Rule { return slices.Delete(rules, i, i+1) })
}

// proposeRules leads to what another order or number of the rules would do. change is given the rules, which it may change,
// and where the one in question stands.
func (s *Service) proposeRules(ctx context.Context, by *web.Actor, in ruleIn, change func([]storage.Rule, int) []storage.Rule) (web.Result, error) {
	p, v, err := s.seen(ctx, by, in.Version)
	if err != nil {
		return web.Result{}, err
	}
	i := slices.IndexFunc(p.Rules, func(r storage.Rule) bool { return r.ID == in.ID })
	if i < 0 {
		return web.Result{}, web.ErrNotFound
	}
	rules := change(slices.Clone(p.Rules), i)
	return s.propose(ctx, by, ofRules(rules, nil, v))
}
