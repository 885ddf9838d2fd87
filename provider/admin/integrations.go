package admin

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Integration is something that an application connected to a tenant's account.
type Integration struct {
	// ID is the application's own name for the connection.
	ID string `json:"id"`
	// Name is what people read.
	Name string `json:"name"`
	// Kind is what rules ask for, such as "financial".
	Kind string `json:"kind"`
	// Client is the client_id of the application that connected it, and Application its name; empty where an operator did.
	Client      string `json:"client,omitempty"`
	Application string `json:"application,omitempty"`
	// Connected is when it was.
	Connected time.Time `json:"connected"`
	// Rule is the name of the tenant's rule that makes two-factor authentication mandatory because of it, if there is one.
	Rule string `json:"rule,omitempty"`
}

// NewIntegration says what was connected.
type NewIntegration struct {
	// Name is what people read.
	Name string `json:"name" required:"true"`
	// Kind is a word of 1 to 32 lower-case letters, digits, hyphens and underscores. "financial" is the one that every tenant's
	// rules know: it makes two-factor authentication mandatory.
	Kind string `json:"kind" required:"true"`
}

const (
	maxIntegrations    = 100
	maxIntegrationName = 100
)

var integrationID = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// admitIntegrations admits those who connect: operators, and programs that act for themselves, of the tenant or of the
// deployment. People only look: what an application has connected is not theirs to say.
func (s *Service) admitIntegrations(ctx context.Context, by *web.Actor, tenant, scope string) (storage.Tenant, error) {
	switch {
	case runs(by):
		return s.tenant(ctx, tenant)
	case machine(by) && by.Client.Owner == "":
		if !slices.Contains(by.Scopes, scope) {
			return storage.Tenant{}, web.ErrForbidden
		}
		return s.tenant(ctx, tenant)
	case machine(by):
		return s.admit(ctx, by, tenant, owning)
	default:
		// Who has no business in the tenant does not learn that it is there.
		if _, err := s.admit(ctx, by, tenant, helping); err != nil {
			return storage.Tenant{}, err
		}
		return storage.Tenant{}, web.ErrForbidden
	}
}

// Integrations lists what is connected to a tenant's account, in the order in which it was. An application of the whole
// deployment sees what it connected itself.
func (s *Service) Integrations(ctx context.Context, by *web.Actor, tenant string) ([]Integration, error) {
	own := machine(by) && by.Client.Owner == "" && !runs(by)
	admit := func() (storage.Tenant, error) { return s.admit(ctx, by, tenant, helping) }
	if own {
		admit = func() (storage.Tenant, error) { return s.admitIntegrations(ctx, by, tenant, ScopeIntegrationsRead) }
	}
	t, err := admit()
	if err != nil {
		return nil, err
	}
	shown := []Integration{}
	for i := range t.Integrations {
		if one := &t.Integrations[i]; !own || one.Client == by.Client.ID {
			v, err := s.viewIntegration(ctx, &t, one)
			if err != nil {
				return nil, err
			}
			shown = append(shown, v)
		}
	}
	return shown, nil
}

func (s *Service) viewIntegration(ctx context.Context, t *storage.Tenant, i *storage.Integration) (Integration, error) {
	v := Integration{ID: i.ID, Name: i.Name, Kind: i.Kind, Client: i.Client, Connected: i.Connected, Rule: ruleOf(t, i.Kind)}
	if i.Client == "" {
		return v, nil
	}
	c, err := s.Store.Clients.Get(ctx, storage.Global, i.Client)
	if errors.Is(err, storage.ErrNotFound) {
		return v, nil // Of a client that was deleted since, the ID is left.
	}
	v.Application = c.Name
	return v, web.Unavailable("client", err)
}

// ruleOf is the name of the first rule that requires two-factor authentication because of a connected integration.
func ruleOf(t *storage.Tenant, kind string) string {
	for _, r := range t.Rules {
		if slices.Contains(r.When.Integrations, kind) && !r.ReportOnly && r.Then.Access == allow && r.Then.TwoFactor == "" {
			return r.Name
		}
	}
	return ""
}

