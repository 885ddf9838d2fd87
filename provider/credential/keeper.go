package credential

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/storage"
)

// Sealer seals under a tenant's key.
type Sealer interface {
	SealFor(ctx context.Context, tenant, purpose string, plain []byte) ([]byte, error)
	OpenFor(ctx context.Context, tenant, purpose string, sealed []byte) ([]byte, error)
}

// Keeper enrols, challenges and verifies the factors of users. What factors remember it seals and stores, and
// whatever a factor accepts it spends by compare-and-swap, so that no answer is good twice.
type Keeper struct {
	Credentials storage.Table[storage.Credential]
	Counters    storage.Table[storage.Counter]
	Seal        Sealer
	// Factors are those that can be used, the best first.
	Factors []mfa.Factor
	// Product is the name that authenticator apps show for tenants that have none.
	Product string
	Now     func() time.Time
}

// Purposes of what is sealed. One kind of secret can't be passed off as another.
const (
	sealCredential = "credential"
	sealChallenge  = "challenge"
	sealEnrolment  = "enrolment"
	sealCodes      = "codes"
)

// purposeOf binds what a credential holds to its place: moved to another user's record, or another factor's, it does
// not open.
func purposeOf(c storage.Credential) string {
	return sealCredential + "/" + c.User + "/" + c.Factor + "/" + c.ID
}

// pendingLife is how long a challenge or a set-up waits for its answer.
const pendingLife = 15 * time.Minute

var (
	// ErrUnknownFactor: there is no factor of that ID, or the user has none of it.
	ErrUnknownFactor = errors.New("credential: no such factor")
	// ErrNothingPending: there is no challenge or set-up under way, or its time is over.
	ErrNothingPending = errors.New("credential: nothing waits for an answer")
	// ErrOff: the factor is off after too many wrong answers in a row.
	ErrOff = errors.New("credential: factor is off")
)

// Locked refuses all answers until a time, because too many were wrong.
type Locked struct{ Until time.Time }

// Error implements error.
func (l *Locked) Error() string { return "credential: locked until " + l.Until.Format(time.RFC3339) }

// Factor finds a factor by its ID.
func (k *Keeper) Factor(id string) (mfa.Factor, error) {
	for _, f := range k.Factors {
		if f.Info().ID == id {
			return f, nil
		}
	}
	return nil, fmt.Errorf("%w: %q", ErrUnknownFactor, id)
}

// List returns all of a user's credentials. Those of factors that this deployment no longer has are left out.
func (k *Keeper) List(ctx context.Context, p Person) ([]storage.Credential, error) {
	all, err := k.Credentials.List(ctx, storage.Query{Tenant: p.User.Tenant, Field: "user", Value: p.User.ID, Limit: 1000})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(c storage.Credential) bool {
		_, err := k.Factor(c.Factor)
		return err != nil
	}), nil
}

// Primary keeps the credentials that are a second step by themselves, and not only a stand-in for one.
func (k *Keeper) Primary(all []storage.Credential) []storage.Credential {
	return slices.DeleteFunc(slices.Clone(all), func(c storage.Credential) bool {
		f, err := k.Factor(c.Factor)
		return err != nil || f.Info().Backup
	})
}

// user is what a factor may know of the person; held are the credentials of that factor, where it is to know them.
func (k *Keeper) user(p Person, held []mfa.Credential) mfa.User {
	account := p.User.Email
	if account == "" {
		account = p.User.Login
	}
	options := map[string]string{}
	if d := p.Tenant.Settings.TOTPDigits; d != 0 {
		options["totp.digits"] = strconv.Itoa(d)
	}
	if a := p.Tenant.Settings.TOTPAlgorithm; a != "" {
		options["totp.algorithm"] = a
	}
	if n := p.Tenant.Settings.BackupCodes; n != 0 {
		options["backup.codes"] = strconv.Itoa(n)
	}
	if c := p.Tenant.Settings.SMSCountries; len(c) > 0 {
		options["sms.countries"] = strings.Join(c, ",")
	}
	if n := p.Tenant.Settings.SMSBudget; n != 0 {
		options["sms.budget"] = strconv.Itoa(n)
	}
	// The tenant's name tells apart the accounts that one person has with several tenants.
	issuer := p.Tenant.Name
	if issuer == "" {
		issuer = k.Product
	}
	return mfa.User{
		Tenant: p.User.Tenant, ID: p.User.ID, Account: account, Issuer: issuer, Lang: p.User.Locale, Options: options, Held: held,
	}
}

