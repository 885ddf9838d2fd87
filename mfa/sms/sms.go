package sms

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
)

// ID is the factor's ID.
const ID = "sms"

// keyLength is the length of the derived keys in bytes.
const keyLength = 32

// Factor sends codes of its own making to phones: six digits, right for five minutes, in the sign-in or set-up that
// they were asked for in, and once. In puts it to work.
//
// A tenant narrows with the option "sms.countries" (ISO 3166-1 alpha-2 codes, separated by commas) the countries that
// are sent to, and with "sms.budget" overrides the Budget.
type Factor struct {
	// Sender is the gateway.
	Sender Sender
	// Countries are those whose numbers are sent to, as ISO 3166-1 alpha-2 codes; there is at least one. Numbers that
	// are typed without "+" are of the first.
	Countries []string
	// Budget is how many SMS a tenant may have sent a day; 0 means 500.
	Budget int

	host mfa.Host
	// origin is the host that codes are bound to, callback where gateways report to, if they can.
	origin, callback   string
	codeKey, numberKey []byte
}

var (
	_ mfa.Factor    = Factor{}
	_ mfa.Guest     = Factor{}
	_ mfa.Repeater  = Factor{}
	_ mfa.Messenger = Factor{}
	_ Reporter      = Factor{}
)

// In implements mfa.Guest. It checks the configuration.
func (f Factor) In(h mfa.Host) (mfa.Factor, error) {
	switch {
	case f.Sender == nil:
		return nil, errors.New("sms: Sender is missing")
	case f.Budget < 0:
		return nil, fmt.Errorf("sms: Budget is %d; it is a number of SMS a day", f.Budget)
	case h.Issuer == nil || h.Issuer.Hostname() == "":
		return nil, errors.New("sms: the deployment has no issuer")
	case h.Key == nil || h.Quota == nil || h.Say == nil:
		return nil, errors.New("sms: the deployment lacks a key, a quota or its words")
	}
	var err error
	if f.Countries, err = countries(f.Countries); err != nil {
		return nil, err
	}
	if f.Budget == 0 {
		f.Budget = defaultBudget
	}
	if h.Now == nil {
		h.Now = time.Now
	}
	f.host = h
	f.origin = strings.ToLower(h.Issuer.Hostname())
	if strings.Contains(f.origin, ":") {
		f.origin = "[" + f.origin + "]"
	}
	if _, ok := f.Sender.(Reporter); ok && reachable(h.Issuer) {
		f.callback = h.Issuer.JoinPath(CallbackPath).String()
	}
	f.codeKey, f.numberKey = h.Key("sms code", keyLength), h.Key("sms number", keyLength)
	if len(f.codeKey) != keyLength || len(f.numberKey) != keyLength {
		return nil, fmt.Errorf("sms: the deployment's keys are not of the %d bytes that were asked for", keyLength)
	}
	return f, nil
}

// Info implements mfa.Factor.
func (Factor) Info() mfa.Info {
	return mfa.Info{
		ID:        ID,
		Name:      "Text message (SMS)",
		AMR:       []string{"sms"},
		Enrolment: mfa.BySelf,
		Asks:      mfa.AsksPhone,
		Input:     mfa.Input{Digits: digits},
	}
}

// Enroll sends a code to the number that input is.
func (f Factor) Enroll(ctx context.Context, u mfa.User, input string) (mfa.Challenge, error) {
	if err := f.ready(u); err != nil {
		return mfa.Challenge{}, err
	}
	to, err := f.number(u, input)
	if err != nil {
		return mfa.Challenge{}, err
	}
	return f.ask(ctx, u, asked{Factor: ID, ID: strings.ToLower(rand.Text()), SetUp: true, Tenant: u.Tenant, User: u.ID, Number: to})
}

// Confirm takes the code that Enroll sent: the phone is the user's.
func (f Factor) Confirm(_ context.Context, u mfa.User, ch mfa.Challenge, answer string) (mfa.Credential, error) {
	a, err := f.answered(u, ch, answer)
	if err != nil {
		return mfa.Credential{}, err
	}
	if !a.SetUp {
		return mfa.Credential{}, errors.New("sms: the challenge is of a sign-in, not of a set-up")
	}
	if err := a.right(f.codeKey, answer, f.now()); err != nil {
		return mfa.Credential{}, err
	}
	c := mfa.Credential{ID: strings.ToLower(rand.Text()), Note: mask(a.Number), Left: -1}
	c.Data, err = mfa.Pack(kept{Tenant: u.Tenant, User: u.ID, Number: a.Number})
	return c, err
}

// Challenge sends a code to the number that was set up last.
func (f Factor) Challenge(ctx context.Context, u mfa.User, creds []mfa.Credential) (mfa.Challenge, error) {
	if err := f.ready(u); err != nil {
		return mfa.Challenge{}, err
	}
	err := errNoCredential
	for _, c := range slices.Backward(creds) {
		k, e := readKept(c, u)
		if e != nil {
			// A number that can't be read must not keep the user from signing in with another.
			err = e
			continue
		}
		return f.ask(ctx, u, asked{
			Factor: ID, ID: strings.ToLower(rand.Text()), Tenant: u.Tenant, User: u.ID, Credential: c.ID, Number: k.Number,
		})
	}
	return mfa.Challenge{}, err
}

