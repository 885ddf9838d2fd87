package credential

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/storage"
)

// SettingUp is a set-up under way, unsealed.
type SettingUp struct {
	Factor mfa.Factor
	Prompt mfa.Prompt
	// Input is what the first answer looks like.
	Input mfa.Input
	state []byte
	// input is what the set-up was begun with.
	input string
	// Replaces is the ID of the credential whose place the new one takes; empty where it is one more.
	Replaces string
}

// enrolment is what waits, sealed, until a set-up is confirmed.
type enrolment struct {
	Challenge mfa.Challenge `json:"challenge"`
	Input     string        `json:"input,omitempty"`
	Replaces  string        `json:"replaces,omitempty"`
}

// Settable are the factors that users set up by themselves, the best first.
func (k *Keeper) Settable() []mfa.Factor {
	return slices.DeleteFunc(slices.Clone(k.Factors), func(f mfa.Factor) bool {
		i := f.Info()
		return i.Enrolment != mfa.BySelf || i.Backup
	})
}

// BeginEnrolment begins to set a factor up. Its secret waits, sealed, in the Enrolling. Where replaces is the ID of a
// credential of the same factor, that stays as good as it is until ConfirmEnrolment puts the new one in its place.
func (k *Keeper) BeginEnrolment(ctx context.Context, p Person, factor, in, replaces string) (*storage.Enrolling, error) {
	f, err := k.Factor(factor)
	if err != nil {
		return nil, err
	}
	if f.Info().Enrolment != mfa.BySelf {
		return nil, fmt.Errorf("%w: %q is not set up by its user", ErrUnknownFactor, factor)
	}
	u, err := k.holder(ctx, p, factor)
	if err != nil {
		return nil, err
	}
	ch, err := f.Enroll(ctx, u, in)
	if err != nil {
		return nil, fmt.Errorf("set-up of %s: %w", factor, err)
	}
	return k.enrolling(ctx, p, factor, enrolment{Challenge: ch, Input: in, Replaces: replaces}, k.Now())
}

func (k *Keeper) enrolling(ctx context.Context, p Person, factor string, e enrolment, at time.Time) (*storage.Enrolling, error) {
	sealed, err := k.sealJSON(ctx, p, sealEnrolment+"/"+factor, e)
	if err != nil {
		return nil, err
	}
	return &storage.Enrolling{Factor: factor, Challenge: sealed, At: at}, nil
}

// RepeatEnrolment sends the question of a set-up again. Its time goes on from where it began. *mfa.Refused.
func (k *Keeper) RepeatEnrolment(ctx context.Context, p Person, e *storage.Enrolling) (*storage.Enrolling, error) {
	s, err := k.Enrolment(ctx, p, e)
	if err != nil {
		return nil, err
	}
	r, ok := s.Factor.(mfa.Repeater)
	if !ok {
		return nil, fmt.Errorf("%w: %q has nothing to send again", ErrUnknownFactor, e.Factor)
	}
	ch, err := r.Repeat(ctx, k.user(p, nil), mfa.Challenge{Prompt: s.Prompt, State: s.state})
	if err != nil {
		return nil, fmt.Errorf("set-up of %s: %w", e.Factor, err)
	}
	return k.enrolling(ctx, p, e.Factor, enrolment{Challenge: ch, Input: s.input, Replaces: s.Replaces}, e.At)
}

// Enrolment opens a set-up under way. ErrNothingPending where there is none, or its time is over.
func (k *Keeper) Enrolment(ctx context.Context, p Person, e *storage.Enrolling) (SettingUp, error) {
	if e == nil || k.Now().Sub(e.At) > pendingLife {
		return SettingUp{}, ErrNothingPending
	}
	f, err := k.Factor(e.Factor)
	if err != nil {
		return SettingUp{}, err
	}
	var under enrolment
	if err := k.openJSON(ctx, p, sealEnrolment+"/"+e.Factor, e.Challenge, &under); err != nil {
		return SettingUp{}, err
	}
	ch := under.Challenge
	if k.over(ch) {
		return SettingUp{}, ErrNothingPending
	}
	return SettingUp{Factor: f, Prompt: ch.Prompt, Input: input(f, ch), Replaces: under.Replaces, state: ch.State, input: under.Input}, nil
}

