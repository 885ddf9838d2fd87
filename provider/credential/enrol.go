package credential

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
}

// Settable are the factors that users set up by themselves, the best first.
func (k *Keeper) Settable() []mfa.Factor {
	return slices.DeleteFunc(slices.Clone(k.Factors), func(f mfa.Factor) bool {
		i := f.Info()
		return i.Enrolment != mfa.BySelf || i.Backup
	})
}

// BeginEnrolment begins to set a factor up. Its secret waits, sealed, in the Enrolling.
func (k *Keeper) BeginEnrolment(ctx context.Context, p Person, factor, in string) (*storage.Enrolling, error) {
	f, err := k.Factor(factor)
	if err != nil {
		return nil, err
	}
	if f.Info().Enrolment != mfa.BySelf {
		return nil, fmt.Errorf("%w: %q is not set up by its user", ErrUnknownFactor, factor)
	}
	ch, err := f.Enroll(ctx, k.user(p), in)
	if err != nil {
		return nil, fmt.Errorf("set-up of %s: %w", factor, err)
	}
	sealed, err := k.sealJSON(ctx, p, sealEnrolment+"/"+factor, ch)
	if err != nil {
		return nil, err
	}
	return &storage.Enrolling{Factor: factor, Challenge: sealed, At: k.Now()}, nil
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
	var ch mfa.Challenge
	if err := k.openJSON(ctx, p, sealEnrolment+"/"+e.Factor, e.Challenge, &ch); err != nil {
		return SettingUp{}, err
	}
	return SettingUp{Factor: f, Prompt: ch.Prompt, Input: input(f, ch), state: ch.State}, nil
}

// Enrolled is a set-up that succeeded.
type Enrolled struct {
	Credential storage.Credential
	Proof      storage.Proof
	// Codes are the backup codes that came with a first factor; none where there was a factor already.
	Codes []string
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
	got, err := s.Factor.Confirm(ctx, k.user(p), mfa.Challenge{Prompt: s.Prompt, State: s.state}, answer)
	if err != nil {
		return Enrolled{}, fmt.Errorf("set-up of %s: %w", e.Factor, err)
	}
	if err := k.forget(ctx, p); err != nil {
		return Enrolled{}, err
	}
	var done Enrolled
	err = k.change(ctx, p, accept, func(held []storage.Credential) error {
		done, err = k.enrol(ctx, p, s, e, got, held)
		return err
	})
	return done, err
}

func (k *Keeper) enrol(ctx context.Context, p Person, s SettingUp, e *storage.Enrolling, got mfa.Credential, held []storage.Credential) (Enrolled, error) {
	// The set-up's time names the credential, so that the same set-up confirmed twice is stored once.
	c, err := k.insert(ctx, p, s.Factor, got, fmt.Sprintf("%s-%s-%d", p.User.ID, e.Factor, e.At.UnixMilli()))
	if err != nil {
		return Enrolled{}, err
	}
	if s.Factor.Info().Single {
		if err := k.deleteOthers(ctx, held, c); err != nil {
			return Enrolled{}, err
		}
	}
	done := Enrolled{Credential: c, Proof: k.proof(s.Factor, c.ID)}
	if len(k.Primary(held)) == 0 {
		done.Codes, err = k.newCodes(ctx, p, held)
	}
	return done, err
}

func (k *Keeper) insert(ctx context.Context, p Person, f mfa.Factor, got mfa.Credential, id string) (storage.Credential, error) {
	c := storage.Credential{
		Key:  storage.Key{Tenant: p.User.Tenant, ID: id},
		User: p.User.ID, Factor: f.Info().ID, Name: got.Name, Left: got.Left, Made: got.Left, Created: k.Now(),
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
	f := k.Factors[i]
	ch, err := f.Enroll(ctx, k.user(p), "")
	if err != nil {
		return nil, fmt.Errorf("set-up of %s: %w", f.Info().ID, err)
	}
	got, err := f.Confirm(ctx, k.user(p), ch, "")
	if err != nil {
		return nil, fmt.Errorf("set-up of %s: %w", f.Info().ID, err)
	}
	c, err := k.insert(ctx, p, f, got, storage.NewID())
	if err != nil {
		return nil, err
	}
	return ch.Prompt.Codes, k.deleteOthers(ctx, held, c)
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
