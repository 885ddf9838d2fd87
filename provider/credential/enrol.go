package credential

import (
	"context"
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
