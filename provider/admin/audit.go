package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// AuditFilter says which entries of an audit log are asked for. What is left out does not matter.
type AuditFilter struct {
	// User is whom it was done to: a user's ID, e-mail address or user name.
	User string `query:"user"`
	// By is who did it: likewise, or a client_id, "operator" or "retention".
	By string `query:"by"`
	// Action is an action ("sign_in.factor") or the beginning of several ("sign_in.*"), or several of these with commas
	// between.
	Action string `query:"action"`
	// Outcome is what came of it.
	Outcome string `query:"outcome" enum:"ok,refused,failed,sent"`
	// Client is a client_id.
	Client string `query:"client"`
	// Factor is a factor's ID.
	Factor string `query:"factor"`
	// Rule is the name of the rule that decided, or the ID of a report-only rule that would have.
	Rule string `query:"rule"`
	// Address is an IP address or a network in CIDR notation.
	Address string `query:"address"`
	// Text is looked for in all texts of an entry.
	Text string `query:"text"`
	// From is when the entries begin.
	From time.Time `query:"from"`
	// Until is when they end; the time itself is not within.
	Until time.Time `query:"until"`
}

// AuditEntry is an entry of an audit log, with the names of those it is about as far as they are still there.
type AuditEntry struct {
	// ID is its place in the chain, twenty decimal digits.
	ID string `json:"id"`
	// Time is when it happened.
	Time time.Time `json:"time"`
	// Action names what was tried, such as "sign_in.password".
	Action string `json:"action"`
	// Outcome is what came of it: "ok", "refused", "failed" or "sent".
	Outcome string `json:"outcome"`
	// Actor is who did it: a user ID, a client_id, "operator" or "retention".
	Actor string `json:"actor,omitempty"`
	// ActorName is the actor's e-mail address or user name, or the application's name.
	ActorName string `json:"actor_name,omitempty"`
	// User is whom it was done to, by ID.
	User string `json:"user,omitempty"`
	// UserName is that user's e-mail address or user name.
	UserName string `json:"user_name,omitempty"`
	// Client is the client_id of the application.
	Client string `json:"client,omitempty"`
	// ClientName is the application's name.
	ClientName string `json:"client_name,omitempty"`
	// Factor is the ID of the factor.
	Factor string `json:"factor,omitempty"`
	// Rule is the name of the policy rule that decided.
	Rule string `json:"rule,omitempty"`
	// Reports are the IDs of report-only rules that would have decided, with a space between.
	Reports string `json:"reports,omitempty"`
	// Reason says more, in a word or a sentence.
	Reason string `json:"reason,omitempty"`
	// Address is the IP address that it came from.
	Address string `json:"address,omitempty"`
	// Agent is what the browser or program called itself.
	Agent string `json:"agent,omitempty"`
	// Request identifies the request in the server's log.
	Request string `json:"request,omitempty"`
	// Previous is the hash of the entry before.
	Previous string `json:"previous"`
	// Hash covers every other field, but for the names.
	Hash string `json:"hash"`
}

// AuditEntries are some entries of an audit log, the newest first.
type AuditEntries struct {
	Items []AuditEntry `json:"items"`
	// Next is where to go on; empty where all was looked through. It may be there though Items are few or none: so much
	// was looked through without finding more.
	Next string `json:"next,omitempty"`
	// Searched is how many entries were looked at for this answer, and Until the time of the last of them.
	Searched int       `json:"searched"`
	Until    time.Time `json:"until,omitzero"`
}

// FindAudit lists the entries of a tenant's audit log that a filter describes. Owners and admins see all of them.
func (s *Service) FindAudit(ctx context.Context, by *web.Actor, tenant string, f AuditFilter, p Page) (AuditEntries, error) {
	if err := s.admitLog(ctx, by, tenant); err != nil {
		return AuditEntries{}, err
	}
	filter, err := s.auditFilter(ctx, tenant, f)
	if err != nil {
		return AuditEntries{}, err
	}
	filter.After, filter.Limit = p.After, p.Limit
	found, err := s.Audit.Find(ctx, tenant, filter)
	if err != nil {
		return AuditEntries{}, auditFault(err)
	}
	items, err := s.entries(ctx, tenant, found.Events)
	return AuditEntries{Items: items, Next: found.Next, Searched: found.Searched, Until: found.Until}, err
}

