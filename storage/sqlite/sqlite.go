package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// Options say where the file is. Only Path is needed.
type Options struct {
	// Path names the database file. It is created, readable by its owner only, if it is not there; two more files,
	// with -wal and -shm at the end of their names, stand beside it while the store is open. It must not lie on a
	// network file system.
	Path string
	// Now tells the time that records expire by; nil means time.Now.
	Now func() time.Time
	// Logger gets what an operator should know; nil means slog.Default.
	Logger *slog.Logger
	// Readers is how many connections read at the same time; 0 means one for each processor, 2 at least and 8 at
	// most. Each keeps at most 1 MiB of pages in memory, and the one writing connection 2 MiB.
	Readers int
}

// Open opens the file, or creates it, and brings its schema up to date. Several processes may have the same file
// open: a write that finds another process writing waits up to five seconds and then fails, undone.
//
// Its errors say what is wrong with which file and what can be done about it.
func Open(ctx context.Context, o Options) (storage.Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Readers <= 0 {
		o.Readers = min(max(2, runtime.GOMAXPROCS(0)), 8)
	}
	if err := ctx.Err(); err != nil {
		return storage.Store{}, fmt.Errorf("opening %s: %w", o.Path, err)
	}
	db, err := open(ctx, o)
	if err != nil {
		return storage.Store{}, err
	}
	st := db.store()
	if err := errors.Join(db.faults...); err != nil {
		return storage.Store{}, errors.Join(err, db.close())
	}
	return st, nil
}

// database is one open file: one connection that writes, and some that read.
type database struct {
	now     func() time.Time
	writer  *writer
	reader  *readers
	queries []*query
	touch   *query
	sweeps  []*query
	// faults are nouns whose Kind does not fit their struct.
	faults []error
}

func open(ctx context.Context, o Options) (*database, error) {
	if err := createFile(o.Path, o.Logger); err != nil {
		return nil, err
	}
	wc, err := connect(o.Path, writerCache)
	if err != nil {
		return nil, explain(o.Path, err)
	}
	if err := prepare(ctx, wc); err != nil {
		return nil, errors.Join(explain(o.Path, err), wc.close())
	}
	db := &database{now: o.Now, reader: newReaders(o.Readers)}
	db.touch = db.query("DELETE FROM counters WHERE tenant = '' AND id = ''")
	db.writer = newWriter(wc, db.query("BEGIN IMMEDIATE"), db.query("COMMIT"), db.query("ROLLBACK"))
	for range o.Readers {
		rc, err := connect(o.Path, readerCache)
		if err == nil {
			err = rc.exec("PRAGMA query_only = ON")
		}
		if err != nil {
			return nil, errors.Join(explain(o.Path, err), db.close())
		}
		db.reader.add(rc)
	}
	return db, nil
}

// prepare makes the file one of ours, of today. It looks before it changes anything: a file that is refused stays as it
// was.
func prepare(ctx context.Context, c *conn) error {
	steps, err := migrations()
	if err != nil {
		return err
	}
	if _, err := schemaVersion(c, len(steps)); err != nil {
		return err
	}
	if err := c.useWAL(ctx); err != nil {
		return err
	}
	return migrate(c, steps)
}

func (db *database) store() storage.Store {
	return storage.Store{
		Tenants:       newTable[storage.Tenant](db),
		Users:         newTable[storage.User](db),
		Logins:        newTable[storage.Login](db),
		Credentials:   newTable[storage.Credential](db),
		Flows:         newTable[storage.Flow](db),
		Sessions:      newTable[storage.Session](db),
		Devices:       newTable[storage.Device](db),
		Grants:        newTable[storage.Grant](db),
		Clients:       newTable[storage.Client](db),
		SigningKeys:   newTable[storage.SigningKey](db),
		Events:        newTable[storage.Event](db),
		Counters:      newTable[storage.Counter](db),
		Messages:      newTable[storage.Message](db),
		Links:         newTable[storage.Link](db),
		Webhooks:      newTable[storage.Webhook](db),
		Deliveries:    newTable[storage.Delivery](db),
		Tallies:       newTable[storage.Tally](db),
		Replies:       newTable[storage.Reply](db),
		Logos:         newTable[storage.Logo](db),
		Uploads:       newTable[storage.Upload](db),
		DueDeliveries: newTable[storage.DueDelivery](db),
		Ping:          db.ping,
		Sweep:         db.sweep,
		Close:         db.close,
	}
}

// query is the text of a statement and the place where each connection keeps it prepared.
type query struct {
	sql string
	n   int
}

func (db *database) query(sql string) *query {
	q := &query{sql: sql, n: len(db.queries)}
	db.queries = append(db.queries, q)
	return q
}

// ping reads, and takes the write lock and leaves it, which a read-only file or a stuck process would refuse.
func (db *database) ping(ctx context.Context) error {
	rc, err := db.reader.take(ctx)
	if err != nil {
		return fmt.Errorf("storage/sqlite: ping: %w", err)
	}
	err = rc.exec("SELECT count(*) FROM sqlite_schema")
	db.reader.put(rc)
	if err != nil {
		return fmt.Errorf("storage/sqlite: ping: reading: %w", err)
	}
	if _, err := db.writer.do(ctx, &write{query: db.touch}); err != nil {
		return fmt.Errorf("storage/sqlite: ping: writing: %w", err)
	}
	return nil
}

// sweepBatch is how many expired records one write removes: few, so that a sign-in waits no longer behind a sweep
// than behind another sign-in.
const sweepBatch = 100

func (db *database) sweep(ctx context.Context) (removed int, err error) {
	now := db.now().UnixMilli()
	for _, q := range db.sweeps {
		for {
			n, err := db.writer.do(ctx, &write{query: q, args: args(now, int64(sweepBatch))})
			if err != nil {
				return removed, fmt.Errorf("storage/sqlite: sweep: %w", err)
			}
			removed += int(n)
			if n < sweepBatch {
				break
			}
		}
	}
	return removed, nil
}

// close waits for the writes and reads under way. SQLite moves the write-ahead log into the file when its last
// connection closes, so the writer is the last.
func (db *database) close() error {
	return errors.Join(db.reader.close(), db.writer.close())
}