// Enrolled is a set-up that succeeded.
type Enrolled struct {
	Credential storage.Credential
	Proof      storage.Proof
	// Codes are the backup codes that came with a first factor; none where there was a factor already.
	Codes []string
	// Replaced is the credential whose place it took, as it was; nil where it is one more.
	Replaced *storage.Credential
}

// ConfirmEnrolment ends a set-up with the first answer, and stores the credential once accept agrees. With the first
// factor come backup codes. Wrong answers count like those at sign-in: a set-up page is no place to guess.
func (k *Keeper) ConfirmEnrolment(ctx context.Context, p Person, e *storage.Enrolling, answer string, accept Accept) (Enrolled, error) {
	s, err := k.Enrolment(ctx, p, e)
	if err != nil {
		return Enrolled{}, err
	}
	answer, err = s.Input.Clean(answer)
	if err != nil {
		return Enrolled{}, err
	}
	if err := k.count(ctx, p, e.Factor); err != nil {
		return Enrolled{}, err
	}
	u, err := k.holder(ctx, p, e.Factor)
	if err != nil {
		return Enrolled{}, err
	}
	got, err := s.Factor.Confirm(ctx, u, mfa.Challenge{Prompt: s.Prompt, State: s.state}, answer)
	if err != nil {
		return Enrolled{}, fmt.Errorf("set-up of %s: %w", e.Factor, err)
	}
	if err := k.Forgive(ctx, p); err != nil {
		return Enrolled{}, err
	}
	if s.Replaces != "" {
		return k.replace(ctx, p, s, e, got, accept)
	}
	// The set-up's time names the credential, so that the same set-up confirmed twice is stored, and noted, once.
	id := fmt.Sprintf("%s-%s-%d", p.User.ID, e.Factor, e.At.UnixMilli())
	once := func(held []storage.Credential) error {
		if slices.ContainsFunc(held, func(c storage.Credential) bool { return c.ID == id }) {
			return storage.ErrExists
		}
		return accept(held)
	}
	var done Enrolled
	err = k.change(ctx, p, once, func(held []storage.Credential) error {
		done, err = k.enrol(ctx, p, s, id, got, held)
		return err
	})
	return done, err
}

func (k *Keeper) enrol(ctx context.Context, p Person, s SettingUp, id string, got mfa.Credential, held []storage.Credential) (Enrolled, error) {
	c, err := k.insert(ctx, p, s.Factor, got, id)
	if err != nil {
		return Enrolled{}, err
	}
	if s.Factor.Info().Single {
		if err := k.deleteOthers(ctx, held, c); err != nil {
			return Enrolled{}, err
		}
	}
	done := Enrolled{Credential: c, Proof: k.proof(s.Factor, got, c.ID)}
	if len(k.Primary(held)) == 0 {
		done.Codes, err = k.newCodes(ctx, p, held)
	}
	return done, err
}

// replace puts what was confirmed in the place of a credential, by one write: at every moment one of the two is good, and
// never both. Its name stays. errMovedOn where the credential is gone.
func (k *Keeper) replace(ctx context.Context, p Person, s SettingUp, e *storage.Enrolling, got mfa.Credential, accept Accept) (Enrolled, error) {
	var was storage.Credential
	once := func(held []storage.Credential) error {
		i := slices.IndexFunc(held, func(c storage.Credential) bool { return c.ID == s.Replaces && c.Factor == e.Factor })
		if i < 0 {
			return errMovedOn
		}
		// The set-up's time is kept as the credential's, so that the same set-up confirmed twice is noted once.
		if was = held[i]; was.Created.Equal(e.At) {
			return storage.ErrExists
		}
		return accept(held)
	}
	var done Enrolled
	err := k.change(ctx, p, once, func([]storage.Credential) error {
		sealed, err := k.Seal.SealFor(ctx, was.Tenant, purposeOf(was), got.Data)
		if err != nil {
			return err
		}
		// Somebody may sign in by it at the same moment. Whoever is first, what is kept from here on is the new one.
		c, err := storage.Change(ctx, k.Credentials, was.Tenant, was.ID, func(c *storage.Credential) error {
			c.Data, c.Note, c.Left, c.Made, c.Expires = sealed, got.Note, got.Left, got.Left, got.Expires
			c.Created, c.LastUsed = e.At, time.Time{}
			return nil
		})
		if err == nil {
			done = Enrolled{Credential: c, Proof: k.proof(s.Factor, got, c.ID), Replaced: &was}
		}
		return err
	})
	return done, err
}