// AuditEntry is one entry of a tenant's audit log.
func (s *Service) AuditEntry(ctx context.Context, by *web.Actor, tenant, id string) (AuditEntry, error) {
	if err := s.admitLog(ctx, by, tenant); err != nil {
		return AuditEntry{}, err
	}
	if id == "" {
		return AuditEntry{}, web.ErrNotFound
	}
	e, err := s.Store.Events.Get(ctx, tenant, id)
	if errors.Is(err, storage.ErrNotFound) {
		return AuditEntry{}, web.Missing("entry", id, "check the ID; older entries may have been removed by the log's retention")
	}
	if err != nil {
		return AuditEntry{}, web.Unavailable("audit log", err)
	}
	items, err := s.entries(ctx, tenant, []storage.Event{e})
	if err != nil {
		return AuditEntry{}, err
	}
	return items[0], nil
}

// admitLog lets owners and admins read their tenant's log, and operators any, also that of the deployment.
func (s *Service) admitLog(ctx context.Context, by *web.Actor, tenant string) error {
	if tenant == storage.Global && runs(by) {
		return nil
	}
	_, err := s.admit(ctx, by, tenant, helping)
	return err
}

// auditFilter finds the users that a filter names.
func (s *Service) auditFilter(ctx context.Context, tenant string, f AuditFilter) (audit.Filter, error) {
	filter := audit.Filter{
		Action: f.Action, Outcome: f.Outcome, Client: f.Client, Factor: f.Factor, Rule: f.Rule, Address: f.Address, Text: f.Text,
		From: f.From, Until: f.Until,
	}
	var err error
	if filter.User, err = s.whose(ctx, tenant, "user", f.User); err != nil {
		return filter, err
	}
	if filter.Actor, err = s.whose(ctx, tenant, "by", f.By); err != nil {
		return filter, err
	}
	return filter, auditFault(filter.Check())
}

// whose is the ID of a user as the log has it. What is neither an e-mail address nor a user name is taken for an ID: those
// who were deleted are found by theirs.
func (s *Service) whose(ctx context.Context, tenant, field, name string) (string, error) {
	if name == "" || tenant == storage.Global {
		return name, nil
	}
	_, err := s.Store.Users.Get(ctx, tenant, name)
	if err == nil {
		return name, nil
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return "", web.Unavailable("user", err)
	}
	found, err := s.Directory.Lookup(ctx, tenant, name)
	if err != nil {
		return "", web.Unavailable("directory", err)
	}
	if len(found) > 0 {
		return found[0].ID, nil
	}
	// An ID has no such sign, and somebody mistyped an address.
	if strings.Contains(name, "@") {
		return "", invalidAs(field, "unknown", fmt.Sprintf("nobody has the e-mail address %q", name), "check the spelling, or give the ID of a user who was deleted")
	}
	return name, nil
}

// auditFault says in words what a filter can't mean; what else fails may be tried again.
func auditFault(err error) error {
	var bad *audit.FilterError
	if errors.As(err, &bad) {
		return invalidAs(bad.Where, "filter", bad.What, bad.Do)
	}
	return web.Unavailable("audit log", err)
}

