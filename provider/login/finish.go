package login

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// finish completes a sign-in whose flow has just been marked as done: only one request gets here for each. factor is
// what was proven last.
func (s *Service) finish(ctx context.Context, by *web.Actor, st *state, factor string) (web.Result, error) {
	if err := s.hook(ctx, by, st, hook.BeforeSignIn, factor); err != nil {
		return web.Result{}, err
	}
	devices, err := s.rememberDevice(ctx, by, st)
	if err != nil {
		return web.Result{}, err
	}
	var session storage.Session
	var cookie string
	e := s.entry(by, st, "sign_in", "ok")
	e.Factor = factor
	err = atOnce(
		func() (err error) { session, cookie, err = s.openSession(ctx, by, st); return err },
		func() error { return s.remember(ctx, by, st) },
		func() error { return s.record(ctx, e) },
	)
	if err != nil {
		return web.Result{}, err
	}
	if err := s.hook(ctx, by, st, hook.AfterSignIn, factor); err != nil {
		return web.Result{}, err
	}
	res, err := s.Continue(ctx, by, s.outcome(st, session))
	res.Session, res.Devices = &cookie, devices
	// Most likely it is the same user who comes next with this browser, and reads the first page before we know that. What
	// somebody chose there stays.
	if own := st.person.User.Locale; own != "" && by.Languages.Chosen == "" {
		lang := s.Notices.UI.Language(own)
		res.Language = &lang
	}
	return res, err
}

// carryOn completes a sign-in for which the session was enough.
func (s *Service) carryOn(ctx context.Context, by *web.Actor, st *state) (web.Result, error) {
	if err := s.hook(ctx, by, st, hook.BeforeSignIn, ""); err != nil {
		return web.Result{}, err
	}
	session := *by.Session
	if c := st.request.Client; c != "" && !slices.Contains(session.Clients, c) {
		var err error
		session, err = storage.Change(ctx, s.Store.Sessions, session.Tenant, session.ID, func(o *storage.Session) error {
			if !slices.Contains(o.Clients, c) {
				o.Clients = append(o.Clients, c)
			}
			return nil
		})
		if err != nil {
			return web.Result{}, web.Unavailable("session", err)
		}
	}
	if st.request.Client != "" {
		if err := s.record(ctx, s.entry(by, st, "sign_in.session", "ok")); err != nil {
			return web.Result{}, err
		}
	}
	out := s.outcome(st, session)
	return s.Continue(ctx, by, out)
}

func (s *Service) outcome(st *state, session storage.Session) Outcome {
	proofs := st.flow.Proofs
	return Outcome{
		Request: st.request, Tenant: *st.person.Tenant, User: *st.person.User, Session: session,
		ACR: acr(st.request.ACR, proofs), AMR: amr(proofs), AuthTime: authTime(proofs), Factors: factorsOf(proofs),
	}
}

func factorsOf(proofs []storage.Proof) []string {
	var ids []string
	for _, p := range proofs {
		switch p.Factor {
		case PasswordProof:
		case DeviceProof:
			ids = append(ids, standsFor+p.Stands)
		default:
			ids = append(ids, p.Factor)
		}
	}
	return ids
}

// standsFor comes before the ID of the factor that a remembered device stands for.
const standsFor = DeviceProof + "/"

// secretOf is the secret of the session that a sign-in opens: of its own, and the same however often it is handed out, so
// that answers which overtake each other on their way don't take the browser's cookie back to one of before. Who knows
// the sign-in's ID does not know it.
func (s *Service) secretOf(f *storage.Flow) string {
	return s.Keys.Hash("secret of the session of a sign-in", f.Tenant+"/"+f.ID)
}

