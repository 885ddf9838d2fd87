package sqlite

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	sqlite3 "modernc.org/sqlite"

	"github.com/sallyport-id/sallyport/storage"
)

// Every question the tables ask is answered by a key or an index that begins with the tenant (a sweep by expiry):
// SQLite's own plan has no scan and no sorting.
func TestNoQueryScans(t *testing.T) {
	db := openDB(t)
	c, err := db.reader.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.reader.put(c)
	uses := regexp.MustCompile(`^SEARCH \w+ USING (COVERING )?INDEX \w+ \((tenant=\?.*|expires<\?)\)$`)
	byRowid := regexp.MustCompile(`^SEARCH \w+ USING INTEGER PRIMARY KEY \(rowid=\?\)$`)
	byField := regexp.MustCompile(`^SELECT .* AND "(\w+)" >?= \?`)
	// What counts of users are asked for reads nothing but an index.
	counts := regexp.MustCompile(`^SELECT count\(\*\) FROM users WHERE tenant = \?( AND "(segment|role)" .*)? AND expires > \?$`)
	plans, counted := 0, 0
	for _, q := range db.queries {
		if !strings.Contains(q.sql, "WHERE") || strings.HasPrefix(q.sql, "INSERT") {
			continue
		}
		rows := planOf(t, c, q)
		plans++
		for _, step := range rows {
			sweep := slices.Contains(db.sweeps, q)
			switch {
			case uses.MatchString(step) && (sweep || strings.Contains(step, "tenant=?")):
			case sweep && (byRowid.MatchString(step) || strings.HasPrefix(step, "LIST SUBQUERY")):
			default:
				t.Errorf("%s\n\t%s", q.sql, step)
			}
		}
		// By the field's index, not by walking the tenant's records in the order of their IDs.
		if field := byField.FindStringSubmatch(q.sql); field != nil && !regexp.MustCompile(" AND "+field[1]+"(=|>)").MatchString(rows[0]) {
			t.Errorf("%s\n\t%s: want the index on %s", q.sql, rows[0], field[1])
		}
		if counts.MatchString(q.sql) {
			counted++
			if !strings.Contains(rows[0], "COVERING") {
				t.Errorf("%s\n\t%s: want a covering index", q.sql, rows[0])
			}
		}
	}
	if plans < len(db.queries)/2 {
		t.Errorf("only %d plans seen", plans)
	}
	if counted != 5 { // all, and by value and prefix of two fields
		t.Errorf("%d counts of users seen, want 5", counted)
	}
}

