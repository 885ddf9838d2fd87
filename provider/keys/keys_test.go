package keys_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
)

// clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func openStore(tb testing.TB, c *clock) storage.Store {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), sqlite.Options{Path: filepath.Join(tb.TempDir(), "keys.db"), Now: c.Now})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func master(b byte) []byte { return bytes.Repeat([]byte{b}, keys.MasterSize) }

func newKeys(tb testing.TB, s storage.Store, c *clock, m byte, previous ...byte) *keys.Keys {
	tb.Helper()
	o := keys.Options{Master: master(m), Now: c.Now}
	for _, p := range previous {
		o.Previous = append(o.Previous, master(p))
	}
	k, err := keys.New(tb.Context(), s, o)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func addTenant(tb testing.TB, s storage.Store, k *keys.Keys, id string) {
	tb.Helper()
	key, err := k.NewDataKey()
	if err != nil {
		tb.Fatal(err)
	}
	if err := s.Tenants.Insert(tb.Context(), &storage.Tenant{Key: storage.Key{Tenant: storage.Global, ID: id}, DataKey: key}); err != nil {
		tb.Fatal(err)
	}
}

func TestMasterKeyMustHaveItsLength(t *testing.T) {
	s := openStore(t, newClock())
	for _, o := range []keys.Options{
		{},
		{Master: make([]byte, 31)},
		{Master: make([]byte, 33)},
		{Master: master(1), Previous: [][]byte{master(2), []byte("short")}},
	} {
		if _, err := keys.New(t.Context(), s, o); err == nil {
			t.Errorf("accepted a master of %d bytes and %d of before", len(o.Master), len(o.Previous))
		}
	}
}

func TestTenantDataOpensForItsTenantAndPurposeOnly(t *testing.T) {
	c := newClock()
	s := openStore(t, c)
	k := newKeys(t, s, c, 1)
	addTenant(t, s, k, "acme")
	addTenant(t, s, k, "globex")
	sealed, err := k.SealFor(t.Context(), "acme", "factor totp", []byte("seed"))
	if err != nil {
		t.Fatal(err)
	}
	for _, again := range []*keys.Keys{k, newKeys(t, s, c, 1)} {
		if got, err := again.OpenFor(t.Context(), "acme", "factor totp", sealed); err != nil || string(got) != "seed" {
			t.Errorf("opened %q, %v", got, err)
		}
	}
	if bytes.Contains(sealed, []byte("seed")) {
		t.Error("the secret can be read in what is sealed")
	}
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	for _, c := range []struct {
		tenant, purpose string
		sealed          []byte
		want            error
	}{
		{"globex", "factor totp", sealed, keys.ErrSealed},
		{"acme", "factor sms", sealed, keys.ErrSealed},
		{"acme", "factor totp", changed, keys.ErrSealed},
		{"acme", "factor totp", nil, keys.ErrSealed},
		{"nobody", "factor totp", sealed, storage.ErrNotFound},
	} {
		if _, err := k.OpenFor(t.Context(), c.tenant, c.purpose, c.sealed); !errors.Is(err, c.want) {
			t.Errorf("%s, %s: %v, want %v", c.tenant, c.purpose, err, c.want)
		}
	}
}

// A tenant's record that is copied over another's does not carry its data along: the tenant is part of the seal.
func TestTenantDataKeyInAnotherTenantsRecordOpensNothing(t *testing.T) {
	c := newClock()
	s := openStore(t, c)
	k := newKeys(t, s, c, 1)
	addTenant(t, s, k, "acme")
	acme, err := s.Tenants.Get(t.Context(), storage.Global, "acme")
	if err != nil {
		t.Fatal(err)
	}
	acme.ID = "evil"
	if err := s.Tenants.Insert(t.Context(), &acme); err != nil {
		t.Fatal(err)
	}
	sealed, err := k.SealFor(t.Context(), "acme", "p", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.OpenFor(t.Context(), "evil", "p", sealed); !errors.Is(err, keys.ErrSealed) {
		t.Errorf("opened under a copied key: %v", err)
	}
}

func TestDestroyedDataKeyMakesDataUnreadable(t *testing.T) {
	c := newClock()
	s := openStore(t, c)
	k := newKeys(t, s, c, 1)
	addTenant(t, s, k, "acme")
	sealed, err := k.SealFor(t.Context(), "acme", "p", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := newKeys(t, s, c, 1)
	if _, err := elsewhere.OpenFor(t.Context(), "acme", "p", sealed); err != nil {
		t.Fatal(err)
	}
	acme, err := s.Tenants.Get(t.Context(), storage.Global, "acme")
	if err != nil {
		t.Fatal(err)
	}
	acme.DataKey = nil
	if err := s.Tenants.Replace(t.Context(), &acme); err != nil {
		t.Fatal(err)
	}

	k.Forget("acme")
	if _, err := k.OpenFor(t.Context(), "acme", "p", sealed); !errors.Is(err, keys.ErrDestroyed) {
		t.Errorf("where it was destroyed: %v", err)
	}
	c.pass(5 * time.Second)
	if _, err := elsewhere.OpenFor(t.Context(), "acme", "p", sealed); !errors.Is(err, keys.ErrDestroyed) {
		t.Errorf("in another process, five seconds later: %v", err)
	}
	if _, err := k.SealFor(t.Context(), "acme", "p", []byte("y")); !errors.Is(err, keys.ErrDestroyed) {
		t.Errorf("sealed for it: %v", err)
	}

	// A new data key does not bring the old data back.
	if acme.DataKey, err = k.NewDataKey(); err != nil {
		t.Fatal(err)
	}
	if err := s.Tenants.Replace(t.Context(), &acme); err != nil {
		t.Fatal(err)
	}
	if _, err := k.OpenFor(t.Context(), "acme", "p", sealed); !errors.Is(err, keys.ErrSealed) {
		t.Errorf("under a new data key: %v", err)
	}
}

func TestNewMasterKeepsAllThatWasMadeUnderTheOld(t *testing.T) {
	c := newClock()
	s := openStore(t, c)
	before := newKeys(t, s, c, 1)
	addTenant(t, s, before, "acme")
	addTenant(t, s, before, "globex")
	if err := before.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	signer, err := before.Signer(t.Context(), "ES256")
	if err != nil {
		t.Fatal(err)
	}
	hash, key := before.Hash("backup code", "abcd"), before.Derive("backup", 32)
	sealed, err := before.SealFor(t.Context(), "acme", "p", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}

	check := func(k *keys.Keys) {
		t.Helper()
		if !k.Equal(hash, "backup code", "abcd") || !bytes.Equal(k.Derive("backup", 32), key) {
			t.Error("hashes or derived keys are others")
		}
		if got, err := k.OpenFor(t.Context(), "acme", "p", sealed); err != nil || string(got) != "x" {
			t.Errorf("tenant data: %q, %v", got, err)
		}
		if got, err := k.Signer(t.Context(), "ES256"); err != nil || got.ID != signer.ID {
			t.Errorf("signing key: %s, %v", got.ID, err)
		}
	}
	both := newKeys(t, s, c, 2, 1)
	check(both)
	if _, err := keys.New(t.Context(), s, keys.Options{Master: master(2)}); !errors.Is(err, keys.ErrSealed) {
		t.Errorf("started without the old master before all was sealed anew: %v", err)
	}
	// Two tenants, two signing keys and the deployment's secret.
	if n, err := both.Reseal(t.Context()); n != 5 || err != nil {
		t.Errorf("sealed %d anew, %v", n, err)
	}
	check(both)
	check(newKeys(t, s, c, 2))
	if n, err := both.Reseal(t.Context()); n != 0 || err != nil {
		t.Errorf("the second time it sealed %d anew, %v", n, err)
	}
	if _, err := keys.New(t.Context(), s, keys.Options{Master: master(1)}); !errors.Is(err, keys.ErrSealed) {
		t.Errorf("the old master still opens: %v", err)
	}
}

func TestResealNamesWhatItCannotOpenAndDoesTheRest(t *testing.T) {
	c := newClock()
	s := openStore(t, c)
	before := newKeys(t, s, c, 1)
	addTenant(t, s, before, "a")
	lost := storage.Tenant{Key: storage.Key{Tenant: storage.Global, ID: "lost"}, DataKey: make([]byte, 76)}
	gone := storage.Tenant{Key: storage.Key{Tenant: storage.Global, ID: "gone"}}
	for _, tenant := range []*storage.Tenant{&lost, &gone} {
		if err := s.Tenants.Insert(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
	}
	addTenant(t, s, before, "z")
	n, err := newKeys(t, s, c, 2, 1).Reseal(t.Context())
	if n != 3 || !errors.Is(err, keys.ErrSealed) || !strings.Contains(err.Error(), "tenant lost") || strings.Contains(err.Error(), "gone") {
		t.Errorf("sealed %d anew, %v", n, err)
	}
}

func TestProcessesStartingTogetherShareOneSecretAndOneKeyForEachAlgorithm(t *testing.T) {
	c := newClock()
	s := openStore(t, c)
	const processes = 8
	var all [processes]*keys.Keys
	parallel(t, processes, func(i int) error {
		k, err := keys.New(t.Context(), s, keys.Options{Master: master(1), Now: c.Now})
		if err != nil {
			return err
		}
		all[i] = k
		return k.Ensure(t.Context())
	})
	for _, k := range all {
		if k.Hash("p", "v") != all[0].Hash("p", "v") {
			t.Error("two processes hash with two secrets")
		}
		c.pass(5 * time.Second)
		public, err := k.Public(t.Context())
		if err != nil || len(public) != 2 {
			t.Errorf("%d keys, %v", len(public), err)
		}
		for _, alg := range keys.Algs() {
			want, errWant := all[0].Signer(t.Context(), alg)
			got, err := k.Signer(t.Context(), alg)
			if errWant != nil || err != nil || got.ID != want.ID {
				t.Errorf("%s: signs with %s, another with %s, %v", alg, got.ID, want.ID, errors.Join(err, errWant))
			}
		}
	}
}

// parallel runs f n times at once and fails the test with the errors.
func parallel(t *testing.T, n int, f func(i int) error) {
	t.Helper()
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestStoreThatFailsIsNoAnswer(t *testing.T) {
	c := newClock()
	s := openStore(t, c)
	k := newKeys(t, s, c, 1)
	addTenant(t, s, k, "acme")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.SealFor(ctx, "acme", "p", nil); err == nil || errors.Is(err, keys.ErrSealed) || errors.Is(err, keys.ErrDestroyed) {
		t.Errorf("SealFor: %v", err)
	}
	if _, err := k.Signer(ctx, "ES256"); err == nil || errors.Is(err, storage.ErrNotFound) {
		t.Errorf("Signer: %v", err)
	}
	if _, err := k.Public(ctx); err == nil {
		t.Error("Public answered")
	}
}