// holder is the user who sets a factor up, with the credentials of it that there are already.
func (k *Keeper) holder(ctx context.Context, p Person, factor string) (mfa.User, error) {
	all, err := k.List(ctx, p)
	if err != nil {
		return mfa.User{}, err
	}
	_, creds, err := k.open(ctx, all, factor)
	return k.user(p, creds), err
}

// open unseals the credentials of one factor.
func (k *Keeper) open(ctx context.Context, all []storage.Credential, factor string) (map[string]storage.Credential, []mfa.Credential, error) {
	kept := map[string]storage.Credential{}
	var creds []mfa.Credential
	for _, c := range all {
		if c.Factor != factor {
			continue
		}
		data, err := k.Seal.OpenFor(ctx, c.Tenant, purposeOf(c), c.Data)
		if err != nil {
			return nil, nil, fmt.Errorf("credential %s: %w", c.ID, err)
		}
		kept[c.ID] = c
		creds = append(creds, mfa.Credential{ID: c.ID, Name: c.Name, Note: c.Note, Data: data, Left: c.Left, Expires: c.Expires})
	}
	return kept, creds, nil
}

// Challenge puts a factor's question, and shows its prompt. What must be remembered for the answer is in the Pending,
// sealed; where there is nothing to remember its State is empty, and it need not be stored.
func (k *Keeper) Challenge(ctx context.Context, p Person, factor string) (storage.Pending, mfa.Prompt, error) {
	f, err := k.Factor(factor)
	if err != nil {
		return storage.Pending{}, mfa.Prompt{}, err
	}
	all, err := k.List(ctx, p)
	if err != nil {
		return storage.Pending{}, mfa.Prompt{}, err
	}
	_, creds, err := k.open(ctx, all, factor)
	if err != nil {
		return storage.Pending{}, mfa.Prompt{}, err
	}
	if len(creds) == 0 {
		// Whether an owner handed a code out is not for the page to tell.
		if f.Info().Enrolment == mfa.ByOwner {
			return storage.Pending{}, mfa.Prompt{}, nil
		}
		return storage.Pending{}, mfa.Prompt{}, fmt.Errorf("%w: user has no %q", ErrUnknownFactor, factor)
	}
	ch, err := f.Challenge(ctx, k.user(p, nil), creds)
	if err != nil {
		return storage.Pending{}, mfa.Prompt{}, fmt.Errorf("challenge by %s: %w", factor, err)
	}
	if len(ch.State) == 0 {
		return storage.Pending{}, ch.Prompt, nil
	}
	sealed, err := k.sealJSON(ctx, p, sealChallenge+"/"+factor, ch)
	return storage.Pending{State: sealed, At: k.Now()}, ch.Prompt, err
}

// Repeat sends a pending challenge's question again, and returns what answers are checked against from now on.
// *mfa.Refused.
func (k *Keeper) Repeat(ctx context.Context, p Person, factor string, pending storage.Pending) (storage.Pending, error) {
	f, err := k.Factor(factor)
	if err != nil {
		return pending, err
	}
	r, ok := f.(mfa.Repeater)
	if !ok {
		return pending, fmt.Errorf("%w: %q has nothing to send again", ErrUnknownFactor, factor)
	}
	ch, err := k.pending(ctx, p, factor, pending)
	if err != nil {
		return pending, err
	}
	if ch, err = r.Repeat(ctx, k.user(p, nil), ch); err != nil {
		return pending, fmt.Errorf("challenge by %s: %w", factor, err)
	}
	pending.State, err = k.sealJSON(ctx, p, sealChallenge+"/"+factor, ch)
	return pending, err
}

// Prompt shows again what a pending challenge showed.
func (k *Keeper) Prompt(ctx context.Context, p Person, factor string, pending storage.Pending) (mfa.Prompt, error) {
	ch, err := k.pending(ctx, p, factor, pending)
	return ch.Prompt, err
}

func (k *Keeper) pending(ctx context.Context, p Person, factor string, pending storage.Pending) (mfa.Challenge, error) {
	var ch mfa.Challenge
	if len(pending.State) == 0 || k.Now().Sub(pending.At) > pendingLife {
		return ch, ErrNothingPending
	}
	if err := k.openJSON(ctx, p, sealChallenge+"/"+factor, pending.State, &ch); err != nil {
		return ch, err
	}
	if k.over(ch) {
		return ch, ErrNothingPending
	}
	return ch, nil
}

