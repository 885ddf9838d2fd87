package account

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Scopes that are said in other ways than by their words.
const (
	scopeOpenID  = "openid"
	scopeOffline = "offline_access"
)

// connectedPage shows the applications that have access to the actor's account.
func (s *Service) connectedPage(ctx context.Context, by *web.Actor, in noticed) (web.Result, error) {
	apps, err := s.connected(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	page := ui.Connected{Apps: []ui.ConnectedRow{}, Notice: s.notice(in)}
	for _, a := range apps {
		page.Apps = append(page.Apps, ui.ConnectedRow{
			ID: a.client, Name: a.name, Scopes: a.scopes, Offline: a.offline, Since: ui.Stamp(a.since), LastUsed: ui.Stamp(a.used),
			Revoke: revokePath(a.client),
		})
	}
	return web.Draw(page), nil
}

func revokePath(client string) string {
	return ui.PathConnected + "/" + url.PathEscape(client) + "/revoke"
}

// app is an application that has access, or had the actor sign in to it with a session that is still there.
type app struct {
	client, name string
	scopes       []string
	offline      bool
	since, used  time.Time
}

// apps are such applications by ID.
type apps map[string]*app

// at notes when an application began to have access, and when it used that last.
func (a apps) at(client string, since, used time.Time) *app {
	one := a[client]
	if one == nil {
		one = &app{client: client, since: since, scopes: []string{}}
		a[client] = one
	}
	if since.Before(one.since) {
		one.since = since
	}
	if used.After(one.used) {
		one.used = used
	}
	return one
}

// granted notes what an application got.
func (a apps) granted(g *storage.Grant) {
	// A code that nobody redeemed gives nothing.
	if g.Revoked || !g.Redeemed {
		return
	}
	used := g.Used
	if used.IsZero() {
		used = g.Created
	}
	one := a.at(g.Client, g.Created, used)
	for _, scope := range g.Scopes {
		switch {
		case scope == scopeOffline:
			one.offline = true
		case scope != scopeOpenID && !slices.Contains(one.scopes, scope):
			one.scopes = append(one.scopes, scope)
		}
	}
}

// connected are those applications, by name.
func (s *Service) connected(ctx context.Context, by *web.Actor) ([]app, error) {
	found := apps{}
	err := storage.Each(ctx, s.Grants, ofActor(by), func(g *storage.Grant) error {
		found.granted(g)
		return nil
	})
	if err != nil {
		return nil, web.Unavailable("grants", err)
	}
	// Without offline access its tokens end after minutes; as long as the session is there, it gets others without a question.
	err = storage.Each(ctx, s.Sessions, ofActor(by), func(o *storage.Session) error {
		for _, client := range o.Clients {
			found.at(client, o.Created, time.Time{})
		}
		return nil
	})
	if err != nil {
		return nil, web.Unavailable("sessions", err)
	}
	list := make([]app, 0, len(found))
	for _, a := range found {
		c, err := s.Clients.Get(ctx, storage.Global, a.client)
		switch gone := errors.Is(err, storage.ErrNotFound); {
		case err != nil && !gone:
			return nil, web.Unavailable("application", err)
		case gone && a.used.IsZero():
			continue
		case gone:
			a.name = a.client
		default:
			a.name = c.Name
			a.may(&c)
		}
		list = append(list, *a)
	}
	slices.SortFunc(list, func(a, b app) int {
		return strings.Compare(strings.ToLower(a.name)+"\x00"+a.client, strings.ToLower(b.name)+"\x00"+b.client)
	})
	return list, nil
}

// may fills in what an application can have, where what it got last is forgotten by now.
func (a *app) may(c *storage.Client) {
	if !a.used.IsZero() {
		return
	}
	if len(c.Scopes) == 0 {
		a.scopes = []string{"profile", "email"}
		return
	}
	a.scopes = slices.DeleteFunc(slices.Clone(c.Scopes), func(scope string) bool { return scope == scopeOpenID || scope == scopeOffline })
}

// appName is the name of an application, or its ID where it is not there any more.
func (s *Service) appName(ctx context.Context, id string) (string, error) {
	c, err := s.Clients.Get(ctx, storage.Global, id)
	if errors.Is(err, storage.ErrNotFound) {
		return id, nil
	}
	return c.Name, web.Unavailable("application", err)
}

type appIn struct {
	ID string `path:"id"`
}

// app finds one of them.
func (s *Service) app(ctx context.Context, by *web.Actor, id string) (app, error) {
	apps, err := s.connected(ctx, by)
	if err != nil {
		return app{}, err
	}
	i := slices.IndexFunc(apps, func(a app) bool { return a.client == id })
	if i < 0 {
		return app{}, web.ErrNotFound
	}
	return apps[i], nil
}

// askRevoke asks before an application's access ends.
func (s *Service) askRevoke(ctx context.Context, by *web.Actor, in appIn) (web.Result, error) {
	a, err := s.app(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	return web.Draw(ui.AskRevoke.Page(revokePath(a.client), ui.PathConnected, "name", a.name)), nil
}

// revoke ends all that an application got for the actor, at once, and has it ask for a sign-in before it gets more. It takes
// nothing but access away, and asks for no second step.
func (s *Service) revoke(ctx context.Context, by *web.Actor, in appIn) (web.Result, error) {
	a, err := s.app(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	e := by.Event("application.revoked", "ok")
	e.Client = a.client
	if err := s.Audit.Record(ctx, e); err != nil {
		return web.Result{}, web.Unavailable("audit log", err)
	}
	// Marked first: what is being made for the application at this moment is there to be ended, or finds the mark.
	err = storage.Each(ctx, s.Sessions, ofActor(by), func(o *storage.Session) error {
		_, err := storage.Change(ctx, s.Sessions, o.Tenant, o.ID, func(o *storage.Session) error {
			o.Clients = slices.DeleteFunc(o.Clients, func(c string) bool { return c == a.client })
			if !slices.Contains(o.Ended, a.client) {
				o.Ended = append(o.Ended, a.client)
			}
			return nil
		})
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return web.Result{}, web.Unavailable("sessions", err)
	}
	if err := s.EndGrants(ctx, by, func(g *storage.Grant) bool { return g.Client == a.client }); err != nil {
		return web.Result{}, err
	}
	return s.to(ui.PathConnected, ui.Say(ui.NoticeRevoked, "name", a.name))
}
