package console

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/ui"
)

const (
	auditEntries   = ui.PathAudit + "/entries"
	auditExport    = ui.PathAudit + "/export"
	auditVerify    = ui.PathAudit + "/verify"
	auditRetention = ui.PathAudit + "/retention"
)

func (s *Service) auditRoutes() []web.Route {
	return []web.Route{
		web.Get(ui.PathAudit, web.Self, s.audit),
		web.Get(auditEntries+"/:id", web.Self, s.auditEntry),
		web.Get(auditExport, web.Fresh, s.auditExport),
		web.Post(auditVerify, web.Fresh, s.auditVerify),
		web.Get(auditRetention, web.Fresh, s.auditRetention),
		web.Post(auditRetention, web.Fresh, s.saveRetention),
	}
}

// auditActions are the actions of each group that the page can choose; see admin.AuditFilter.
var auditActions = map[string]string{
	"sign_ins":     "sign_in,sign_in.*,sign_out,session.*",
	"factors":      "factor.*,two_factor.*,codes.*,device.*",
	"recovery":     "recovery.*,password.*,email.*,two_factor.lost,two_factor.reset,user.lock,user.unlock,user.password",
	"users":        "user.*,users.*",
	"policy":       "policy.*,tenant.*,user_type.*",
	"applications": "client.*,integration.*,application.*",
	"tokens":       "token.*,api.*",
	"webhooks":     "webhook.*",
	"hooks":        "hook.*",
	"log":          "audit.*",
}

// auditOf is the path of the entries that meet one condition.
func auditOf(field, value string) string {
	return ui.PathAudit + "?" + url.Values{field: {value}}.Encode()
}

// auditIn are the conditions of the search form.
type auditIn struct {
	User    string `form:"user"`
	By      string `form:"by"`
	Action  string `form:"action"`
	Outcome string `form:"outcome"`
	Address string `form:"address"`
	Text    string `form:"text"`
	From    string `form:"from"`
	Until   string `form:"until"`
	After   string `form:"after"`
	Notice  string `form:"notice"`
	// Format is that of an export.
	Format string `form:"format"`
}

// typed is the filter as the form shows it.
func (in auditIn) typed() ui.AuditFilter {
	return ui.AuditFilter{
		User: strings.TrimSpace(in.User), By: strings.TrimSpace(in.By), Action: in.Action, Outcome: in.Outcome,
		Address: strings.TrimSpace(in.Address), Text: strings.TrimSpace(in.Text), From: in.From, Until: in.Until,
	}
}

// filter is what the form asks for.
func (in auditIn) filter() (admin.AuditFilter, error) {
	t := in.typed()
	f := admin.AuditFilter{User: t.User, By: t.By, Action: t.Action, Outcome: t.Outcome, Address: t.Address, Text: t.Text}
	if actions, ok := auditActions[t.Action]; ok {
		f.Action = actions
	}
	for _, day := range []struct {
		name, text string
		to         *time.Time
		more       int
	}{{"from", t.From, &f.From, 0}, {"until", t.Until, &f.Until, 1}} {
		if day.text == "" {
			continue
		}
		at, err := time.Parse(time.DateOnly, day.text)
		if err != nil {
			return f, web.Refuse(day.name, "", "it is no day", "write it as 2026-01-31")
		}
		// The last day is within.
		*day.to = at.AddDate(0, 0, day.more)
	}
	return f, nil
}

