package login

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// state is a sign-in as it stands: everything that the current request reads and decides.
type state struct {
	flow    *storage.Flow
	person  credential.Person
	request Request
	// client is the application that it is for; nil where it is for our own pages.
	client   *storage.Client
	decision policy.Decision
	// want is what the request and its application ask for beyond the policy.
	want Want
	step Step
	// back is where somebody goes who is signed in, is asked for the second step again, and does not want to; empty where
	// there is nowhere to go.
	back string
	// held are the user's credentials, have what Next needs to know of them.
	held []storage.Credential
	have []Enrolled
	// seconded: a second step was passed, now or for the session of this browser that is carried on. Who has not come so far
	// may have no more than the password, and learns nothing of what the user keeps for bad days.
	seconded bool
}

func flowPath(f *storage.Flow) string { return ui.PathSignIn + "/" + f.Tenant + "." + f.ID }

func (st *state) path(rest string) string { return flowPath(st.flow) + rest }

// stand computes where a sign-in stands.
func (s *Service) stand(ctx context.Context, by *web.Actor, f *storage.Flow, p credential.Person, r Request) (*state, error) {
	st := &state{flow: f, person: p.Heard(by), request: r}
	own := by.SignedIn() && by.Session.Tenant == f.Tenant && by.Session.User == p.User.ID
	st.seconded = showsSecond(f.Proofs) || own && showsSecond(by.Session.Proofs)
	var err error
	if st.client, err = s.client(ctx, r.Client); err != nil {
		return nil, err
	}
	st.decision = s.decide(by, p, st.client)
	if st.have, st.held, err = s.enrolled(ctx, p); err != nil {
		return nil, err
	}
	st.step = s.next(st)
	return st, nil
}

// next computes the step from what the state holds.
func (s *Service) next(st *state) Step {
	w, ok := want(st.request, s.ACRs(), st.have)
	w.Fresh = st.request.Fresh
	st.want = atLeast(w, leastOf(st.client), *st.flow, st.decision, st.have)
	step := Next(*st.flow, st.decision, st.have, st.want)
	switch {
	case !ok && step.Kind == Done:
		return Step{Kind: Unmet}
	case step.Kind == Enrol && s.stale(st.flow.Proofs):
		// A first factor is added by who has just shown the password, not by who found a browser signed in.
		return Step{Kind: Password}
	case step.Kind == Enrol && len(s.settable(st.decision)) == 0 && !recovered(st.flow.Proofs):
		// Nothing that could be set up would satisfy the rule.
		return Step{Kind: Recover}
	default:
		return step
	}
}

// load reads the sign-in under way that a path names. Where there is nothing to go on with, the result leads to where
// the user can: a sign-in that is complete continues with its session, one that took too long starts over.
func (s *Service) load(ctx context.Context, by *web.Actor, id string) (*state, web.Result, error) {
	tenant, flowID, ok := strings.Cut(id, ".")
	if !ok || tenant == "" || flowID == "" {
		return nil, web.Result{}, web.ErrNotFound
	}
	f, err := s.Store.Flows.Get(ctx, tenant, flowID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, web.Result{}, web.ErrExpired
	}
	if err != nil {
		return nil, web.Result{}, web.Unavailable("flow", err)
	}
	if f.Browser != by.Browser {
		return nil, web.Result{}, web.ErrOtherBrowser
	}
	r, err := s.unseal(by, f.Request)
	if err != nil {
		return nil, web.Result{}, err
	}
	switch {
	case f.Done:
		// The last answer was sent twice, or the browser went back: go on with what came of it.
		cookie, err := s.reopen(ctx, by, &f)
		if err != nil {
			return nil, web.Result{}, err
		}
		res, err := s.Begin(ctx, by, r)
		if cookie != nil {
			res.Session = cookie
		}
		return nil, res, err
	case !s.Now().Before(f.Until):
		return nil, web.Go(signInPath(f.Request, whyExpired)), nil
	}
	p, err := s.person(ctx, f.Tenant, f.User)
	if err != nil {
		return nil, web.Result{}, err
	}
	if gone, err := s.undone(ctx, &f, p); gone || err != nil {
		return nil, web.Go(signInPath(f.Request, whyExpired)), err
	}
	st, err := s.stand(ctx, by, &f, p, r)
	if err != nil {
		return nil, web.Result{}, err
	}
	if now := s.overtaken(by, st); now != nil {
		res, err := s.carryOn(ctx, by, now)
		return nil, res, err
	}
	st.back = s.back(by, st)
	return st, web.Result{}, nil
}

// undone tells whether what a sign-in started from is no more: the password was changed since, or the session that it
// carries on was ended. Whoever goes on with it may be the one who was to be kept out.
func (s *Service) undone(ctx context.Context, f *storage.Flow, p credential.Person) (bool, error) {
	if outdated(f.Proofs, p.User) {
		return true, nil
	}
	if f.Session == "" {
		return false, nil
	}
	_, err := s.Store.Sessions.Get(ctx, f.Tenant, f.Session)
	if errors.Is(err, storage.ErrNotFound) {
		return true, nil
	}
	return false, web.Unavailable("session", err)
}

// outdated tells whether the password was changed since it was proven.
func outdated(proofs []storage.Proof, u *storage.User) bool {
	return slices.ContainsFunc(proofs, func(p storage.Proof) bool {
		return p.Factor == PasswordProof && u.PasswordSet.After(p.At)
	})
}

// stale tells whether the first proof is older than ten minutes.
func (s *Service) stale(proofs []storage.Proof) bool {
	return !slices.ContainsFunc(proofs, func(p storage.Proof) bool {
		return (p.Factor == PasswordProof || p.Whole) && s.Now().Sub(p.At) <= freshness
	})
}

