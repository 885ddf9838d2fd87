package admin

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Question is what sign-in is to be explained.
type Question struct {
	// User is an ID, e-mail address or user name.
	User string `json:"user"`
	// Client is a client_id; empty means our own pages.
	Client string `json:"client,omitempty"`
	// Address is an IP address; empty means one that can't be told.
	Address string `json:"address,omitempty"`
	// At is when; the zero time means now.
	At time.Time `json:"at,omitzero"`
}

// Explanation says what a sign-in would be asked for, and why.
type Explanation struct {
	// User is who would sign in.
	User User `json:"user"`
	// Client is the client_id that was asked about, Address the IP address, and At when.
	Client  string    `json:"client,omitempty"`
	Address string    `json:"address,omitempty"`
	At      time.Time `json:"at"`
	// Rule is the name of the rule that decides and RuleID its ID; empty where none does, which keeps everybody out.
	Rule   string `json:"rule,omitempty"`
	RuleID string `json:"rule_id,omitempty"`
	// Asked is what comes after the password, with the factors that the user has now.
	Asked policy.Asked `json:"asked"`
	// RememberDays is for how long the browser may be remembered then.
	RememberDays int `json:"remember_days,omitempty"`
	// GraceUntil is till when users who have set up nothing get in without, if they do.
	GraceUntil time.Time `json:"grace_until,omitzero"`
	// Rules are what becomes of each rule, in their order.
	Rules []policy.Verdict `json:"rules"`
}

// ExplainPolicy says which rule decides on a sign-in, and what would be asked.
func (s *Service) ExplainPolicy(ctx context.Context, by *web.Actor, tenant string, q Question) (Explanation, error) {
	p, err := s.person(ctx, by, tenant, strings.TrimSpace(q.User))
	if err != nil {
		return Explanation{}, err
	}
	var from netip.Addr
	if text := strings.TrimSpace(q.Address); text != "" {
		if from, err = netip.ParseAddr(text); err != nil {
			return Explanation{}, invalid("address", "it is no IP address", "write it as 203.0.113.7 or 2001:db8::1")
		}
	}
	var client *storage.Client
	if q.Client != "" {
		c, err := s.Store.Clients.Get(ctx, storage.Global, q.Client)
		if errors.Is(err, storage.ErrNotFound) || err == nil && c.Owner != "" && c.Owner != tenant {
			return Explanation{}, web.Missing("client", q.Client, "check the client_id")
		} else if err != nil {
			return Explanation{}, web.Unavailable("client", err)
		}
		client = &c
	}
	if q.At.IsZero() {
		q.At = s.Now()
	}
	facts := policy.FactsOf(p.Tenant, p.User, client, from, q.At)
	d := policy.Decide(p.Tenant.Rules, facts)
	asked, err := s.Asked(ctx, p, d, client)
	if err != nil {
		return Explanation{}, web.Unavailable("factors", err)
	}
	x := Explanation{
		User: viewUser(p.User), Client: q.Client, At: q.At, Rule: d.Rule, RuleID: d.RuleID, Asked: asked,
		RememberDays: int(d.Remember / (24 * time.Hour)), GraceUntil: d.GraceUntil, Rules: policy.Trace(p.Tenant.Rules, facts),
	}
	if from.IsValid() {
		x.Address = facts.Address.String()
	}
	return x, nil
}

// AlreadyRequired names the rule by which a user has to use two-factor authentication on our own pages, from wherever, without
// "must use two-factor authentication" being ticked for this one user; empty where there is none.
func (s *Service) AlreadyRequired(ctx context.Context, by *web.Actor, tenant, user string) (string, error) {
	p, err := s.person(ctx, by, tenant, user)
	if err != nil {
		return "", err
	}
	facts := policy.FactsOf(p.Tenant, p.User, nil, netip.Addr{}, s.Now())
	facts.Ticked = false
	rule, _ := policy.Everywhere(p.Tenant.Rules, facts)
	return rule, nil
}

// RuleReport is what a rule that is only reported has been found to hold for.
type RuleReport struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// SignIns counts the sign-ins that it would have decided, Users the users who made them.
	SignIns int `json:"sign_ins"`
	Users   int `json:"users"`
}

// Reports are the results of the rules that are only reported.
type Reports struct {
	// Items are the rules that are only reported, in their order.
	Items []RuleReport `json:"items"`
	// SignIns is how many sign-ins were looked at, and Since when they begin: 30 days ago, or later where there were many.
	SignIns int       `json:"sign_ins"`
	Since   time.Time `json:"since"`
}

// PolicyReports says what the rules that are only reported would have decided within the last 30 days.
func (s *Service) PolicyReports(ctx context.Context, by *web.Actor, tenant string) (Reports, error) {
	t, err := s.admit(ctx, by, tenant, helping)
	if err != nil {
		return Reports{}, err
	}
	r := Reports{Items: []RuleReport{}, Since: s.Now().AddDate(0, 0, -previewDays)}
	users := map[string]map[string]bool{}
	for _, rule := range t.Rules {
		if rule.ReportOnly {
			r.Items = append(r.Items, RuleReport{ID: rule.ID, Name: rule.Name})
			users[rule.ID] = map[string]bool{}
		}
	}
	if len(r.Items) == 0 {
		return r, nil
	}
	f := audit.Filter{Action: "sign_in", Outcome: "ok", From: r.Since, Limit: audit.MaxLimit}
	for range previewCalls {
		found, err := s.Audit.Find(ctx, tenant, f)
		if err != nil {
			return Reports{}, web.Unavailable("audit log", err)
		}
		for i := range found.Events {
			r.count(&found.Events[i], users)
		}
		if f.After = found.Next; f.After == "" {
			break
		}
		r.Since = found.Until
	}
	if f.After == "" {
		r.Since = f.From
	}
	return r, nil
}

func (r *Reports) count(e *storage.Event, users map[string]map[string]bool) {
	r.SignIns++
	held := strings.Fields(e.Reports)
	for i := range r.Items {
		o := &r.Items[i]
		for _, id := range held {
			if id != o.ID {
				continue
			}
			o.SignIns++
			if !users[o.ID][e.User] {
				users[o.ID][e.User] = true
				o.Users++
			}
		}
	}
}
