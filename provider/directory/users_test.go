package directory_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/storage"
)

// refused tells whether err is a FieldError for that field and reason.
func refused(err error, field, reason string) bool {
	var f *directory.FieldError
	return errors.As(err, &f) && f.Field == field && f.Reason == reason
}

// count is how many users a tenant has.
func (w *world) count(t *testing.T, tenant string) int {
	t.Helper()
	users, err := w.store.Users.List(t.Context(), storage.Query{Tenant: tenant, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return len(users)
}

func (w *world) answers(t *testing.T, login string) (ids []string) {
	t.Helper()
	users, err := w.Lookup(t.Context(), "", login)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range users {
		ids = append(ids, u.ID)
	}
	return ids
}

func TestCreateRefusesWhatIsNotAUser(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		change        func(u *storage.User)
		field, reason string
	}{
		{func(u *storage.User) { u.Email = "" }, "email", directory.Missing},
		{func(u *storage.User) { u.Email = "   " }, "email", directory.Missing},
		{func(u *storage.User) { u.Email = "ada" }, "email", directory.Syntax},
		{func(u *storage.User) { u.Email = "@example.com" }, "email", directory.Syntax},
		{func(u *storage.User) { u.Email = "ada@" }, "email", directory.Syntax},
		{func(u *storage.User) { u.Email = "ada@[127.0.0.1]" }, "email", directory.Syntax},
		{func(u *storage.User) { u.Email = "ada..x@example.com" }, "email", directory.Syntax},
		{func(u *storage.User) { u.Email = "Ada <ada@example.com>" }, "email", directory.Charset},
		{func(u *storage.User) { u.Email = "ada@example.com\r\nBcc: eve@example.com" }, "email", directory.Charset},
		{func(u *storage.User) { u.Email = "ada,eve@example.com" }, "email", directory.Charset},
		{func(u *storage.User) { u.Email = "аda@example.com" }, "email", directory.Charset}, // a Cyrillic letter
		{func(u *storage.User) { u.Email = "ada@example.com\xff" }, "email", directory.Charset},
		{func(u *storage.User) { u.Email = strings.Repeat("a", 65) + "@example.com" }, "email", directory.TooLong},
		{func(u *storage.User) { u.Email = strings.Repeat("a", 1<<16) + "@example.com" }, "email", directory.TooLong},
		{func(u *storage.User) { u.Login = "ada@home" }, "login", directory.Charset},
		{func(u *storage.User) { u.Login = "ada lovelace" }, "login", directory.Charset},
		{func(u *storage.User) { u.Login = "-ada" }, "login", directory.Charset},
		{func(u *storage.User) { u.Login = "ad\u200da" }, "login", directory.Charset},
		{func(u *storage.User) { u.Login = "adaı" }, "login", directory.Charset}, // a dotless i
		{func(u *storage.User) { u.Login = strings.Repeat("a", 65) }, "login", directory.TooLong},
		{func(u *storage.User) { u.Name = "Ada\nLovelace" }, "name", directory.Charset},
		{func(u *storage.User) { u.Name = "Ada \u202eecalevoL" }, "name", directory.Charset},
		{func(u *storage.User) { u.Name = "Ada\x00" }, "name", directory.Charset},
		{func(u *storage.User) { u.Name = strings.Repeat("ä", 129) }, "name", directory.TooLong},
		{func(u *storage.User) { u.Role = "root" }, "role", directory.Unknown},
		{func(u *storage.User) { u.Role = "" }, "role", directory.Unknown},
		{func(u *storage.User) { u.Type = "robot" }, "type", directory.Unknown},
		{func(u *storage.User) { u.Type = "" }, "type", directory.Unknown},
	} {
		u := user("acme", "ada@example.com", "")
		c.change(u)
		was := *u
		if err := w.Create(t.Context(), u, ""); !refused(err, c.field, c.reason) {
			t.Errorf("%.60q %.60q %q %q %q: %v, want %s %s", was.Email, was.Login, was.Name, was.Role, was.Type, err, c.field, c.reason)
		}
		if u.ID != "" || u.Email != was.Email {
			t.Errorf("a user that was refused was changed: %+v", u)
		}
	}
	if err := w.Create(t.Context(), user("nowhere", "ada@example.com", ""), ""); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("in no tenant: %v", err)
	}
	if err := w.Create(t.Context(), user("acme", "ada@example.com", ""), "password"); err == nil {
		t.Error("with a common password")
	}
	if w.count(t, "acme") != 0 || len(w.answers(t, "ada@example.com")) != 0 {
		t.Error("something is left of users that were refused")
	}
}

