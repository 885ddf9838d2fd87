package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Tenant is what operators see of a tenant.
type Tenant struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Plan      string   `json:"plan,omitempty"`
	UserTypes []string `json:"user_types"`
	// TypeNames are what people read for some of the types, by type.
	TypeNames map[string]string `json:"type_names,omitempty"`
	// Require2FA are the user types that must use two-factor authentication, and Everyone.
	Require2FA []string       `json:"require_2fa"`
	Rules      []storage.Rule `json:"rules"`
	Settings   Settings       `json:"settings"`
	// Branding is how the tenant's pages look, beside its name.
	Branding Branding  `json:"branding"`
	Disabled bool      `json:"disabled"`
	Created  time.Time `json:"created"`
}

func viewTenant(t *storage.Tenant) Tenant {
	v := Tenant{
		ID: t.ID, Name: t.Name, Plan: t.Plan, UserTypes: t.UserTypes, TypeNames: t.TypeNames, Require2FA: mustUse(t), Rules: t.Rules,
		Disabled: t.Disabled, Created: t.Created, Branding: viewBranding(t),
		Settings: Settings{
			TOTPDigits: t.Settings.TOTPDigits, TOTPAlgorithm: t.Settings.TOTPAlgorithm, BackupCodes: t.Settings.BackupCodes,
			SessionIdle: defaultIdle.String(), SMSCountries: append([]string{}, t.Settings.SMSCountries...),
			SMSBudget: t.Settings.SMSBudget, EmailReset: cmp.Or(t.Settings.EmailReset, resetMembers), Support: t.Settings.Support,
			Language: t.Settings.Language, AuditDays: t.Settings.AuditDays,
		},
	}
	if v.Settings.TOTPDigits == 0 {
		v.Settings.TOTPDigits = defaultDigits
	}
	if v.Settings.TOTPAlgorithm == "" {
		v.Settings.TOTPAlgorithm = defaultAlgorithm
	}
	if v.Settings.BackupCodes == 0 {
		v.Settings.BackupCodes = defaultCodes
	}
	if t.Settings.SessionIdle != 0 {
		v.Settings.SessionIdle = t.Settings.SessionIdle.String()
	}
	return v
}

