package console

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"

	"github.com/sallyport-id/sallyport/provider/transfer"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// The words for why an import was broken off, after "invalid.file".
const (
	importBusy    = "busy"
	importStopped = "stopped"
)

type importIn struct {
	Ticket string `form:"ticket"`
}

func importingAt(ticket string) string {
	return importRun + "?" + url.Values{"ticket": {ticket}}.Encode()
}

// runImport begins to import the file that was checked, and leads to where that can be watched. It goes on by itself when
// the browser is closed. The file is kept until all of it is imported, so that what was broken off can be asked for again:
// who is there by then is skipped.
func (s *Service) runImport(ctx context.Context, by *web.Actor, in importIn) (web.Result, error) {
	if err := s.Admin.MayOwn(ctx, by, by.Tenant.ID); err != nil {
		return web.Result{}, err
	}
	f, running, err := s.take(ctx, by, in.Ticket)
	if err != nil {
		return web.Result{}, err
	}
	if !running {
		// The request and its actor are the server's again once it is answered.
		actor := *by
		ctx := context.WithoutCancel(ctx)
		s.imports.Go(func() { s.importNow(ctx, &actor, in.Ticket, f) })
	}
	return web.Go(importingAt(in.Ticket)), nil
}

// importNow imports the file of that ticket, and keeps beside it how far it is.
func (s *Service) importNow(ctx context.Context, by *web.Actor, ticket string, f held) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	finished := make(chan struct{})
	defer close(finished)
	go func() {
		select {
		case <-s.halt:
			cancel()
		case <-finished:
		}
	}()
	report, err := s.bring(ctx, by, f, false, func(r transfer.Imported) {
		s.keep(ctx, by, ticket, r, storage.UploadRunning, "")
	})
	ctx = context.WithoutCancel(ctx)
	if err == nil {
		s.keep(ctx, by, ticket, report, storage.UploadDone, "")
		return
	}
	why := importStopped
	var invalid *web.Invalid
	switch {
	case errors.Is(err, web.ErrBusy):
		why = importBusy
	case errors.As(err, &invalid) && invalid.Where == "file":
		why = invalid.Code
	default:
		s.Logger.ErrorContext(ctx, "import broken off", "tenant", by.Tenant.ID, "request", by.Request, "error", err)
	}
	s.keep(ctx, by, ticket, report, storage.UploadFailed, why)
}

// keep says beside a file how far its import is. An import whose file is gone, because its owner brought another one
// meanwhile, goes on and has nobody to tell.
func (s *Service) keep(ctx context.Context, by *web.Actor, ticket string, r transfer.Imported, state, why string) {
	r.RefusedLines = r.RefusedLines[:min(len(r.RefusedLines), importShown)]
	report, err := json.Marshal(r)
	if err == nil {
		_, err = storage.Change(ctx, s.Store.Uploads, by.Tenant.ID, by.User.ID, func(u *storage.Upload) error {
			if u.Ticket != ticket {
				return storage.ErrNotFound
			}
			u.State, u.Failed, u.Report, u.Beat = state, why, report, s.Now()
			if state == storage.UploadDone {
				u.Sealed, u.Expires = nil, u.Beat.Add(holdFor)
			}
			return nil
		})
	}
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		s.Logger.LogAttrs(ctx, slog.LevelError, "progress of an import not kept", slog.String("tenant", by.Tenant.ID), slog.Any("error", err))
	}
}

// importing shows how far an import is, and in the end what came of it.
func (s *Service) importing(ctx context.Context, by *web.Actor, in importIn) (web.Result, error) {
	if err := s.Admin.MayOwn(ctx, by, by.Tenant.ID); err != nil {
		return web.Result{}, err
	}
	u, err := s.upload(ctx, by, in.Ticket)
	if err != nil {
		return web.Result{}, err
	}
	var r transfer.Imported
	if len(u.Report) > 0 {
		if err := json.Unmarshal(u.Report, &r); err != nil {
			return web.Result{}, err
		}
	}
	switch u.State {
	case storage.UploadDone:
		page := reportPage(r)
		page.Done, page.Back = true, ui.PathPeople
		return web.Draw(page), nil
	case storage.UploadWaiting:
		return web.Result{}, web.ErrExpired
	}
	page := ui.Importing{Done: r.Lines, Of: u.Lines, Here: importingAt(u.Ticket), Back: ui.PathPeople}
	if !s.runs(u) {
		if u.Failed == "" {
			u.Failed = importStopped
		}
		page.Problem, page.Action, page.Ticket = ui.InvalidFile(u.Failed, "", importLines), importRun, u.Ticket
	}
	return web.Draw(page), nil
}

// Wait waits for the imports under way.
func (s *Service) Wait() { s.imports.Wait() }

// Stop ends the imports under way, each with whole users only, and returns when they have ended. What they were at can be
// asked for again.
func (s *Service) Stop() {
	s.once.Do(func() { close(s.halt) })
	s.Wait()
}
