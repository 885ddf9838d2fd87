package credential

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/storage"
)

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
