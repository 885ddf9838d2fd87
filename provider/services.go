package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/sallyport-id/sallyport/provider/account"
	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/api"
	"github.com/sallyport-id/sallyport/provider/console"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/oidc"
	"github.com/sallyport-id/sallyport/provider/place"
	"github.com/sallyport-id/sallyport/provider/rescue"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// services makes the services. Those made first reach those made later through the Provider, once requests come in.
func (p *Provider) services() error {
	c := p.config
	notices := &mail.Notifier{
		Sender: p.mail(), UI: p.server.UI, Product: c.Product, Logger: c.Logger, Now: c.Now,
		NotMe: func(u *storage.User) (string, error) { return p.rescue.NotMe(u) },
		Place: func(address, lang string) (string, bool) {
			at := place.Of(c.Places, address)
			return at.In(lang), at.Private
		},
	}
	quota := &credential.Quota{Counters: c.Store.Counters, Now: c.Now}
	var err error
	if p.factors, err = p.employ(quota); err != nil {
		return fmt.Errorf("provider: %w", err)
	}
	keeper := &credential.Keeper{
		Credentials: c.Store.Credentials, Users: c.Store.Users, Counters: c.Store.Counters, Seal: p.keys, Factors: p.factors,
		Product: c.Product, Logger: c.Logger, Now: c.Now,
	}
	p.hooks = &hook.Runner{Hooks: c.Hooks, Audit: p.audit, Logger: c.Logger}
	p.login, err = login.New(login.Config{
		Store: c.Store, Keys: p.keys, Directory: c.Directory, Credentials: keeper, Audit: p.audit, Notices: notices,
		Continue: p.proceed, Refuse: p.refuse, Ended: p.ended, Stolen: p.stolen, Hooks: p.hooks,
		Lost: func(ctx context.Context, by *web.Actor, who credential.Person) error {
			return p.rescue.Lost(ctx, by, who)
		},
		Now: c.Now,
	})
	if err != nil {
		return fmt.Errorf("provider: %w", err)
	}
	p.server.Identify, p.server.Challenge = p.login.Identify, p.login.Challenge
	p.oidc, err = oidc.New(oidc.Config{
		Issuer: p.issuer, Store: c.Store, Keys: p.keys, Audit: p.audit, Login: gate{p.login}, Web: p.server, Hooks: p.hooks,
		ACRs: p.login.ACRs(), APIScopes: apiScopes(), Locales: p.server.UI.Languages(), Logger: c.Logger, Now: c.Now,
	})
	if err != nil {
		return fmt.Errorf("provider: %w", err)
	}
	p.server.Bearer = p.oidc.Bearer
	if err := p.selfService(keeper, quota, notices); err != nil {
		return fmt.Errorf("provider: %w", err)
	}
	if err := p.administration(keeper, notices); err != nil {
		return fmt.Errorf("provider: %w", err)
	}
	return nil
}

// selfService makes what users do for themselves.
func (p *Provider) selfService(keeper *credential.Keeper, quota *credential.Quota, notices *mail.Notifier) (err error) {
	c := p.config
	p.rescue, err = rescue.New(rescue.Config{
		Issuer: p.issuer, Store: c.Store, Keys: p.keys, Directory: c.Directory, Local: p.ours(), Credentials: keeper, Quota: quota,
		Audit: p.audit, Notices: notices, Hooks: p.hooks, Person: p.login.Person, Decision: p.login.DecisionFor, MayReset: login.MayReset,
		CheckPassword: p.login.CheckPassword, SignIn: login.SignInPath, SignInAs: p.login.SignInAs, Sealed: p.login.Sealed, Beside: p.login.Beside, EndAll: p.endAll, Logger: c.Logger,
		Now: c.Now,
	})
	if err != nil {
		return err
	}
	p.account, err = account.New(account.Config{
		Users: c.Store.Users, Sessions: c.Store.Sessions, Devices: c.Store.Devices, Grants: c.Store.Grants, Clients: c.Store.Clients,
		Keys: p.keys, Audit: p.audit, Notices: notices, Credentials: keeper, Directory: c.Directory, Local: p.ours(), Emails: p.rescue,
		Hooks: p.hooks, Places: c.Places, Decision: p.login.Decision, CheckPassword: p.login.CheckPassword, Renew: p.login.Renew,
		EndSession: p.login.EndSession, EndOthers: p.login.EndOthers, EndGrants: p.oidc.EndGrants, Now: c.Now,
	})
	return err
}

// administration makes what owners, admins and their programs do.
func (p *Provider) administration(keeper *credential.Keeper, notices *mail.Notifier) (err error) {
	c := p.config
	p.admin, err = admin.New(admin.Config{
		Store: c.Store, Keys: p.keys, Audit: p.audit, Directory: p.local, Credentials: keeper, Notices: notices, WebhookService: p.webhooks,
		Decision: p.login.Decision, Asked: p.login.Asked, Foresee: p.login.Foresee, EndAll: p.endAll, SecretPurpose: oidc.SecretPurpose, Now: c.Now,
		Inviter: p.rescue, Addresses: p.rescue, Foreign: p.ours() == nil, SecurityPage: strings.TrimSuffix(p.issuer.String(), "/") + ui.PathSecurity,
	})
	if err != nil {
		return err
	}
	if p.transfer, err = p.transfers(); err != nil {
		return err
	}
	p.console, err = console.New(console.Config{
		Admin: p.admin, Transfer: p.transfer, Credentials: keeper, Store: c.Store, Keys: p.keys, Issuer: p.issuer.String(),
		Logger: c.Logger, Now: c.Now,
	})
	if err != nil {
		return err
	}
	p.api, err = api.New(api.Config{
		Issuer: p.issuer, Store: c.Store, Keys: p.keys, Admin: p.admin, Transfer: p.transfer, Logger: c.Logger, Now: c.Now,
	})
	if err != nil {
		return err
	}
	p.server.Once = p.api.Once
	return nil
}

// apiScopes are the names of the scopes that the API knows.
func apiScopes() []string {
	var names []string
	for _, s := range api.Scopes() {
		names = append(names, s.Name)
	}
	return names
}
