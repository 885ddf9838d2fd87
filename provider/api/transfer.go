package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/transfer"
	"github.com/sallyport-id/sallyport/provider/web"
)

func (s *Service) transferRoutes() []web.Route {
	const (
		users = v1 + "/tenants/:tenant/users"
		tag   = "Users"
	)
	return []web.Route{
		web.API(http.MethodPost, users+"/import", admin.ScopeUsersWrite, s.importUsers).
			About("importUsers", tag, "Bring users in from a file; broken off, it can be sent again: who is there is skipped"),
		web.API(http.MethodGet, users+"/export", admin.ScopeUsersRead, s.exportUsers).
			About("exportUsers", tag, "Download all users, without what they sign in with").
			Produces(transfer.CSV.Media(), transfer.JSONLines.Media()),
	}
}

type importUsers struct {
	inTenant
	// DryRun checks everything and changes nothing.
	DryRun bool `query:"dry_run"`
	// Update changes users who are there already; else they are skipped. What they sign in with stays as it is, and so do
	// owners.
	Update bool `query:"update"`
	// Passwords allows the field password, a password in plain text, to operators.
	Passwords bool `query:"passwords"`
	// File has a line for each user: a table with a header (RFC 4180), or an object of JSON a line. Only operators' files
	// tell of an address that it is confirmed.
	File web.Upload `accept:"text/csv,application/jsonl"`
}

// importUsers reads the file as it comes, and answers once with what came of it. Most programs send all of a request before
// they read any of its answer: with an answer line by line they would wait for us, and we for them.
func (s *Service) importUsers(ctx context.Context, by *web.Actor, in importUsers) (transfer.Imported, error) {
	report := transfer.Imported{DryRun: in.DryRun, RefusedLines: []transfer.Line{}}
	format := transfer.CSV
	if in.File.Type == transfer.JSONLines.Media() {
		format = transfer.JSONLines
	}
	var err error
	report.Totals, err = s.Transfer.Import(ctx, by, in.Tenant, in.File.Body, transfer.Options{
		Format: format, DryRun: in.DryRun, Update: in.Update, Passwords: in.Passwords, Line: report.Add,
	})
	return report, err
}

type exportUsers struct {
	inTenant
	// Format is that of the file: jsonl when it is left out. In csv, what a spreadsheet would run as a formula has a quotation
	// mark before it.
	Format string `query:"format" enum:"csv,jsonl"`
	// Hashes takes the password hashes along, for operators. Keep such a file as you keep the database.
	Hashes bool `query:"hashes"`
}

func (s *Service) exportUsers(ctx context.Context, by *web.Actor, in exportUsers) (web.Download, error) {
	return s.Transfer.Download(ctx, by, in.Tenant, transfer.ExportOptions{
		Format: transfer.Format(cmp.Or(in.Format, string(transfer.JSONLines))), Hashes: in.Hashes,
	})
}
