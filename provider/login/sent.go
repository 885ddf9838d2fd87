package login

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Whoever is signed in and goes from one page that asks for the second step again to another has begun as many sign-ins. Each
// leads to where it was asked for; but the code that was sent for the first of them is good in the next ones, for it is the
// same person at the same screen who is asked the same thing, and no other message may go out so soon.
//
// What is shared is the question, and not the sign-in. Somebody who holds a copy of the browser's cookies must not learn the
// address of a sign-in that the user completes: it hands the new session's cookie out to that browser for a moment (see
// reopen), and would go on with an answer that is the user's. And who has a second tab of the same browser gets nothing that
// the session does not have already: the code is asked for there as well, its tries count for the account, and it is spent
// with the first sign-in that it completes, wherever that is.

// shareFor is how long after a code was asked for the next sign-in asks for the same one. It is less than codes live, so
// that there is time to type it in.
const shareFor = 2 * time.Minute

// sharing tells whether a sign-in is a step-up of our own pages, in the session of this browser. An application's has a
// code of its own: what is confirmed for the account pages is not confirmed for it.
func sharing(by *web.Actor, f *storage.Flow, r Request) bool {
	return by.SignedIn() && f.Tenant == by.Session.Tenant && f.Session == by.Session.ID && f.User == by.Session.User &&
		f.Browser == by.Browser && r.Client == "" && r.Return != ""
}

// sent finds the code that was sent a moment ago for another step-up of the same session, and has the sign-in ask for it
// too; false where there is none.
func (s *Service) sent(ctx context.Context, by *web.Actor, st *state, factor string) (mfa.Prompt, bool, error) {
	var last storage.Pending
	err := storage.Each(ctx, s.Store.Flows, storage.Query{Tenant: st.flow.Tenant, Field: "user", Value: st.flow.User}, func(f *storage.Flow) error {
		pending, ok := f.Pending[factor]
		if ok && pending.At.After(last.At) && f.ID != st.flow.ID && s.open(by, f) {
			last = pending
		}
		return nil
	})
	if err != nil || len(last.State) == 0 {
		return mfa.Prompt{}, false, err
	}
	prompt, err := s.Credentials.Prompt(ctx, st.person, factor, last)
	now := s.Now()
	if errors.Is(err, credential.ErrNothingPending) || err == nil && now.Sub(last.At) >= shareFor && !now.Before(prompt.Again) {
		return mfa.Prompt{}, false, nil
	}
	if err != nil {
		return prompt, false, err
	}
	prompt, err = s.keep(ctx, st, factor, last, prompt)
	return prompt, true, err
}

// open tells whether a sign-in is a step-up whose answer is still waited for.
func (s *Service) open(by *web.Actor, f *storage.Flow) bool {
	if f.Done || !s.Now().Before(f.Until) {
		return false
	}
	var in sealedRequest
	if err := s.openJSON(sealRequest, f.Request, &in); err != nil {
		// What it was for can't be told any more: it shares nothing.
		return false
	}
	return sharing(by, f, in.Request)
}

// overtaken is the sign-in as it stands where the same session has got in another tab what it asks for; nil where it has
// not. To ask once more would be in vain: the code of both is spent.
func (s *Service) overtaken(by *web.Actor, st *state) *state {
	if st.step.Kind != Prompt || !sharing(by, st.flow, st.request) {
		return nil
	}
	f, now := *st.flow, *st
	f.Proofs = s.stillGood(by.Session.Proofs, st.request, len(s.Credentials.Primary(st.held)) > 0)
	now.flow = &f
	if now.step = s.next(&now); now.step.Kind != Done {
		return nil
	}
	return &now
}

// back is where somebody goes who was on the way to something sensitive and turns round: to the first page of its part, which
// asks for no fresh second step. It is empty where the session does not do for that page either: whoever is kept from all
// pages would be led in a circle.
func (s *Service) back(by *web.Actor, st *state) string {
	if !st.request.Fresh || !sharing(by, st.flow, st.request) {
		return ""
	}
	now := *st
	now.request = Request{}
	now.flow = &storage.Flow{Proofs: by.Session.Proofs, Later: recovered(by.Session.Proofs)}
	if s.next(&now).Kind != Done {
		return ""
	}
	return ui.TabOf(st.request.Return)
}