// entries are events as they are shown.
func (s *Service) entries(ctx context.Context, tenant string, events []storage.Event) ([]AuditEntry, error) {
	names := namesIn{s: s, tenant: tenant, users: map[string]string{}, clients: map[string]string{}}
	items := make([]AuditEntry, 0, len(events))
	for i := range events {
		e := &events[i]
		v := AuditEntry{
			ID: e.ID, Time: e.Time, Action: e.Action, Outcome: e.Outcome, Actor: e.Actor, User: e.User, Client: e.Client,
			Factor: e.Factor, Rule: e.Rule, Reports: e.Reports, Reason: e.Reason, Address: e.Address, Agent: e.Agent,
			Request: e.Request, Previous: e.Previous, Hash: e.Hash,
		}
		var err error
		if v.UserName, err = names.user(ctx, e.User); err != nil {
			return nil, err
		}
		if v.ClientName, err = names.client(ctx, e.Client); err != nil {
			return nil, err
		}
		if v.ActorName, err = names.actor(ctx, e.Actor); err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	return items, nil
}

// namesIn finds the names of users and clients, each once.
type namesIn struct {
	s              *Service
	tenant         string
	users, clients map[string]string
}

func (n namesIn) user(ctx context.Context, id string) (string, error) {
	return nameFrom(ctx, n.users, n.s.Store.Users, n.tenant, id, web.Account)
}

// client is the name of the tenant's own client, or of one that all tenants share.
func (n namesIn) client(ctx context.Context, id string) (string, error) {
	return nameFrom(ctx, n.clients, n.s.Store.Clients, storage.Global, id, func(c *storage.Client) string {
		if c.Owner != "" && c.Owner != n.tenant {
			return ""
		}
		return c.Name
	})
}

func (n namesIn) actor(ctx context.Context, id string) (string, error) {
	name, err := n.user(ctx, id)
	if name != "" || err != nil {
		return name, err
	}
	return n.client(ctx, id)
}

// nameFrom is what a record is called; nothing where it is gone.
func nameFrom[T any](ctx context.Context, known map[string]string, table storage.Table[T], tenant, id string, name func(*T) string) (string, error) {
	if id == "" || id == operator || tenant == "" {
		return "", nil
	}
	if known, ok := known[id]; ok {
		return known, nil
	}
	r, err := table.Get(ctx, tenant, id)
	switch {
	case err == nil:
		known[id] = name(&r)
	case errors.Is(err, storage.ErrNotFound):
		known[id] = ""
	default:
		return "", web.Unavailable("names", err)
	}
	return known[id], nil
}

// The media types of exports: RFC 4180, and what JSON lines are commonly called.
const (
	auditCSV   = "text/csv; charset=utf-8; header=present"
	auditLines = "application/jsonl"
)

// AuditTypes are the media types that ExportAudit has.
func AuditTypes() []string { return []string{"text/csv", auditLines} }

// ExportAudit writes all entries of a tenant's audit log that a filter describes, the oldest first, as audit.CSV or
// audit.JSONLines. That it was done stands in the log.
func (s *Service) ExportAudit(ctx context.Context, by *web.Actor, tenant string, f AuditFilter, format string) (web.Download, error) {
	if err := s.admitLog(ctx, by, tenant); err != nil {
		return web.Download{}, err
	}
	types := map[string]string{string(audit.CSV): auditCSV, string(audit.JSONLines): auditLines}
	if types[format] == "" {
		return web.Download{}, invalidAs("format", "filter", fmt.Sprintf("%q is no format", format), "choose csv or jsonl")
	}
	filter, err := s.auditFilter(ctx, tenant, f)
	if err != nil {
		return web.Download{}, err
	}
	e := about(by, tenant, "audit.export")
	e.Reason = format
	if err := s.Audit.Record(ctx, e); err != nil {
		return web.Download{}, web.Unavailable("audit log", err)
	}
	name := tenant
	if tenant == storage.Global {
		name = "deployment"
	}
	return web.Download{
		Type: types[format], Name: fmt.Sprintf("audit-%s-%s.%s", name, s.Now().UTC().Format(time.DateOnly), format),
		Write: func(w io.Writer) error {
			_, err := s.Audit.Export(ctx, tenant, filter, w, audit.Format(format))
			return auditFault(err)
		},
	}, nil
}
