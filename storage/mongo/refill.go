package mongo

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/sallyport-id/sallyport/storage"
)

// refillBatch is how many records are written at a time. A write waits for the disks of a majority, which serve many at
// once.
const refillBatch = 16

// refill writes anew the records of all tenants whose derived fields are not as they follow, since they are from before
// these were thought of. It is done once, before the index that is to answer by such a field is built; broken off, it
// is done again at the next start. What a process of an older version writes afterwards gets its derived fields with
// the next write by one of this.
func (t *table[T, P]) refill(ctx context.Context, tenants storage.Table[storage.Tenant]) error {
	err := storage.Each(ctx, tenants, storage.Query{Tenant: storage.Global}, func(tenant *storage.Tenant) error {
		var stale []*T
		err := storage.Each(ctx, t, storage.Query{Tenant: tenant.ID, Limit: 1000}, func(row P) error {
			was := *row
			if storage.Derive((*T)(row)); reflect.DeepEqual(was, *row) {
				return nil
			}
			if stale = append(stale, row); len(stale) < refillBatch {
				return nil
			}
			err := t.replaceAll(ctx, stale)
			stale = nil
			return err
		})
		if err != nil {
			return err
		}
		return t.replaceAll(ctx, stale)
	})
	if err != nil {
		return fmt.Errorf("storage/mongo: derive the fields of %s anew: %w", t.kind.Name, err)
	}
	return nil
}

// replaceAll replaces records side by side. Those that somebody else has written meanwhile are left to be as they are.
func (t *table[T, P]) replaceAll(ctx context.Context, rows []*T) error {
	errs := make([]error, len(rows))
	var writers sync.WaitGroup
	for i, row := range rows {
		writers.Go(func() {
			if err := t.Replace(ctx, row); !errors.Is(err, storage.ErrConflict) {
				errs[i] = err
			}
		})
	}
	writers.Wait()
	return errors.Join(errs...)
}
