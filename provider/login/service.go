package login

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Config is what a Service works with. All fields but Now are needed.
type Config struct {
	Store       storage.Store
	Keys        *keys.Keys
	Directory   directory.Directory
	Credentials *credential.Keeper
	Audit       *audit.Log
	Notices     *mail.Notifier
	Continue    Continue
	// Ended is told when a session ends, so that what applications got through it ends with it.
	Ended func(ctx context.Context, tenant, session string) error
	// Stolen is told that somebody else has been in as a user, so that all that applications got for the user ends.
	Stolen func(ctx context.Context, tenant, user string) error
	// Refuse answers the application where its request can't be met.
	Refuse Refuse
	// Hooks may refuse sign-ins, set-ups and recoveries.
	Hooks *hook.Runner
	// Lost mails a user who has lost all factors how to take them off; see MayReset.
	Lost func(ctx context.Context, by *web.Actor, p credential.Person) error
	Now  func() time.Time
}

// Service signs users in.
type Service struct {
	Config
	tenants  storage.Cached[storage.Tenant, *storage.Tenant]
	clients  storage.Cached[storage.Client, *storage.Client]
	underway underway
	turns    credential.Turns
	noted    web.Seldom
}

// factorID is what a factor's ID looks like: it stands in paths, rules and the database.
var factorID = regexp.MustCompile(`^[a-z][a-z0-9]{0,31}$`)

// New checks the configuration.
func New(c Config) (*Service, error) {
	if c.Keys == nil || c.Directory == nil || c.Credentials == nil || c.Audit == nil || c.Notices == nil || c.Continue == nil || c.Refuse == nil || c.Ended == nil || c.Stolen == nil || c.Hooks == nil || c.Lost == nil {
		return nil, errors.New("login: Config lacks a part")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	seen := map[string]bool{PasswordProof: true, DeviceProof: true}
	for _, f := range c.Credentials.Factors {
		id := f.Info().ID
		if !factorID.MatchString(id) || seen[id] {
			return nil, fmt.Errorf("login: factor ID %q must be lower-case letters and digits, and no other factor's", id)
		}
		seen[id] = true
	}
	s := &Service{Config: c, underway: underway{counts: map[string]int{}}}
	s.tenants.Table, s.tenants.Now, s.tenants.Life = c.Store.Tenants, c.Now, cacheLife
	s.clients.Table, s.clients.Now, s.clients.Life = c.Store.Clients, c.Now, cacheLife
	return s, nil
}

// cacheLife is how late a changed tenant or client is noticed: each step of each sign-in reads both.
const cacheLife = 5 * time.Second

// ForgetTenant has a tenant read again that was written.
func (s *Service) ForgetTenant(tenant, id string) { s.tenants.Forget(tenant, id) }

// ForgetClient has a client read again that was written.
func (s *Service) ForgetClient(tenant, id string) { s.clients.Forget(tenant, id) }

// tenant reads a tenant. One that is disabled is not there.
func (s *Service) tenant(ctx context.Context, id string) (*storage.Tenant, error) {
	t, err := s.tenants.Get(ctx, storage.Global, id)
	if err != nil {
		return nil, web.Unavailable("tenant", err)
	}
	if t.Disabled {
		return nil, fmt.Errorf("tenant is disabled: %w", storage.ErrNotFound)
	}
	return &t, nil
}

// person reads a user together with the tenant. One that is disabled or locked is not there.
func (s *Service) person(ctx context.Context, tenant, user string) (credential.Person, error) {
	t, err := s.tenant(ctx, tenant)
	if err != nil {
		return credential.Person{}, err
	}
	u, err := s.Store.Users.Get(ctx, tenant, user)
	if err != nil {
		return credential.Person{}, web.Unavailable("user", err)
	}
	if u.Out() {
		return credential.Person{}, fmt.Errorf("user is disabled or locked: %w", storage.ErrNotFound)
	}
	return credential.Person{Tenant: t, User: &u}, nil
}

// client reads the application that a sign-in is for; nil where it is for our own pages.
func (s *Service) client(ctx context.Context, id string) (*storage.Client, error) {
	if id == "" {
		return nil, nil
	}
	c, err := s.clients.Get(ctx, storage.Global, id)
	return &c, web.Unavailable("client", err)
}

// decide asks the policy.
func (s *Service) decide(by *web.Actor, p credential.Person, c *storage.Client) policy.Decision {
	return policy.Decide(p.Tenant.Rules, policy.FactsOf(p.Tenant, p.User, c, by.Address, s.Now()))
}

// Person reads a user who is not kept out, with the tenant. storage.ErrNotFound.
func (s *Service) Person(ctx context.Context, tenant, user string) (credential.Person, error) {
	return s.person(ctx, tenant, user)
}

// DecisionFor says what the tenant's policy asks of a user who comes from an actor's address, on our own pages.
func (s *Service) DecisionFor(_ context.Context, by *web.Actor, p credential.Person) (policy.Decision, error) {
	return s.decide(by, p, nil), nil
}

// Decision says what the tenant's policy asks of a user who is on our own pages.
func (s *Service) Decision(ctx context.Context, by *web.Actor) (policy.Decision, error) {
	return s.DecisionFor(ctx, by, credential.Who(by))
}

// enrolled reads what Next needs to know of a user's factors.
func (s *Service) enrolled(ctx context.Context, p credential.Person) ([]Enrolled, []storage.Credential, error) {
	all, err := s.Credentials.List(ctx, p)
	if err != nil {
		return nil, nil, web.Unavailable("factors", err)
	}
	have, err := s.have(ctx, p, all)
	return have, all, err
}

// have says of credentials what Next needs to know.
func (s *Service) have(ctx context.Context, p credential.Person, all []storage.Credential) ([]Enrolled, error) {
	if len(all) == 0 {
		return nil, nil
	}
	off, err := s.Credentials.Off(ctx, p)
	if err != nil {
		return nil, web.Unavailable("counter", err)
	}
	var have []Enrolled
	for _, c := range all {
		f, err := s.Credentials.Factor(c.Factor)
		if err != nil {
			return nil, err
		}
		info := f.Info()
		// What an owner handed out is nothing that the user has.
		if info.Enrolment == mfa.ByOwner {
			continue
		}
		have = append(have, enrolledAs(info, off[info.ID] || c.Left == 0))
	}
	return have, nil
}

func enrolledAs(i mfa.Info, off bool) Enrolled {
	return Enrolled{Factor: i.ID, PhishingResistant: i.PhishingResistant, Hardware: i.Hardware, Backup: i.Backup, Off: off}
}

// record writes to the audit log. What can't be written must not happen.
func (s *Service) record(ctx context.Context, e storage.Event) error {
	return web.Unavailable("audit log", s.Audit.Record(ctx, e))
}
