package login

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

type signInPage struct {
	Request string `form:"request"`
	Why     string `form:"why"`
}

// page shows the sign-in page.
func (s *Service) page(ctx context.Context, by *web.Actor, in signInPage) (web.Result, error) {
	if in.Request == "" {
		// Somebody kept the page's address: what is left to do is sign in to the account pages.
		return s.askWhy(by, Request{Return: ui.PathAccount, Begun: s.Now()}, in.Why)
	}
	r, err := s.unseal(by, in.Request)
	if err != nil {
		return web.Result{}, err
	}
	p := s.signIn(by, r, in.Request, r.Hint)
	switch in.Why {
	case whyExpired:
		p.Notice = ui.Say(ui.ProblemSignInExpired)
	case whyPassword:
		p.Notice = ui.Say(ui.NoticePasswordNew)
	case whyWelcome:
		p.Notice = ui.Say(ui.NoticeWelcome)
	}
	t, err := s.front(ctx, r)
	return web.Result{Page: p, Tenant: t, FormTargets: r.FormTargets}, err
}

// front is the tenant whose look pages have before it is known who signs in: the one that the application belongs to, or
// nil where it belongs to none. Whose it is the application has told by asking, and nothing that a stranger could type in
// has a part in it.
func (s *Service) front(ctx context.Context, r Request) (*storage.Tenant, error) {
	if r.Tenant == "" {
		return nil, nil //nolint:nilnil // No tenant is an answer, and no error.
	}
	t, err := s.tenant(ctx, r.Tenant)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil //nolint:nilnil // A tenant that is disabled gives its look to nothing.
	}
	return t, err
}

// What stands in the sign-in page's address to say why it is there.
const (
	// whyExpired: the sign-in before took too long.
	whyExpired = "expired"
	// whyPassword: there is a new password. whyWelcome: there is a first one.
	whyPassword = "password"
	whyWelcome  = "welcome"
)

// SignInPath leads to the sign-in page that goes on with a sealed request, or begins one.
func SignInPath(request string) string { return signInPath(request, "") }

// SignInAs is the path of the sign-in page of a person who has just chosen a password by a mailed link, the first one where
// welcome is set. The page names the account and has the tenant's look: whoever had the link knows both. It goes on with the
// request that was sealed before the mail was asked for, where this is the browser that asked.
func (s *Service) SignInAs(by *web.Actor, p credential.Person, sealed string, welcome bool) (string, error) {
	r := Request{Return: ui.PathAccount, Begun: s.Now()}
	if before, err := s.unseal(by, sealed); err == nil && (before.Tenant == "" || before.Tenant == p.User.Tenant) {
		r = before
	}
	r.Tenant, r.Hint = p.User.Tenant, web.Account(p.User)
	why := whyPassword
	if welcome {
		why = whyWelcome
	}
	request, err := s.seal(by, r)
	return signInPath(request, why), err
}

// CheckPassword checks the password of a user who is known by other means, slowed down by the same counts as sign-ins.
// credential.ErrPassword, *web.TooMany.
func (s *Service) CheckPassword(ctx context.Context, by *web.Actor, p credential.Person, password string) error {
	try := s.attemptOf(by, web.Account(p.User))
	_, done, err := s.beginPassword(ctx, try)
	if err != nil {
		return err
	}
	defer done()
	right, err := s.Directory.Check(ctx, []storage.User{*p.User}, password)
	switch {
	case errors.Is(err, directory.ErrBusy):
		return web.ErrBusy
	case err != nil:
		return web.Unavailable("directory", err)
	case len(right) == 0:
		if err := s.wrongPassword(ctx, try); err != nil {
			return err
		}
		return credential.ErrPassword
	}
	// The count is also that of namesakes in other tenants, whom this password says nothing of: it stays.
	return nil
}

func (s *Service) signIn(by *web.Actor, r Request, sealed, login string) ui.SignIn {
	p := ui.SignIn{Request: sealed, Login: login, App: r.App, Passkeys: s.discoverer() != nil, Forgot: forgotPath(sealed)}
	if by.SignedIn() && (r.Fresh || r.MaxAge != nil || r.Login) && r.Hint == "" {
		p.Login = web.Account(by.User)
		p.Notice = ui.Say(ui.NoticeFresh)
		if r.App != "" {
			p.Notice = ui.Say(ui.NoticeAppAsks, "app", r.App)
		}
		if endedBy(by, r.Client) {
			p.Notice = ui.Say(ui.NoticeAppEnded, "app", r.App)
		}
	}
	return p
}