func TestCreateKeepsTheOneFormOfNames(t *testing.T) {
	w := newWorld(t)
	u := user("acme", " Zoë.K+tag@BÜCHER.example ", "")
	if err := w.Create(t.Context(), u, ""); !refused(err, "email", directory.Charset) {
		t.Fatalf("a local part that is not ASCII: %v", err)
	}
	u = user("acme", " Zoe.K+tag@BÜCHER.example ", "Zoe_K")
	u.Name = " Zoe\u0308  K. "
	if err := w.Create(t.Context(), u, good); err != nil {
		t.Fatal(err)
	}
	if u.Email != "zoe.k+tag@xn--bcher-kva.example" || u.Login != "zoe_k" || u.Name != "Zo\u00eb  K." {
		t.Errorf("kept %q, %q, %q", u.Email, u.Login, u.Name)
	}
	if u.ID == "" || u.Version != 1 || u.Created.IsZero() || u.PasswordSet.IsZero() {
		t.Errorf("%+v", u)
	}
	if got := w.answers(t, "zoe.k+tag@bücher.EXAMPLE"); len(got) != 1 || got[0] != u.ID {
		t.Errorf("answers: %v", got)
	}
}

func TestParallelCreatesWithOneAddressGiveOneUser(t *testing.T) {
	w := newWorld(t)
	const n = 64
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = w.Create(context.Background(), user("acme", "ada@example.com", fmt.Sprintf("ada%d", i)), "")
		})
	}
	close(start)
	wg.Wait()
	won := 0
	for i, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, directory.ErrTaken) || !refused(err, "email", directory.Taken):
			t.Errorf("%v", err)
		default:
			if got := w.answers(t, fmt.Sprintf("ada%d", i)); len(got) != 0 {
				t.Errorf("one who lost answers to a user name: %v", got)
			}
		}
	}
	if won != 1 || w.count(t, "acme") != 1 || len(w.answers(t, "ada@example.com")) != 1 {
		t.Errorf("%d won, %d users, %d answer", won, w.count(t, "acme"), len(w.answers(t, "ada@example.com")))
	}
}

func TestOneAddressInManyTenantsUpToABound(t *testing.T) {
	w := newWorld(t)
	const n = 101
	errs := make([]error, n)
	for i := range n {
		w.addTenant(t, fmt.Sprintf("t%d", i))
	}
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = w.Create(context.Background(), user(fmt.Sprintf("t%d", i), "ada@example.com", ""), "")
		})
	}
	close(start)
	wg.Wait()
	crowded := 0
	for _, err := range errs {
		if errors.Is(err, directory.ErrCrowded) {
			crowded++
		} else if err != nil {
			t.Error(err)
		}
	}
	if got := len(w.answers(t, "ada@example.com")); crowded != 1 || got != 100 {
		t.Errorf("%d refused, %d answer", crowded, got)
	}
}

func TestUserNameOfAnotherLeavesNothingClaimed(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme", "", "ada", "")
	before := w.count(t, "acme")
	if err := w.Create(t.Context(), user("acme", "new@example.com", "ada"), ""); !refused(err, "login", directory.Taken) {
		t.Errorf("%v", err)
	}
	if w.count(t, "acme") != before {
		t.Error("a user is left")
	}
	w.create(t, "acme", "new@example.com", "", "")
	w.create(t, "globex", "", "ada", "")
}

func TestDeleteFreesTheNames(t *testing.T) {
	w := newWorld(t)
	a := w.create(t, "acme", "ada@example.com", "ada", good)
	b := w.create(t, "globex", "ada@example.com", "", good)
	if err := w.Delete(t.Context(), "globex", a.ID); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("another tenant's: %v", err)
	}
	if err := w.Delete(t.Context(), "acme", a.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(t.Context(), "acme", a.ID); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a second time: %v", err)
	}
	if got := w.answers(t, "ada@example.com"); len(got) != 1 || got[0] != b.ID {
		t.Errorf("answers: %v", got)
	}
	if _, err := w.store.Logins.Get(t.Context(), storage.Global, "ada"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a name nobody has is still kept: %v", err)
	}
	again := w.create(t, "acme", "ada@example.com", "ada", good)
	if got := w.answers(t, "ada"); len(got) != 1 || got[0] != again.ID {
		t.Errorf("answers: %v", got)
	}
}