// advance writes what was just achieved, and goes on to the next step; with the last one it completes the sign-in.
// Where another request of the same sign-in was first, it goes on from what that one wrote. factor is what was proven.
func (s *Service) advance(ctx context.Context, by *web.Actor, st *state, factor string, achieve func(*storage.Flow)) (web.Result, error) {
	if first, err := s.write(ctx, st, achieve); err != nil || !first {
		return web.Go(st.path("")), err
	}
	if st.flow.Done {
		return s.finish(ctx, by, st, factor)
	}
	if factor != "" {
		e := s.event(by, st, "sign_in.factor", "ok")
		e.Factor = factor
		if err := s.record(ctx, e); err != nil {
			return web.Result{}, err
		}
	}
	return web.Go(st.path("")), nil
}

// write stores what was just achieved, and tells whether there was still something to achieve. An answer that was right
// is spent by then: where another request changed the sign-in meanwhile (a page loaded again, an answer refused), what
// was achieved is added to that, for it must not be lost.
func (s *Service) write(ctx context.Context, st *state, achieve func(*storage.Flow)) (bool, error) {
	for range 10 {
		achieve(st.flow)
		st.step = s.next(st)
		if st.flow.Done = st.step.Kind == Done; st.flow.Done {
			st.flow.Until = s.Now()
			if st.flow.Opened = st.flow.Session; st.flow.Opened == "" {
				st.flow.Opened = storage.NewID()
			}
		}
		err := s.Store.Flows.Replace(ctx, st.flow)
		if !errors.Is(err, storage.ErrConflict) {
			return true, web.Unavailable("flow", err)
		}
		f, err := s.Store.Flows.Get(ctx, st.flow.Tenant, st.flow.ID)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return false, web.Unavailable("flow", err)
		}
		if err != nil || f.Done || !s.Now().Before(f.Until) {
			return false, nil
		}
		st.flow = &f
	}
	return false, web.Unavailable("flow", storage.ErrConflict)
}

// inTurn does something with a sign-in under way, one request of it after the other.
func (s *Service) inTurn(ctx context.Context, by *web.Actor, flow string, do func(*state) (web.Result, error)) (web.Result, error) {
	end, err := s.turns.Take(ctx, flow)
	if err != nil {
		return web.Result{}, web.Unavailable("turn", err)
	}
	defer end()
	st, res, err := s.load(ctx, by, flow)
	if st == nil || err != nil {
		return res, err
	}
	return do(st)
}

// drop ends a sign-in: the password has to be proven again.
func (s *Service) drop(ctx context.Context, under *storage.Flow) error {
	_, err := storage.Change(ctx, s.Store.Flows, under.Tenant, under.ID, func(f *storage.Flow) error {
		f.Until = s.Now()
		return nil
	})
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return web.Unavailable("flow", err)
}

// atOnce does what does not depend on each other at the same time, so that the database makes it durable in one go.
func atOnce(tasks ...func() error) error {
	errs := make([]error, len(tasks))
	var all sync.WaitGroup
	for i, task := range tasks[1:] {
		all.Go(func() { errs[i+1] = task() })
	}
	errs[0] = tasks[0]()
	all.Wait()
	return errors.Join(errs...)
}

// event begins an audit event about the sign-in.
func (s *Service) event(by *web.Actor, st *state, action, outcome string) storage.Event {
	e := by.Event(action, outcome)
	e.Tenant, e.User, e.Actor = st.person.User.Tenant, st.person.User.ID, st.person.User.ID
	e.Client, e.Rule = st.request.Client, st.decision.Rule
	return e
}

// entry is the event of a sign-in that has come to its end, one way or the other: it also tells which rules would have
// had a say that are only tried out.
func (s *Service) entry(by *web.Actor, st *state, action, outcome string) storage.Event {
	e := s.event(by, st, action, outcome)
	e.Reports = strings.Join(st.decision.Reports, " ")
	return e
}

// draw shows a page of the sign-in.
func (st *state) draw(p ui.Page) web.Result {
	return web.Result{Page: p, Tenant: st.person.Tenant, Reader: st.person.User, FormTargets: st.request.FormTargets}
}

// again shows a page of the sign-in, with what is wrong.
func (st *state) again(p ui.Page) web.Result {
	res := st.draw(p)
	res.Refused = true
	return res
}

// settable are the IDs of the factors that a user can set up and the policy accepts, the best first.
func (s *Service) settable(d policy.Decision) []string {
	var ids []string
	for _, f := range s.Credentials.Settable() {
		if i := f.Info(); d.Allows(i.ID, i.PhishingResistant) {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

func (s *Service) sealJSON(purpose string, life time.Duration, v any) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("%s: %w", purpose, err)
	}
	return s.Keys.Seal(purpose, life, plain)
}

// first puts the factor used last at the front; backup factors stay at the end.
func (s *Service) first(ids []string, last string) []string {
	ids = slices.Clone(ids)
	rank := func(id string) int {
		f, err := s.Credentials.Factor(id)
		if err != nil {
			return len(s.Credentials.Factors) + 2
		}
		i := f.Info()
		switch {
		case i.Backup:
			return len(s.Credentials.Factors) + 1
		case i.PhishingResistant:
			return -2
		case id == last:
			return -1
		default:
			return slices.IndexFunc(s.Credentials.Factors, func(o mfa.Factor) bool { return o.Info().ID == id })
		}
	}
	slices.SortStableFunc(ids, func(a, b string) int { return rank(a) - rank(b) })
	return ids
}