func planOf(t *testing.T, c *conn, q *query) []string {
	t.Helper()
	var steps []string
	explain := &query{sql: "EXPLAIN QUERY PLAN " + q.sql, n: q.n + 10_000}
	values := make([]driver.Value, strings.Count(q.sql, "?"))
	err := c.read(t.Context(), explain, args(values...), func(row []driver.Value) error {
		steps = append(steps, row[3].(string))
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", explain.sql, err)
	}
	if len(steps) == 0 {
		t.Fatalf("%s: no plan", explain.sql)
	}
	return steps
}

// A write is durable when it returns, for a crash of the machine as well: that is SQLite's FULL and WAL.
func TestSettings(t *testing.T) {
	db := openDB(t)
	for pragma, want := range map[string]any{
		"synchronous": int64(2), "journal_mode": "wal", "busy_timeout": int64(5000), "application_id": int64(applicationID),
		"user_version": int64(len(steps(t))), "integrity_check": "ok",
	} {
		if got, err := db.writer.c.value("PRAGMA " + pragma); err != nil || got != want {
			t.Errorf("PRAGMA %s: %v, %v; want %v", pragma, got, err, want)
		}
	}
	c, err := db.reader.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.reader.put(c)
	if err := c.exec("DELETE FROM users"); err == nil {
		t.Error("a reading connection can write")
	}
}

// What can't be opened is refused with the file, the cause and what to do, and is left as it was.
func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sqliteFile := func(name string, statements ...string) string {
		path := file(name, "", 0o600)
		c, err := connect(path, readerCache)
		if err != nil {
			t.Fatal(err)
		}
		for _, sql := range statements {
			if err := c.exec(sql); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.close(); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct{ name, path, want string }{
		{"no path", "", "no path given"},
		{"no folder", filepath.Join(dir, "none", "s.db"), "create the folder " + filepath.Join(dir, "none")},
		{"a folder", dir, "it is a folder"},
		{"a device", "/dev/null", "not a regular file"},
		{"a text", file("notes.txt", strings.Repeat("Dear diary, ", 500), 0o600), "not a SQLite database"},
		{"another program's", sqliteFile("other.db", "CREATE TABLE bookmarks (url TEXT)"), "another program"},
		{"another program's, marked", sqliteFile("marked.db", "PRAGMA application_id = 77"), "another program"},
		{
			"newer, in WAL mode", sqliteFile("wal.db", "PRAGMA journal_mode = WAL", "PRAGMA user_version = 99",
				fmt.Sprintf("PRAGMA application_id = %d", applicationID)),
			"its schema is 99",
		},
		{
			"newer", sqliteFile("newer.db", fmt.Sprintf("PRAGMA application_id = %d", applicationID), "PRAGMA user_version = 99"),
			fmt.Sprintf("its schema is 99, and this one knows up to %d", len(steps(t))),
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			before, _ := os.ReadFile(test.path) // what is no file has no content
			st, err := Open(t.Context(), Options{Path: test.path})
			if err == nil {
				t.Fatalf("opened, and closed with %v", st.Close())
			}
			if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.path) {
				t.Errorf("%v\nwant it to name %q and to say %q", err, test.path, test.want)
			}
			if after, _ := os.ReadFile(test.path); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, Options{Path: filepath.Join(dir, "cancelled.db")}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
}

// The files are for their owner only, whatever their names, and an older file that is not is spoken of.
func TestFilesArePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%41é.db")
	var log bytes.Buffer
	o := Options{Path: path, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	st, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, want 0600", info.Name(), info.Mode())
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if log.Len() > 0 {
		t.Errorf("log of a file with the right mode: %s", &log)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if st, err = Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "chmod 600") {
		t.Errorf("log of a file that others can read: %q", &log)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("after Close: %v, %v; want the one file", left, err)
	}
}

// Two stores on one file, as two processes have it: each sees what the other wrote at once, and of their writers
// that hold one version one wins.
func TestTwoStoresOnOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shared.db")
	var stores [2]storage.Store
	for i := range stores {
		st, err := Open(t.Context(), Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := st.Close(); err != nil {
				t.Error(err)
			}
		})
		stores[i] = st
	}
	ctx := t.Context()
	n := storage.Counter{Key: storage.Key{Tenant: "a", ID: "n"}}
	if err := stores[0].Counters.Insert(ctx, &n); err != nil {
		t.Fatal(err)
	}
	const each = 40
	errs := make(chan error)
	for i := range 4 {
		go func() {
			table := stores[i%2].Counters
			for range each {
				if err := count(ctx, table); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	for _, st := range stores {
		got, err := st.Counters.Get(ctx, "a", "n")
		if err != nil || got.Count != 4*each || got.Version != 4*each+1 {
			t.Errorf("%+v, %v; want a count of %d", got, err, 4*each)
		}
	}
}

// count adds one, as often as it takes.
func count(ctx context.Context, table storage.Table[storage.Counter]) error {
	for {
		n, err := table.Get(ctx, "a", "n")
		if err != nil {
			return err
		}
		n.Count++
		if err := table.Replace(ctx, &n); !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
}

// A write that fails does not take along those it shares a transaction with.
func TestFailingWriteSparesItsNeighbours(t *testing.T) {
	db := openDB(t)
	table := newTable[storage.Counter](db)
	good := func(id string) *write {
		values, err := table.insertArgs(&storage.Counter{Key: storage.Key{Tenant: "a", ID: id}})
		if err != nil {
			t.Fatal(err)
		}
		return &write{query: table.insert, args: values}
	}
	bad := &write{query: db.query("INSERT INTO counters (tenant, id) VALUES ('a', 'bad')")}
	batch := []*write{good("1"), bad, good("2"), good("1")}
	db.writer.run(batch)
	for i, want := range []int64{1, 0, 1, 0} {
		if got := batch[i].changed; got != want {
			t.Errorf("write %d changed %d rows, want %d", i, got, want)
		}
		if err := batch[i].err; (err != nil) != (i == 1) {
			t.Errorf("write %d: %v", i, err)
		}
	}
	for _, id := range []string{"1", "2"} {
		if _, err := table.Get(t.Context(), "a", id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// A write of a user that changes nothing lists ask for leaves the indexes alone: what is derived is the same again.
func TestReplaceSparesIndexes(t *testing.T) {
	db := openDB(t)
	table := newTable[storage.User](db)
	u := storage.User{Key: storage.Key{Tenant: "a", ID: "ada"}, Login: "ada", Name: "Ada", Type: "staff", Factors: []string{"totp"}}
	if err := table.Insert(t.Context(), &u); err != nil {
		t.Fatal(err)
	}
	table.replace = db.query("DELETE FROM counters WHERE tenant = '' AND id = '' AND ? AND ?" + strings.Repeat(" AND ?", 10)) // never the one
	u.LastSignIn, u.Factors, u.NameKey, u.Segment = time.Now(), []string{"webauthn"}, "", "spoilt"
	if err := table.Replace(t.Context(), &u); err != nil {
		t.Errorf("with the same indexed fields: %v", err)
	}
	u.Factors = nil
	if err := table.Replace(t.Context(), &u); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("with another segment: %v; want the other statement, which this test has put out of order", err)
	}
}

// Many who write at once share transactions.
func TestWritesAreGrouped(t *testing.T) {
	db := openDB(t)
	table := newTable[storage.Counter](db)
	const writers = 64
	db.writer.mu.Lock() // all come to the queue while somebody leads
	db.writer.busy = true
	db.writer.mu.Unlock()
	errs := make(chan error)
	for i := range writers {
		go func() {
			n := storage.Counter{Key: storage.Key{Tenant: "a", ID: fmt.Sprint(i)}}
			errs <- table.Insert(t.Context(), &n)
		}()
	}
	for queued := 0; queued < writers; {
		db.writer.mu.Lock()
		queued = len(db.writer.queue)
		db.writer.mu.Unlock()
	}
	hooks, ok := db.writer.c.c.(sqlite3.HookRegisterer)
	if !ok {
		t.Fatalf("%T tells no commits", db.writer.c.c)
	}
	commits := 0 // the hook runs in whoever leads, and is read when all have returned
	hooks.RegisterCommitHook(func() int32 { commits++; return 0 })
	db.writer.handOver()
	for range writers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if commits != 1 {
		t.Errorf("%d writes took %d commits, want 1", writers, commits)
	}
}

func openDB(t *testing.T) *database {
	t.Helper()
	db, err := open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "test.db"), Now: time.Now, Logger: slog.Default(), Readers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.close(); err != nil {
			t.Error(err)
		}
	})
	if db.store(); len(db.faults) > 0 {
		t.Fatal(db.faults)
	}
	return db
}
