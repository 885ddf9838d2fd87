package console

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/ui"
)

// newApplicationPath leads to where one is registered.
const newApplicationPath = ui.PathApplications + "/new"

func (s *Service) applicationRoutes() []web.Route {
	const (
		all = ui.PathApplications
		one = ui.PathApplications + "/:id"
	)
	return []web.Route{
		web.Get(all, web.Self, s.applications),
		web.Get(newApplicationPath, web.Fresh, s.chooseApplication),
		web.Get(newApplicationPath+"/:kind", web.Fresh, s.askApplication),
		web.Post(all, web.Fresh, s.register),
		web.Get(one, web.Self, s.application),
		web.Get(one+"/edit", web.Fresh, s.askApplicationChange),
		web.Post(one+"/edit", web.Fresh, s.saveApplication),
		web.Post(one+"/secret", web.Fresh, s.rotateSecret),
		web.Get(one+"/disable", web.Fresh, s.askDisableApplication),
		web.Post(one+"/disable", web.Fresh, s.disableApplication),
		web.Post(one+"/enable", web.Fresh, s.enableApplication),
		web.Get(one+"/delete", web.Fresh, s.askDeleteApplication),
		web.Post(one+"/delete", web.Fresh, s.deleteApplication),
	}
}

// kindsOfApplications are the types of clients, in the order in which they are offered.
func kindsOfApplications() []string {
	return []string{admin.Web, admin.Native, admin.Browser, admin.Machine}
}

type listIn struct {
	After  string `form:"after"`
	Notice string `form:"notice"`
}

// listPage is how many applications stand on a page.
const listPage = 50

