package storage

import (
	"context"
	"errors"
)

// Counting is an ability that some tables have beside Table, found by assertion: to count records without reading them.
type Counting interface {
	// Count is how many records q describes, all or by one indexed field, by its value or its Prefix. Its After, Limit
	// and Desc are not looked at.
	Count(ctx context.Context, q Query) (int, error)
}

// Count says how many records q describes: from an index where the table can, and by reading them where it can't. By
// Prefix it is refused there, since a prefix has no pages to be read.
func Count[T any, P Row[T]](ctx context.Context, t Table[T], q Query) (int, error) {
	if c, ok := t.(Counting); ok {
		return c.Count(ctx, q)
	}
	if q.Prefix {
		return 0, errors.New("storage: this table does not count by prefix")
	}
	q.After, q.Limit, q.Desc = "", 1000, false
	n := 0
	err := Each(ctx, t, q, func(P) error { n++; return nil })
	return n, err
}
