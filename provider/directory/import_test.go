package directory_test

import (
	"errors"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/storage"
)

func imported(id, email, login string) *storage.User {
	return &storage.User{Key: storage.Key{Tenant: "acme", ID: id}, Email: email, Login: login, Role: storage.Member, Type: "staff"}
}

// What a process leaves that died in the middle of an import keeps nobody's name, and a whole user is made of it where
// it can be found.
func TestImportThatDiedIsGoneOrMadeWhole(t *testing.T) {
	w := newWorld(t)
	// Died before the names were claimed: nobody answers to them, and they are free.
	early := imported("early", "early@example.com", "")
	early.Expires = time.Now().Add(time.Minute)
	if err := w.store.Users.Insert(t.Context(), early); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Find(t.Context(), "acme", "early@example.com"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a user without claims is found: %v", err)
	}
	again := imported("again", "early@example.com", "")
	if err := w.Import(t.Context(), again, ""); err != nil || !again.Expires.IsZero() {
		t.Fatal(err)
	}
	if u, err := w.Find(t.Context(), "acme", "early@example.com"); err != nil || u.ID != "again" {
		t.Errorf("%+v, %v", u, err)
	}
	// Died after: the one who is found is made whole.
	late := imported("late", "late@example.com", "late")
	if err := w.Import(t.Context(), late, ""); err != nil {
		t.Fatal(err)
	}
	late.Expires = time.Now().Add(time.Minute)
	if err := w.store.Users.Replace(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	found, err := w.Find(t.Context(), "acme", "late")
	if err != nil || found.Expires.IsZero() {
		t.Fatal(found, err)
	}
	if err := w.Complete(t.Context(), &found); err != nil || !found.Expires.IsZero() {
		t.Error(found, err)
	}
	// Its end came before: the names are free again.
	gone := imported("gone", "gone@example.com", "gone")
	if err := w.Import(t.Context(), gone, ""); err != nil {
		t.Fatal(err)
	}
	gone.Expires = time.Now().Add(-time.Second)
	if err := w.store.Users.Replace(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	if err := w.Import(t.Context(), imported("next", "gone@example.com", "gone"), ""); err != nil {
		t.Errorf("the names of one who is gone: %v", err)
	}
}

func TestImportMakesAllClaimsOrNone(t *testing.T) {
	w := newWorld(t)
	if err := w.Import(t.Context(), imported("one", "one@example.com", "one"), ""); err != nil {
		t.Fatal(err)
	}
	err := w.Import(t.Context(), imported("two", "two@example.com", "one"), "")
	if !errors.Is(err, directory.ErrTaken) {
		t.Errorf("a user name that is taken: %v", err)
	}
	if _, err := w.store.Users.Get(t.Context(), "acme", "two"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("the user is there: %v", err)
	}
	if err := w.Import(t.Context(), imported("three", "two@example.com", ""), ""); err != nil {
		t.Errorf("the address is not free: %v", err)
	}
}
