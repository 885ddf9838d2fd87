package sms

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/storage"
)

// The limits. They are counted before the gateway is called, so that a failing gateway is not hammered either.
const (
	// gap is the time between two codes to one account.
	gap = 30 * time.Second
	// mostAnHour is how many codes an account, and how many notices it, is sent an hour.
	mostAnHour = 5
	// mostToNumber is how many codes go to a number in numberPer, whoever asks for them: two accounts, or two tenants,
	// are no way around what its owner is to be spared.
	mostToNumber = 3
	numberPer    = 10 * time.Minute
	// defaultBudget is how many SMS a tenant may have sent a day.
	defaultBudget = 500
)

// deliver sends text to one of u's numbers, if the country is sent to, the limits allow it and then the tenant's
// budget. *mfa.Refused.
func (f Factor) deliver(ctx context.Context, u mfa.User, number, text string, limits ...mfa.Limit) error {
	if err := f.permitted(u, number); err != nil {
		return err
	}
	budget, err := f.budget(u)
	if err != nil {
		return err
	}
	if err := f.host.Quota.Take(ctx, u.Tenant, append(limits, budget)...); err != nil {
		return fmt.Errorf("sms: %w", err)
	}
	m := Message{ID: strings.ToLower(rand.Text()), Tenant: u.Tenant, User: u.ID, To: number, Text: text}
	if f.callback != "" {
		m.Callback = callback(f.callback, m)
	}
	if err := m.Check(); err != nil {
		return err
	}
	switch err := f.Sender.Send(ctx, m); {
	case err == nil:
		if f.host.Sent != nil {
			f.host.Sent(ctx, u.Tenant, ID)
		}
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("sms: %w", context.Cause(ctx)) // whoever asked is gone: that says nothing about the gateway
	case errors.Is(err, ErrUndeliverable):
		return &mfa.Refused{Reason: mfa.Undeliverable, Err: err}
	default:
		return &mfa.Refused{Reason: mfa.Gateway, Err: err}
	}
}

// codeLimits are what the sending of codes is bound by, beside the budget.
func (f Factor) codeLimits(u mfa.User, a asked) []mfa.Limit {
	// Whose number it is can't be told from the name of its counter.
	hashed := hex.EncodeToString(mfa.Keyed(f.numberKey, a.Number)[:16])
	limits := []mfa.Limit{
		{Name: "sms/gap/" + u.ID, Most: 1, Per: gap},
		{Name: "sms/user/" + u.ID, Most: mostAnHour, Per: time.Hour},
	}
	if a.SetUp {
		// Anybody can type anybody's number in: one is left for whose number it is.
		limits = append(limits, mfa.Limit{Name: "sms/typed/" + hashed, Most: mostToNumber - 1, Per: numberPer, Everywhere: true})
	}
	return append(limits, mfa.Limit{Name: "sms/number/" + hashed, Most: mostToNumber, Per: numberPer, Everywhere: true})
}

// budget is the tenant's, of the option "sms.budget" or the deployment's.
func (f Factor) budget(u mfa.User) (mfa.Limit, error) {
	most := f.Budget
	if option := u.Options["sms.budget"]; option != "" {
		n, err := strconv.Atoi(option)
		if err != nil || n < 1 {
			return mfa.Limit{}, fmt.Errorf("sms: option sms.budget is %q, not a number from 1", option)
		}
		most = n
	}
	// Another user, or this one tomorrow: waiting for it is no advice, so it has a reason of its own.
	return mfa.Limit{Name: "sms/budget", Most: most, Per: 24 * time.Hour, Refusal: mfa.Budget}, nil
}

// Daily is how many SMS the tenant of u may have sent a day.
func (f Factor) Daily(u mfa.User) (int, error) {
	l, err := f.budget(u)
	return l.Most, err
}

// text is the SMS that carries a code. Its last line binds the code to the issuer's host, so that browsers offer it
// there and nowhere else (Origin-bound one-time codes delivered via SMS, section 3).
func (f Factor) text(u mfa.User, code string) string {
	product := line(u.Issuer)
	if product == "" {
		product = line(f.host.Product)
	}
	said := f.host.Say(u.Lang, "sms.code", "code", code, "product", product, "n", int(lifetime/time.Minute))
	return strings.TrimSpace(said) + "\n\n@" + f.origin + " #" + code
}

// line makes one short line of a name: a tenant's name must bring neither last lines of its own, nor links to numbers that
// anybody can type in, nor parts to pay for.
func line(name string) string {
	name = storage.Unlinked(name)
	if r := []rune(name); len(r) > 40 {
		name = string(r[:40])
	}
	return name
}