// over tells whether a question can't be answered any more.
func (k *Keeper) over(ch mfa.Challenge) bool {
	return !ch.Prompt.Until.IsZero() && !k.Now().Before(ch.Prompt.Until)
}

// challenge is the challenge that an answer is for: the pending one, or, from a factor whose challenges have nothing
// to remember, a new one.
func (k *Keeper) challenge(ctx context.Context, p Person, f mfa.Factor, creds []mfa.Credential, pending storage.Pending) (mfa.Challenge, error) {
	if len(pending.State) > 0 {
		return k.pending(ctx, p, f.Info().ID, pending)
	}
	// To put it now would send a message with a code that nobody could answer with any more.
	if _, sends := f.(mfa.Repeater); sends {
		return mfa.Challenge{}, ErrNothingPending
	}
	ch, err := f.Challenge(ctx, k.user(p, nil), creds)
	if err != nil {
		return ch, fmt.Errorf("challenge by %s: %w", f.Info().ID, err)
	}
	if len(ch.State) > 0 {
		return ch, ErrNothingPending
	}
	return ch, nil
}

// Passed is a right answer.
type Passed struct {
	Proof storage.Proof
	// Left is how many more times the credential can be used; negative means without end.
	Left int
}

// Answer checks an answer to a pending challenge. The attempt is counted before the check is made; only what no code
// looks like costs nothing. Once it was right the caller has the count forgotten, by Forgive. A wrong answer is a
// *mfa.Wrong, too many are a *Locked. held are the user's credentials as List just read them: what one of them spends is
// spent only if nobody was faster.
func (k *Keeper) Answer(ctx context.Context, p Person, held []storage.Credential, factor string, pending storage.Pending, answer string) (Passed, error) {
	f, err := k.Factor(factor)
	if err != nil {
		return Passed{}, err
	}
	kept, creds, err := k.open(ctx, held, factor)
	if err != nil {
		return Passed{}, err
	}
	none := len(creds) == 0
	if none && f.Info().Enrolment != mfa.ByOwner {
		return Passed{}, fmt.Errorf("%w: user has no %q", ErrUnknownFactor, factor)
	}
	var ch mfa.Challenge
	if !none {
		if ch, err = k.challenge(ctx, p, f, creds, pending); err != nil {
			return Passed{}, err
		}
	}
	answer, err = input(f, ch).Clean(answer)
	if err != nil {
		return Passed{}, err
	}
	if err := k.count(ctx, p, factor); err != nil {
		return Passed{}, err
	}
	if none {
		// No owner handed a code out: a guess is as wrong as it would be if one had.
		return Passed{}, fmt.Errorf("answer to %s: %w", factor, &mfa.Wrong{Reason: mfa.Mismatch})
	}
	return k.check(ctx, p, f, kept, creds, ch, answer)
}

// check has a factor check an answer, and spends what was right.
func (k *Keeper) check(ctx context.Context, p Person, f mfa.Factor, kept map[string]storage.Credential, creds []mfa.Credential, ch mfa.Challenge, answer string) (Passed, error) {
	factor := f.Info().ID
	spent, err := f.Verify(ctx, k.user(p, nil), creds, ch, answer)
	if err != nil {
		return Passed{}, fmt.Errorf("answer to %s: %w", factor, k.burn(ctx, kept, spent, err))
	}
	c, ok := kept[spent.ID]
	if !ok {
		return Passed{}, fmt.Errorf("factor %s returned a credential that it was not given", factor)
	}
	if err := k.spend(ctx, &c, spent, k.Now()); err != nil {
		return Passed{}, err
	}
	return Passed{Proof: k.proof(f, spent, c.ID), Left: spent.Left}, nil
}

// spend stores the credential as the factor wants it kept. Whoever comes second with the same answer finds that the
// version has moved on, and is as wrong as somebody who comes a second later.
func (k *Keeper) spend(ctx context.Context, c *storage.Credential, spent mfa.Credential, used time.Time) error {
	sealed, err := k.Seal.SealFor(ctx, c.Tenant, purposeOf(*c), spent.Data)
	if err != nil {
		return err
	}
	c.Data, c.Left, c.Note, c.LastUsed = sealed, spent.Left, spent.Note, used
	err = k.Credentials.Replace(ctx, c)
	if errors.Is(err, storage.ErrConflict) {
		return &mfa.Wrong{Reason: mfa.Used}
	}
	return err
}

