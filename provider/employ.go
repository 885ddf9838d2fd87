package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/backup"
	"github.com/sallyport-id/sallyport/mfa/recovery"
	"github.com/sallyport-id/sallyport/provider/account"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/rescue"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// employ adds backup and recovery codes to the factors that were given, and puts all to work in this deployment.
func (p *Provider) employ(quota mfa.Quota) ([]mfa.Factor, error) {
	all := slices.Clone(p.config.Factors)
	without := func(e mfa.Enrolment) bool {
		return !slices.ContainsFunc(all, func(f mfa.Factor) bool { return f.Info().Enrolment == e })
	}
	if without(mfa.Automatic) {
		all = append(all, backup.Factor{})
	}
	if without(mfa.ByOwner) {
		all = append(all, recovery.Factor{})
	}
	host := mfa.Host{
		Issuer: p.issuer, Product: p.config.Product, Now: p.config.Now, Key: p.keys.Derive, Quota: quota, Logger: p.config.Logger,
		Say: func(lang, key string, pairs ...any) string {
			return p.server.UI.Text(p.server.UI.Language(lang), ui.Say(key, pairs...))
		},
		Sent: p.sent,
	}
	for i, f := range all {
		guest, ok := f.(mfa.Guest)
		if !ok {
			continue
		}
		var err error
		if all[i], err = guest.In(host); err != nil {
			return nil, fmt.Errorf("factor %s: %w", f.Info().ID, err)
		}
	}
	return all, nil
}

// mail is the sender that was given, behind a durable queue unless it keeps mails by itself.
func (p *Provider) mail() mail.Sender {
	if k, ok := p.config.Mail.(mail.Keeper); ok && k.Keeps() {
		return p.config.Mail
	}
	p.queue = &mail.Queue{
		Messages: p.config.Store.Messages, Sender: p.config.Mail, Seal: p.keys, Now: p.config.Now, Logger: p.config.Logger,
	}
	return p.queue
}

// checkPassword checks a password outside of the sign-in.
func (p *Provider) checkPassword(ctx context.Context, by *web.Actor, who credential.Person, password string) error {
	err := p.login.CheckPassword(ctx, by, who, password)
	if errors.Is(err, login.ErrPassword) {
		return errors.Join(rescue.ErrWrong, err)
	}
	return err
}

// rightPassword tells whether a password is the user's.
func (p *Provider) rightPassword(ctx context.Context, by *web.Actor, who credential.Person, password string) (bool, error) {
	err := p.login.CheckPassword(ctx, by, who, password)
	if errors.Is(err, login.ErrPassword) {
		return false, nil
	}
	return err == nil, err
}

// builtIn tells whether the users are ours to change: another directory keeps its own.
func (p *Provider) builtIn() bool { return p.config.Directory == directory.Directory(p.local) }

// changeEmail gives users another address, where they are ours to change.
func (p *Provider) changeEmail() func(ctx context.Context, u *storage.User, email string) error {
	if !p.builtIn() {
		return nil
	}
	return p.local.ChangeEmail
}

// renamer changes users' names, where they are ours to change.
func (p *Provider) renamer() account.Renamer {
	if !p.builtIn() {
		return nil
	}
	return p.local
}
