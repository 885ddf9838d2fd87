package credential

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/storage"
)

const (
	// wrongBeforePause is how many wrong answers an account has over all factors, sign-ins, browsers, set-ups and
	// pages together before it has to pause.
	wrongBeforePause = 5
	pause            = 15 * time.Minute
	// wrongBeforeOff is how many wrong answers in a row switch a factor off until another one was used.
	wrongBeforeOff = 20
	// memory is how long an account's wrong answers are remembered after the last of them.
	memory = 365 * 24 * time.Hour
)

func counterID(p Person) string { return "codes/" + p.User.ID }

// count counts an attempt before it is checked, so that guesses made at the same time can't pass the limit: the
// attempt that reaches it closes the door behind itself, and opens it again only if it was right.
func (k *Keeper) count(ctx context.Context, p Person, factor string) error {
	_, err := storage.Put(ctx, k.Counters, p.User.Tenant, counterID(p), func(c *storage.Counter) error {
		if err := k.refuse(c, factor); err != nil {
			return err
		}
		now := k.Now()
		if c.Count >= wrongBeforePause {
			c.Count = 0
		}
		c.Count++
		if c.Count == wrongBeforePause {
			c.Until = now.Add(pause)
		}
		if c.Rows == nil {
			c.Rows = map[string]int{}
		}
		c.Rows[factor]++
		c.Expires = now.Add(memory)
		return nil
	})
	return err
}

func (k *Keeper) refuse(c *storage.Counter, factor string) error {
	if k.Now().Before(c.Until) {
		return &Locked{Until: c.Until}
	}
	// What owners hand out is what is left when all else is off, and it can't be guessed.
	if f, err := k.Factor(factor); err == nil && f.Info().Enrolment == mfa.ByOwner {
		return nil
	}
	if c.Rows[factor] >= wrongBeforeOff {
		return ErrOff
	}
	return nil
}

// Off returns the IDs of the factors that are off.
func (k *Keeper) Off(ctx context.Context, p Person) (map[string]bool, error) {
	c, err := k.Counters.Get(ctx, p.User.Tenant, counterID(p))
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	off := map[string]bool{}
	for factor, n := range c.Rows {
		off[factor] = n >= wrongBeforeOff
	}
	return off, nil
}

// Forgive takes back the wrong answers that were counted. It follows a right answer; and it is for who took the factors
// away: one that is off would stay so when it is set up anew.
func (k *Keeper) Forgive(ctx context.Context, p Person) error {
	err := k.Counters.Delete(ctx, p.User.Tenant, counterID(p))
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}