var (
	tenantID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$`)
	typeName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)
)

const (
	maxTenantName = 100
	maxPlan       = 64
	maxUserTypes  = 20
)

// CreateTenant makes a tenant. Its rules let everyone in, with two-factor authentication as Require2FA says and
// optional for the rest. *web.Invalid.
func (s *Service) CreateTenant(ctx context.Context, by *web.Actor, id string, in TenantFields) (Tenant, error) {
	if !runs(by) {
		return Tenant{}, web.ErrForbidden
	}
	if !tenantID.MatchString(id) {
		return Tenant{}, invalid("id", fmt.Sprintf("%q can't be a tenant's ID", id),
			"use 3 to 40 lower-case letters, digits and hyphens, beginning and ending with a letter or digit")
	}
	t := storage.Tenant{
		Key:       storage.Key{Tenant: storage.Global, ID: id},
		UserTypes: []string{"staff", "client", "contractor"}, Rules: defaultRules(), Created: s.Now(),
	}
	if in.Name == nil {
		in.Name = &id
	}
	if err := s.speaks(in.Language); err != nil {
		return Tenant{}, err
	}
	if err := in.apply(&t); err != nil {
		return Tenant{}, err
	}
	if _, err := s.Store.Tenants.Get(ctx, storage.Global, id); err == nil {
		return Tenant{}, tenantExists(id)
	} else if !errors.Is(err, storage.ErrNotFound) {
		return Tenant{}, fmt.Errorf("create tenant: %w", err)
	}
	var err error
	if t.DataKey, err = s.Keys.NewDataKey(); err != nil {
		return Tenant{}, fmt.Errorf("create tenant: %w", err)
	}
	err = s.audited(ctx, about(by, id, "tenant.create"), func() error {
		err := s.Store.Tenants.Insert(ctx, &t)
		if errors.Is(err, storage.ErrExists) {
			return tenantExists(id)
		}
		return err
	})
	if err != nil {
		return Tenant{}, err
	}
	return viewTenant(&t), nil
}

func tenantExists(id string) error {
	return &web.Invalid{
		What: fmt.Sprintf("there is a tenant %q already", id), Where: "id", Code: "taken", Do: "choose another ID", Err: storage.ErrExists,
	}
}

// Tenants lists tenants by their IDs.
func (s *Service) Tenants(ctx context.Context, by *web.Actor, p Page) ([]Tenant, error) {
	if !runs(by) {
		return nil, web.ErrForbidden
	}
	kept, err := s.Store.Tenants.List(ctx, p.query(storage.Global))
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	return views(kept, viewTenant), nil
}

// Tenant shows one tenant. *web.Invalid.
func (s *Service) Tenant(ctx context.Context, by *web.Actor, id string) (Tenant, error) {
	t, err := s.admit(ctx, by, id, helping)
	if err != nil {
		return Tenant{}, err
	}
	return viewTenant(&t), nil
}

func (s *Service) tenant(ctx context.Context, id string) (storage.Tenant, error) {
	if id == "" {
		return storage.Tenant{}, invalid("tenant", "no tenant was named", "name one; “tenants list” shows them")
	}
	t, err := s.Store.Tenants.Get(ctx, storage.Global, id)
	if errors.Is(err, storage.ErrNotFound) {
		return t, noTenant(id)
	}
	if err != nil {
		return t, fmt.Errorf("tenant %s: %w", id, err)
	}
	identify(&t)
	return t, nil
}

func noTenant(id string) error {
	return web.Missing("tenant", id, "check the spelling; “tenants list” shows them")
}

// ChangeTenant changes what in names, all of it or nothing. *web.Invalid.
func (s *Service) ChangeTenant(ctx context.Context, by *web.Actor, id string, in TenantFields) (Tenant, error) {
	t, err := s.admit(ctx, by, id, helping)
	if err != nil {
		return Tenant{}, err
	}
	// Plans and what they cost are the deployment's, and so is the bill for text messages.
	if (in.Plan != nil || in.SMSBudget != nil) && !runs(by) {
		return Tenant{}, web.ErrForbidden
	}
	// Whoever shortens the log takes proofs away, of what admins did too.
	if in.AuditDays != nil && roleOf(by) != storage.Owner {
		return Tenant{}, web.ErrForbidden
	}
	// The switches are the policy's, and programs have a scope for that.
	if in.Require2FA != nil && by.Client != nil && !runs(by) && !slices.Contains(by.Scopes, ScopePolicyWrite) {
		return Tenant{}, web.ErrForbidden
	}
	// An owner's mailbox would do in place of what the owner has set up: nobody below decides on that.
	if who := in.EmailReset; who != nil && *who == "on" && t.Settings.EmailReset != "on" && roleOf(by) != storage.Owner {
		return Tenant{}, invalidAs("email_reset", "owner", "it would be for owners too", "choose off or members, or ask an owner")
	}
	before := t
	// Once on a copy, so that what is refused leaves no event.
	if err := s.changeable(ctx, by, &t, in); err != nil {
		return Tenant{}, err
	}
	e := about(by, id, "tenant.change")
	e.Reason = changedTenant(&before, &t)
	err = s.audited(ctx, e, func() error {
		t, err = storage.Change(ctx, s.Store.Tenants, storage.Global, id, func(t *storage.Tenant) error {
			return s.changeable(ctx, by, t, in)
		})
		return err
	})
	if err != nil {
		return Tenant{}, err
	}
	if compare(&before, &t).Any() {
		return viewTenant(&t), s.tellOwners(ctx, by, &t)
	}
	return viewTenant(&t), nil
}

// TryTenant shows what ChangeTenant would make of the tenant, and changes nothing. *web.Invalid.
func (s *Service) TryTenant(ctx context.Context, by *web.Actor, id string, in TenantFields) (Tenant, error) {
	t, err := s.admit(ctx, by, id, helping)
	if err != nil {
		return Tenant{}, err
	}
	err = s.changeable(ctx, by, &t, in)
	return viewTenant(&t), err
}

// changeable applies the change, unless it takes away a user type that somebody has.
func (s *Service) changeable(ctx context.Context, by *web.Actor, t *storage.Tenant, in TenantFields) error {
	identify(t)
	before := *t
	if err := s.speaks(in.Language); err != nil {
		return err
	}
	if err := in.apply(t); err != nil {
		return err
	}
	if err := s.keepsNobodyOut(ctx, by, &before, t); err != nil {
		return err
	}
	for _, gone := range before.UserTypes {
		if slices.Contains(t.UserTypes, gone) {
			continue
		}
		users, err := s.Store.Users.List(ctx, storage.Query{Tenant: t.ID, Field: "type", Value: gone, Limit: 1})
		if err != nil {
			return fmt.Errorf("look for users of type %s: %w", gone, err)
		}
		if len(users) > 0 {
			return invalid("user_types", fmt.Sprintf("some users are of type %q", gone), "give them another type first")
		}
		named := func(r storage.Rule) bool { return slices.Contains(r.When.UserTypes, gone) }
		if i := slices.IndexFunc(t.Rules, named); i >= 0 {
			return invalid("user_types", fmt.Sprintf("the rule %q is about type %q", t.Rules[i].Name, gone),
				"turn that rule off first")
		}
	}
	return nil
}

// speaks tells whether there are pages in a language that a tenant chose, if it chose one.
func (s *Service) speaks(tag *string) error {
	known := s.Notices.UI.Languages()
	if tag == nil || *tag == "" || slices.Contains(known, *tag) {
		return nil
	}
	return invalid("language", fmt.Sprintf("%q is no language of the pages", *tag), "choose one of "+listed(known))
}

// SetTenantDisabled keeps all of a tenant's users out, or lets them in again. Nothing is lost. *web.Invalid.
func (s *Service) SetTenantDisabled(ctx context.Context, by *web.Actor, id string, disabled bool) (Tenant, error) {
	t, err := s.admit(ctx, by, id, operating)
	if err != nil {
		return Tenant{}, err
	}
	err = s.audited(ctx, about(by, id, onOff("tenant", disabled)), func() error {
		t, err = storage.Change(ctx, s.Store.Tenants, storage.Global, id, func(t *storage.Tenant) error {
			t.Disabled = disabled
			return nil
		})
		return err
	})
	if err != nil {
		return Tenant{}, err
	}
	return viewTenant(&t), nil
}

func onOff(kind string, disabled bool) string {
	if disabled {
		return kind + ".disable"
	}
	return kind + ".enable"
}

func listed(words []string) string { return strings.Join(words, ", ") }