func TestChangeLogin(t *testing.T) {
	w := newWorld(t)
	u := w.create(t, "acme", "ada@example.com", "ada", good)
	u.EmailVerified = true
	if err := w.store.Users.Replace(t.Context(), &u); err != nil {
		t.Fatal(err)
	}
	w.create(t, "acme", "bob@example.com", "bob", good)
	was := u
	if err := w.ChangeLogin(t.Context(), &u, "new@example.com", "bob"); !refused(err, "login", directory.Taken) || u.Email != was.Email {
		t.Errorf("to a name of another: %v", err)
	}
	stale := u
	stale.Version--
	if err := w.ChangeLogin(t.Context(), &stale, "new@example.com", "ada"); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("of a user changed since: %v", err)
	}
	if len(w.answers(t, "new@example.com")) != 0 || w.signIn(t, "", "ada@example.com", good) != "acme" {
		t.Error("a change that was refused had an effect")
	}
	w.create(t, "acme", "new@example.com", "", "") // nothing is left claimed

	u, err := w.store.Users.Get(t.Context(), "acme", u.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.ChangeLogin(t.Context(), &u, u.Email, "countess"); err != nil || !u.EmailVerified {
		t.Fatalf("user name only: %v, verified %t", err, u.EmailVerified)
	}
	if err := w.ChangeLogin(t.Context(), &u, "lovelace@example.com", "countess"); err != nil || u.EmailVerified {
		t.Fatalf("address: %v, verified %t", err, u.EmailVerified)
	}
	for login, want := range map[string]string{"ada": "", "ada@example.com": "", "countess": "acme", "lovelace@example.com": "acme"} {
		if got := w.signIn(t, "", login, good); got != want {
			t.Errorf("%s: in at %q, want %q", login, got, want)
		}
	}
	w.create(t, "acme", "ada@example.com", "ada", "")
}

func TestClaimOfAUserThatIsGoneIsTakenOver(t *testing.T) {
	w := newWorld(t)
	gone := w.create(t, "acme", "ada@example.com", "", "")
	if err := w.store.Users.Delete(t.Context(), "acme", gone.ID); err != nil {
		t.Fatal(err)
	}
	if got := w.answers(t, "ada@example.com"); len(got) != 0 {
		t.Errorf("answers: %v", got)
	}
	u := w.create(t, "acme", "ada@example.com", "", "")
	if got := w.answers(t, "ada@example.com"); len(got) != 1 || got[0] != u.ID {
		t.Errorf("answers: %v", got)
	}
}

// A claim left over from a change of name that was broken off lets its user in by neither name but its own.
func TestClaimWithoutTheNameLetsNobodyIn(t *testing.T) {
	w := newWorld(t)
	u := w.create(t, "acme", "ada@example.com", "", good)
	if err := w.store.Logins.Insert(t.Context(), &storage.Login{
		Key: storage.Key{Tenant: storage.Global, ID: "bob@example.com"}, Users: []storage.LoginUser{{Tenant: "acme", User: u.ID}},
	}); err != nil {
		t.Fatal(err)
	}
	if got := w.answers(t, "bob@example.com"); len(got) != 0 {
		t.Errorf("answers: %v", got)
	}
}

func TestRename(t *testing.T) {
	w := newWorld(t)
	u := w.create(t, "acme", "ada@example.com", "", "")
	if err := w.Rename(t.Context(), &u, " Ada King "); err != nil || u.Name != "Ada King" || u.Version != 2 {
		t.Errorf("%q, version %d, %v", u.Name, u.Version, err)
	}
	if err := w.Rename(t.Context(), &u, "Ada\u2066"); !refused(err, "name", directory.Charset) {
		t.Errorf("%v", err)
	}
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"Ada@Example.com", "ada", "ＡＤＡ", "ada@bücher.example", "\u212a", "a@b@c", "ﬃ", "\"a\"@b", "a@xn--a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := directory.Normalize(s)
		if err != nil {
			var refused *directory.FieldError
			if !errors.As(err, &refused) || name != "" {
				t.Fatalf("%q: %q, %v", s, name, err)
			}
			return
		}
		if again, err := directory.Normalize(name); err != nil || again != name {
			t.Fatalf("%q became %q, and that %q, %v", s, name, again, err)
		}
		if name != strings.ToLower(name) || len(name) > 254 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~.@") != "" {
			t.Fatalf("%q became %q", s, name)
		}
	})
}
