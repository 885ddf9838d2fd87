package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-id/sallyport/storage"
)

var _ storage.Counting = (*table[storage.User, *storage.User])(nil)

// listing is one question (all records of a tenant, or those by one field) in all its forms.
type listing struct {
	// The first page from the end has no bound that would be true of all IDs, so it has a statement of its own.
	up, down, downFromEnd *query
	count                 *query
	// prefix and countPrefix are only there for a field.
	prefix, countPrefix *query
}

// newListing asks for at most "? + 0" records: with a bare parameter behind LIMIT SQLite looks at its value when it plans,
// and so plans anew each time it is bound, which doubles the cost of a list.
func newListing(db *database, name, field string) listing {
	ask := func(what, where, order string) *query {
		return db.query("SELECT " + what + " FROM " + name + " WHERE tenant = ?" + where + " AND expires > ?" + order)
	}
	const columns = "id, version, expires, doc"
	equal := ""
	if field != "" {
		equal = fmt.Sprintf(" AND %q = ?", field)
	}
	l := listing{
		up:          ask(columns, equal+" AND id > ?", " ORDER BY id LIMIT ? + 0"),
		down:        ask(columns, equal+" AND id < ?", " ORDER BY id DESC LIMIT ? + 0"),
		downFromEnd: ask(columns, equal, " ORDER BY id DESC LIMIT ? + 0"),
		count:       ask("count(*)", equal, ""),
	}
	if field != "" {
		within := fmt.Sprintf(" AND %q >= ? AND %q < ?", field, field)
		l.prefix = ask(columns, within, fmt.Sprintf(" ORDER BY %q, id LIMIT ? + 0", field))
		l.countPrefix = ask("count(*)", within, "")
	}
	return l
}

// List implements [storage.Table].
func (t *table[N, P]) List(ctx context.Context, q storage.Query) ([]N, error) {
	if q.Tenant == "" {
		return nil, t.failed("list", errors.New("the tenant is empty"))
	}
	statement, values, err := t.listQuery(q)
	if err != nil {
		return nil, t.failed("list", err)
	}
	c, err := t.db.reader.take(ctx)
	if err != nil {
		return nil, t.failed("list", err)
	}
	defer t.db.reader.put(c)
	var list []N
	err = c.read(ctx, statement, args(values...), func(row []driver.Value) error {
		key := storage.Key{Tenant: q.Tenant}
		var ok bool
		if key.ID, ok = row[0].(string); !ok {
			return fmt.Errorf("the ID is a %T", row[0])
		}
		doc, err := keyAndDoc(&key, row[1:])
		if err != nil {
			return err
		}
		list = append(list, *new(N))
		return t.codec.decode(&list[len(list)-1], key, doc)
	})
	if err != nil {
		return nil, t.failed("list", err)
	}
	return list, nil
}

// listing finds the question that q asks, and the values of its first parameters.
func (t *table[N, P]) listing(q storage.Query) (listing, []driver.Value, error) {
	values := append(make([]driver.Value, 0, 5), q.Tenant)
	at := 0
	if q.Field != "" {
		i := slices.Index(t.kind.Indexes, q.Field)
		if i < 0 {
			return listing{}, nil, fmt.Errorf("no index on %q; there are [%s]", q.Field, strings.Join(t.kind.Indexes, " "))
		}
		at = i + 1
	}
	if q.Prefix {
		to, err := q.Range()
		if err != nil {
			return listing{}, nil, err
		}
		values = append(values, q.Value)
		if to == "" { // a blob sorts after every text, whatever is in it
			return t.lists[at], append(values, []byte{0}), nil
		}
		return t.lists[at], append(values, to), nil
	}
	if q.Field != "" {
		values = append(values, q.Value)
	}
	return t.lists[at], values, nil
}

func (t *table[N, P]) listQuery(q storage.Query) (*query, []driver.Value, error) {
	form, values, err := t.listing(q)
	if err != nil {
		return nil, nil, err
	}
	statement := form.up
	switch {
	case q.Prefix:
		statement = form.prefix
	case q.Desc && q.After == "":
		statement = form.downFromEnd
	case q.Desc:
		statement = form.down
		values = append(values, q.After)
	default:
		values = append(values, q.After)
	}
	return statement, append(values, t.db.now().UnixMilli(), int64(q.PageSize())), nil
}

// Count implements [storage.Counting].
func (t *table[N, P]) Count(ctx context.Context, q storage.Query) (int, error) {
	if q.Tenant == "" {
		return 0, t.failed("count", errors.New("the tenant is empty"))
	}
	q.After, q.Limit, q.Desc = "", 0, false
	form, values, err := t.listing(q)
	if err != nil {
		return 0, t.failed("count", err)
	}
	statement := form.count
	if q.Prefix {
		statement = form.countPrefix
	}
	c, err := t.db.reader.take(ctx)
	if err != nil {
		return 0, t.failed("count", err)
	}
	defer t.db.reader.put(c)
	var n int64
	err = c.read(ctx, statement, args(append(values, t.db.now().UnixMilli())...), func(row []driver.Value) error {
		var ok bool
		if n, ok = row[0].(int64); !ok {
			return fmt.Errorf("the count is a %T", row[0])
		}
		return nil
	})
	if err != nil {
		return 0, t.failed("count", err)
	}
	return int(n), nil
}
