package directory_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/directory/directorytest"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/mongo"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

// onBackends runs a test over each database that there is to test on.
func onBackends(t *testing.T, test func(t *testing.T, s storage.Store)) {
	t.Run("sqlite", func(t *testing.T) { test(t, sqlitetest.Open(t, sqlite.Options{})) })
	uri := os.Getenv("SALLYPORT_TEST_MONGODB_URI")
	if uri == "" {
		return // storage/mongo says how to have one, and in CI insists on it
	}
	t.Run("mongo", func(t *testing.T) {
		s, err := mongo.Open(t.Context(), mongo.Options{
			URI: uri, Database: "directory_" + storage.NewID(), NoTTL: os.Getenv("SALLYPORT_TEST_MONGODB_KIND") == "ferretdb1",
			Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		test(t, s)
	})
}

// errDied is all that a process gets to see that has died.
var errDied = errors.New("the process has died")

// death ends a process at one of its writes: before it, or after it was made.
type death struct {
	writes, at int
	after      bool
	dead       bool
}

// mortal is a table of a process that dies.
type mortal[T any] struct {
	storage.Table[T]
	*death
}

func (m mortal[T]) Get(ctx context.Context, tenant, id string) (T, error) {
	if m.dead {
		var none T
		return none, errDied
	}
	return m.Table.Get(ctx, tenant, id)
}

func (m mortal[T]) Insert(ctx context.Context, v *T) error {
	return m.write(func() error { return m.Table.Insert(ctx, v) })
}

func (m mortal[T]) Replace(ctx context.Context, v *T) error {
	return m.write(func() error { return m.Table.Replace(ctx, v) })
}

func (m mortal[T]) write(do func() error) error {
	m.writes++
	if m.dead || m.writes == m.at && !m.after {
		m.dead = true
		return errDied
	}
	err := do()
	if m.writes == m.at {
		m.dead = true
		return errDied
	}
	return err
}

// A process that dies while an address is changed, before or after any of its writes, leaves a user who signs in by one
// of the two addresses, and the other one free for somebody else, soon.
func TestChangeOfAddressBrokenOff(t *testing.T) {
	const before, wanted = "ada@example.com", "lovelace@example.com"
	onBackends(t, func(t *testing.T, s storage.Store) {
		for _, after := range []bool{false, true} {
			for at := 1; ; at++ {
				tenant := fmt.Sprintf("acme%d%t", at, after)
				now := time.Now()
				clock := func() time.Time { return now }
				w := &world{store: s, hasher: &counting{}, log: &bytes.Buffer{}}
				w.Local = w.open(t, directory.Options{Hasher: w.hasher, Now: clock})
				w.addTenant(t, tenant)
				u := w.create(t, tenant, before, "", good)

				d := &death{at: at, after: after}
				mortals := s
				mortals.Users, mortals.Logins = mortal[storage.User]{s.Users, d}, mortal[storage.Login]{s.Logins, d}
				process, err := directory.New(mortals, bytes.Repeat([]byte{7}, 32), directory.Options{Hasher: w.hasher, Now: clock})
				if err != nil {
					t.Fatal(err)
				}
				dying := u
				err = process.ChangeEmail(t.Context(), &dying, wanted)
				if !d.dead {
					if err != nil || at < 3 {
						t.Fatalf("after %d writes nothing died: %v", d.writes, err)
					}
					break
				}
				if err == nil {
					t.Errorf("write %d: it died and says that all went well", at)
				}
				is := one(t, w, tenant, u.ID, before, wanted)
				now = now.Add(2 * time.Minute)
				other := wanted
				if is == wanted {
					other = before
				}
				b := user(tenant, other, "")
				if err := w.Create(t.Context(), b, good); err != nil {
					t.Errorf("write %d (after: %t): %s stays claimed by nobody: %v", at, after, other, err)
				}
				if again := user(tenant, is, ""); !refused(w.Create(t.Context(), again, good), "email", directory.Taken) {
					t.Errorf("write %d (after: %t): %s was given away", at, after, is)
				}
				if got := one(t, w, tenant, u.ID, before, wanted); got != is {
					t.Errorf("write %d: the user answers to %q, and did to %q", at, got, is)
				}
			}
		}
	})
}

// one is the one of the addresses by which the user signs in.
func one(t *testing.T, w *world, tenant, id string, addresses ...string) string {
	t.Helper()
	var in []string
	for _, a := range addresses {
		users, err := w.Lookup(t.Context(), tenant, a)
		if err != nil {
			t.Fatal(err)
		}
		right, err := w.Check(t.Context(), users, good)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range right {
			if u.ID == id {
				in = append(in, a)
			}
		}
	}
	if len(in) != 1 {
		t.Fatalf("%s: the user signs in by %q, want one", tenant, in)
	}
	return in[0]
}

// A name that somebody is about to have is nobody else's meanwhile.
func TestIntentionHolds(t *testing.T) {
	onBackends(t, func(t *testing.T, s storage.Store) {
		now := time.Now()
		w := &world{store: s, hasher: &counting{}, log: &bytes.Buffer{}}
		w.Local = w.open(t, directory.Options{Hasher: w.hasher, Now: func() time.Time { return now }})
		w.addTenant(t, "acme")
		u := w.create(t, "acme", "ada@example.com", "", good)
		d := &death{at: 2}
		mortals := s
		mortals.Users, mortals.Logins = mortal[storage.User]{s.Users, d}, mortal[storage.Login]{s.Logins, d}
		process, err := directory.New(mortals, bytes.Repeat([]byte{7}, 32), directory.Options{Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		was := u
		if err := process.ChangeEmail(t.Context(), &u, "new@example.com"); !errors.Is(err, errDied) {
			t.Fatal(err)
		}
		if err := w.Create(t.Context(), user("acme", "new@example.com", ""), ""); !refused(err, "email", directory.Taken) {
			t.Errorf("somebody else takes it over at once: %v", err)
		}
		// The same user may go on with it.
		if err := w.ChangeEmail(t.Context(), &was, " New@Example.com "); err != nil || was.Email != "new@example.com" || !was.EmailVerified {
			t.Errorf("going on: %v, %+v", err, was)
		}
		now = now.Add(time.Hour)
		if err := w.Create(t.Context(), user("acme", "new@example.com", ""), ""); !refused(err, "email", directory.Taken) {
			t.Errorf("it is given away after it was carried out: %v", err)
		}
	})
}

// Of many who want one address at once one gets it, and all of them can sign in afterwards by the address they have.
func TestManyWantOneAddress(t *testing.T) {
	onBackends(t, func(t *testing.T, s storage.Store) {
		if strings.HasSuffix(t.Name(), "/mongo") && os.Getenv("SALLYPORT_TEST_MONGODB_KIND") == "ferretdb1" {
			t.Skip("FerretDB v1 lets several of many parallel updates win")
		}
		w := &world{store: s, hasher: &counting{}, log: &bytes.Buffer{}}
		w.Local = w.open(t, directory.Options{Hasher: directorytest.Fast{}})
		w.addTenant(t, "acme")
		const many, wanted = 10, "wanted@example.com"
		users := make([]storage.User, many)
		for i := range users {
			users[i] = w.create(t, "acme", fmt.Sprintf("user%d@example.com", i), "", good)
		}
		var got, taken atomic.Int32
		var wg sync.WaitGroup
		for i := range users {
			// Twice each: two tabs, or a double click.
			for range 2 {
				u := users[i]
				wg.Go(func() {
					err := w.ChangeEmail(context.Background(), &u, wanted)
					switch {
					case err == nil:
						got.Add(1)
					case refused(err, "email", directory.Taken):
						taken.Add(1)
					case !errors.Is(err, storage.ErrConflict):
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		if got.Load() != 1 {
			t.Errorf("%d got it, %d were told that it is taken", got.Load(), taken.Load())
		}
		have := 0
		for _, u := range users {
			if one(t, w, "acme", u.ID, u.Email, wanted) == wanted {
				have++
			}
		}
		if have != 1 {
			t.Errorf("%d users answer to it", have)
		}
	})
}

func TestChangeEmailRefuses(t *testing.T) {
	w := newWorld(t)
	u := w.create(t, "acme", "ada@example.com", "", good)
	w.create(t, "acme", "bob@example.com", "", good)
	for email, want := range map[string]string{
		"": directory.Missing, "ada": directory.Syntax, "bob@example.com": directory.Taken, " BOB@EXAMPLE.COM ": directory.Taken,
		"x@example.com\r\nBcc: y@example.com": directory.Charset, "a b@example.com": directory.Charset,
		strings.Repeat("a", 65) + "@example.com": directory.TooLong,
	} {
		if err := w.ChangeEmail(t.Context(), &u, email); !refused(err, "email", want) || u.Email != "ada@example.com" {
			t.Errorf("%q: %v, want %s", email, err, want)
		}
	}
	if err := w.ChangeEmail(t.Context(), &u, "ada@example.com"); err != nil || !u.EmailVerified {
		t.Errorf("to the same: %v", err)
	}
}
