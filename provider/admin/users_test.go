package admin_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

func TestUserFromCreationToDeletion(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.tenant("northwind")
	w.tenant("harbour")
	u, password, err := w.CreateUser(ctx, web.Operator(), "northwind", admin.NewUser{Email: "Olga@Northwind.Example", Name: "Olga", Role: storage.Owner})
	if err != nil {
		t.Fatal(err)
	}
	if len(password) != 24 || u.Email != "olga@northwind.example" || u.Type != "staff" || u.EmailVerified {
		t.Errorf("%+v, %q", u, password)
	}
	kept, err := w.store.Users.Get(ctx, "northwind", u.ID)
	if err != nil || strings.Contains(kept.Password, password) {
		t.Errorf("%+v, %v", kept, err)
	}
	if right, err := w.Directory.Check(ctx, []storage.User{kept}, password); err != nil || len(right) != 1 {
		t.Errorf("the password does not fit: %v", err)
	}
	for where, in := range map[string]admin.NewUser{
		"email":    {Email: "olga@northwind.example", Name: "Other"},
		"login":    {Login: "no spaces", Name: "A"},
		"role":     {Login: "tim", Role: "king"},
		"type":     {Login: "tim", Type: "wizard"},
		"password": {Login: "tim", Password: "password1"},
		"name":     {Login: "tim", Name: "a\x00b"},
	} {
		cause := web.ErrInvalid
		if where == "email" {
			cause = storage.ErrExists
		}
		_, _, err := w.CreateUser(ctx, web.Operator(), "northwind", in)
		refused(t, err, cause, where)
	}
	if all, err := w.FindUsers(ctx, web.Operator(), "northwind", admin.Filter{}, admin.Page{}); err != nil || len(all.Items) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	// The other tenant neither sees nor touches her, by name or by ID.
	for _, name := range []string{"olga@northwind.example", u.ID} {
		_, err := w.User(ctx, web.Operator(), "harbour", name)
		refused(t, err, storage.ErrNotFound, "user")
		refused(t, w.DeleteUser(ctx, web.Operator(), "harbour", name), storage.ErrNotFound, "user")
	}
	v, err := w.ChangeUser(ctx, web.Operator(), "northwind", "OLGA@northwind.example", admin.UserFields{Role: ptr(storage.Admin), Require2FA: ptr(true)})
	if err != nil || v.Role != storage.Admin || !v.Require2FA || v.Name != "Olga" {
		t.Errorf("%+v, %v", v, err)
	}
	_, err = w.ChangeUser(ctx, web.Operator(), "northwind", u.ID, admin.UserFields{Name: ptr("New"), Type: ptr("wizard")})
	refused(t, err, web.ErrInvalid, "type")
	if v, err = w.User(ctx, web.Operator(), "northwind", u.ID); err != nil || v.Name != "Olga" || v.TwoFactor {
		t.Errorf("%+v, %v", v, err)
	}
	if err := w.DeleteUser(ctx, web.Operator(), "northwind", u.ID); err != nil {
		t.Fatal(err)
	}
	// Her address is free again.
	w.user("northwind", admin.NewUser{Email: "olga@northwind.example", Name: "Olga the second"})
	w.wantEvents("northwind", "tenant.create ok", "user.create ok", "user.change ok", "user.delete ok", "user.create ok")
}

// enrolled gives a user everything that hangs on a user.
func (w *world) enrolled(u admin.User) {
	w.t.Helper()
	ctx := w.t.Context()
	key := func() storage.Key { return storage.Key{Tenant: u.Tenant, ID: storage.NewID()} }
	later := w.clock().Add(time.Hour)
	live := func() storage.Key { k := key(); k.Expires = later; return k }
	if err := errors.Join(
		w.store.Credentials.Insert(ctx, &storage.Credential{Key: key(), User: u.ID, Factor: "totp", Data: []byte("x"), Left: -1}),
		w.store.Credentials.Insert(ctx, &storage.Credential{Key: key(), User: u.ID, Factor: "backup", Data: []byte("x"), Left: 7}),
		w.store.Sessions.Insert(ctx, &storage.Session{Key: live(), User: u.ID}),
		w.store.Devices.Insert(ctx, &storage.Device{Key: live(), User: u.ID}),
		w.store.Grants.Insert(ctx, &storage.Grant{Key: live(), User: u.ID}),
		w.store.Flows.Insert(ctx, &storage.Flow{Key: live(), User: u.ID}),
		w.store.Counters.Insert(ctx, &storage.Counter{
			Key: storage.Key{Tenant: u.Tenant, ID: "codes/" + u.ID, Expires: later}, Count: 3, Rows: map[string]int{"totp": 20},
		}),
	); err != nil {
		w.t.Fatal(err)
	}
}

func count[T any](w *world, table storage.Table[T], u admin.User) int {
	w.t.Helper()
	all, err := table.List(w.t.Context(), storage.Query{Tenant: u.Tenant, Field: "user", Value: u.ID})
	if err != nil {
		w.t.Fatal(err)
	}
	return len(all)
}

func (w *world) left(u admin.User) [5]int {
	w.t.Helper()
	return [5]int{
		count(w, w.store.Credentials, u), count(w, w.store.Sessions, u), count(w, w.store.Devices, u),
		count(w, w.store.Grants, u), count(w, w.store.Flows, u),
	}
}

func TestWhatEndsWithAChangeOfAUser(t *testing.T) {
	w := newWorld(t)
	w.tenant("northwind")
	other := w.user("northwind", admin.NewUser{Login: "other", Name: "Other"})
	w.enrolled(other)
	for _, c := range []struct {
		name string
		do   func(ctx context.Context, id string) error
		left [5]int
	}{
		{"password", func(ctx context.Context, id string) error {
			_, err := w.SetPassword(ctx, web.Operator(), "northwind", id, "tangled-hedgehog-4471")
			return err
		}, [5]int{2, 0, 0, 1, 1}},
		{"reset", func(ctx context.Context, id string) error {
			u, err := w.ResetTwoFactor(ctx, web.Operator(), "northwind", id)
			if u.TwoFactor {
				t.Errorf("after a reset: %+v", u)
			}
			return err
		}, [5]int{0, 0, 0, 1, 1}},
		{"disable", func(ctx context.Context, id string) error {
			_, err := w.SetUserDisabled(ctx, web.Operator(), "northwind", id, true)
			return err
		}, [5]int{2, 0, 0, 1, 1}},
		{"delete", func(ctx context.Context, id string) error { return w.DeleteUser(ctx, web.Operator(), "northwind", id) }, [5]int{}},
	} {
		u := w.user("northwind", admin.NewUser{Login: c.name, Name: "U"})
		w.enrolled(u)
		if err := c.do(t.Context(), u.ID); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := w.left(u); got != c.left {
			t.Errorf("%s leaves %v of credentials, sessions, devices, grants and flows, want %v", c.name, got, c.left)
		}
		_, err := w.store.Counters.Get(t.Context(), "northwind", "codes/"+u.ID)
		if gone := errors.Is(err, storage.ErrNotFound); gone != (c.name == "reset" || c.name == "delete") {
			t.Errorf("%s: wrong codes counted: %v", c.name, err)
		}
	}
	if got := w.left(other); got != [5]int{2, 1, 1, 1, 1} {
		t.Errorf("somebody else lost something: %v", got)
	}
}
