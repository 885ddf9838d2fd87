package console

import (
	"bytes"
	"context"
	"errors"

	"github.com/sallyport-id/sallyport/provider/transfer"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/ui"
)

const (
	importRun    = ui.PathImport + "/run"
	peopleExport = ui.PathPeople + "/export"
)

func (s *Service) importRoutes() []web.Route {
	return []web.Route{
		web.Get(ui.PathImport, web.Fresh, s.askImport),
		web.Post(ui.PathImport, web.Fresh, s.checkImport),
		web.Post(importRun, web.Fresh, s.runImport),
		web.Get(importRun, web.Self, s.importing),
		web.Get(peopleExport, web.Fresh, s.exportPeople),
	}
}

const (
	// importLines is how many lines a file may have: what is checked while somebody waits for a page. The API and the command
	// take files of any length.
	importLines = 5000
	// importShown is how many refused lines a page shows.
	importShown = 100
)

// askImport asks for a file, and leads to such files.
func (s *Service) askImport(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	page, err := s.importForm(ctx, by)
	return web.Draw(page), err
}

func (s *Service) importForm(ctx context.Context, by *web.Actor) (ui.Import, error) {
	if err := s.Admin.MayOwn(ctx, by, by.Tenant.ID); err != nil {
		return ui.Import{}, err
	}
	t, err := s.Admin.Tenant(ctx, by, by.Tenant.ID)
	return ui.Import{
		Action: ui.PathImport, Lines: importLines, Types: t.UserTypes, Back: ui.PathPeople,
		CSV: peopleExport + "?format=" + string(transfer.CSV), JSONLines: peopleExport + "?format=" + string(transfer.JSONLines),
	}, err
}

type checkImportIn struct {
	File   web.FormFile `file:"file"`
	Update bool         `form:"update"`
}

// checkImport says what would come of a file, and keeps it for the yes.
func (s *Service) checkImport(ctx context.Context, by *web.Actor, in checkImportIn) (web.Result, error) {
	form, err := s.importForm(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	f := held{format: formatOf(in.File.Data), update: in.Update, data: in.File.Data}
	report, err := s.tryImport(ctx, by, in.File, f)
	f.lines = report.Lines
	if says, ok := fileRefused(err); ok {
		form.Update, form.Problem = in.Update, says
		return web.Result{Page: form, Refused: true}, nil
	}
	if err != nil {
		return web.Result{}, err
	}
	page := reportPage(report)
	if page.All() > 0 {
		page.Action, page.Minutes = importRun, web.Minutes(holdFor)
		page.Ticket, err = s.hold(ctx, by, f)
	}
	return web.Draw(page), err
}

// tryImport is a dry run of what a page takes.
func (s *Service) tryImport(ctx context.Context, by *web.Actor, file web.FormFile, f held) (transfer.Imported, error) {
	switch {
	case file.Large:
		return transfer.Imported{}, web.Refuse("file", "large", "it is too large", "split it, or send it by the API or by command")
	case len(f.data) == 0:
		return transfer.Imported{}, web.Refuse("file", "", "no file was chosen", "choose one")
	case bytes.Count(f.data, []byte{'\n'}) > importLines+1:
		return transfer.Imported{}, web.Refuse("file", "lines", "it has too many lines", "split it, or send it by the API or by command")
	}
	return s.bring(ctx, by, f, true, nil)
}

// bring imports a file, or tries to. progress is told how far it is, about once a second.
func (s *Service) bring(ctx context.Context, by *web.Actor, f held, dry bool, progress func(transfer.Imported)) (transfer.Imported, error) {
	report := transfer.Imported{DryRun: dry}
	o := transfer.Options{Format: f.format, DryRun: dry, Update: f.update, Line: report.Add}
	if progress != nil {
		o.Progress = func(t transfer.Totals) {
			report.Totals = t
			progress(report)
		}
	}
	var err error
	report.Totals, err = s.Transfer.Import(ctx, by, by.Tenant.ID, bytes.NewReader(f.data), o)
	return report, err
}

// formatOf tells the formats apart by what they begin with: what a browser says of a file need not be true.
func formatOf(data []byte) transfer.Format {
	if bytes.HasPrefix(bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff"))), []byte("{")) {
		return transfer.JSONLines
	}
	return transfer.CSV
}

// fileRefused is what the form says of a file that is refused as a whole.
func fileRefused(err error) (says ui.Text, ok bool) {
	if errors.Is(err, web.ErrBusy) {
		return ui.InvalidFile("busy", "", importLines), true
	}
	var invalid *web.Invalid
	if !errors.As(err, &invalid) || !errors.Is(err, web.ErrInvalid) {
		return ui.Text{}, false
	}
	return ui.InvalidFile(invalid.Code, invalid.Value, importLines), true
}

func reportPage(r transfer.Imported) ui.ImportReport {
	page := ui.ImportReport{
		Created: r.Created, Updated: r.Updated, Skipped: r.Skipped, Refused: r.Refused, Rows: []ui.ImportRow{}, Back: ui.PathImport,
	}
	for _, l := range r.RefusedLines[:min(len(r.RefusedLines), importShown)] {
		page.Rows = append(page.Rows, ui.ImportRow{Line: l.Line, Account: l.Account, Says: ui.InvalidLine(l.Code, l.Field, l.Value)})
	}
	return page
}

type exportPeopleIn struct {
	Format string `form:"format"`
}

// exportPeople is a download of all users.
func (s *Service) exportPeople(ctx context.Context, by *web.Actor, in exportPeopleIn) (web.Result, error) {
	d, err := s.Transfer.Download(ctx, by, by.Tenant.ID, transfer.ExportOptions{Format: transfer.Format(in.Format)})
	if err != nil {
		return web.Result{}, err
	}
	return web.Result{Download: &d}, nil
}