// applications lists the tenant's own, and names those that all tenants share.
func (s *Service) applications(ctx context.Context, by *web.Actor, in listIn) (web.Result, error) {
	own, err := s.Admin.Clients(ctx, by, by.Tenant.ID, admin.Page{After: in.After, Limit: listPage + 1})
	if err != nil {
		return web.Result{}, err
	}
	shared, err := s.Admin.SharedClients(ctx, by, by.Tenant.ID)
	if err != nil {
		return web.Result{}, err
	}
	owns, err := s.owns(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	page := ui.Applications{Own: []ui.ApplicationRow{}, Shared: []string{}, Notice: s.said().Read(in.Notice)}
	if owns {
		page.New = newApplicationPath
	}
	if len(own) > listPage {
		own = own[:listPage]
		page.Next = ui.PathApplications + "?" + url.Values{"after": {own[listPage-1].ID}}.Encode()
	}
	if in.After != "" {
		page.First = ui.PathApplications
	}
	for i := range own {
		page.Own = append(page.Own, applicationRow(&own[i]))
	}
	for _, c := range shared {
		page.Shared = append(page.Shared, c.Name)
	}
	return web.Draw(page), nil
}

func applicationRow(c *admin.Client) ui.ApplicationRow {
	return ui.ApplicationRow{ID: c.ID, Name: c.Name, Kind: c.Type, Disabled: c.Disabled, Path: at(ui.PathApplications, c.ID)}
}

// chooseApplication asks what kind of application is to be registered: the forms differ.
func (s *Service) chooseApplication(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	if err := s.Admin.MayOwn(ctx, by, by.Tenant.ID); err != nil {
		return web.Result{}, err
	}
	page := ui.NewApplication{Back: ui.PathApplications}
	for _, kind := range kindsOfApplications() {
		page.Kinds = append(page.Kinds, ui.ApplicationKind{Kind: kind, Path: newApplicationPath + "/" + kind})
	}
	return web.Draw(page), nil
}

type kindIn struct {
	Kind string `path:"kind"`
}

func (s *Service) askApplication(ctx context.Context, by *web.Actor, in kindIn) (web.Result, error) {
	if err := s.Admin.MayOwn(ctx, by, by.Tenant.ID); err != nil {
		return web.Result{}, err
	}
	if !slices.Contains(kindsOfApplications(), in.Kind) {
		return web.Result{}, web.ErrNotFound
	}
	return web.Draw(newForm(in.Kind, nil)), nil
}

// aboutUsers are the scopes of what an application learns of the people who sign in to it.
func aboutUsers() []string { return []string{"profile", "email"} }

// newForm is the form for an application of one kind; scopes are those that it has, nil is those of a new one.
func newForm(kind string, scopes []string) ui.ApplicationForm {
	f := ui.ApplicationForm{Kind: kind, Action: ui.PathApplications, Cancel: ui.PathApplications}
	if kind != admin.Machine {
		if len(scopes) == 0 {
			scopes = aboutUsers() // what a list that is empty means
		}
		f.About = choices(aboutUsers(), scopes)
	}
	f.Scopes = choices(scopesToGive(), scopes)
	var other []string
	for _, scope := range scopes {
		if !slices.Contains(scopesToGive(), scope) && !slices.Contains(aboutUsers(), scope) && scope != onlyOpenID {
			other = append(other, scope)
		}
	}
	f.Other = strings.Join(other, " ")
	return f
}

// scopesToGive are the scopes of the API that can be ticked.
func scopesToGive() []string {
	var names []string
	for _, s := range admin.Scopes() {
		names = append(names, s.Name)
	}
	return names
}

func choices(all, on []string) []ui.ScopeChoice {
	list := make([]ui.ScopeChoice, 0, len(all))
	for _, scope := range all {
		list = append(list, ui.ScopeChoice{Scope: scope, On: slices.Contains(on, scope)})
	}
	return list
}

// onlyOpenID is the list of an application that learns nothing but who it is; an empty list would mean profile and email.
const onlyOpenID = "openid"

// applicationFormIn is what is typed into the form of an application. The ID is empty for a new one.
type applicationFormIn struct {
	ID                     string   `path:"id"`
	Kind                   string   `form:"type"`
	Name                   string   `form:"name"`
	RedirectURIs           string   `form:"redirect_uris"`
	PostLogoutRedirectURIs string   `form:"post_logout_redirect_uris"`
	Ticked                 []string `form:"scopes"`
	Other                  string   `form:"other_scopes"`
	Tags                   string   `form:"tags"`
	Strength               string   `form:"strength"`
}

func (in applicationFormIn) scopes() []string {
	scopes := append(slices.Clone(in.Ticked), strings.Fields(in.Other)...)
	if len(scopes) == 0 && in.Kind != admin.Machine {
		return []string{onlyOpenID}
	}
	return scopes
}

// form is the form again as it was filled in, with what is wrong.
func (in applicationFormIn) form(err error) (ui.ApplicationForm, bool) {
	f := newForm(in.Kind, in.scopes())
	f.Name, f.RedirectURIs, f.PostLogoutRedirectURIs = in.Name, in.RedirectURIs, in.PostLogoutRedirectURIs
	f.Other, f.Tags, f.Strength = in.Other, in.Tags, in.Strength
	f.Problems = problems(err, "name", "redirect_uris", "post_logout_redirect_uris", "scopes", "tags")
	return f, f.Problems != nil && slices.Contains(kindsOfApplications(), in.Kind)
}

// lines are what stands on the lines of a text.
func lines(s string) []string {
	var list []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// register adds an application, and shows its secret, this once, if it has one.
func (s *Service) register(ctx context.Context, by *web.Actor, in applicationFormIn) (web.Result, error) {
	c, secret, err := s.Admin.CreateClient(ctx, by, by.Tenant.ID, admin.NewClient{
		Name: in.Name, Type: in.Kind, RedirectURIs: lines(in.RedirectURIs), Scopes: in.scopes(),
		PostLogoutRedirectURIs: lines(in.PostLogoutRedirectURIs), Tags: tags(in.Tags), Strength: in.Strength,
	})
	if err != nil {
		form, ok := in.form(err)
		if !ok {
			return web.Result{}, err
		}
		return web.Result{Page: form, Refused: true}, nil
	}
	to := at(ui.PathApplications, c.ID)
	if secret == "" {
		return s.done(to, ui.NoticeApplicationSaved, "name", c.Name)
	}
	return web.Draw(ui.Secret{Name: c.Name, ID: c.ID, Secret: secret, First: true, Back: to}), nil
}

type applicationIn struct {
	ID     string `path:"id"`
	Notice string `form:"notice"`
}

// application shows one of the tenant's own applications.
func (s *Service) application(ctx context.Context, by *web.Actor, in applicationIn) (web.Result, error) {
	c, err := s.Admin.Client(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	owns, err := s.owns(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	row := applicationRow(&c)
	page := ui.Application{
		Row: row, Issuer: s.Issuer, RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs, Scopes: c.Scopes,
		Tags: c.Tags, Strength: c.Strength, Created: ui.Stamp(c.Created), Secrets: []ui.SecretRow{}, Back: ui.PathApplications,
		Notice: s.said().Read(in.Notice),
	}
	for _, secret := range c.Secrets {
		page.Secrets = append(page.Secrets, ui.SecretRow{Created: ui.Stamp(secret.Created), Until: ui.Stamp(secret.Until)})
	}
	if !owns {
		return web.Draw(page), nil
	}
	page.Edit, page.Delete = row.Path+"/edit", row.Path+"/delete"
	if c.Type == admin.Web || c.Type == admin.Machine {
		page.Rotate = row.Path + "/secret"
	}
	if c.Disabled {
		page.Enable = row.Path + "/enable"
	} else {
		page.Disable = row.Path + "/disable"
	}
	return web.Draw(page), nil
}

func (s *Service) askApplicationChange(ctx context.Context, by *web.Actor, in applicationIn) (web.Result, error) {
	c, err := s.ownClient(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	f := newForm(c.Type, c.Scopes)
	f.Name, f.RedirectURIs, f.PostLogoutRedirectURIs = c.Name, strings.Join(c.RedirectURIs, "\n"), strings.Join(c.PostLogoutRedirectURIs, "\n")
	f.Tags, f.Strength = commas(c.Tags), c.Strength
	return web.Draw(changing(f, &c)), nil
}

// ownClient reads an application for an owner.
func (s *Service) ownClient(ctx context.Context, by *web.Actor, id string) (admin.Client, error) {
	c, err := s.Admin.Client(ctx, by, id)
	if err == nil {
		err = s.Admin.MayOwn(ctx, by, by.Tenant.ID)
	}
	return c, err
}

// changing makes a form that of an application there is.
func changing(f ui.ApplicationForm, c *admin.Client) ui.ApplicationForm {
	to := at(ui.PathApplications, c.ID)
	f.Application, f.Action, f.Cancel = c.Name, to+"/edit", to
	return f
}

func (s *Service) saveApplication(ctx context.Context, by *web.Actor, in applicationFormIn) (web.Result, error) {
	c, err := s.ownClient(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	in.Kind = c.Type // it can’t be changed
	fields := admin.ClientFields{Name: &in.Name, Scopes: ptr(in.scopes()), Tags: ptr(tags(in.Tags))}
	if c.Type != admin.Machine {
		fields.RedirectURIs, fields.PostLogoutRedirectURIs = ptr(lines(in.RedirectURIs)), ptr(lines(in.PostLogoutRedirectURIs))
		fields.Strength = &in.Strength
	}
	changed, err := s.Admin.ChangeClient(ctx, by, c.ID, fields)
	if err != nil {
		form, ok := in.form(err)
		if !ok {
			return web.Result{}, err
		}
		return web.Result{Page: changing(form, &c), Refused: true}, nil
	}
	return s.done(at(ui.PathApplications, c.ID), ui.NoticeApplicationSaved, "name", changed.Name)
}

func ptr[T any](v T) *T { return &v }

type rotateIn struct {
	ID   string `path:"id"`
	Keep string `form:"keep"`
}

// rotateSecret makes a new secret, and shows it, this once.
func (s *Service) rotateSecret(ctx context.Context, by *web.Actor, in rotateIn) (web.Result, error) {
	const day = 24 * time.Hour
	keep, ok := map[string]time.Duration{"now": 0, "hour": time.Hour, "day": day, "week": 7 * day}[in.Keep]
	if !ok {
		return web.Result{}, fmt.Errorf("%w: keep %q", web.ErrBadRequest, in.Keep)
	}
	c, secret, err := s.Admin.RotateSecret(ctx, by, in.ID, keep)
	if err != nil {
		return web.Result{}, err
	}
	page := ui.Secret{Name: c.Name, ID: c.ID, Secret: secret, Back: at(ui.PathApplications, c.ID)}
	if len(c.Secrets) > 1 {
		page.Until = ui.Stamp(c.Secrets[1].Until)
	}
	return web.Draw(page), nil
}

// asksApplication draws the page that asks once before something is done to an application.
func (s *Service) asksApplication(ctx context.Context, by *web.Actor, id, way string, q ui.Question) (web.Result, error) {
	c, err := s.ownClient(ctx, by, id)
	if err != nil {
		return web.Result{}, err
	}
	to := at(ui.PathApplications, c.ID)
	return web.Draw(q.Page(to+way, to, "name", c.Name)), nil
}

func (s *Service) askDisableApplication(ctx context.Context, by *web.Actor, in applicationIn) (web.Result, error) {
	return s.asksApplication(ctx, by, in.ID, "/disable", ui.AskDisableApplication)
}

func (s *Service) askDeleteApplication(ctx context.Context, by *web.Actor, in applicationIn) (web.Result, error) {
	return s.asksApplication(ctx, by, in.ID, "/delete", ui.AskDeleteApplication)
}

func (s *Service) disableApplication(ctx context.Context, by *web.Actor, in applicationIn) (web.Result, error) {
	c, err := s.Admin.SetClientDisabled(ctx, by, in.ID, true)
	if err != nil {
		return web.Result{}, err
	}
	return s.done(at(ui.PathApplications, c.ID), ui.NoticeApplicationDisabled, "name", c.Name)
}

func (s *Service) enableApplication(ctx context.Context, by *web.Actor, in applicationIn) (web.Result, error) {
	c, err := s.Admin.SetClientDisabled(ctx, by, in.ID, false)
	if err != nil {
		return web.Result{}, err
	}
	return s.done(at(ui.PathApplications, c.ID), ui.NoticeApplicationEnabled, "name", c.Name)
}

func (s *Service) deleteApplication(ctx context.Context, by *web.Actor, in applicationIn) (web.Result, error) {
	c, err := s.ownClient(ctx, by, in.ID)
	if err == nil {
		err = s.Admin.DeleteClient(ctx, by, in.ID)
	}
	if err != nil {
		return web.Result{}, err
	}
	return s.done(ui.PathApplications, ui.NoticeApplicationDeleted, "name", c.Name)
}