func (k *Keeper) insert(ctx context.Context, p Person, f mfa.Factor, got mfa.Credential, id string) (storage.Credential, error) {
	c := storage.Credential{
		Key:  storage.Key{Tenant: p.User.Tenant, ID: id, Expires: got.Expires},
		User: p.User.ID, Factor: f.Info().ID, Name: got.Name, Note: got.Note, Left: got.Left, Made: got.Left, Created: k.Now(),
	}
	var err error
	if c.Data, err = k.Seal.SealFor(ctx, c.Tenant, purposeOf(c), got.Data); err != nil {
		return storage.Credential{}, err
	}
	err = k.Credentials.Insert(ctx, &c)
	return c, err
}

// NewCodes makes a new set of the factor that is handed out by itself: the backup codes. The old set stops at once.
// There are none where the deployment has no such factor.
func (k *Keeper) NewCodes(ctx context.Context, p Person, accept Accept) (codes []string, err error) {
	err = k.change(ctx, p, accept, func(held []storage.Credential) error {
		codes, err = k.newCodes(ctx, p, held)
		return err
	})
	return codes, err
}

func (k *Keeper) newCodes(ctx context.Context, p Person, held []storage.Credential) ([]string, error) {
	i := slices.IndexFunc(k.Factors, func(f mfa.Factor) bool { return f.Info().Enrolment == mfa.Automatic })
	if i < 0 {
		return nil, nil
	}
	codes, _, err := k.make(ctx, p, k.Factors[i], held)
	return codes, err
}

// make makes a set of codes that nobody needs to confirm, in place of the one before.
func (k *Keeper) make(ctx context.Context, p Person, f mfa.Factor, held []storage.Credential) ([]string, storage.Credential, error) {
	ch, err := f.Enroll(ctx, k.user(p, nil), "")
	if err != nil {
		return nil, storage.Credential{}, fmt.Errorf("set-up of %s: %w", f.Info().ID, err)
	}
	got, err := f.Confirm(ctx, k.user(p, nil), ch, "")
	if err != nil {
		return nil, storage.Credential{}, fmt.Errorf("set-up of %s: %w", f.Info().ID, err)
	}
	c, err := k.insert(ctx, p, f, got, storage.NewID())
	if err != nil {
		return nil, c, err
	}
	return ch.Prompt.Codes, c, k.deleteOthers(ctx, held, c)
}

// owners is the factor that owners hand out: the recovery code.
func (k *Keeper) owners() (mfa.Factor, error) {
	for _, f := range k.Factors {
		if f.Info().Enrolment == mfa.ByOwner {
			return f, nil
		}
	}
	return nil, fmt.Errorf("%w: owners have none to hand out", ErrUnknownFactor)
}

// HandOut makes the code that an owner gives to a user; the one before stops at once. It returns when it expires.
func (k *Keeper) HandOut(ctx context.Context, p Person, accept Accept) (code string, until time.Time, err error) {
	f, err := k.owners()
	if err != nil {
		return "", time.Time{}, err
	}
	err = k.change(ctx, p, accept, func(held []storage.Credential) error {
		codes, c, err := k.make(ctx, p, f, held)
		if err != nil {
			return err
		}
		if len(codes) != 1 || c.Expires.IsZero() {
			return fmt.Errorf("factor %s made %d codes, want one that expires", f.Info().ID, len(codes))
		}
		code, until = codes[0], c.Expires
		return nil
	})
	return code, until, err
}

