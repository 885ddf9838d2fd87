package directory_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/directory/directorytest"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
)

const good = "kestrel-harbour-7"

// counting is a fast hasher that counts its work, and can be made to wait.
type counting struct {
	directorytest.Fast
	hashes atomic.Int32
	hold   chan struct{}
}

func (c *counting) Hash(settings, password string) (string, error) {
	hash, err := c.Fast.Hash(settings, password)
	if err == nil {
		c.hashes.Add(1)
	}
	if c.hold != nil {
		<-c.hold
	}
	return hash, err
}

// world is a directory over a real store with the tenants acme and globex.
type world struct {
	*directory.Local
	store  storage.Store
	hasher *counting
	log    *bytes.Buffer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "users.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{store: s, hasher: &counting{}, log: &bytes.Buffer{}}
	w.Local = w.open(t, directory.Options{Hasher: w.hasher})
	w.addTenant(t, "acme")
	w.addTenant(t, "globex")
	return w
}

func (w *world) open(t *testing.T, o directory.Options) *directory.Local {
	t.Helper()
	o.Logger = slog.New(slog.NewTextHandler(w.log, nil))
	d, err := directory.New(w.store, bytes.Repeat([]byte{7}, 32), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (w *world) addTenant(t *testing.T, id string) {
	t.Helper()
	tenant := storage.Tenant{Key: storage.Key{Tenant: storage.Global, ID: id}, UserTypes: []string{"staff", "client"}}
	if err := w.store.Tenants.Insert(t.Context(), &tenant); err != nil {
		t.Fatal(err)
	}
}

func user(tenant, email, login string) *storage.User {
	return &storage.User{
		Key: storage.Key{Tenant: tenant}, Email: email, Login: login,
		Name: "Grace Hopper", Role: storage.Member, Type: "staff",
	}
}

func (w *world) create(t *testing.T, tenant, email, login, password string) storage.User {
	t.Helper()
	u := user(tenant, email, login)
	if err := w.Create(t.Context(), u, password); err != nil {
		t.Fatal(err)
	}
	return *u
}

// signIn looks a login up and checks the password, and gives the tenants in which it is right.
func (w *world) signIn(t *testing.T, tenant, login, password string) string {
	t.Helper()
	users, err := w.Lookup(t.Context(), tenant, login)
	if err != nil {
		t.Fatal(err)
	}
	right, err := w.Check(t.Context(), users, password)
	if err != nil {
		t.Fatal(err)
	}
	var in []string
	for _, u := range right {
		in = append(in, u.Tenant)
		kept, err := w.store.Users.Get(t.Context(), u.Tenant, u.ID)
		if err != nil || kept.Version != u.Version || kept.Password != u.Password {
			t.Errorf("Check gave version %d, kept is %d, %v", u.Version, kept.Version, err)
		}
	}
	return strings.Join(in, " ")
}

func TestUserSignsInByEmailOrUserNameInAnyCase(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme", "Grace@Example.COM", "Grace.H", good)
	for _, c := range []struct{ tenant, login, password, want string }{
		{"", "grace@example.com", good, "acme"},
		{"", " GRACE@example.com\t", good, "acme"},
		{"acme", "grace.h", good, "acme"},
		{"acme", "ＧＲＡＣＥ．Ｈ", good, "acme"}, // as a Japanese input method writes it
		{"globex", "grace.h", good, ""},
		{"", "grace@example.com", good + "x", ""},
		{"", "grace@example.com", "", ""},
		{"", "grace", good, ""},
		{"", "", good, ""},
		{"", "gr\x00ace.h", good, ""},
		{"", strings.Repeat("a", 1<<16), good, ""},
	} {
		if got := w.signIn(t, c.tenant, c.login, c.password); got != c.want {
			t.Errorf("%s, %.40q, %q: in at %q, want %q", c.tenant, c.login, c.password, got, c.want)
		}
	}
}

func TestComposedAndDecomposedAccentsAreOnePassword(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme", "zoe@example.com", "", "caf\u00e9-harbour-kestrel")
	if w.signIn(t, "", "zoe@example.com", "cafe\u0301-harbour-kestrel") != "acme" {
		t.Error("the same password from another keyboard does not fit")
	}
	if w.signIn(t, "", "zoe@example.com", "cafe-harbour-kestrel") != "" {
		t.Error("the accent does not matter")
	}
}

// However many tenants an address is in, and whether it is at all, one hash is computed.
func TestOneHashAnswersForAllTenantsAndForNone(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		id := fmt.Sprintf("t%d", i)
		w.addTenant(t, id)
		w.create(t, id, "many@example.com", "", good)
	}
	w.create(t, "acme", "one@example.com", "", good)
	w.create(t, "acme", "nopassword@example.com", "", "")
	disabled := w.create(t, "acme", "disabled@example.com", "", good)
	disabled.Disabled = true
	if err := w.store.Users.Replace(t.Context(), &disabled); err != nil {
		t.Fatal(err)
	}
	broken := w.create(t, "acme", "broken@example.com", "", "")
	broken.Password = "$argon2id$v=19$m=4194304,t=9,p=1$c2FsdHNhbHQ$AAAA"
	if err := w.store.Users.Replace(t.Context(), &broken); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ login, password, want string }{
		{"many@example.com", good, "t0 t1 t2 t3 t4"},
		{"many@example.com", "wrong-password", ""},
		{"one@example.com", good, "acme"},
		{"one@example.com", "wrong-password", ""},
		{"one@example.com", strings.Repeat("x", 60_000), ""},
		{"nobody@example.com", good, ""},
		{"not an address", good, ""},
		{"nopassword@example.com", good, ""},
		{"nopassword@example.com", "", ""},
		{"disabled@example.com", good, ""},
		{"broken@example.com", good, ""},
	} {
		before := w.hasher.hashes.Load()
		if got := w.signIn(t, "", c.login, c.password); got != c.want {
			t.Errorf("%s: in at %q, want %q", c.login, got, c.want)
		}
		if n := w.hasher.hashes.Load() - before; n != 1 {
			t.Errorf("%s, %.20q: %d hashes", c.login, c.password, n)
		}
	}
}

