package storage

import "context"

// Series is an ability that some tables have beside Table, found by assertion: to insert several records for the price of
// one.
type Series[T any] interface {
	// InsertSeries inserts the records in their order and says how many it did. It stops at the first that can't be
	// inserted (ErrExists, or any other error): none behind it is there, whatever happens, and all before it are.
	InsertSeries(ctx context.Context, records []*T) (inserted int, err error)
}

// InsertSeries inserts records in their order, at once where the table can and one by one where it can't. See Series.
func InsertSeries[T any](ctx context.Context, t Table[T], records []*T) (inserted int, err error) {
	if s, ok := t.(Series[T]); ok {
		return s.InsertSeries(ctx, records)
	}
	for i, r := range records {
		if err := t.Insert(ctx, r); err != nil {
			return i, err
		}
	}
	return len(records), nil
}
