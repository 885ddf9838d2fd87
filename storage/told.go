package storage

import "context"

// Telling is a table that tells of what was written through it, for those who keep what they have read; see Cached. What
// other processes write it does not see. It can do what its table can.
type Telling[T any, P Row[T]] struct {
	Table[T]
	// Wrote is told of the key of each record that was inserted, replaced or deleted, or may have been.
	Wrote func(tenant, id string)
}

// Insert implements Table.
func (t *Telling[T, P]) Insert(ctx context.Context, v *T) error {
	err := t.Table.Insert(ctx, v)
	t.tell(v)
	return err
}

// Replace implements Table.
func (t *Telling[T, P]) Replace(ctx context.Context, v *T) error {
	err := t.Table.Replace(ctx, v)
	t.tell(v)
	return err
}

// Delete implements Table.
func (t *Telling[T, P]) Delete(ctx context.Context, tenant, id string) error {
	err := t.Table.Delete(ctx, tenant, id)
	t.Wrote(tenant, id)
	return err
}

// InsertSeries implements Series.
func (t *Telling[T, P]) InsertSeries(ctx context.Context, records []*T) (int, error) {
	n, err := InsertSeries(ctx, t.Table, records)
	for _, v := range records {
		t.tell(v)
	}
	return n, err
}

// Count implements Counting.
func (t *Telling[T, P]) Count(ctx context.Context, q Query) (int, error) {
	return Count[T, P](ctx, t.Table, q)
}

func (t *Telling[T, P]) tell(v *T) {
	key := P(v).Record()
	t.Wrote(key.Tenant, key.ID)
}