// Repeat implements mfa.Repeater: it sends another code, beside which those sent before stay right until they expire.
func (f Factor) Repeat(ctx context.Context, u mfa.User, ch mfa.Challenge) (mfa.Challenge, error) {
	if err := f.ready(u); err != nil {
		return mfa.Challenge{}, err
	}
	a, err := readAsked(ch.State, u)
	if err != nil {
		return mfa.Challenge{}, err
	}
	return f.ask(ctx, u, a)
}

// Verify takes a code of this challenge and returns the credential with the challenge marked as answered: that code,
// and all others that were sent for it, are spent.
func (f Factor) Verify(_ context.Context, u mfa.User, creds []mfa.Credential, ch mfa.Challenge, answer string) (mfa.Credential, error) {
	a, err := f.answered(u, ch, answer)
	if err != nil {
		return mfa.Credential{}, err
	}
	i := slices.IndexFunc(creds, func(c mfa.Credential) bool { return c.ID == a.Credential })
	switch {
	case a.SetUp:
		return mfa.Credential{}, errors.New("sms: the challenge is of a set-up, not of a sign-in")
	case i < 0:
		return mfa.Credential{}, errNoCredential
	}
	c := creds[i]
	k, err := readKept(c, u)
	if err != nil {
		return mfa.Credential{}, err
	}
	if k.Number != a.Number {
		return mfa.Credential{}, fmt.Errorf("sms: credential %q has another number than was asked", c.ID)
	}
	now := f.now()
	if err := a.right(f.codeKey, answer, now); err != nil {
		return mfa.Credential{}, err
	}
	if slices.ContainsFunc(k.Spent, func(s spent) bool { return s.Challenge == a.ID }) {
		return mfa.Credential{}, &mfa.Wrong{Reason: mfa.Used}
	}
	k.Spent = slices.DeleteFunc(k.Spent, func(s spent) bool { return !now.Before(s.Until) })
	k.Spent = append(k.Spent, spent{Challenge: a.ID, Until: a.until()})
	c.Data, err = mfa.Pack(k)
	return c, err
}

// Tell implements mfa.Messenger: it sends text to each of the numbers. Notices are limited for themselves, so that they
// take no codes from their user, and count in the budget.
func (f Factor) Tell(ctx context.Context, u mfa.User, creds []mfa.Credential, text string) error {
	if err := f.ready(u); err != nil {
		return err
	}
	var failed error
	told := map[string]bool{}
	for _, c := range creds {
		k, err := readKept(c, u)
		if err == nil && !told[k.Number] {
			told[k.Number] = true
			err = f.deliver(ctx, u, k.Number, strings.TrimSpace(text), mfa.Limit{Name: "sms/tell/" + u.ID, Most: mostAnHour, Per: time.Hour})
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// Report implements Reporter, if the Sender does: what nobody was told to report is ErrForged.
func (f Factor) Report(r *http.Request, public string) (Report, error) {
	if s, ok := f.Sender.(Reporter); ok {
		return s.Report(r, public)
	}
	return Report{}, fmt.Errorf("%w: it makes none", ErrForged)
}

var errNoCredential = errors.New("sms: the user has no such number")

// ask sends a fresh code for a and returns the challenge that knows it.
func (f Factor) ask(ctx context.Context, u mfa.User, a asked) (mfa.Challenge, error) {
	drawn, err := newCode()
	if err != nil {
		return mfa.Challenge{}, err
	}
	if err := f.deliver(ctx, u, a.Number, f.text(u, drawn), f.codeLimits(u, a)...); err != nil {
		return mfa.Challenge{}, err
	}
	now := f.now()
	a.Codes = append(slices.Clone(a.Codes), code{Hash: a.hash(f.codeKey, drawn), Until: now.Add(lifetime)})
	a.Codes = a.Codes[max(0, len(a.Codes)-mostCodes):]
	state, err := mfa.Pack(a)
	if err != nil {
		return mfa.Challenge{}, err
	}
	return mfa.Challenge{
		Prompt: mfa.Prompt{Target: mask(a.Number), Again: now.Add(gap), Input: mfa.Input{Digits: digits}},
		State:  state,
	}, nil
}

// answered reads the challenge that a well-formed answer is for.
func (f Factor) answered(u mfa.User, ch mfa.Challenge, answer string) (asked, error) {
	if err := f.ready(u); err != nil {
		return asked{}, err
	}
	if err := wellFormed(answer); err != nil {
		return asked{}, err
	}
	return readAsked(ch.State, u)
}

// wellFormed refuses what no code looks like, and answers that the service would have cleaned first.
func wellFormed(answer string) error {
	in := mfa.Input{Digits: digits}
	clean, err := in.Clean(answer)
	if err != nil {
		return err
	}
	if clean != answer {
		return &mfa.Wrong{Reason: mfa.Format, Want: digits}
	}
	return nil
}

// ready refuses to work outside of a deployment, or for nobody: hashes would be anyone's.
func (f Factor) ready(u mfa.User) error {
	if f.host.Quota == nil {
		return errors.New("sms: the factor is in no deployment: call In first")
	}
	if u.Tenant == "" || u.ID == "" {
		return errors.New("sms: the user has no tenant or no ID")
	}
	return nil
}

// reachable tells whether a gateway can post to the issuer: development on one machine it can't reach, and Twilio
// refuses messages that name such a URL.
func reachable(issuer *url.URL) bool {
	host := strings.ToLower(issuer.Hostname())
	ip := net.ParseIP(host)
	return issuer.Scheme == "https" && host != "localhost" && !strings.HasSuffix(host, ".localhost") && (ip == nil || !ip.IsLoopback())
}

func (f Factor) now() time.Time { return f.host.Now().UTC().Round(0) }
