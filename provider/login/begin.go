package login

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Lifetimes of a sign-in under way.
const (
	// requestLife is how long a sign-in page may lie open before the password is typed in.
	requestLife = 24 * time.Hour
	// flowLife is how long a sign-in may take from its first proof on.
	flowLife = 15 * time.Minute
	// flowMemory is how long a sign-in that took too long can still be started over.
	flowMemory = 2 * time.Hour
	// freshness is how recent a second step must be for sensitive acts.
	freshness = web.Freshness
)

// Begin starts a sign-in: it ends at once where the session satisfies the request, and else leads to the first page.
// Where the request forbids pages it fails with ErrLoginRequired, ErrInteractionRequired or ErrUnmet.
func (s *Service) Begin(ctx context.Context, by *web.Actor, r Request) (web.Result, error) {
	r.Begun = s.Now()
	if by.SignedIn() && endedBy(by, r.Client) {
		r.Login = true
	}
	if by.SignedIn() && (r.Tenant == "" || r.Tenant == by.Session.Tenant) && (r.Subject == "" || r.Subject == by.Session.User) {
		return s.resume(ctx, by, r)
	}
	return s.ask(by, r)
}

// endedBy tells whether a user who is signed in has ended the application's access. Without a question, which the application
// itself can have a frame send, it would be back at once.
func endedBy(by *web.Actor, client string) bool {
	return client != "" && slices.Contains(by.Session.Ended, client)
}

// resume carries a session on: it counts as the proofs that are still good for the request.
func (s *Service) resume(ctx context.Context, by *web.Actor, r Request) (web.Result, error) {
	p := credential.Who(by)
	all, err := s.Credentials.List(ctx, p)
	if err != nil {
		return web.Result{}, web.Unavailable("factors", err)
	}
	f := storage.Flow{
		Key:     storage.Key{Tenant: by.Session.Tenant, ID: storage.NewID(), Expires: r.Begun.Add(flowMemory)},
		User:    by.Session.User,
		Browser: by.Browser, Session: by.Session.ID, Created: r.Begun, Until: r.Begun.Add(flowLife),
		Proofs: s.stillGood(by.Session.Proofs, r, len(s.Credentials.Primary(all)) > 0),
	}
	if !begun(f.Proofs) {
		return s.ask(by, r)
	}
	st, err := s.stand(ctx, by, &f, p, r)
	if err != nil {
		return web.Result{}, err
	}
	switch {
	case st.step.Kind == Done:
		return s.carryOn(ctx, by, st)
	case r.None && st.step.Kind == Unmet:
		return web.Result{}, ErrUnmet
	case r.None:
		return web.Result{}, ErrInteractionRequired
	}
	if f.Request, err = s.seal(by, r); err != nil {
		return web.Result{}, err
	}
	if err := s.Store.Flows.Insert(ctx, &f); err != nil {
		return web.Result{}, web.Unavailable("flow", err)
	}
	return web.Go(flowPath(&f)), nil
}

// stillGood keeps the proofs that are recent enough for the request.
func (s *Service) stillGood(proofs []storage.Proof, r Request, hasFactor bool) []storage.Proof {
	if r.Login {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(proofs), func(p storage.Proof) bool {
		age := r.Begun.Sub(p.At)
		if r.MaxAge != nil && p.Factor == DeviceProof {
			return true // it does not answer how recently the user was authenticated
		}
		if r.MaxAge != nil && age > time.Duration(*r.MaxAge)*time.Second {
			return true
		}
		// What must be fresh is the strongest thing that the user has to show; without a factor, everything: one that is
		// gone leaves no proof behind that stands for the password.
		return r.Fresh && age > freshness && (isSecond(p) || !hasFactor)
	})
}

// ask leads to the sign-in page.
func (s *Service) ask(by *web.Actor, r Request) (web.Result, error) {
	if r.None {
		return web.Result{}, ErrLoginRequired
	}
	return s.askWhy(by, r, "")
}

func (s *Service) askWhy(by *web.Actor, r Request, why string) (web.Result, error) {
	sealed, err := s.seal(by, r)
	if err != nil {
		return web.Result{}, err
	}
	return web.Go(signInPath(sealed, why)), nil
}

func signInPath(sealed, why string) string {
	q := url.Values{}
	if sealed != "" {
		q.Set("request", sealed)
	}
	if why != "" {
		q.Set("why", why)
	}
	if len(q) == 0 {
		return ui.PathSignIn
	}
	return ui.PathSignIn + "?" + q.Encode()
}

// sealedRequest is a request bound to the browser that it was made in.
type sealedRequest struct {
	Browser string  `json:"b"`
	Request Request `json:"r"`
}

const sealRequest = "sign-in request"

func (s *Service) seal(by *web.Actor, r Request) (string, error) {
	if r.Locales == "" {
		r.Locales = by.Languages.Asked // of our own page that leads here
	}
	r.Locales = firstTags(r.Locales)
	plain, err := json.Marshal(sealedRequest{Browser: by.Browser, Request: r})
	if err != nil {
		return "", err
	}
	return s.Keys.Seal(sealRequest, requestLife, plain)
}

func (s *Service) unseal(by *web.Actor, sealed string) (Request, error) {
	var in sealedRequest
	if err := s.openJSON(sealRequest, sealed, &in); err != nil {
		return Request{}, err
	}
	// A link to a sign-in page that somebody else began must not sign the victim in to the attacker's application.
	if in.Browser != by.Browser {
		return Request{}, web.ErrOtherBrowser
	}
	by.AskFor(in.Request.Locales)
	return in.Request, nil
}

// mostTags bounds how many languages are kept of a wish: it stands in addresses.
const mostTags = 8

// firstTags keeps the first of a list of languages.
func firstTags(locales string) string {
	tags := slices.DeleteFunc(strings.Fields(locales), func(tag string) bool { return len(tag) > longestTag })
	return strings.Join(tags[:min(len(tags), mostTags)], " ")
}

// longestTag is the longest language tag in use (RFC 5646, section 4.4.1), in bytes.
const longestTag = 35

// Beside has pages beside the sign-in speak the language that its sealed request asks for, and returns the tenant whose look
// they have, as the sign-in page itself; nil for none.
func (s *Service) Beside(ctx context.Context, by *web.Actor, sealed string) (*storage.Tenant, error) {
	r, err := s.unseal(by, sealed)
	if err != nil {
		// One that can't be read, or is another browser's, asks for nothing; the sign-in page that it leads to says so.
		return nil, nil //nolint:nilnil,nilerr // No tenant is an answer, and no error.
	}
	return s.front(ctx, r)
}

// Sealed tells whether a sealed request can be gone on with in the actor's browser.
func (s *Service) Sealed(by *web.Actor, sealed string) bool {
	_, err := s.unseal(by, sealed)
	return err == nil
}

func (s *Service) openJSON(purpose, sealed string, v any) error {
	plain, err := s.Keys.Open(purpose, sealed)
	switch {
	case errors.Is(err, keys.ErrExpired):
		return fmt.Errorf("%s: %w", purpose, web.ErrExpired)
	case err != nil:
		return fmt.Errorf("%s: %w: %w", purpose, web.ErrBadRequest, err)
	}
	if err := json.Unmarshal(plain, v); err != nil {
		return fmt.Errorf("%s: %w", purpose, err)
	}
	return nil
}
