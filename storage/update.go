package storage

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Each calls do for every record that q asks for, however many pages they fill.
func Each[T any, P Row[T]](ctx context.Context, t Table[T], q Query, do func(P) error) error {
	for {
		page, err := t.List(ctx, q)
		if err != nil {
			return err
		}
		for i := range page {
			if err := do(&page[i]); err != nil {
				return err
			}
			q.After = P(&page[i]).Record().ID
		}
		if len(page) < q.PageSize() {
			return nil
		}
	}
}

// tries bounds how often a change is tried again because others were first. Each round one of the contenders wins,
// so this is how many may contend for one record before somebody is refused.
const tries = 100

// Change reads a record, lets change work on it, and replaces it; where somebody else was first it reads again and
// starts over. An error of change ends it, and nothing is written. ErrConflict is left to those who never came first.
func Change[T any, P Row[T]](ctx context.Context, t Table[T], tenant, id string, change func(*T) error) (T, error) {
	return again(ctx, func() (T, error) {
		v, err := t.Get(ctx, tenant, id)
		if err != nil {
			return v, err
		}
		if err := change(&v); err != nil {
			return v, err
		}
		err = t.Replace(ctx, &v)
		return v, err
	})
}

// Put is Change for a record that may not be there yet: change is then given one that has only its key.
func Put[T any, P Row[T]](ctx context.Context, t Table[T], tenant, id string, change func(*T) error) (T, error) {
	return again(ctx, func() (T, error) {
		v, err := t.Get(ctx, tenant, id)
		found := err == nil
		if err != nil && !errors.Is(err, ErrNotFound) {
			return v, err
		}
		if !found {
			key := P(&v).Record()
			key.Tenant, key.ID = tenant, id
		}
		if err := change(&v); err != nil {
			return v, err
		}
		if found {
			err = t.Replace(ctx, &v)
		} else {
			err = t.Insert(ctx, &v)
		}
		return v, err
	})
}

// retries bounds Retry: enough for a change and a few sign-ins at the same moment. What it tries may be dear, as the hash of
// a password is.
const retries = 5

// Retry is for changes that somebody else writes, where Change can't: try reads what it is about anew, and has it written.
// Where others were first, as ErrConflict says, it is called again, some times at most; any other error ends it.
func Retry(try func() error) error {
	err := try()
	for range retries {
		if !errors.Is(err, ErrConflict) {
			break
		}
		err = try()
	}
	return err
}

func again[T any](ctx context.Context, try func() (T, error)) (v T, err error) {
	for i := range tries {
		v, err = try()
		if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrExists) {
			return v, err
		}
		if i < 3 {
			continue
		}
		// Many contend: step aside for a random moment, so that they do not meet again at once.
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-time.After(rand.N(time.Duration(i) * time.Millisecond)): //nolint:gosec // G404: nothing hangs on how long it waits.
		}
	}
	return v, err
}
