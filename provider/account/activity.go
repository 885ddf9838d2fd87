package account

import (
	"context"
	"errors"
	"net/url"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

const (
	// activityPage is how many entries stand on a page.
	activityPage = 25
	// activityRead is how many events are looked at for it at most: few of a user's tell nothing.
	activityRead = 2000
)

type activityIn struct {
	After string `form:"after"`
}

// activity shows what happened with the actor's account: what the audit log has of that user, and of no other.
func (s *Service) activity(ctx context.Context, by *web.Actor, in activityIn) (web.Result, error) {
	events, more, err := s.happened(ctx, by, in.After)
	if err != nil {
		return web.Result{}, err
	}
	page := ui.Activity{Entries: []ui.ActivityRow{}, EndOthers: pathEndOthers, Password: ui.PathPassword}
	if more != "" {
		page.More = ui.PathActivity + "?" + url.Values{"after": {more}}.Encode()
	}
	if in.After != "" {
		page.First = ui.PathActivity
	}
	names := namesOf{s: s, by: by, people: map[string]string{}, apps: map[string]string{}}
	for i := range events {
		row, err := names.row(ctx, &events[i])
		if err != nil {
			return web.Result{}, err
		}
		page.Entries = append(page.Entries, row)
	}
	return web.Draw(page), nil
}

// happened finds the events of one page, and after which of them there are more.
func (s *Service) happened(ctx context.Context, by *web.Actor, after string) (events []storage.Event, more string, _ error) {
	read := 0
	for {
		found, err := s.Audit.Find(ctx, by.User.Tenant, audit.Filter{User: by.User.ID, After: after, Limit: audit.MaxLimit})
		var bad *audit.FilterError
		if errors.As(err, &bad) {
			return nil, "", errors.Join(web.ErrBadRequest, err)
		}
		if err != nil {
			return nil, "", web.Unavailable("audit log", err)
		}
		for _, e := range found.Events {
			if !ui.InActivity(e.Action, e.Outcome) {
				continue
			}
			if len(events) == activityPage {
				return events, events[activityPage-1].ID, nil
			}
			events = append(events, e)
		}
		if after = found.Next; after == "" {
			return events, "", nil
		}
		if read += found.Searched; read >= activityRead {
			return events, after, nil
		}
	}
}

// namesOf finds the names of who and what events are about, each once.
type namesOf struct {
	s            *Service
	by           *web.Actor
	people, apps map[string]string
}

func (n *namesOf) row(ctx context.Context, e *storage.Event) (ui.ActivityRow, error) {
	row := ui.ActivityRow{ID: e.ID, Time: ui.Stamp(e.Time), Action: e.Action, Outcome: e.Outcome, Own: e.Actor == n.by.User.ID}
	// From where an administrator did it, perhaps at home, is not for those to know who are helped.
	if row.Own || e.Actor == "" {
		row.Origin = n.s.origin(n.by, e.Agent, e.Address)
	}
	var err error
	if !row.Own {
		if row.Who, err = n.who(ctx, e); err != nil {
			return row, err
		}
	}
	if e.Client != "" {
		if row.App, err = n.app(ctx, e.Client); err != nil {
			return row, err
		}
	}
	if e.Factor != "" {
		row.Factor = ui.Factor{ID: e.Factor, Name: e.Factor}
		if f, err := n.s.Credentials.Factor(e.Factor); err == nil {
			row.Factor.Name = f.Info().Name
		}
	}
	return row, nil
}

// who is the name of somebody else who did something to the actor's account: an administrator, an application, or whoever
// runs the deployment. It is empty where nothing is known.
func (n *namesOf) who(ctx context.Context, e *storage.Event) (string, error) {
	switch e.Actor {
	case "", ui.AuditOperator:
		return e.Actor, nil
	case e.Client:
		return n.app(ctx, e.Client)
	}
	if name, ok := n.people[e.Actor]; ok {
		return name, nil
	}
	u, err := n.s.Users.Get(ctx, n.by.User.Tenant, e.Actor)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return "", web.Unavailable("user", err)
	}
	name := u.Name
	if err == nil && name == "" {
		name = web.Account(&u)
	}
	n.people[e.Actor] = name
	return name, nil
}

func (n *namesOf) app(ctx context.Context, id string) (string, error) {
	name, ok := n.apps[id]
	if !ok {
		var err error
		if name, err = n.s.appName(ctx, id); err != nil {
			return "", err
		}
		n.apps[id] = name
	}
	return name, nil
}
