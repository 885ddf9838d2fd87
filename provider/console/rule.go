package console

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// newRule asks for a new rule.
func (s *Service) newRule(ctx context.Context, by *web.Actor, _ struct{}) (web.Result, error) {
	p, err := s.Admin.Policy(ctx, by, by.Tenant.ID)
	if err != nil {
		return web.Result{}, err
	}
	in := ruleFormIn{
		Access: accessAllow, TwoFactor: required, Strength: strengthAny, Remember: "14", Unenrolled: enrol, Version: version(p),
		Place: ui.PlaceByConditions,
	}
	page, err := s.ruleForm(ctx, by, p, nil, in)
	return web.Draw(page), err
}

// showRule asks what to change of a rule.
func (s *Service) showRule(ctx context.Context, by *web.Actor, in ruleIn) (web.Result, error) {
	p, r, err := s.rule(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	form, err := s.fillIn(ctx, by, r)
	if err != nil {
		return web.Result{}, err
	}
	form.Version = version(p)
	page, err := s.ruleForm(ctx, by, p, r, form)
	return web.Draw(page), err
}

// rule reads one rule of the policy.
func (s *Service) rule(ctx context.Context, by *web.Actor, id string) (admin.Policy, *storage.Rule, error) {
	p, err := s.Admin.Policy(ctx, by, by.Tenant.ID)
	if err != nil {
		return p, nil, err
	}
	i := slices.IndexFunc(p.Rules, func(r storage.Rule) bool { return r.ID == id })
	if i < 0 {
		return p, nil, web.ErrNotFound
	}
	return p, &p.Rules[i], nil
}

// ruleFormIn is a rule as the form has it.
type ruleFormIn struct {
	ID           string   `path:"id"`
	Version      string   `form:"version"`
	Name         string   `form:"name"`
	Place        string   `form:"place"`
	Types        []string `form:"type"`
	Roles        []string `form:"role"`
	Users        string   `form:"users"`
	Ticked       bool     `form:"ticked"`
	Networks     string   `form:"networks"`
	NotNetworks  string   `form:"not_networks"`
	Clients      []string `form:"client"`
	Tags         string   `form:"tags"`
	Plans        string   `form:"plans"`
	Integrations string   `form:"integrations"`
	From         string   `form:"from"`
	Until        string   `form:"until"`
	Access       string   `form:"access"`
	TwoFactor    string   `form:"two_factor"`
	Strength     string   `form:"strength"`
	Factors      []string `form:"factor"`
	Remember     string   `form:"remember_days"`
	Unenrolled   string   `form:"unenrolled"`
	Grace        string   `form:"grace"`
	Report       bool     `form:"report"`
}

// newRuleIn is ruleFormIn without an ID in the path.
type newRuleIn ruleFormIn

// fillIn puts a rule into the form.
func (s *Service) fillIn(ctx context.Context, by *web.Actor, r *storage.Rule) (ruleFormIn, error) {
	w, t := &r.When, &r.Then
	accounts, err := s.accounts(ctx, by.Tenant.ID, w.Users)
	in := ruleFormIn{
		ID: r.ID, Name: r.Name, Types: w.UserTypes, Users: oneALine(accounts), Ticked: w.Ticked, Networks: oneALine(w.Networks),
		NotNetworks: oneALine(w.NotNetworks), Clients: w.Clients, Tags: commas(w.ClientTags), Plans: commas(w.Plans),
		Integrations: commas(w.Integrations), From: local(w.From), Until: local(w.Until), Access: cmp.Or(t.Access, accessDeny),
		TwoFactor: twoFactorWord(t.TwoFactor), Strength: cmp.Or(t.Strength, resistant), Factors: t.Factors,
		Remember: strconv.Itoa(t.RememberDays), Unenrolled: recovery, Grace: local(t.GraceUntil), Report: r.ReportOnly,
	}
	for _, role := range w.Roles {
		in.Roles = append(in.Roles, string(role))
	}
	if t.Unenrolled == enrolAtLogin {
		in.Unenrolled = enrol
	}
	return in, err
}

// ruleForm draws the form. r is the rule as it is kept; nil is a new one.
func (s *Service) ruleForm(ctx context.Context, by *web.Actor, p admin.Policy, r *storage.Rule, in ruleFormIn) (ui.RuleForm, error) {
	page := ui.RuleForm{
		Name: in.Name, New: r == nil, Ticked: in.Ticked, Users: in.Users, Networks: in.Networks, NotNetworks: in.NotNetworks,
		Tags: in.Tags, Plans: in.Plans, Integrations: in.Integrations, From: in.From, Until: in.Until, Access: in.Access,
		TwoFactor: in.TwoFactor, Strength: in.Strength, Remember: in.Remember, Unenrolled: in.Unenrolled, Grace: in.Grace,
		ReportOnly: in.Report, Place: in.Place, Version: in.Version, Action: newRulePath, Back: ui.PathPolicy,
	}
	k, err := s.kinds(ctx, by)
	if err != nil {
		return page, err
	}
	if r != nil {
		page.Action = at(ui.PathRules, r.ID)
		page.BuiltIn, page.Last, page.KeepsOut = admin.BuiltIn(r.ID), r.ID == admin.RuleDefault, r.ID == admin.RuleNetworks
		if page.When, err = s.whenInWords(ctx, by.Tenant.ID, k, &r.When); err != nil {
			return page, err
		}
	} else {
		page.Places = append(page.Places, ui.Choice{ID: ui.PlaceByConditions})
		for _, o := range p.Rules {
			page.Places = append(page.Places, ui.Choice{ID: o.ID, Name: o.Name})
		}
		page.Places = append(page.Places, ui.Choice{})
	}
	for _, userType := range k {
		page.Types = append(page.Types, ui.Box{Choice: userType, On: slices.Contains(in.Types, userType.ID)})
	}
	for _, role := range []storage.Role{storage.Owner, storage.Admin, storage.Member} {
		page.Roles = append(page.Roles, ui.Box{Choice: ui.Choice{ID: string(role)}, On: slices.Contains(in.Roles, string(role))})
	}
	for _, f := range s.Credentials.Factors {
		if i := f.Info(); i.Enrolment == mfa.BySelf {
			page.Factors = append(page.Factors, ui.FactorBox{Factor: ui.Factor{ID: i.ID, Name: i.Name}, On: slices.Contains(in.Factors, i.ID)})
		}
	}
	apps, err := s.signInsTo(ctx, by, in.Clients)
	for _, c := range apps {
		page.Clients = append(page.Clients, ui.Box{Choice: c, On: slices.Contains(in.Clients, c.ID)})
	}
	return page, err
}

// signInsTo are the applications that rules can be about: the tenant's own, and those of all tenants. Of programs, which
// nobody signs in to, only those that are chosen: a rule that names one goes on to.
func (s *Service) signInsTo(ctx context.Context, by *web.Actor, chosen []string) ([]ui.Choice, error) {
	var all []ui.Choice
	own, err := s.Admin.Clients(ctx, by, by.Tenant.ID, admin.Page{Limit: mostApplications})
	if err != nil {
		return nil, err
	}
	for _, c := range own {
		if c.Type != admin.Machine || slices.Contains(chosen, c.ID) {
			all = append(all, ui.Choice{ID: c.ID, Name: c.Name})
		}
	}
	shared, err := s.Admin.SharedClients(ctx, by, by.Tenant.ID)
	for _, c := range shared {
		all = append(all, ui.Choice{ID: c.ID, Name: c.Name})
	}
	return all, err
}

// mostApplications is how many of a tenant's own applications can be chosen from.
const mostApplications = 200

func (s *Service) proposeNewRule(ctx context.Context, by *web.Actor, in newRuleIn) (web.Result, error) {
	p, v, err := s.seen(ctx, by, in.Version)
	if err != nil {
		return web.Result{}, err
	}
	form := ruleFormIn(in)
	r := storage.Rule{ID: storage.NewID()}
	if err := s.takeIn(ctx, by, form, &r); err != nil {
		return s.refuseRule(ctx, by, p, nil, form, err)
	}
	rules := slices.Insert(slices.Clone(p.Rules), placeOf(p.Rules, r, in.Place), r)
	res, err := s.propose(ctx, by, ofRules(rules, &r, v))
	if err != nil {
		return s.refuseRule(ctx, by, p, nil, form, err)
	}
	return res, nil
}

// placeOf is where a new rule goes: before the one that was chosen, or at the end, or where its conditions say.
func placeOf(rules []storage.Rule, r storage.Rule, chosen string) int {
	if chosen == ui.PlaceByConditions {
		return admin.Place(rules, r)
	}
	i := slices.IndexFunc(rules, func(o storage.Rule) bool { return o.ID == chosen })
	if i < 0 {
		return len(rules)
	}
	return i
}

func (s *Service) proposeRule(ctx context.Context, by *web.Actor, in ruleFormIn) (web.Result, error) {
	p, v, err := s.seen(ctx, by, in.Version)
	if err != nil {
		return web.Result{}, err
	}
	i := slices.IndexFunc(p.Rules, func(r storage.Rule) bool { return r.ID == in.ID })
	if i < 0 {
		return web.Result{}, web.ErrNotFound
	}
	rules := slices.Clone(p.Rules)
	if err := s.takeIn(ctx, by, in, &rules[i]); err != nil {
		return s.refuseRule(ctx, by, p, &p.Rules[i], in, err)
	}
	res, err := s.propose(ctx, by, ofRules(rules, &rules[i], v))
	if err != nil {
		return s.refuseRule(ctx, by, p, &p.Rules[i], in, err)
	}
	return res, nil
}

// refuseRule draws the form again, and says why.
func (s *Service) refuseRule(ctx context.Context, by *web.Actor, p admin.Policy, was *storage.Rule, in ruleFormIn, err error) (web.Result, error) {
	where, says, ok := refused(err)
	if !ok || where == admin.Stale {
		return web.Result{}, err
	}
	page, err2 := s.ruleForm(ctx, by, p, was, in)
	if err2 != nil {
		return web.Result{}, err2
	}
	page.Wrong, page.Problem, page.Hint = where, says, ui.AboutValue(valueOf(err))
	return web.Result{Page: page, Refused: true}, nil
}

// valueOf is which of several values a refusal is about.
func valueOf(err error) string {
	var refused *web.Invalid
	if errors.As(err, &refused) {
		return refused.Value
	}
	return ""
}

// takeIn puts the form into a rule; of a built-in one only what may be changed. What can't be read is refused beside its
// field; whether the rest is right is the operation's to say.
func (s *Service) takeIn(ctx context.Context, by *web.Actor, in ruleFormIn, r *storage.Rule) error {
	r.Name = strings.TrimSpace(in.Name)
	if r.ID == admin.RuleNetworks {
		return nil
	}
	builtIn := admin.BuiltIn(r.ID)
	if !builtIn {
		if err := s.takeConditions(ctx, by, in, &r.When); err != nil {
			return err
		}
		r.ReportOnly = in.Report
	}
	t := &r.Then
	if !builtIn || r.ID == admin.RuleDefault {
		t.Access, t.TwoFactor = unless(in.Access, accessDeny), unless(in.TwoFactor, required)
	}
	t.Strength, t.Factors, t.Unenrolled = unless(in.Strength, resistant), in.Factors, ""
	if in.Unenrolled == enrol {
		t.Unenrolled = enrolAtLogin
	}
	days, err := strconv.Atoi(strings.TrimSpace(cmp.Or(in.Remember, "0")))
	if err != nil {
		return web.Refuse("rules.then.remember_days", policy.FaultRange, "it is no whole number", "give 0 to 30")
	}
	t.RememberDays = days
	t.GraceUntil, err = moment("rules.then.grace_until", in.Grace)
	return err
}

// takeConditions puts the form's conditions into those of a rule. Users are looked up by what they sign in with.
func (s *Service) takeConditions(ctx context.Context, by *web.Actor, in ruleFormIn, w *storage.When) (err error) {
	*w = storage.When{
		UserTypes: in.Types, Ticked: in.Ticked, Networks: prefixes(in.Networks), NotNetworks: prefixes(in.NotNetworks), Clients: in.Clients,
		ClientTags: tags(in.Tags), Plans: words(in.Plans), Integrations: words(in.Integrations),
	}
	for _, role := range in.Roles {
		w.Roles = append(w.Roles, storage.Role(role))
	}
	for _, name := range words(strings.ReplaceAll(in.Users, "\n", ",")) {
		u, err := s.Admin.User(ctx, by, by.Tenant.ID, name)
		if errors.Is(err, storage.ErrNotFound) {
			return &web.Invalid{
				Where: "rules.when.users", Code: policy.FaultUnknown, Value: name, What: "there is no such user", Do: "check the spelling", Err: web.ErrInvalid,
			}
		}
		if err != nil {
			return err
		}
		w.Users = append(w.Users, u.ID)
	}
	if w.From, err = moment("rules.when.from", in.From); err != nil {
		return err
	}
	w.Until, err = moment("rules.when.until", in.Until)
	return err
}