type passwordForm struct {
	Request  string `form:"request"`
	Login    string `form:"login"`
	Password string `form:"password"`
}

// password takes the name and password. Whether the name is unknown, the password wrong, or the account locked or
// disabled, the answer is the same, and so is the work.
func (s *Service) password(ctx context.Context, by *web.Actor, in passwordForm) (web.Result, error) {
	r, err := s.unseal(by, in.Request)
	if err != nil {
		return web.Result{}, err
	}
	look, err := s.front(ctx, r)
	if err != nil {
		return web.Result{}, err
	}
	again := func(problem ui.Text) web.Result {
		p := s.signIn(by, r, in.Request, in.Login)
		p.Login, p.Problem = in.Login, problem
		return web.Result{Page: p, Refused: true, Tenant: look, FormTargets: r.FormTargets}
	}
	try := s.attemptOf(by, in.Login)
	var many *web.TooMany
	known, done, err := s.beginPassword(ctx, try)
	if errors.As(err, &many) {
		res := again(ui.Say(ui.ProblemPasswordTries, "n", web.Minutes(many.Retry)))
		// Unseen, it cost nothing: to note each would be the cheapest way to fill the audit log.
		if !s.noted.First(try.account, s.Now(), notedEvery) {
			return res, nil
		}
		return res, s.record(ctx, s.refusal(by, r, nil, "too many tries"))
	}
	if err != nil {
		return web.Result{}, err
	}
	defer done()
	users, err := s.Directory.Lookup(ctx, r.Tenant, in.Login)
	if err != nil {
		return web.Result{}, web.Unavailable("directory", err)
	}
	right, err := s.Directory.Check(ctx, users, in.Password)
	if errors.Is(err, directory.ErrBusy) {
		return web.Result{}, web.ErrBusy
	}
	if err != nil {
		return web.Result{}, web.Unavailable("directory", err)
	}
	people, err := s.admissible(ctx, r, right)
	if err != nil {
		return web.Result{}, err
	}
	if len(people) == 0 {
		if err := s.wrongPassword(ctx, try); err != nil {
			return web.Result{}, err
		}
		return again(ui.Say(ui.ProblemPassword)), s.record(ctx, s.refusal(by, r, users, "name or password"))
	}
	// Who knows the password of a namesake in another tenant must not clear the count of this one.
	if known && len(people) == len(users) {
		if err := s.rightPassword(ctx, try); err != nil {
			return web.Result{}, err
		}
	}
	if len(people) > 1 {
		return s.offer(by, r, in.Request, people)
	}
	return s.start(ctx, by, r, in.Request, people[0], s.passwordProof(s.Now()))
}

func forgotPath(sealed string) string {
	return ui.PathForgot + "?" + url.Values{"request": {sealed}}.Encode()
}

func (s *Service) passwordProof(at time.Time) storage.Proof {
	return storage.Proof{Factor: PasswordProof, AMR: []string{"pwd"}, At: at}
}

// refusal is the audit event of a password that was refused. It stands in the tenant's log where the name belongs to
// one tenant, else in the deployment's: which tenant a stranger says he means counts for nothing.
func (s *Service) refusal(by *web.Actor, r Request, users []storage.User, why string) storage.Event {
	e := by.Event("sign_in.password", "refused")
	e.Tenant, e.User, e.Actor = storage.Global, "", ""
	e.Client, e.Factor, e.Reason = r.Client, PasswordProof, why
	if len(users) == 1 {
		e.Tenant, e.User = users[0].Tenant, users[0].ID
	}
	return e
}

// admissible keeps those whom the request admits, and who are neither disabled nor locked.
func (s *Service) admissible(ctx context.Context, r Request, users []storage.User) ([]credential.Person, error) {
	var people []credential.Person
	for _, u := range users {
		if u.Out() || r.Subject != "" && u.ID != r.Subject {
			continue
		}
		t, err := s.tenant(ctx, u.Tenant)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		people = append(people, credential.Person{Tenant: t, User: &u})
	}
	return people, nil
}

// offered says for which accounts a password was right, until the user has chosen one.
type offered struct {
	Browser string `json:"b"`
	// Request is the hash of the sealed request that it was made for.
	Request  string              `json:"r"`
	Accounts []storage.LoginUser `json:"a"`
	At       time.Time           `json:"at"`
}

const (
	sealOffer = "choice of accounts"
	offerLife = 5 * time.Minute
)

