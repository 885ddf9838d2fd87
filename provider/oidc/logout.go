package oidc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// logoutRequest is a logout request (OpenID Connect RP-Initiated Logout 1.0, section 2).
type logoutRequest struct {
	Hint     string `form:"id_token_hint"`
	Client   string `form:"client_id"`
	Redirect string `form:"post_logout_redirect_uri"`
	State    string `form:"state"`
}

// logout is the logout endpoint. Only with an ID token of the session at hand is it ended at once: any site can lead a
// browser here, and signing people out is a nuisance that others have made attacks of. Else the user is asked.
func (p *Provider) logout(ctx context.Context, by *web.Actor, in logoutRequest) (web.Result, error) {
	client, hint, err := p.leaving(ctx, &in)
	if err != nil {
		return web.Result{}, err
	}
	to := in.target(client)
	switch {
	case !by.SignedIn() && hint != nil && to != "":
		return web.Go(to), nil
	case !by.SignedIn():
		return web.Draw(ui.SignedOut(to)), nil
	case hint != nil && fits(hint, by.Session):
		return p.signOut(ctx, by, client, to)
	}
	page := ui.AskSignOut.Page(pathLogoutYes, ui.PathAccount)
	for _, f := range []ui.Pair{
		{Name: "client_id", Value: in.Client}, {Name: "post_logout_redirect_uri", Value: in.Redirect}, {Name: "state", Value: in.State},
	} {
		if f.Value != "" {
			page.Fields = append(page.Fields, f)
		}
	}
	res := web.Draw(page)
	if to != "" {
		res.FormTargets = formTargets(to)
	}
	return res, nil
}

// confirmLogout is what the user says yes to.
func (p *Provider) confirmLogout(ctx context.Context, by *web.Actor, in logoutRequest) (web.Result, error) {
	client, _, err := p.leaving(ctx, &in)
	if err != nil {
		return web.Result{}, err
	}
	if !by.SignedIn() {
		return web.Draw(ui.SignedOut(in.target(client))), nil
	}
	return p.signOut(ctx, by, client, in.target(client))
}

// leaving finds the application that the user leaves, by the hint or by its ID. A hint that is not ours, and an
// address that is not the application's, are refused before anything is done.
func (p *Provider) leaving(ctx context.Context, in *logoutRequest) (*storage.Client, *idClaims, error) {
	var hint *idClaims
	if in.Hint != "" {
		var err error
		if hint, err = p.verifyIDToken(ctx, in.Hint); err != nil {
			return nil, nil, err
		}
		if hint == nil || in.Client != "" && !slices.Contains(hint.Audience, in.Client) {
			return nil, nil, fmt.Errorf("%w: id_token_hint", web.ErrBadRequest)
		}
		in.Client = hint.AuthorizedParty
	}
	if in.Client == "" {
		if in.Redirect != "" {
			return nil, nil, fmt.Errorf("%w: post_logout_redirect_uri without client_id or id_token_hint", web.ErrBadRequest)
		}
		return nil, hint, nil
	}
	client, err := p.client(ctx, in.Client)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, nil, fmt.Errorf("%w: %w", web.ErrUnknownClient, err)
	case err != nil:
		return nil, nil, err
	case in.Redirect != "" && !registered(&client, client.PostLogoutRedirectURIs, in.Redirect):
		return nil, nil, fmt.Errorf("%w: post_logout_redirect_uri of client %q", web.ErrRedirectURI, client.ID)
	}
	return &client, hint, nil
}

// target is where the browser goes afterwards, empty if nowhere.
func (in *logoutRequest) target(client *storage.Client) string {
	if client == nil || in.Redirect == "" {
		return ""
	}
	if in.State == "" {
		return in.Redirect
	}
	return withQuery(in.Redirect, []ui.Pair{{Name: "state", Value: in.State}})
}

func fits(hint *idClaims, s *storage.Session) bool {
	return hint.Tenant == s.Tenant && hint.Subject == s.User && hint.SessionID == s.ID
}

// signOut ends the actor's session, and what applications got through it.
func (p *Provider) signOut(ctx context.Context, by *web.Actor, client *storage.Client, to string) (web.Result, error) {
	e := by.Event("sign_out", "ok")
	if client != nil {
		e.Client = client.ID
	}
	if err := p.record(ctx, e); err != nil {
		return web.Result{}, err
	}
	if err := p.c.Login.EndSession(ctx, by.Session.Tenant, by.Session.ID); err != nil {
		return web.Result{}, err
	}
	if err := p.EndSession(ctx, by.Session.Tenant, by.Session.ID); err != nil {
		return web.Result{}, err
	}
	none := ""
	res := web.Draw(ui.SignedOut(""))
	if to != "" {
		res = web.Go(to)
	}
	res.Session = &none
	return res, nil
}
