package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/web"
)

func (s *Service) auditRoutes() []web.Route {
	const (
		tenant = v1 + "/tenants/:tenant"
		log    = tenant + "/audit"
	)
	return []web.Route{
		web.API(http.MethodGet, log+"/entries", admin.ScopeAuditRead, s.listAudit).About("listAuditEntries", "Audit log", "List or search entries of the audit log, the newest first"),
		web.API(http.MethodGet, log+"/entries/:entry", admin.ScopeAuditRead, s.getAuditEntry).About("getAuditEntry", "Audit log", "Show an entry of the audit log"),
		web.API(http.MethodGet, log+"/export", admin.ScopeAuditRead, s.exportAudit).About("exportAuditLog", "Audit log", "Download entries of the audit log, the oldest first").
			Produces(admin.AuditTypes()...),
		web.API(http.MethodPost, log+"/verify", admin.ScopeAuditRead, s.verifyAudit).About("verifyAuditLog", "Audit log", "Check that no entry of the audit log was changed, taken out or put elsewhere"),
		web.API(http.MethodGet, log+"/retention", admin.ScopeAuditRead, s.getRetention).About("getAuditRetention", "Audit log", "Tell for how long the audit log is kept"),
		web.API(http.MethodPut, log+"/retention", admin.ScopeTenantWrite, s.setRetention).About("setAuditRetention", "Audit log", "Set for how long the audit log is kept"),
		web.API(http.MethodGet, tenant+"/adoption", admin.ScopeUsersRead, s.getAdoption).About("getAdoption", "Tenants", "Tell how many users have a second step, day by day, and how many text messages were sent"),
	}
}

type listAudit struct {
	inTenant
	admin.AuditFilter
	// After is where the page begins: "next" of the page before. The first page has none.
	After Cursor `query:"after"`
	// Limit is the largest number of entries: 50 when it is left out.
	Limit int `query:"limit" minimum:"1" maximum:"200"`
}

// AuditEntries are some entries of an audit log, the newest first.
type AuditEntries struct {
	// Items are the entries that were found.
	Items []admin.AuditEntry `json:"items"`
	// Next is what the next page is asked for with. It may be there though items are few or none: so much was looked through
	// without finding more. The last page has none.
	Next Cursor `json:"next,omitempty"`
	// Searched is how many entries were looked at for this page.
	Searched int `json:"searched"`
	// Until is the time of the last entry that was looked at.
	Until time.Time `json:"until,omitzero"`
}

func (s *Service) listAudit(ctx context.Context, by *web.Actor, in listAudit) (AuditEntries, error) {
	found, err := s.Admin.FindAudit(ctx, by, in.Tenant, in.AuditFilter, admin.Page{After: string(in.After), Limit: in.Limit})
	return AuditEntries{Items: found.Items, Next: Cursor(found.Next), Searched: found.Searched, Until: found.Until}, err
}

type ofEntry struct {
	inTenant
	// Entry is the ID of the entry, twenty decimal digits.
	Entry string `path:"entry"`
}

func (s *Service) getAuditEntry(ctx context.Context, by *web.Actor, in ofEntry) (admin.AuditEntry, error) {
	return s.Admin.AuditEntry(ctx, by, in.Tenant, in.Entry)
}

type exportAudit struct {
	inTenant
	admin.AuditFilter
	// Format is that of the file: jsonl when it is left out. In csv, what a spreadsheet would run as a formula has a quotation
	// mark before it, so whoever compares hashes takes jsonl.
	Format string `query:"format" enum:"csv,jsonl"`
}

func (s *Service) exportAudit(ctx context.Context, by *web.Actor, in exportAudit) (web.Download, error) {
	return s.Admin.ExportAudit(ctx, by, in.Tenant, in.AuditFilter, cmp.Or(in.Format, string(audit.JSONLines)))
}

func (s *Service) verifyAudit(ctx context.Context, by *web.Actor, in inTenant) (audit.Report, error) {
	return s.Admin.VerifyAudit(ctx, by, in.Tenant)
}

func (s *Service) getRetention(ctx context.Context, by *web.Actor, in inTenant) (admin.Retention, error) {
	return s.Admin.Retention(ctx, by, in.Tenant, nil)
}

type setRetention struct {
	inTenant
	// Days is for how many days entries are kept, 30 to 3650; 0 is for good.
	Days int `json:"days" required:"true"`
}

func (s *Service) setRetention(ctx context.Context, by *web.Actor, in setRetention) (admin.Retention, error) {
	return s.Admin.SetRetention(ctx, by, in.Tenant, in.Days)
}

func (s *Service) getAdoption(ctx context.Context, by *web.Actor, in inTenant) (admin.Adoption, error) {
	return s.Admin.Adoption(ctx, by, in.Tenant)
}