// openSession stores what was proven: in the session that is being carried on, which gets a new secret, or in a new
// one. It returns the cookie's value.
func (s *Service) openSession(ctx context.Context, by *web.Actor, st *state) (storage.Session, string, error) {
	secret := s.secretOf(st.flow)
	now := s.Now()
	set := func(o *storage.Session) {
		o.User, o.Secret = st.flow.User, s.Keys.Hash(hashSession, secret)
		o.Proofs = merge(o.Proofs, st.flow.Proofs)
		o.Seen, o.Agent, o.Address, o.Browser = now, by.Agent, by.Event("", "").Address, by.Browser
		if c := st.request.Client; c != "" && !slices.Contains(o.Clients, c) {
			o.Clients = append(o.Clients, c)
		}
		o.Ended = slices.DeleteFunc(o.Ended, func(c string) bool { return c == st.request.Client })
	}
	if st.flow.Session != "" {
		session, err := storage.Change(ctx, s.Store.Sessions, st.flow.Tenant, st.flow.Session, func(o *storage.Session) error {
			if o.User != st.flow.User {
				return storage.ErrNotFound
			}
			set(o)
			o.Expires = s.sessionEnd(st.person.Tenant, *o)
			return nil
		})
		if err == nil {
			return session, cookieOf(session, secret), nil
		}
		if !errors.Is(err, storage.ErrNotFound) {
			return session, "", web.Unavailable("session", err)
		}
	}
	// Who was signed in with this browser before is so no longer.
	if by.SignedIn() && by.Session.User != st.flow.User {
		if err := s.signedOut(ctx, by); err != nil {
			return storage.Session{}, "", err
		}
		if err := s.EndSession(ctx, by.Session.Tenant, by.Session.ID); err != nil {
			return storage.Session{}, "", err
		}
	}
	id := st.flow.Opened
	if id == "" || id == st.flow.Session { // a session that has ended does not come back
		id = storage.NewID()
	}
	session := storage.Session{Key: storage.Key{Tenant: st.flow.Tenant, ID: id}, Created: now, Before: st.person.User.LastSignIn}
	set(&session)
	session.Expires = s.sessionEnd(st.person.Tenant, session)
	err := s.Store.Sessions.Insert(ctx, &session)
	return session, cookieOf(session, secret), web.Unavailable("session", err)
}

// lost is how long after a sign-in its session's cookie is handed out again.
const lost = time.Minute

// longestWrite is how long a busy database may take to write a session.
const longestWrite = 2 * time.Second

// reopen hands out the cookie of the session that a sign-in has just opened once more, to the same browser. The first one
// went with an answer that the browser did not wait for (a second click without JavaScript, a tunnel): without it the user
// would have to start over, with a code that is spent. It returns nil where nothing is lost.
func (s *Service) reopen(ctx context.Context, by *web.Actor, f *storage.Flow) (*string, error) {
	// However much the session is used meanwhile: whoever finds the browser later finds the address in its history.
	if by.SignedIn() || f.Opened == "" || s.Now().Sub(f.Until) >= lost {
		return nil, nil
	}
	p, err := s.person(ctx, f.Tenant, f.User)
	if err != nil {
		return nil, err
	}
	if err := s.opening(ctx, f); err != nil {
		return nil, err
	}
	o, err := s.Store.Sessions.Get(ctx, f.Tenant, f.Opened)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, web.Unavailable("session", err)
	}
	secret := s.secretOf(f)
	// A secret that has changed since was handed out on another way, and arrived.
	if o.User != f.User || !s.Now().Before(s.sessionEnd(p.Tenant, o)) || outdated(o.Proofs, p.User) || !s.Keys.Equal(o.Secret, hashSession, secret) {
		return nil, nil
	}
	by.Session, by.User, by.Tenant = &o, p.User, p.Tenant
	cookie := cookieOf(o, secret)
	return &cookie, nil
}

// opening waits while the request that completed a sign-in is still writing the session: the second of two clicks may
// come between. A session that is not there by then has ended, or its request has failed.
func (s *Service) opening(ctx context.Context, f *storage.Flow) error {
	ctx, cancel := context.WithTimeout(ctx, longestWrite)
	defer cancel()
	for s.Now().Sub(f.Until) < longestWrite { // with the last step, the time to finish it is over
		_, err := s.Store.Sessions.Get(ctx, f.Tenant, f.Opened)
		if !errors.Is(err, storage.ErrNotFound) && ctx.Err() == nil {
			return web.Unavailable("session", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// remember notes with the user when and whence the sign-in came, and the factors that there are. All goes into the one
// write that a sign-in makes of its user.
func (s *Service) remember(ctx context.Context, by *web.Actor, st *state) error {
	note := func(u *storage.User) error {
		u.LastSignIn, u.LastAddress = s.Now(), by.Event("", "").Address
		for _, p := range st.flow.Proofs {
			f, err := s.Credentials.Factor(p.Factor)
			if err == nil && !f.Info().Backup {
				u.LastFactor = p.Factor
			}
		}
		// From here on the password is more than what a mailbox gave.
		if provesOwner(st.flow.Proofs) && !outdated(st.flow.Proofs, u) {
			u.PasswordMailed = false
		}
		return nil
	}
	// The user was read a moment ago; only where somebody changed it since is it read again. That may have been a change
	// of the factors, which is newer than what this request has read of them.
	u := *st.person.User
	u.Factors = s.Credentials.FactorsOf(st.held)
	err := note(&u)
	if err == nil {
		err = s.Store.Users.Replace(ctx, &u)
	}
	if errors.Is(err, storage.ErrConflict) {
		_, err = storage.Change(ctx, s.Store.Users, u.Tenant, u.ID, note)
	}
	return web.Unavailable("user", err)
}