// burn keeps what a factor returned beside a wrong answer, before the answer's Drift is told.
func (k *Keeper) burn(ctx context.Context, kept map[string]storage.Credential, burnt mfa.Credential, wrong error) error {
	c, ok := kept[burnt.ID]
	var w *mfa.Wrong
	if !ok || !errors.As(wrong, &w) {
		return wrong
	}
	warned := burnt.Note != c.Note
	if err := k.spend(ctx, &c, burnt, c.LastUsed); err != nil {
		return &mfa.Wrong{Reason: w.Reason, Want: w.Want}
	}
	if warned {
		return errors.Join(wrong, &Warning{Credential: c})
	}
	return wrong
}

// Warning comes with a wrong answer that says something about the credential which its owner should hear of, such as
// that it may have been copied. The credential's Note says what.
type Warning struct{ Credential storage.Credential }

// Error implements error.
func (w *Warning) Error() string {
	return "credential: " + w.Credential.Factor + " noted: " + w.Credential.Note
}

func (k *Keeper) proof(f mfa.Factor, got mfa.Credential, credential string) storage.Proof {
	info := f.Info()
	if got.AMR != nil {
		info.AMR = got.AMR
	}
	return storage.Proof{
		Factor: info.ID, Credential: credential, AMR: info.AMR, PhishingResistant: info.PhishingResistant,
		Hardware: info.Hardware, Whole: got.Whole, Recovery: info.Enrolment == mfa.ByOwner, At: k.Now(),
	}
}

// input is what an answer to the challenge looks like.
func input(f mfa.Factor, ch mfa.Challenge) mfa.Input {
	if ch.Prompt.Input != (mfa.Input{}) {
		return ch.Prompt.Input
	}
	return f.Info().Input
}

// sealJSON seals for one user: what is sealed for another, or for another purpose, does not open.
func (k *Keeper) sealJSON(ctx context.Context, p Person, purpose string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return k.Seal.SealFor(ctx, p.User.Tenant, purpose+"/"+p.User.ID, plain)
}

func (k *Keeper) openJSON(ctx context.Context, p Person, purpose string, sealed []byte, v any) error {
	plain, err := k.Seal.OpenFor(ctx, p.User.Tenant, purpose+"/"+p.User.ID, sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, v)
}

// Discovered checks an answer to a question that was put to nobody in particular, for the user whom it names. It is not
// counted: what can't be guessed needs no limit, and a stranger must not be able to use one up. ErrUnknownFactor where
// the user has no such factor; a wrong answer is an mfa.ErrWrong.
func (k *Keeper) Discovered(ctx context.Context, p Person, f mfa.Factor, ch mfa.Challenge, answer string) (Passed, error) {
	answer, err := input(f, ch).Clean(answer)
	if err != nil {
		return Passed{}, err
	}
	all, err := k.List(ctx, p)
	if err != nil {
		return Passed{}, err
	}
	kept, creds, err := k.open(ctx, all, f.Info().ID)
	if err != nil {
		return Passed{}, err
	}
	if len(creds) == 0 {
		return Passed{}, fmt.Errorf("%w: user has no %q", ErrUnknownFactor, f.Info().ID)
	}
	passed, err := k.check(ctx, p, f, kept, creds, ch, answer)
	if err == nil && !passed.Proof.Whole {
		return Passed{}, fmt.Errorf("answer to %s: %w", f.Info().ID, &mfa.Wrong{Reason: mfa.Mismatch})
	}
	return passed, err
}

// Tell tells a user of a change on every device that a factor of the user's reaches. held are the credentials, which may
// be gone by now.
func (k *Keeper) Tell(ctx context.Context, p Person, held []storage.Credential, text string) error {
	var failed error
	for _, f := range k.Factors {
		m, ok := f.(mfa.Messenger)
		if !ok {
			continue
		}
		_, creds, err := k.open(ctx, held, f.Info().ID)
		if err == nil && len(creds) > 0 {
			err = m.Tell(ctx, k.user(p, nil), creds, text)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}