func TestSamePasswordOfTwoPeopleIsHashedDifferently(t *testing.T) {
	w := newWorld(t)
	a, b := w.create(t, "acme", "a@example.com", "", good), w.create(t, "acme", "b@example.com", "", good)
	if a.Password == b.Password {
		t.Error("who reads the database sees that they have the same password")
	}
	other, err := directory.New(w.store, bytes.Repeat([]byte{8}, 32), directory.Options{Hasher: w.hasher})
	if err != nil {
		t.Fatal(err)
	}
	c := user("globex", "a@example.com", "")
	if err := other.Create(t.Context(), c, good); err != nil {
		t.Fatal(err)
	}
	if c.Password == a.Password {
		t.Error("the salt can be known without the deployment's key")
	}
	if _, err := directory.New(w.store, []byte("short"), directory.Options{}); err == nil {
		t.Error("accepted a short salt key")
	}
}

func TestPasswordsOfOtherSystemsAreTakenOver(t *testing.T) {
	w := newWorld(t)
	crypted, err := bcrypt.GenerateFromPassword([]byte(good), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	old, err := directory.Argon2id{}.Hash("$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ", good)
	if err != nil {
		t.Fatal(err)
	}
	argon := w.open(t, directory.Options{Hasher: directory.Argon2id{Memory: 64, Time: 1}})
	for name, stored := range map[string]string{"bcrypt": string(crypted), "argon2id": old} {
		u := w.create(t, "acme", name+"@example.com", "", "")
		u.Password = stored
		if err := w.store.Users.Replace(t.Context(), &u); err != nil {
			t.Fatal(err)
		}
		if right, err := argon.Check(t.Context(), []storage.User{u}, "wrong-password"); err != nil || len(right) != 0 {
			t.Errorf("%s: wrong password: %v, %v", name, right, err)
		}
		kept, err := w.store.Users.Get(t.Context(), "acme", u.ID)
		if err != nil || kept.Password != stored {
			t.Errorf("%s: a wrong password changed the hash: %v", name, err)
		}
		right, err := argon.Check(t.Context(), []storage.User{u}, good)
		if err != nil || len(right) != 1 {
			t.Fatalf("%s: right password: %v, %v", name, right, err)
		}
		kept, err = w.store.Users.Get(t.Context(), "acme", u.ID)
		if err != nil || !strings.HasPrefix(kept.Password, "$argon2id$v=19$m=64,t=1,p=1$") || kept.Password == stored || kept.Version != right[0].Version {
			t.Errorf("%s: afterwards %q, %v", name, kept.Password, err)
		}
		if right, err = argon.Check(t.Context(), []storage.User{kept}, good); err != nil || len(right) != 1 || right[0].Version != kept.Version {
			t.Errorf("%s: hashed anew twice: %v", name, err)
		}
	}
}

func TestSignInDoesNotHangOnHashingAnew(t *testing.T) {
	w := newWorld(t)
	crypted, err := bcrypt.GenerateFromPassword([]byte(good), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	u := w.create(t, "acme", "old@example.com", "", "")
	u.Password = string(crypted)
	if err := w.store.Users.Replace(t.Context(), &u); err != nil {
		t.Fatal(err)
	}
	stale := u
	stale.Version-- // somebody changed the user since it was read
	if right, err := w.Check(t.Context(), []storage.User{stale}, good); err != nil || len(right) != 1 {
		t.Errorf("%v, %v", right, err)
	}
	if kept, err := w.store.Users.Get(t.Context(), "acme", u.ID); err != nil || kept.Password != string(crypted) {
		t.Errorf("written over a newer version: %v", err)
	}
	broken := w.store
	broken.Users = failing{w.store.Users}
	d, err := directory.New(broken, make([]byte, 32), directory.Options{Hasher: w.hasher, Logger: slog.New(slog.NewTextHandler(w.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if right, err := d.Check(t.Context(), []storage.User{u}, good); err != nil || len(right) != 1 {
		t.Errorf("with a store that can't write: %v, %v", right, err)
	}
	if !strings.Contains(w.log.String(), "password could not be hashed anew") || strings.Contains(w.log.String(), good) {
		t.Errorf("logged %s", w.log)
	}
}

var errDown = errors.New("database down")

type failing struct{ storage.Table[storage.User] }

func (failing) Replace(context.Context, *storage.User) error { return errDown }

// Twenty tenants with imported hashes must not cost twenty computations.
func TestHashesForOneLoginAreBounded(t *testing.T) {
	w := newWorld(t)
	var users []storage.User
	for i := range 20 {
		u := user("acme", "x@example.com", "")
		settings := w.hasher.Settings([]byte{byte(i)})
		hash, err := w.hasher.Fast.Hash(settings, good)
		if err != nil {
			t.Fatal(err)
		}
		u.ID, u.Password = fmt.Sprint(i), hash
		users = append(users, *u)
	}
	if _, err := w.Check(t.Context(), users, "wrong-password"); err != nil {
		t.Fatal(err)
	}
	if n := w.hasher.hashes.Load(); n != 4 {
		t.Errorf("%d hashes", n)
	}
}

func TestBusyHasherRefusesAfterTwoSeconds(t *testing.T) {
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		w.hasher.hold = make(chan struct{})
		d := w.open(t, directory.Options{Hasher: w.hasher, Workers: 2})
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, err := d.Check(t.Context(), nil, good); err != nil {
					t.Errorf("the first two: %v", err)
				}
			})
		}
		synctest.Wait()
		began := time.Now()
		if _, err := d.Check(t.Context(), nil, good); !errors.Is(err, directory.ErrBusy) || time.Since(began) != 2*time.Second {
			t.Errorf("the third: %v after %s", err, time.Since(began))
		}
		if n := w.hasher.hashes.Load(); n != 2 {
			t.Errorf("%d at a time", n)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := d.Check(ctx, nil, good); !errors.Is(err, context.Canceled) {
			t.Errorf("of one who hung up: %v", err)
		}
		close(w.hasher.hold)
		wg.Wait()
		if _, err := d.Check(t.Context(), nil, good); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestSetPassword(t *testing.T) {
	w := newWorld(t)
	u := w.create(t, "acme", "grace@example.com", "", good)
	stale := u
	if err := w.SetPassword(t.Context(), &u, "heron-lighthouse-3"); err != nil {
		t.Fatal(err)
	}
	if w.signIn(t, "", "grace@example.com", good) != "" || w.signIn(t, "", "grace@example.com", "heron-lighthouse-3") != "acme" {
		t.Error("the old password fits, or the new one does not")
	}
	before := stale
	if err := w.SetPassword(t.Context(), &stale, "puffin-lighthouse-4"); !errors.Is(err, storage.ErrConflict) || stale.Password != before.Password {
		t.Errorf("of a user changed since: %v", err)
	}
	var refused *directory.PasswordError
	if err := w.SetPassword(t.Context(), &u, "password1"); !errors.As(err, &refused) || refused.Reason != directory.Common {
		t.Errorf("a common one: %v", err)
	}
}

func TestCheckNew(t *testing.T) {
	for _, c := range []struct{ password, want string }{
		{"", directory.TooShort},
		{"seven77", directory.TooShort},
		{"x9$Kqp2", directory.TooShort},
		{"ééééééé", directory.TooShort}, // seven characters in fourteen bytes
		{strings.Repeat("kestrel ", 16), ""},
		{strings.Repeat("kestrel ", 16) + "x", directory.TooLong},
		{strings.Repeat("x", 1<<20), directory.TooLong},
		{"kestrel\xff\xfeharbour", directory.Charset},
		{"password", directory.Common},
		{"PASSWORD", directory.Common},
		{"P@ssw0rd", directory.Common},
		{"12345678", directory.Common},
		{"aaaaaaaaaaaa", directory.Common},
		{"qwertyuiop", directory.Common},
		{"letmein123", directory.Common},
		{"sallyport", directory.Personal},
		{"Sallyport1!", directory.Personal},
		{"grace.hopper@example.com", directory.Personal},
		{"hopper-grace", directory.Personal},
		{"gracehopper12", directory.Personal},
		{"ghopper1906", directory.Personal},
		{"kestrel-harbour-7", ""},
		{"correct horse battery staple", ""},
		{"19061209", directory.Common},
		{"xkqjvwzp", ""},
		{"пароль-из-трёх-слов", ""},
		{"        x        y", ""},
		{"a\tb\x00c\x01d9#kQ", ""},
	} {
		err := directory.CheckNew(c.password, "grace.hopper@example.com", "", "Grace Hopper", "Sallyport")
		var refused *directory.PasswordError
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%.40q: %v", c.password, err)
		case c.want != "" && (!errors.As(err, &refused) || refused.Reason != c.want):
			t.Errorf("%.40q: %v, want %s", c.password, err, c.want)
		}
	}
}

func FuzzCheckNew(f *testing.F) {
	for _, s := range []string{"password", "ünïcödé pass", "19.02.1987", "aaaaaaaa", "4444@@@@$$$$"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		err := directory.CheckNew(s, "grace@example.com", s)
		var refused *directory.PasswordError
		if err != nil && !errors.As(err, &refused) {
			t.Errorf("%q: %v", s, err)
		}
	})
}