// offer asks which account is meant, where name and password fit several.
func (s *Service) offer(by *web.Actor, r Request, sealed string, people []credential.Person) (web.Result, error) {
	o := offered{Browser: by.Browser, Request: s.Keys.Hash(sealOffer, sealed), At: s.Now()}
	page := ui.ChooseTenant{Request: sealed}
	for _, p := range people {
		o.Accounts = append(o.Accounts, storage.LoginUser{Tenant: p.Tenant.ID, User: p.User.ID})
		page.Tenants = append(page.Tenants, ui.Choice{ID: p.Tenant.ID, Name: p.Tenant.Name})
	}
	var err error
	if page.Proof, err = s.sealJSON(sealOffer, offerLife, o); err != nil {
		return web.Result{}, err
	}
	return web.Result{Page: page, FormTargets: r.FormTargets}, nil
}

type choiceForm struct {
	Request string `form:"request"`
	Proof   string `form:"proof"`
	Tenant  string `form:"tenant"`
}

// choose takes the choice between several accounts.
func (s *Service) choose(ctx context.Context, by *web.Actor, in choiceForm) (web.Result, error) {
	r, err := s.unseal(by, in.Request)
	if err != nil {
		return web.Result{}, err
	}
	var o offered
	if err := s.openJSON(sealOffer, in.Proof, &o); err != nil {
		return web.Result{}, err
	}
	if o.Browser != by.Browser {
		return web.Result{}, web.ErrOtherBrowser
	}
	if !s.Keys.Equal(o.Request, sealOffer, in.Request) {
		return web.Result{}, web.ErrBadRequest
	}
	i := slices.IndexFunc(o.Accounts, func(a storage.LoginUser) bool { return a.Tenant == in.Tenant })
	if i < 0 {
		return web.Result{}, web.ErrBadRequest
	}
	p, err := s.person(ctx, o.Accounts[i].Tenant, o.Accounts[i].User)
	if err != nil {
		return web.Result{}, err
	}
	// A password that was changed meanwhile is no longer proven.
	if p.User.PasswordSet.After(o.At) {
		return web.Result{}, web.ErrExpired
	}
	// The choice is made once: the same form, found in the browser by somebody else, must not sign in again.
	spent := storage.Counter{Key: storage.Key{Tenant: storage.Global, ID: "offer/" + s.Keys.Hash(sealOffer, in.Proof), Expires: s.Now().Add(offerLife)}}
	if err := s.Store.Counters.Insert(ctx, &spent); errors.Is(err, storage.ErrExists) {
		return web.Result{}, web.ErrExpired
	} else if err != nil {
		return web.Result{}, web.Unavailable("choice of accounts", err)
	}
	return s.start(ctx, by, r, in.Request, p, s.passwordProof(o.At))
}

// start begins the flow, now that the password is right.
func (s *Service) start(ctx context.Context, by *web.Actor, r Request, sealed string, p credential.Person, proof storage.Proof) (web.Result, error) {
	now := s.Now()
	f := storage.Flow{
		Key:  storage.Key{Tenant: p.User.Tenant, ID: storage.NewID(), Expires: now.Add(flowMemory)},
		User: p.User.ID, Browser: by.Browser, Request: sealed, Proofs: []storage.Proof{proof},
		Created: now, Until: now.Add(flowLife),
	}
	if by.SignedIn() && by.Session.User == p.User.ID {
		f.Session = by.Session.ID
	}
	st, err := s.stand(ctx, by, &f, p, r)
	if err != nil {
		return web.Result{}, err
	}
	var devices *string
	if st.step.Kind == Prompt && proof.Factor == PasswordProof {
		if devices, err = s.recognise(ctx, by, st); err != nil {
			return web.Result{}, err
		}
	}
	res, err := s.enter(ctx, by, st, proof)
	res.Devices = devices
	return res, err
}

// enter stores the flow with its first proof, and goes on; where that was all there is to prove the sign-in is complete.
func (s *Service) enter(ctx context.Context, by *web.Actor, st *state, proof storage.Proof) (web.Result, error) {
	f := st.flow
	if f.Done = st.step.Kind == Done; f.Done {
		if err := s.Store.Flows.Insert(ctx, f); err != nil {
			return web.Result{}, web.Unavailable("flow", err)
		}
		return s.finish(ctx, by, st, proof.Factor)
	}
	e := s.event(by, st, "sign_in.password", "ok")
	if proof.Factor != PasswordProof {
		e.Action = "sign_in.factor"
	}
	e.Factor = proof.Factor
	err := atOnce(
		func() error { return s.record(ctx, e) },
		func() error { return web.Unavailable("flow", s.Store.Flows.Insert(ctx, f)) },
	)
	if err != nil {
		return web.Result{}, err
	}
	return web.Go(flowPath(f)), nil
}
