package login

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// discoverer is a factor whose answer can be the whole sign-in.
type discoverer interface {
	mfa.Factor
	mfa.Discoverer
}

// discoverer finds the deployment's, or nil.
func (s *Service) discoverer() discoverer {
	for _, f := range s.Credentials.Factors {
		if d, ok := f.(discoverer); ok {
			return d
		}
	}
	return nil
}

// discovery is a challenge that was put to nobody in particular. It waits, sealed, in the page: strangers can have as
// many put as they like, and none is written down until it is answered.
type discovery struct {
	Browser   string        `json:"b"`
	Request   string        `json:"r"`
	Challenge mfa.Challenge `json:"c"`
}

const (
	sealDiscovery = "passkey challenge"
	discoveryLife = 5 * time.Minute
)

type optionsIn struct {
	Request string `form:"request"`
}

// passkeyOptions puts a challenge for the page's script.
func (s *Service) passkeyOptions(ctx context.Context, by *web.Actor, in optionsIn) (web.Result, error) {
	if _, err := s.unseal(by, in.Request); err != nil {
		return web.Result{}, err
	}
	f := s.discoverer()
	if f == nil {
		return web.Result{}, web.ErrNotFound
	}
	ch, err := f.Discover(ctx)
	if err != nil {
		return web.Result{}, web.Unavailable("challenge", err)
	}
	state, err := s.sealJSON(sealDiscovery, discoveryLife, discovery{
		Browser: by.Browser, Request: s.Keys.Hash(sealDiscovery, in.Request), Challenge: ch,
	})
	if err != nil {
		return web.Result{}, err
	}
	data, err := json.Marshal(map[string]any{"options": ch.Prompt.Options, "state": state})
	return web.Result{File: &web.File{Type: "application/json", Data: data}}, err
}

type passkeyIn struct {
	Request string `form:"request"`
	State   string `form:"state"`
	Answer  string `form:"answer"`
}

// passkey signs in with a passkey alone. Whom it belongs to the answer says, and the signature proves. Nobody can guess
// one, so what is wrong here counts for nothing against its owner: a stranger must not lock anybody out.
func (s *Service) passkey(ctx context.Context, by *web.Actor, in passkeyIn) (web.Result, error) {
	r, err := s.unseal(by, in.Request)
	if err != nil {
		return web.Result{}, err
	}
	f := s.discoverer()
	if f == nil {
		return web.Result{}, web.ErrNotFound
	}
	look, err := s.front(ctx, r)
	if err != nil {
		return web.Result{}, err
	}
	again := func(problem string) web.Result {
		p := s.signIn(by, r, in.Request, "")
		p.Notice = ui.Say(problem)
		return web.Result{Page: p, Refused: true, Tenant: look, FormTargets: r.FormTargets}
	}
	var d discovery
	if err := s.openJSON(sealDiscovery, in.State, &d); err != nil {
		if errors.Is(err, web.ErrExpired) {
			return again(ui.ProblemPasskeySignIn), nil
		}
		return web.Result{}, err
	}
	// A challenge is put to one browser and for one request: an answer that somebody else was made to give, or gave for
	// another application, signs nobody in here.
	if d.Browser != by.Browser || !s.Keys.Equal(d.Request, sealDiscovery, in.Request) {
		return again(ui.ProblemPasskeySignIn), nil
	}
	p, passed, err := s.discovered(ctx, r, f, d.Challenge, in)
	if err != nil {
		return s.wrongPasskey(ctx, by, r, f, p, err, again)
	}
	// A challenge is answered once, also where the passkey has been used since for another.
	spent := storage.Counter{Key: storage.Key{
		Tenant: storage.Global, ID: "passkey/" + s.Keys.Hash(sealDiscovery, in.State), Expires: s.Now().Add(discoveryLife),
	}}
	if err := s.Store.Counters.Insert(ctx, &spent); errors.Is(err, storage.ErrExists) {
		return again(ui.ProblemPasskeySignIn), nil
	} else if err != nil {
		return web.Result{}, web.Unavailable("passkey challenge", err)
	}
	// A factor that wrong answers switched off is on again once another was used.
	if err := s.Credentials.Forgive(ctx, p); err != nil {
		return web.Result{}, web.Unavailable("counter", err)
	}
	return s.start(ctx, by, r, in.Request, p, passed.Proof)
}

// errNobody: a passkey of nobody who could sign in here.
var errNobody = errors.New("login: no such passkey")

// discovered finds out whose the answer is, and checks it.
func (s *Service) discovered(ctx context.Context, r Request, f discoverer, ch mfa.Challenge, in passkeyIn) (p credential.Person, passed credential.Passed, err error) {
	tenant, user, err := f.Whose(in.Answer)
	if err != nil {
		return p, passed, err
	}
	if r.Tenant != "" && r.Tenant != tenant || r.Subject != "" && r.Subject != user {
		return p, passed, errNobody
	}
	p, err = s.person(ctx, tenant, user)
	if errors.Is(err, storage.ErrNotFound) {
		return credential.Person{}, passed, errNobody
	}
	if err != nil {
		return p, passed, err
	}
	passed, err = s.Credentials.Discovered(ctx, p, f, ch, in.Answer)
	return p, passed, err
}

// wrongPasskey answers a passkey that does not sign in. Which reason it has is for the audit log only.
func (s *Service) wrongPasskey(ctx context.Context, by *web.Actor, r Request, f mfa.Factor, p credential.Person, why error, again func(string) web.Result) (web.Result, error) {
	if !errors.Is(why, errNobody) && !errors.Is(why, mfa.ErrWrong) && !errors.Is(why, credential.ErrUnknownFactor) {
		return web.Result{}, web.Unavailable("passkey", why)
	}
	if p.User == nil {
		// Of nobody, and so nothing that anybody's log should fill with.
		if !s.noted.First("passkey/"+web.Network(by.Address), s.Now(), notedEvery) {
			return again(ui.ProblemPasskeySignIn), nil
		}
		e := s.refusal(by, r, nil, "no such passkey")
		e.Action, e.Factor = "sign_in.factor", f.Info().ID
		return again(ui.ProblemPasskeySignIn), s.record(ctx, e)
	}
	st := &state{flow: &storage.Flow{}, person: p, request: r}
	if err := s.warn(ctx, by, st, f, why); err != nil {
		return web.Result{}, err
	}
	// An answer need only name the user, and costs nothing: to note each would be the cheapest way to fill the log.
	if !s.noted.First("passkey/"+p.User.ID+"/"+web.Network(by.Address), s.Now(), notedEvery) {
		return again(ui.ProblemPasskeySignIn), nil
	}
	e := s.event(by, st, "sign_in.factor", "refused")
	e.Factor, e.Reason = f.Info().ID, "passkey"
	return again(ui.ProblemPasskeySignIn), s.record(ctx, e)
}