// HandedOut finds the code that waits to be used; storage.ErrNotFound where there is none.
func (k *Keeper) HandedOut(held []storage.Credential) (storage.Credential, error) {
	for _, c := range held {
		if f, err := k.Factor(c.Factor); err == nil && f.Info().Enrolment == mfa.ByOwner && c.Left > 0 {
			return c, nil
		}
	}
	return storage.Credential{}, storage.ErrNotFound
}

// TakeBack revokes the code that HandOut made. storage.ErrNotFound where none waits.
func (k *Keeper) TakeBack(ctx context.Context, p Person, accept Accept) error {
	return k.change(ctx, p, accept, func(held []storage.Credential) error {
		c, err := k.HandedOut(held)
		if err != nil {
			return err
		}
		return k.Credentials.Delete(ctx, c.Tenant, c.ID)
	})
}

// deleteOthers takes away the older credentials of the same factor.
func (k *Keeper) deleteOthers(ctx context.Context, all []storage.Credential, keep storage.Credential) error {
	for _, c := range all {
		if c.Factor == keep.Factor && c.ID != keep.ID {
			if err := k.delete(ctx, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// SealCodes keeps codes for the moment until their owner has saved them; OpenCodes shows them again till then.
func (k *Keeper) SealCodes(ctx context.Context, p Person, codes []string) ([]byte, error) {
	if len(codes) == 0 {
		return nil, nil
	}
	return k.sealJSON(ctx, p, sealCodes, codes)
}

// OpenCodes is the way back from SealCodes.
func (k *Keeper) OpenCodes(ctx context.Context, p Person, sealed []byte) ([]string, error) {
	if len(sealed) == 0 {
		return nil, ErrNothingPending
	}
	var codes []string
	err := k.openJSON(ctx, p, sealCodes, sealed, &codes)
	return codes, err
}

// Rename gives a credential the user's own name for it.
func (k *Keeper) Rename(ctx context.Context, p Person, id, name string) (storage.Credential, error) {
	return storage.Change(ctx, k.Credentials, p.User.Tenant, id, func(c *storage.Credential) error {
		if c.User != p.User.ID {
			return storage.ErrNotFound
		}
		c.Name = name
		return nil
	})
}

// Get reads one credential of the user's.
func (k *Keeper) Get(ctx context.Context, p Person, id string) (storage.Credential, error) {
	c, err := k.Credentials.Get(ctx, p.User.Tenant, id)
	if err == nil && c.User != p.User.ID {
		return storage.Credential{}, storage.ErrNotFound
	}
	return c, err
}

// Remove takes one credential away. With the last one that is a second step by itself the others go too: backup codes
// without a factor would be a lone password's equal.
func (k *Keeper) Remove(ctx context.Context, p Person, id string, accept Accept) error {
	return k.change(ctx, p, accept, func(held []storage.Credential) error {
		i := slices.IndexFunc(held, func(c storage.Credential) bool { return c.ID == id })
		if i < 0 {
			return storage.ErrNotFound
		}
		left := slices.Delete(slices.Clone(held), i, i+1)
		if len(k.Primary(left)) == 0 {
			return k.deleteAll(ctx, held)
		}
		return k.delete(ctx, held[i])
	})
}

// RemoveAll takes all credentials away: the second step is off.
func (k *Keeper) RemoveAll(ctx context.Context, p Person, accept Accept) error {
	return k.change(ctx, p, accept, func(held []storage.Credential) error { return k.deleteAll(ctx, held) })
}

// deleteAll begins with the stand-ins: one that was left behind would be no second step by itself.
func (k *Keeper) deleteAll(ctx context.Context, held []storage.Credential) error {
	primary := k.Primary(held)
	for _, c := range held {
		if !slices.ContainsFunc(primary, func(p storage.Credential) bool { return p.ID == c.ID }) {
			if err := k.delete(ctx, c); err != nil {
				return err
			}
		}
	}
	for _, c := range primary {
		if err := k.delete(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) delete(ctx context.Context, c storage.Credential) error {
	err := k.Credentials.Delete(ctx, c.Tenant, c.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}
