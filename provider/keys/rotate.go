package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// tendEvery is how often Run looks. It is far below the least time that a key is published ahead.
const tendEvery = 5 * time.Minute

// Ensure makes the signing keys that are missing. At the first start they sign at once, for nobody has cached the
// key set yet.
func (k *Keys) Ensure(ctx context.Context) error {
	held, err := k.reload(ctx)
	if err != nil {
		return err
	}
	missing := false
	for _, alg := range Algs() {
		if len(ofAlg(held, alg)) > 0 {
			continue
		}
		missing = true
		if err := k.insert(ctx, alg, "", k.o.Now()); err != nil {
			return err
		}
	}
	if missing {
		_, err = k.reload(ctx)
	}
	return err
}

// Rotate has the signing key of alg hand over to a new one after Options.PublishAhead. When a new one is waiting
// already it does nothing more. ErrAlg.
func (k *Keys) Rotate(ctx context.Context, alg string) error {
	if !slices.Contains(Algs(), alg) {
		return fmt.Errorf("%w: %q", ErrAlg, alg)
	}
	if err := k.Ensure(ctx); err != nil {
		return err
	}
	held, err := k.reload(ctx)
	if err != nil {
		return err
	}
	line, now := ofAlg(held, alg), k.o.Now()
	if last := line[len(line)-1]; !last.SignFrom.After(now) {
		if err := k.insert(ctx, alg, last.ID, now.Add(k.o.PublishAhead)); err != nil {
			return err
		}
		if held, err = k.reload(ctx); err != nil {
			return err
		}
	}
	return k.retire(ctx, ofAlg(held, alg))
}

// Run makes, rotates and retires signing keys by their age until ctx ends. It may run in any number of processes.
func (k *Keys) Run(ctx context.Context) {
	ticker := time.NewTicker(tendEvery)
	defer ticker.Stop()
	for {
		if err := k.tend(ctx); err != nil && ctx.Err() == nil {
			k.o.Logger.ErrorContext(ctx, "signing keys could not be looked after; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (k *Keys) tend(ctx context.Context) error {
	if err := k.Ensure(ctx); err != nil {
		return err
	}
	held, err := k.reload(ctx)
	if err != nil {
		return err
	}
	for _, alg := range Algs() {
		line := ofAlg(held, alg)
		last := line[len(line)-1]
		// The next key is published before the time of this one is over, not after.
		due := last.SignFrom.Add(k.o.RotateEvery - k.o.PublishAhead)
		if k.o.Now().Before(due) {
			err = k.retire(ctx, line)
		} else {
			err = k.Rotate(ctx, alg)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// retire says of every key but the last when it stops signing, which is when its successor starts, and when it stops
// being published. It comes to the same whoever does it, and mends what a process left that died after adding a key.
func (k *Keys) retire(ctx context.Context, line []held) error {
	for i := range len(line) - 1 {
		s := line[i].SigningKey
		if !s.Retired.IsZero() {
			continue
		}
		s.Retired = line[i+1].SignFrom
		s.Expires = s.Retired.Add(k.o.KeepFor)
		err := k.store.SigningKeys.Replace(ctx, &s)
		if err != nil && !errors.Is(err, storage.ErrConflict) {
			return fmt.Errorf("keys: retire signing key %s: %w", s.ID, err)
		}
	}
	return nil
}

func ofAlg(keys []held, alg string) []held {
	return slices.DeleteFunc(slices.Clone(keys), func(h held) bool { return h.Alg != alg })
}

// Reseal seals data keys, signing keys and the deployment's secret under the newest master key, as far as they are
// under one of before, and says how many it sealed anew. Once it returns without error, Previous is no longer
// needed but for values that were handed out sealed and have not expired. What could not be opened is named in the
// error; the rest is done nevertheless.
func (k *Keys) Reseal(ctx context.Context) (resealed int, err error) {
	tenants, err := all(ctx, k.store.Tenants, func(t *storage.Tenant) string { return t.ID })
	if err != nil {
		return 0, fmt.Errorf("keys: reseal: list tenants: %w", err)
	}
	var failed []error
	count := func(changed bool, err error) {
		if changed {
			resealed++
		}
		failed = append(failed, err)
	}
	for _, t := range tenants {
		count(k.resealTenant(ctx, t.ID))
	}
	signing, err := k.listSigningKeys(ctx)
	if err != nil {
		return resealed, err
	}
	for _, s := range signing {
		count(k.resealSigningKey(ctx, s.ID))
	}
	return resealed, errors.Join(failed...)
}

func (k *Keys) resealTenant(ctx context.Context, id string) (bool, error) {
	changed, err := resealRecord(ctx, k, k.store.Tenants, id, func(t *storage.Tenant) (*[]byte, []byte) {
		return &t.DataKey, aad("data key")
	})
	if err != nil {
		return false, fmt.Errorf("keys: reseal data key of tenant %s: %w", id, err)
	}
	return changed, nil
}

func (k *Keys) resealSigningKey(ctx context.Context, id string) (bool, error) {
	changed, err := resealRecord(ctx, k, k.store.SigningKeys, id, func(s *storage.SigningKey) (*[]byte, []byte) {
		return &s.Private, privateAAD(s.Alg, s.ID)
	})
	if err != nil {
		return false, fmt.Errorf("keys: reseal signing key %s: %w", id, err)
	}
	return changed, nil
}

// resealTries bounds how often a record is read again that others keep changing.
const resealTries = 10

// resealRecord seals one field of one record anew, by compare-and-swap: what others write meanwhile is not lost.
func resealRecord[T any](ctx context.Context, k *Keys, table storage.Table[T], id string,
	field func(*T) (sealed *[]byte, aad []byte),
) (changed bool, err error) {
	for range resealTries {
		record, err := table.Get(ctx, storage.Global, id)
		if errors.Is(err, storage.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		sealed, aad := field(&record)
		if len(*sealed) == 0 || k.master.sealed(*sealed) {
			return false, nil
		}
		plain, err := k.openMaster(aad, *sealed)
		if err != nil {
			return false, err
		}
		if *sealed, err = k.master.seal(aad, plain); err != nil {
			return false, err
		}
		if err = table.Replace(ctx, &record); !errors.Is(err, storage.ErrConflict) {
			return err == nil, err
		}
	}
	return false, storage.ErrConflict
}
