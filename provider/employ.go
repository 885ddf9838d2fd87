package provider

import (
	"fmt"
	"slices"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/backup"
	"github.com/sallyport-id/sallyport/mfa/recovery"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/mail"
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

// ours is the built-in directory where the users are in it: another keeps its own, which are not ours to change.
func (p *Provider) ours() *directory.Local {
	if p.config.Directory != directory.Directory(p.local) {
		return nil
	}
	return p.local
}
