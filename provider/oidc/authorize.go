package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// authorize is the authorization endpoint (OpenID Connect Core, section 3.1.2). It writes nothing to storage, and
// reads nothing but the client, from the cache: a stranger can ask as often as he likes.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	res, err := p.begin(r.Context(), web.ActorFrom(r.Context()), r.URL.RawQuery)
	p.c.Web.Answer(w, r, res, err)
}

// begin reads an authorization request and starts the sign-in it asks for. Until client and redirect URI are known to
// belong together it fails with a page; after that, what is wrong goes back to the application.
func (p *Provider) begin(ctx context.Context, by *web.Actor, query string) (web.Result, error) {
	form, err := url.ParseQuery(query)
	if err != nil {
		return web.Result{}, fmt.Errorf("%w: %w", web.ErrBadRequest, err)
	}
	if len(form["client_id"]) > 1 || len(form["redirect_uri"]) > 1 {
		return web.Result{}, fmt.Errorf("%w: client_id or redirect_uri is repeated", web.ErrBadRequest)
	}
	client, err := p.client(ctx, form.Get("client_id"))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return web.Result{}, fmt.Errorf("%w: %w", web.ErrUnknownClient, err)
	case err != nil:
		return web.Result{}, err
	case !registered(&client, client.RedirectURIs, form.Get("redirect_uri")):
		return web.Result{}, fmt.Errorf("%w: client %q", web.ErrRedirectURI, client.ID)
	}
	a, req, err := p.understand(ctx, &client, form)
	if err != nil {
		return p.respondError(&client, &a, p.answerable(ctx, by, err)), nil
	}
	if req.Protocol, err = json.Marshal(a); err != nil {
		return web.Result{}, err
	}
	res, err := p.c.Login.Begin(ctx, by, req)
	if err == nil {
		return res, nil
	}
	return p.sendBack(ctx, by, &client, &a, req, err)
}

// sendBack answers a sign-in that came to nothing. A person who is looking reads for himself why policy or a hook keeps
// him out; everything else is for the application to know.
func (p *Provider) sendBack(ctx context.Context, by *web.Actor, client *storage.Client, a *authorization, req login.Request, err error) (web.Result, error) {
	var denied *web.Denied
	var hooked *web.Hooked
	if !req.None && (errors.As(err, &denied) || errors.As(err, &hooked) || errors.Is(err, web.ErrRecoveryNeeded)) {
		return web.Result{}, err
	}
	return p.respondError(client, a, p.answerable(ctx, by, err)), nil
}

// Fail answers the application whose sign-in, begun with req, can't be completed: with login.ErrUnmet, for one. It
// fails with err where the application can't be answered.
func (p *Provider) Fail(ctx context.Context, by *web.Actor, req login.Request, err error) (web.Result, error) {
	client, a, openErr := p.reopen(ctx, req)
	if openErr != nil {
		return web.Result{}, errors.Join(err, openErr)
	}
	return p.sendBack(ctx, by, &client, &a, req, err)
}

// reopen reads back what begin put into a request. The request may have lain open in a browser for hours, so what it
// leans on is looked up again.
func (p *Provider) reopen(ctx context.Context, req login.Request) (storage.Client, authorization, error) {
	var a authorization
	if err := json.Unmarshal(req.Protocol, &a); err != nil {
		return storage.Client{}, a, fmt.Errorf("%w: authorization request: %w", web.ErrBadRequest, err)
	}
	client, err := p.client(ctx, req.Client)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return storage.Client{}, a, fmt.Errorf("%w: %w", web.ErrUnknownClient, err)
	case err != nil:
		return storage.Client{}, a, err
	case !registered(&client, client.RedirectURIs, a.RedirectURI):
		return storage.Client{}, a, fmt.Errorf("%w: client %q", web.ErrRedirectURI, client.ID)
	}
	return client, a, nil
}