// at is a path with the filter, and more.
func (in auditIn) at(path string, pairs ...string) string {
	t := in.typed()
	q := url.Values{}
	for name, value := range map[string]string{
		"user": t.User, "by": t.By, "action": t.Action, "outcome": t.Outcome, "address": t.Address, "text": t.Text, "from": t.From, "until": t.Until,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// auditPage is how many entries stand on a page.
const auditPage = 50

// audit lists entries of the audit log.
func (s *Service) audit(ctx context.Context, by *web.Actor, in auditIn) (web.Result, error) {
	page, err := s.auditList(ctx, by, in)
	if err != nil {
		return web.Result{}, err
	}
	page.Notice = s.said().Read(in.Notice)
	return web.Result{Page: page, Refused: page.Problem.Key != ""}, nil
}

// auditList is the page of entries; where the filter can't be meant, it says so.
func (s *Service) auditList(ctx context.Context, by *web.Actor, in auditIn) (ui.Audit, error) {
	page := ui.Audit{
		Action: ui.PathAudit, Filter: in.typed(), Groups: ui.AuditGroups(), Outcomes: ui.Outcomes(), Entries: []ui.AuditRow{},
		CSV: in.at(auditExport, "format", string(audit.CSV)), JSONLines: in.at(auditExport, "format", string(audit.JSONLines)),
		Verify: auditVerify,
	}
	// The actor's tenant may be some seconds old, and who has just changed this looks for it.
	t, err := s.Admin.Tenant(ctx, by, by.Tenant.ID)
	if err != nil {
		return page, err
	}
	page.Days = t.Settings.AuditDays
	owns, err := s.owns(ctx, by)
	if err != nil {
		return page, err
	}
	if owns {
		page.Retention = auditRetention
	}
	if page.Filter.Any() {
		page.All = ui.PathAudit
	}
	filter, err := in.filter()
	var found admin.AuditEntries
	if err == nil {
		found, err = s.Admin.FindAudit(ctx, by, by.Tenant.ID, filter, admin.Page{After: in.After, Limit: auditPage})
	}
	if where, says, ok := refused(err); ok && where != "after" {
		page.Where, page.Problem = where, says
		return page, nil
	}
	if err != nil {
		return page, err
	}
	for i := range found.Items {
		page.Entries = append(page.Entries, s.auditRow(&found.Items[i]))
	}
	page.Searched, page.Back = found.Searched, ui.Stamp(found.Until)
	if found.Next != "" {
		page.More = in.at(ui.PathAudit, "after", found.Next)
	}
	if in.After != "" {
		page.First = in.at(ui.PathAudit)
	}
	return page, nil
}

// auditRow is an entry as lists show it.
func (s *Service) auditRow(e *admin.AuditEntry) ui.AuditRow {
	row := ui.AuditRow{
		ID: e.ID, Time: ui.Stamp(e.Time), Action: e.Action, Outcome: e.Outcome, Who: called(e.Actor, e.ActorName), Whom: called(e.User, e.UserName),
		Own: e.Actor == e.User, App: called(e.Client, e.ClientName), Rule: e.Rule, Reason: e.Reason, Address: e.Address,
		Path: at(auditEntries, e.ID),
		// What it calls itself stands with the entry.
		Browser: mail.Browser(e.Agent),
	}
	if e.Factor != "" {
		row.Factor = ui.Factor{ID: e.Factor, Name: e.Factor}
		if f, err := s.Credentials.Factor(e.Factor); err == nil {
			row.Factor.Name = f.Info().Name
		}
	}
	return row
}

// called is a name, or the ID of what has none any more.
func called(id, name string) string {
	if name != "" {
		return name
	}
	return id
}

type auditEntryIn struct {
	ID string `path:"id"`
}

// auditEntry shows one entry with all its fields.
func (s *Service) auditEntry(ctx context.Context, by *web.Actor, in auditEntryIn) (web.Result, error) {
	e, err := s.Admin.AuditEntry(ctx, by, by.Tenant.ID, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	page := ui.AuditEntry{
		Row: s.auditRow(&e), Actor: e.Actor, User: e.User, Client: e.Client, Agent: e.Agent, Reports: e.Reports, Request: e.Request,
		Previous: e.Previous, Hash: e.Hash, OfAction: auditOf("action", e.Action), Back: ui.PathAudit,
	}
	if e.User != "" {
		page.OfUser = auditOf("user", e.User)
	}
	if e.UserName != "" {
		page.Person = personPath(e.User)
	}
	if e.Actor != "" {
		page.ByActor = auditOf("by", e.Actor)
	}
	if e.Address != "" {
		page.From = auditOf("address", e.Address)
	}
	return web.Draw(page), nil
}

// auditExport is a download of all entries that the filter describes.
func (s *Service) auditExport(ctx context.Context, by *web.Actor, in auditIn) (web.Result, error) {
	filter, err := in.filter()
	if err != nil {
		return web.Result{}, err
	}
	d, err := s.Admin.ExportAudit(ctx, by, by.Tenant.ID, filter, in.Format)
	if err != nil {
		return web.Result{}, err
	}
	return web.Result{Download: &d}, nil
}

// auditVerify checks the log and says on its page what came of it.
func (s *Service) auditVerify(ctx context.Context, by *web.Actor, _ struct{}) (web.Result, error) {
	report, failed := s.Admin.VerifyAudit(ctx, by, by.Tenant.ID)
	where, says, ok := refused(failed)
	if failed != nil && !ok {
		return web.Result{}, failed
	}
	page, err := s.auditList(ctx, by, auditIn{})
	if err != nil {
		return web.Result{}, err
	}
	if where != "" {
		page.Where, page.Problem = "verify", says
		return web.Result{Page: page, Refused: true}, nil
	}
	page.Checked = &ui.AuditReport{
		Entries: int(report.Entries), Removed: int(report.Removed), Last: report.Last, Head: report.Head, More: report.More, //nolint:gosec // G115: no log has so many.
	}
	for _, f := range report.Faults {
		page.Checked.Faults = append(page.Checked.Faults, ui.AuditFault{ID: f.ID, Kind: f.Kind, Count: int(f.Count)}) //nolint:gosec // G115: likewise.
	}
	return web.Draw(page), nil
}

// auditRetention asks for how long entries are to be kept.
func (s *Service) auditRetention(ctx context.Context, by *web.Actor, _ struct{}) (web.Result, error) {
	if err := s.Admin.MayOwn(ctx, by, by.Tenant.ID); err != nil {
		return web.Result{}, err
	}
	r, err := s.Admin.Retention(ctx, by, by.Tenant.ID, nil)
	if err != nil {
		return web.Result{}, err
	}
	days := ""
	if r.Days > 0 {
		days = strconv.Itoa(r.Days)
	}
	return web.Draw(retentionPage(days)), nil
}

func retentionPage(days string) ui.AuditRetention {
	return ui.AuditRetention{
		Days: days, Least: admin.LeastAuditDays, Most: admin.MostAuditDays, Action: auditRetention, Cancel: ui.PathAudit,
	}
}

type retentionIn struct {
	Days string `form:"days"`
	// Sure: it was said what is removed, and asked whether it shall be.
	Sure bool `form:"sure"`
}

func (in retentionIn) days() (int, error) {
	text := strings.TrimSpace(in.Days)
	if text == "" {
		return 0, nil
	}
	return strconv.Atoi(text)
}

// saveRetention sets for how long entries are kept, once it was asked where that removes any.
func (s *Service) saveRetention(ctx context.Context, by *web.Actor, in retentionIn) (web.Result, error) {
	days, err := in.days()
	if err != nil {
		return retentionRefused(in, ui.Invalid("audit_days", "")), nil
	}
	would, err := s.Admin.Retention(ctx, by, by.Tenant.ID, &days)
	if _, says, ok := refused(err); ok {
		return retentionRefused(in, says), nil
	}
	if err != nil {
		return web.Result{}, err
	}
	if would.Due > 0 && !in.Sure {
		return web.Draw(ui.ShortenLog(auditRetention, ui.PathAudit, strconv.Itoa(days), int(would.Due), would.Before)), nil //nolint:gosec // G115: no log has so many.
	}
	if _, err := s.Admin.SetRetention(ctx, by, by.Tenant.ID, days); err != nil {
		return web.Result{}, err
	}
	return s.done(ui.PathAudit, ui.NoticeRetentionSaved)
}

func retentionRefused(in retentionIn, problem ui.Text) web.Result {
	page := retentionPage(in.Days)
	page.Problem = problem
	return web.Result{Page: page, Refused: true}
}