// Connect notes that something is connected to a tenant's account (001-2), under the application's own name for it. Said
// again it changes nothing; said otherwise it changes name and kind. What another application connected only operators
// change.
func (s *Service) Connect(ctx context.Context, by *web.Actor, tenant, id string, in NewIntegration) (Integration, error) {
	t, err := s.admitIntegrations(ctx, by, tenant, ScopeIntegrationsWrite)
	if err != nil {
		return Integration{}, err
	}
	if !integrationID.MatchString(id) {
		return Integration{}, invalid("id", fmt.Sprintf("%q can't be an integration's ID", id),
			"use 1 to 64 lower-case letters, digits, full stops, hyphens and underscores, beginning with a letter or digit")
	}
	if in.Name, err = line("name", in.Name, maxIntegrationName); err != nil {
		return Integration{}, err
	}
	if !typeName.MatchString(in.Kind) {
		return Integration{}, invalid("kind", fmt.Sprintf("%q can't be a kind", in.Kind),
			"use 1 to 32 lower-case letters, digits, hyphens and underscores, such as financial")
	}
	now := s.Now().UTC().Truncate(time.Millisecond)
	connect := func(t *storage.Tenant) (changed bool, err error) { return connect(t, by, id, in, now) }
	// Once on a copy, so that what is refused, or nothing new, leaves no event.
	trial := t
	changed, err := connect(&trial)
	if err != nil {
		return Integration{}, err
	}
	if changed {
		// The account's own program would not get in any more to say that it is disconnected.
		if machine(by) && by.Client.Owner == tenant {
			if r := s.machineOut(by, &t, &trial); r != nil {
				return Integration{}, r.refuse()
			}
		}
		e := about(by, tenant, "integration.connect")
		e.Reason = id + " (" + in.Kind + ")"
		err = s.audited(ctx, e, func() error {
			trial, err = storage.Change(ctx, s.Store.Tenants, storage.Global, tenant, func(t *storage.Tenant) error {
				_, err := connect(t)
				return err
			})
			return web.Unavailable("tenant", err)
		})
		if err != nil {
			return Integration{}, err
		}
	}
	return s.viewIntegration(ctx, &trial, &trial.Integrations[connection(&trial, id)])
}

// connect puts an integration into a tenant.
func connect(t *storage.Tenant, by *web.Actor, id string, in NewIntegration, now time.Time) (changed bool, err error) {
	// A list of its own, because that of the tenant may be looked at elsewhere.
	t.Integrations = slices.Clone(t.Integrations)
	if i := connection(t, id); i >= 0 {
		had := &t.Integrations[i]
		if !connected(by, had) {
			return false, taker(id)
		}
		changed = had.Name != in.Name || had.Kind != in.Kind
		had.Name, had.Kind = in.Name, in.Kind
		return changed, nil
	}
	if len(t.Integrations) >= maxIntegrations {
		return false, invalid("integration", fmt.Sprintf("there are %d already", len(t.Integrations)), "disconnect one first")
	}
	one := storage.Integration{ID: id, Name: in.Name, Kind: in.Kind, Connected: now}
	if by.Client != nil {
		one.Client = by.Client.ID
	}
	t.Integrations = append(t.Integrations, one)
	return true, nil
}

func connection(t *storage.Tenant, id string) int {
	return slices.IndexFunc(t.Integrations, func(i storage.Integration) bool { return i.ID == id })
}

// connected tells whether an integration is the actor's to change: a rule may hang on what another application connected.
func connected(by *web.Actor, i *storage.Integration) bool {
	return runs(by) || by.Client != nil && i.Client == by.Client.ID
}

func taker(id string) error {
	return &web.Invalid{
		Where: "id", Code: "taken", What: fmt.Sprintf("another application has connected %q", id),
		Do: "choose another ID", Err: storage.ErrExists,
	}
}

// Disconnect notes that something is no longer connected. What another application connected is not there, but to operators.
func (s *Service) Disconnect(ctx context.Context, by *web.Actor, tenant, id string) error {
	t, err := s.admitIntegrations(ctx, by, tenant, ScopeIntegrationsWrite)
	if err != nil {
		return err
	}
	i := connection(&t, id)
	if i < 0 || !connected(by, &t.Integrations[i]) {
		return web.Missing("integration", id, "check the spelling; “integrations list” shows them")
	}
	e := about(by, tenant, "integration.disconnect")
	e.Reason = id + " (" + t.Integrations[i].Kind + ")"
	return s.audited(ctx, e, func() error {
		_, err := storage.Change(ctx, s.Store.Tenants, storage.Global, tenant, func(t *storage.Tenant) error {
			t.Integrations = slices.DeleteFunc(slices.Clone(t.Integrations), func(i storage.Integration) bool {
				return i.ID == id && connected(by, &i)
			})
			return nil
		})
		return web.Unavailable("tenant", err)
	})
}
