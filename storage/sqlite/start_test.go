package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// steps are today's migrations.
func steps(t *testing.T) []string {
	t.Helper()
	all, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// openAndUse opens a file with others at once, and writes a record of its own and sees it.
func openAndUse(ctx context.Context, path, id string) (err error) {
	st, err := Open(ctx, Options{Path: path, Readers: 1})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if err := st.Links.Insert(ctx, &storage.Link{Key: storage.Key{Tenant: "a", ID: id}}); err != nil {
		return err
	}
	_, err = st.Links.Get(ctx, "a", id)
	return err
}

// Starts that meet at one new file, or at one of an older version, bring its schema up to date once.
func TestOpenAtOnce(t *testing.T) {
	for from := range len(steps(t)) {
		for round := range 15 {
			path := filepath.Join(t.TempDir(), fmt.Sprintf("from%d-%d.db", from, round))
			if from > 0 {
				makeFile(t, path, steps(t)[:from])
			}
			errs := make(chan error)
			for i := range 8 {
				go func() { errs <- openAndUse(t.Context(), path, fmt.Sprint(i)) }()
			}
			for range 8 {
				if err := <-errs; err != nil {
					t.Errorf("from version %d: %v", from, err)
				}
			}
		}
	}
}

// A start waits for whoever holds the lock at the one moment where SQLite itself does not: at the switch to WAL.
func TestOpenWaitsForTheSwitchToWAL(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	other, err := connect(path, writerCache)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := other.useWAL(t.Context()); err == nil || strings.Contains(err.Error(), "locked") {
		t.Errorf("in a transaction: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := openAndUse(ctx, path, "early"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while another holds the lock: %v; want it to wait as long as it may", err)
	}
	opened := make(chan error)
	go func() { opened <- openAndUse(t.Context(), path, "late") }()
	if err := errors.Join(other.exec("COMMIT"), other.close()); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Errorf("when the lock is free: %v", err)
	}
}

// starterEnv tells a re-executed test binary that it is a process that starts with others; it holds the file's path.
const starterEnv = "SALLYPORT_SQLITE_STARTER"

