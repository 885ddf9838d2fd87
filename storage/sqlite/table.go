package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/storage"
)

// table keeps one noun. Each write is one statement that says in its WHERE what must hold for it, and the number of
// rows it changed is the answer; nothing is read first and written later.
type table[N any, P storage.Row[N]] struct {
	db    *database
	kind  storage.Kind
	codec codec[N, P]

	get, insert, remove *query
	// replaceSame fits where neither expiry nor an indexed field changes, which is most of the time. It names none of
	// them in its SET, so that SQLite leaves the indexes alone and writes one page in place of three or four.
	replaceSame, replace *query
	// lists are the questions for all records, then those by each of kind.Indexes.
	lists []listing
}

func newTable[N any, P storage.Row[N]](db *database) *table[N, P] {
	kind := P(new(N)).Kind()
	t := &table[N, P]{db: db, kind: kind}
	var err error
	if t.codec, err = newCodec[N, P](kind); err != nil {
		db.faults = append(db.faults, err)
		return t
	}
	name := kind.Name
	var columns, marks, excluded, sets, same string
	for _, field := range kind.Indexes {
		columns += fmt.Sprintf(", %q", field)
		marks += ", ?"
		excluded += fmt.Sprintf(", %q = excluded.%q", field, field)
		sets += fmt.Sprintf(", %q = ?", field)
		same += fmt.Sprintf(" AND %q = ?", field)
	}
	t.get = db.query("SELECT version, expires, doc FROM " + name + " WHERE tenant = ? AND id = ? AND expires > ?")
	t.insert = db.query("INSERT INTO " + name + " (tenant, id, version, expires, doc" + columns + ") VALUES (?, ?, 1, ?, ?" + marks + ")" +
		" ON CONFLICT (tenant, id) DO UPDATE SET version = 1, expires = excluded.expires, doc = excluded.doc" + excluded +
		" WHERE " + name + ".expires <= ?")
	t.replace = db.query("UPDATE " + name + " SET version = version + 1, expires = ?, doc = ?" + sets +
		" WHERE tenant = ? AND id = ? AND version = ? AND expires > ?")
	t.replaceSame = db.query("UPDATE " + name + " SET version = version + 1, doc = ?" +
		" WHERE tenant = ? AND id = ? AND version = ? AND expires > ? AND expires = ?" + same)
	t.remove = db.query("DELETE FROM " + name + " WHERE tenant = ? AND id = ? AND expires > ?")
	t.lists = append(t.lists, newListing(db, name, ""))
	for _, field := range kind.Indexes {
		t.lists = append(t.lists, newListing(db, name, field))
	}
	if kind.Expiring {
		db.sweeps = append(db.sweeps, db.query("DELETE FROM "+name+" WHERE rowid IN (SELECT rowid FROM "+name+
			" WHERE expires <= ? ORDER BY expires LIMIT ?)"))
	}
	return t
}

// checkKey refuses what can't be a key. Bytes that are no UTF-8 would be another string after a round trip.
func checkKey(tenant, id string) error {
	switch {
	case tenant == "":
		return errors.New("the tenant is empty")
	case id == "":
		return errors.New("the ID is empty")
	case !utf8.ValidString(tenant) || !utf8.ValidString(id):
		return errors.New("the tenant or ID is not UTF-8")
	}
	return nil
}

// failed puts the operation's name before an error. The key stays out of it: IDs of flows and codes are secrets.
func (t *table[N, P]) failed(op string, err error) error {
	return fmt.Errorf("storage/sqlite: %s %s: %w", op, t.kind.Name, err)
}

// Get implements [storage.Table].
func (t *table[N, P]) Get(ctx context.Context, tenant, id string) (N, error) {
	var n N
	if err := checkKey(tenant, id); err != nil {
		return n, t.failed("get", err)
	}
	c, err := t.db.reader.take(ctx)
	if err != nil {
		return n, t.failed("get", err)
	}
	found := false
	var doc []byte
	key := storage.Key{Tenant: tenant, ID: id}
	err = c.read(ctx, t.get, args(tenant, id, t.db.now().UnixMilli()), func(row []driver.Value) (err error) {
		found = true
		doc, err = keyAndDoc(&key, row)
		return err
	})
	t.db.reader.put(c)
	switch {
	case err != nil:
		return n, t.failed("get", err)
	case !found:
		return n, storage.ErrNotFound
	}
	if err := t.codec.decode(&n, key, doc); err != nil {
		return *new(N), t.failed("get", err)
	}
	return n, nil
}

// Insert implements [storage.Table].
func (t *table[N, P]) Insert(ctx context.Context, n *N) error {
	k := P(n).Record()
	if err := checkKey(k.Tenant, k.ID); err != nil {
		return t.failed("insert", err)
	}
	values, err := t.insertArgs(n)
	if err != nil {
		return t.failed("insert", err)
	}
	changed, err := t.db.writer.do(ctx, &write{query: t.insert, args: values})
	switch {
	case err != nil:
		return t.failed("insert", err)
	case changed == 0:
		return storage.ErrExists
	}
	k.Version = 1
	return nil
}

func (t *table[N, P]) insertArgs(n *N) ([]driver.NamedValue, error) {
	storage.Derive(n)
	doc, err := t.codec.encode(n)
	if err != nil {
		return nil, err
	}
	k := P(n).Record()
	values := make([]driver.Value, 0, 12)
	values = append(values, k.Tenant, k.ID, toMillis(k.Expires), doc)
	values = t.codec.appendFields(values, n)
	return args(append(values, t.db.now().UnixMilli())...), nil
}

// Replace implements [storage.Table].
func (t *table[N, P]) Replace(ctx context.Context, n *N) error {
	k := P(n).Record()
	if err := checkKey(k.Tenant, k.ID); err != nil {
		return t.failed("replace", err)
	}
	storage.Derive(n)
	doc, err := t.codec.encode(n)
	if err != nil {
		return t.failed("replace", err)
	}
	now, expires := t.db.now().UnixMilli(), toMillis(k.Expires)
	fields := t.codec.appendFields(make([]driver.Value, 0, 8), n)
	same := append(make([]driver.Value, 0, 12), doc, k.Tenant, k.ID, k.Version, now, expires)
	full := append(make([]driver.Value, 0, 12), expires, doc)
	full = append(append(full, fields...), k.Tenant, k.ID, k.Version, now)
	changed, err := t.db.writer.do(ctx, &write{
		query: t.replaceSame, args: args(append(same, fields...)...),
		otherwise: t.replace, otherwiseArgs: args(full...),
	})
	switch {
	case err != nil:
		return t.failed("replace", err)
	case changed == 0:
		return storage.ErrConflict
	}
	k.Version++
	return nil
}

// Delete implements [storage.Table].
func (t *table[N, P]) Delete(ctx context.Context, tenant, id string) error {
	if err := checkKey(tenant, id); err != nil {
		return t.failed("delete", err)
	}
	changed, err := t.db.writer.do(ctx, &write{query: t.remove, args: args(tenant, id, t.db.now().UnixMilli())})
	switch {
	case err != nil:
		return t.failed("delete", err)
	case changed == 0:
		return storage.ErrNotFound
	}
	return nil
}
