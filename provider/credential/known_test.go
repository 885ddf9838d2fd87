package credential_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/backup"
	"github.com/sallyport-id/sallyport/mfa/recovery"
	"github.com/sallyport-id/sallyport/mfa/totp"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

// open seals nothing: what is sealed is looked at elsewhere.
type open struct{}

func (open) SealFor(_ context.Context, _, purpose string, plain []byte) ([]byte, error) {
	return append([]byte(purpose+"\x00"), plain...), nil
}

func (open) OpenFor(_ context.Context, _, purpose string, sealed []byte) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, []byte(purpose+"\x00"))
	if !ok {
		return nil, errors.New("sealed for something else")
	}
	return plain, nil
}

// users counts the writes, and fails them where it is broken.
type users struct {
	storage.Table[storage.User]
	writes int
	broken error
}

func (u *users) Replace(ctx context.Context, o *storage.User) error {
	u.writes++
	if u.broken != nil {
		return u.broken
	}
	return u.Table.Replace(ctx, o)
}

// kept is a keeper over the real store, with a user.
type kept struct {
	*testing.T
	credential.Keeper
	store storage.Store
	users *users
	log   *bytes.Buffer
	who   credential.Person
}

func newKept(t *testing.T) *kept {
	t.Helper()
	k := &kept{T: t, log: &bytes.Buffer{}, store: sqlitetest.Open(t, sqlite.Options{})}
	k.users = &users{Table: k.store.Users}
	k.Keeper = credential.Keeper{
		Credentials: k.store.Credentials, Users: k.users, Counters: k.store.Counters, Seal: open{},
		Factors: []mfa.Factor{totp.Factor{}, backup.Factor{Key: make([]byte, 32)}, recovery.Factor{Key: make([]byte, 32)}},
		Logger:  slog.New(slog.NewTextHandler(k.log, nil)), Now: time.Now,
	}
	u := storage.User{Key: storage.Key{Tenant: "acme", ID: "robin"}, Email: "robin@acme.example"}
	if err := k.store.Users.Insert(t.Context(), &u); err != nil {
		t.Fatal(err)
	}
	k.who = credential.Person{Tenant: &storage.Tenant{Key: storage.Key{ID: "acme"}}, User: &u}
	return k
}

const key = "otpauth://totp/x?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// has wants the user's record to hold these factors, and to have been written so often since the last time.
func (k *kept) has(when string, writes int, want ...string) {
	k.Helper()
	u, err := k.store.Users.Get(k.Context(), "acme", "robin")
	if err != nil {
		k.Fatal(err)
	}
	if !slices.Equal(u.Factors, want) || k.users.writes != writes {
		k.Errorf("%s: factors %v after %d writes, want %v after %d", when, u.Factors, k.users.writes, want, writes)
	}
	k.users.writes = 0
}

func (k *kept) bring() storage.Credential {
	k.Helper()
	c, err := k.Import(k.Context(), k.who, "totp", key, nil)
	if err != nil {
		k.Fatal(err)
	}
	return c
}

func (k *kept) do(err error) {
	k.Helper()
	if err != nil {
		k.Fatal(err)
	}
}

// The user's record follows the credentials, and is written only where that changes something.
func TestFactorsFollowTheCredentials(t *testing.T) {
	k := newKept(t)
	first := k.bring()
	k.has("the first", 1, "totp")
	second := k.bring()
	k.has("a second one of the same factor", 0, "totp")
	_, err := k.NewCodes(t.Context(), k.who, nil)
	k.do(err)
	k.has("backup codes", 0, "totp")
	_, _, err = k.HandOut(t.Context(), k.who, nil)
	k.do(err)
	k.has("a recovery code", 0, "totp")
	k.do(k.TakeBack(t.Context(), k.who, nil))
	k.do(k.Remove(t.Context(), k.who, first.ID, nil))
	k.has("one of two is gone", 0, "totp")
	k.do(k.Remove(t.Context(), k.who, second.ID, nil))
	k.has("the last is gone", 1)
	k.bring()
	k.users.writes = 0
	k.do(k.RemoveAll(t.Context(), k.who, nil))
	k.has("all are gone", 1)
	no := errors.New("no")
	if _, err := k.Import(t.Context(), k.who, "totp", key, func([]storage.Credential) error { return no }); !errors.Is(err, no) {
		t.Errorf("not accepted: %v", err)
	}
	k.has("not accepted", 0)
	if k.log.Len() > 0 {
		t.Errorf("the log tells of %s", k.log)
	}
}

// A change that was made stands, although the user's record could not be brought up to date, and although whoever asked
// for it has gone away by then. The log says so, and the next change makes up for it.
func TestFactorsThatCanNotBeWritten(t *testing.T) {
	k := newKept(t)
	k.users.broken = errors.New("the disk is full")
	k.bring()
	k.has("broken", 1)
	if held, err := k.List(t.Context(), k.who); err != nil || len(held) != 1 {
		t.Errorf("%d credentials (%v), want the one that was set up", len(held), err)
	}
	if said := k.log.String(); !strings.Contains(said, "level=WARN") || !strings.Contains(said, "user=robin") || !strings.Contains(said, "the disk is full") {
		t.Errorf("the log says %q", said)
	}
	k.users.broken = nil
	k.log.Reset()
	ctx, cancel := context.WithCancel(t.Context())
	k.do(k.RemoveAll(ctx, k.who, func([]storage.Credential) error { return nil }))
	k.bring()
	k.users.writes = 0
	// The browser goes away right after the last moment at which that changes anything.
	k.Credentials = &hanging{Table: k.store.Credentials, cancel: cancel}
	k.do(k.RemoveAll(ctx, k.who, nil))
	k.has("hung up", 1)
	if k.log.Len() > 0 {
		t.Errorf("the log tells of %s", k.log)
	}
	// A user who was deleted meanwhile needs no list, and nobody need hear of it.
	k.bring()
	k.do(k.store.Users.Delete(t.Context(), "acme", "robin"))
	k.do(k.RemoveAll(t.Context(), k.who, nil))
	if k.log.Len() > 0 {
		t.Errorf("of a user who is gone the log tells %s", k.log)
	}
}

// hanging hangs up once a credential was deleted.
type hanging struct {
	storage.Table[storage.Credential]
	cancel func()
}

func (h *hanging) Delete(ctx context.Context, tenant, id string) error {
	defer h.cancel()
	return h.Table.Delete(ctx, tenant, id)
}
