package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/sallyport-id/sallyport/storage"
)

// afterStep does what a migration needs beside its SQL, which can't lower-case more than ASCII, for one. Like the SQL it is
// the same for ever: it names the columns that the file has at that point.
func afterStep(c *conn, step int) error {
	if step == 4 {
		return refill[storage.User](c, "role", "segment", "account", "name_key", "surname_key")
	}
	return nil
}

// refillPage is how many records are in memory at a time.
const refillPage = 500

// refill derives every record of a noun anew and fills the columns of the given fields. Versions stay as they are: to
// those who have read a record nothing of theirs has changed.
func refill[N any, P storage.Row[N]](c *conn, fields ...string) (err error) {
	kind := storage.Kind{Name: P(new(N)).Kind().Name, Indexes: fields}
	codec, err := newCodec[N, P](kind)
	if err != nil {
		return err
	}
	var sets string
	for _, field := range fields {
		sets += fmt.Sprintf(", %q = ?", field)
	}
	page := &query{sql: "SELECT rowid, doc FROM " + kind.Name + " WHERE rowid > ? ORDER BY rowid LIMIT ?", n: 0}
	put := &query{sql: "UPDATE " + kind.Name + " SET doc = ?" + sets + " WHERE rowid = ?", n: 1}
	once := &conn{c: c.c} // the statements are needed once, and a place in c belongs to the tables' own
	defer func() { err = errors.Join(err, once.closeStatements()) }()
	for after := int64(0); ; {
		rows, err := rowsAfter(once, page, after)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			values, err := refilled(codec, r.doc)
			if err != nil {
				return fmt.Errorf("%s, row %d: %w", kind.Name, r.id, err)
			}
			if _, err := once.run(put, args(append(values, r.id)...)); err != nil {
				return err
			}
			after = r.id
		}
	}
}

// refilled gives the document and the columns of a record that is derived anew.
func refilled[N any, P storage.Row[N]](c codec[N, P], doc []byte) ([]driver.Value, error) {
	var n N
	if err := c.decode(&n, storage.Key{}, doc); err != nil {
		return nil, err
	}
	storage.Derive(&n)
	doc, err := c.encode(&n)
	if err != nil {
		return nil, err
	}
	return c.appendFields([]driver.Value{doc}, &n), nil
}

type rowAndDoc struct {
	id  int64
	doc []byte
}

func rowsAfter(c *conn, page *query, after int64) ([]rowAndDoc, error) {
	var rows []rowAndDoc
	err := c.read(context.Background(), page, args(after, int64(refillPage)), func(row []driver.Value) error {
		id, ok1 := row[0].(int64)
		doc, ok2 := row[1].([]byte)
		if !ok1 || !ok2 {
			return fmt.Errorf("rowid and doc are %T and %T", row[0], row[1])
		}
		rows = append(rows, rowAndDoc{id, doc})
		return nil
	})
	return rows, err
}
