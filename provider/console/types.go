package console

import (
	"context"
	"errors"
	"slices"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

func (s *Service) typeRoutes() []web.Route {
	const one = ui.PathUserTypes + "/:id"
	return []web.Route{
		web.Get(ui.PathUserTypes, web.Self, s.userTypes),
		web.Post(ui.PathUserTypes, web.Fresh, s.addType),
		web.Get(one, web.Self, s.askTypeName),
		web.Post(one, web.Fresh, s.renameType),
		web.Post(one+"/up", web.Fresh, s.typeUp),
		web.Post(one+"/down", web.Fresh, s.typeDown),
		web.Get(one+"/remove", web.Fresh, s.askRemoveType),
		web.Post(one+"/remove", web.Fresh, s.removeType),
	}
}

type typesIn struct {
	Notice string `form:"notice"`
	Name   string `form:"name"`
}

// userTypes lists the tenant's user types.
func (s *Service) userTypes(ctx context.Context, by *web.Actor, in typesIn) (web.Result, error) {
	page, err := s.typesPage(ctx, by)
	page.Notice = s.said().Read(in.Notice)
	return web.Draw(page), err
}

func (s *Service) typesPage(ctx context.Context, by *web.Actor) (ui.UserTypes, error) {
	page := ui.UserTypes{Action: ui.PathUserTypes, Back: ui.PathPeople, Types: []ui.UserTypeRow{}}
	all, err := s.Admin.UserTypes(ctx, by, by.Tenant.ID)
	for i, t := range all {
		to := at(ui.PathUserTypes, t.ID)
		row := ui.UserTypeRow{
			Type: ui.Choice{ID: t.ID, Name: t.Name}, Users: t.Users, TwoFactor: t.TwoFactor, People: peopleAt(ui.Filter{Type: t.ID}, ""), Rename: to,
		}
		if i > 0 {
			row.Up = to + "/up"
		}
		if i < len(all)-1 {
			row.Down = to + "/down"
		}
		if len(all) > 1 {
			row.Remove = to + "/remove"
		}
		page.Types = append(page.Types, row)
	}
	return page, err
}

func (s *Service) addType(ctx context.Context, by *web.Actor, in typesIn) (web.Result, error) {
	t, err := s.Admin.AddUserType(ctx, by, by.Tenant.ID, admin.NewUserType{Name: in.Name})
	if _, says, ok := refused(err); ok {
		page, err := s.typesPage(ctx, by)
		page.New, page.Problem = in.Name, says
		return web.Result{Page: page, Refused: true}, err
	}
	if err != nil {
		return web.Result{}, err
	}
	return s.done(ui.PathUserTypes, ui.NoticeTypeAdded, "name", ui.TypeName(t.ID, t.Name))
}

type typeIn struct {
	ID   string `path:"id"`
	Name string `form:"name"`
}

// typeAt reads one of the tenant's user types, and its place.
func (s *Service) typeAt(ctx context.Context, by *web.Actor, id string) (admin.UserType, int, error) {
	all, err := s.Admin.UserTypes(ctx, by, by.Tenant.ID)
	if err != nil {
		return admin.UserType{}, 0, err
	}
	i := slices.IndexFunc(all, func(t admin.UserType) bool { return t.ID == id })
	if i < 0 {
		return admin.UserType{}, 0, web.ErrNotFound
	}
	return all[i], i + 1, nil
}

func typePage(t admin.UserType) ui.UserType {
	return ui.UserType{Type: ui.Choice{ID: t.ID, Name: t.Name}, New: t.Name, Action: at(ui.PathUserTypes, t.ID), Cancel: ui.PathUserTypes}
}

func (s *Service) askTypeName(ctx context.Context, by *web.Actor, in typeIn) (web.Result, error) {
	t, _, err := s.typeAt(ctx, by, in.ID)
	return web.Draw(typePage(t)), err
}

// renameType changes what people read; what rules and users hold of the type stays.
func (s *Service) renameType(ctx context.Context, by *web.Actor, in typeIn) (web.Result, error) {
	t, err := s.Admin.ChangeUserType(ctx, by, by.Tenant.ID, in.ID, admin.UserTypeFields{Name: &in.Name})
	if _, says, ok := refused(err); ok {
		t, _, err := s.typeAt(ctx, by, in.ID)
		page := typePage(t)
		page.New, page.Problem = in.Name, says
		return web.Result{Page: page, Refused: true}, err
	}
	if err != nil {
		return web.Result{}, err
	}
	return s.done(ui.PathUserTypes, ui.NoticeTypeSaved, "name", ui.TypeName(t.ID, t.Name))
}

func (s *Service) typeUp(ctx context.Context, by *web.Actor, in typeIn) (web.Result, error) {
	return s.moveType(ctx, by, in.ID, -1)
}

func (s *Service) typeDown(ctx context.Context, by *web.Actor, in typeIn) (web.Result, error) {
	return s.moveType(ctx, by, in.ID, 1)
}

// moveType puts a type elsewhere; where somebody else has put it at the end meanwhile, there is nothing left to do.
func (s *Service) moveType(ctx context.Context, by *web.Actor, id string, steps int) (web.Result, error) {
	_, at, err := s.typeAt(ctx, by, id)
	if err != nil {
		return web.Result{}, err
	}
	to := at + steps
	_, err = s.Admin.ChangeUserType(ctx, by, by.Tenant.ID, id, admin.UserTypeFields{Position: &to})
	if where, _, ok := refused(err); ok && where == "position" {
		err = nil
	}
	return web.Go(ui.PathUserTypes), err
}

func (s *Service) askRemoveType(ctx context.Context, by *web.Actor, in typeIn) (web.Result, error) {
	t, _, err := s.typeAt(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	return web.Draw(ui.AskRemoveType.Page(at(ui.PathUserTypes, t.ID)+"/remove", ui.PathUserTypes, "name", ui.TypeName(t.ID, t.Name))), nil
}

// removeType takes a user type away that nobody has.
func (s *Service) removeType(ctx context.Context, by *web.Actor, in typeIn) (web.Result, error) {
	t, _, err := s.typeAt(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	_, err = s.Admin.RemoveUserType(ctx, by, by.Tenant.ID, in.ID)
	var no *web.Invalid
	switch {
	case errors.As(err, &no) && no.Code == "users":
		return s.done(ui.PathUserTypes, ui.NoticeTypeUsers, "name", ui.TypeName(t.ID, t.Name))
	case errors.As(err, &no) && no.Code == "rules":
		return s.done(ui.PathUserTypes, ui.NoticeTypeRules, "name", ui.TypeName(t.ID, t.Name))
	case errors.Is(err, storage.ErrNotFound):
		return web.Go(ui.PathUserTypes), nil
	case err != nil:
		return web.Result{}, err
	}
	return s.done(ui.PathUserTypes, ui.NoticeTypeRemoved, "name", ui.TypeName(t.ID, t.Name))
}