// Processes that start at once on one new file all come up, and each sees what all wrote.
func TestProcessesStartAtOnce(t *testing.T) {
	if path := os.Getenv(starterEnv); path != "" {
		starter(path)
	}
	const rounds, processes = 4, 5
	for round := range rounds {
		path := filepath.Join(t.TempDir(), fmt.Sprintf("new%d.db", round))
		startTogether(t, path, processes)
		st, err := Open(t.Context(), Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		all, err := st.Links.List(t.Context(), storage.Query{Tenant: "a"})
		if err != nil || len(all) != processes {
			t.Errorf("%d records, %v; want %d", len(all), err, processes)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
}

// starter says that it is ready, waits for its input to end, and opens the file.
func starter(path string) {
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, os.Stdin)
	if err == nil {
		err = openAndUse(context.Background(), path, fmt.Sprint(os.Getpid()))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	os.Exit(0)
}

func startTogether(t *testing.T, path string, n int) {
	t.Helper()
	// One pipe is the input of all: they go when its other end closes.
	wait, start, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	all := make([]*exec.Cmd, n)
	told := make([]strings.Builder, n)
	for i := range all {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		c.Env = append(os.Environ(), starterEnv+"="+path)
		c.Stdin, c.Stderr = wait, &told[i]
		out, err := c.StdoutPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
			t.Fatalf("%q, %v", line, err)
		}
		all[i] = c
	}
	if err := errors.Join(wait.Close(), start.Close()); err != nil {
		t.Fatal(err)
	}
	for i, c := range all {
		if err := c.Wait(); err != nil {
			t.Errorf("process %d: %v: %s", i, err, told[i].String())
		}
	}
}

// makeFile makes a file as a version with these migrations left it, and runs more SQL on it.
func makeFile(t *testing.T, path string, steps []string, more ...string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := connect(path, writerCache)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.useWAL(t.Context()), migrate(c, steps)); err != nil {
		t.Fatal(err)
	}
	for _, sql := range more {
		if err := c.exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
}

// The file of the first version is brought up to date and keeps what is in it, which today's version can then do all
// with that it does with its own.
func TestFirstVersionIsMigrated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "first.db")
	makeFile(
		t, path, steps(t)[:1],
		`INSERT INTO users (tenant, id, version, expires, doc, "type") VALUES ('acme', 'ada', 7, 9223372036854775807,
		 CAST('{"tenant":"","id":"","version":0,"email":"ada@example.com","name":"Ada","role":"owner","type":"staff","created":"2026-03-01T08:00:00Z"}' AS BLOB), 'staff')`,
		`INSERT INTO credentials (tenant, id, version, expires, doc, "user") VALUES ('acme', 'phone', 3, 9223372036854775807,
		 CAST('{"tenant":"","id":"","version":0,"user":"ada","factor":"totp","name":"Phone","data":"c2VhbGVk","left":-1,"made":-1,"created":"2026-03-01T08:00:00Z"}' AS BLOB), 'ada')`,
	)
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	st, err := Open(t.Context(), Options{Path: path, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx := t.Context()
	user, err := st.Users.Get(ctx, "acme", "ada")
	if err != nil || user.Version != 7 || user.Name != "Ada" || user.Out() {
		t.Errorf("%+v, %v", user, err)
	}
	mine, err := st.Credentials.List(ctx, storage.Query{Tenant: "acme", Field: "user", Value: "ada"})
	if err != nil || len(mine) != 1 || string(mine[0].Data) != "sealed" || mine[0].Version != 3 || !mine[0].Expires.IsZero() {
		t.Fatalf("%+v, %v", mine, err)
	}
	// Never to expire is not to be swept; what has expired since is.
	old := storage.Credential{Key: storage.Key{Tenant: "acme", ID: "code", Expires: now.Add(-time.Minute)}, User: "ada"}
	if err := st.Credentials.Insert(ctx, &old); err != nil {
		t.Fatal(err)
	}
	if n, err := st.Sweep(ctx); err != nil || n != 1 {
		t.Errorf("swept %d, %v; want 1", n, err)
	}
	mine[0].Expires = now.Add(time.Hour)
	if err := st.Credentials.Replace(ctx, &mine[0]); err != nil || mine[0].Version != 4 {
		t.Errorf("version %d, %v", mine[0].Version, err)
	}
	if err := st.Links.Insert(ctx, &storage.Link{Key: storage.Key{Tenant: "acme", ID: "reset/ada"}}); err != nil {
		t.Error(err)
	}
}

// Users from before their names could be searched are found as those are who come after, on more pages than one.
func TestUsersAreRefilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "third.db")
	insert := func(id, fields string) string {
		return fmt.Sprintf(`INSERT INTO users (tenant, id, version, expires, doc, "type") VALUES ('acme', '%s', 7, 9223372036854775807,
		 CAST('{"tenant":"","id":"","version":0,%s,"created":"2026-03-01T08:00:00Z"}' AS BLOB), 'staff')`, id, fields)
	}
	rows := []string{
		insert("ada", `"email":"ada@example.com","login":"ada","name":"Ada ÖZIL van Straßen","role":"owner","type":"staff"`),
		insert("bob", `"login":"bob","name":"","role":"member","type":"guest"`),
	}
	for i := range 2 * refillPage {
		rows = append(rows, insert(fmt.Sprintf("more%04d", i), `"login":"x","name":"X","role":"member","type":"staff"`))
	}
	makeFile(t, path, steps(t)[:3], rows...)
	st, err := Open(t.Context(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx := t.Context()
	for _, q := range []storage.Query{
		{Field: "role", Value: "owner"},
		{Field: "account", Value: "ada@example.com"},
		{Field: "name_key", Value: "ada özil van straßen"},
		{Field: "surname_key", Value: "straßen ada özil van"},
	} {
		q.Tenant = "acme"
		got, err := st.Users.List(ctx, q)
		if err != nil || len(got) != 1 || got[0].ID != "ada" || got[0].Segment != "staff/off" || got[0].Version != 7 {
			t.Errorf("%+v: %+v, %v", q, got, err)
		}
	}
	all, err := st.Users.List(ctx, storage.Query{Tenant: "acme", Field: "segment", Value: "guest/off"})
	if err != nil || len(all) != 1 || all[0].Account != "bob" || all[0].NameKey != "" {
		t.Errorf("%+v, %v", all, err)
	}
	n := 0
	q := storage.Query{Tenant: "acme", Field: "segment", Value: "staff/off"}
	if err := storage.Each(ctx, st.Users, q, func(*storage.User) error { n++; return nil }); err != nil || n != 2*refillPage+1 {
		t.Errorf("%d users, %v; want %d", n, err, 2*refillPage+1)
	}
}

// A record that can't be read stops the migration, which leaves the file as it was.
func TestRefillTellsWhatItCannotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "torn.db")
	makeFile(t, path, steps(t)[:3], `INSERT INTO users (tenant, id, version, expires, doc, "type")
		VALUES ('acme', 'ada', 7, 9223372036854775807, CAST('{"name":' AS BLOB), 'staff')`)
	st, err := Open(t.Context(), Options{Path: path})
	if err == nil {
		t.Fatalf("opened, and closed with %v", st.Close())
	}
	if !strings.Contains(err.Error(), "migration 4: users, row 1") {
		t.Errorf("%v", err)
	}
	c, err := connect(path, readerCache)
	if err != nil {
		t.Fatal(err)
	}
	if version, err := c.number("PRAGMA user_version"); err != nil || version != 3 {
		t.Errorf("user_version: %d, %v; want 3", version, err)
	}
	if err := c.close(); err != nil {
		t.Error(err)
	}
}

// A migration that fails leaves the file as it was, to be tried again.
func TestMigrateIsWhole(t *testing.T) {
	all := steps(t)
	c := openDB(t).writer.c
	next := len(all) + 1
	bad := append(slices.Clone(all), "CREATE TABLE half (x TEXT); CREATE TABLE half (x TEXT);")
	if err := migrate(c, bad); err == nil || !strings.Contains(err.Error(), fmt.Sprint("migration ", next)) {
		t.Errorf("a bad migration: %v", err)
	}
	for sql, want := range map[string]int64{
		"PRAGMA user_version": int64(len(all)), "SELECT count(*) FROM sqlite_schema WHERE name = 'half'": 0,
	} {
		if got, err := c.number(sql); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", sql, got, err, want)
		}
	}
	good := append(slices.Clone(all), "CREATE TABLE whole (x TEXT);")
	if err := migrate(c, good); err != nil {
		t.Fatal(err)
	}
	if got, err := c.number("PRAGMA user_version"); err != nil || got != int64(next) {
		t.Errorf("user_version: %d, %v; want %d", got, err, next)
	}
}
