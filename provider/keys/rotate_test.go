package keys_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/storage"
)

// sign makes a JWS with the key that signs now, and returns it with its kid.
func sign(t *testing.T, k *keys.Keys, alg string) (token, kid string) {
	t.Helper()
	s, err := k.Signer(t.Context(), alg)
	if err != nil {
		t.Fatal(err)
	}
	if s.Alg != alg {
		t.Fatalf("asked for %s, got %s", alg, s.Alg)
	}
	signer, err := jose.NewSigner(jose.SigningKey{
		Algorithm: jose.SignatureAlgorithm(alg), Key: jose.JSONWebKey{Key: s.Key, KeyID: s.ID},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign([]byte("claims"))
	if err != nil {
		t.Fatal(err)
	}
	token, err = jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token, s.ID
}

// verify does what a relying party does with the published keys.
func verify(t *testing.T, k *keys.Keys, token string) error {
	t.Helper()
	public, err := k.Public(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	_, err = jws.Verify(jose.JSONWebKeySet{Keys: public})
	return err
}

func kids(t *testing.T, k *keys.Keys) (ids []string) {
	t.Helper()
	public, err := k.Public(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range public {
		if !p.IsPublic() || !p.Valid() || p.Use != "sig" {
			t.Errorf("published %+v", p)
		}
		ids = append(ids, p.KeyID)
	}
	return ids
}

func TestFirstStartSignsAtOnceInBothAlgorithms(t *testing.T) {
	c := newClock()
	k := newKeys(t, openStore(t, c), c, 1)
	if _, err := k.Signer(t.Context(), "ES256"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("before Ensure: %v", err)
	}
	if err := k.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, alg := range keys.Algs() {
		token, _ := sign(t, k, alg)
		if err := verify(t, k, token); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
	for _, alg := range []string{"", "none", "HS256", "PS256"} {
		if _, err := k.Signer(t.Context(), alg); !errors.Is(err, keys.ErrAlg) {
			t.Errorf("Signer(%q): %v", alg, err)
		}
		if err := k.Rotate(t.Context(), alg); !errors.Is(err, keys.ErrAlg) {
			t.Errorf("Rotate(%q): %v", alg, err)
		}
	}
	// The deployment's secret stands beside the signing keys and must not be published.
	if ids := kids(t, k); len(ids) != 2 {
		t.Errorf("published %v", ids)
	}
}

func TestRotationPublishesAheadAndKeepsBehind(t *testing.T) {
	c := newClock()
	s := openStore(t, c)
	k := newKeys(t, s, c, 1)
	if err := k.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, first := sign(t, k, "ES256")
	_, rsa := sign(t, k, "RS256")
	c.pass(time.Hour)
	if err := k.Rotate(t.Context(), "ES256"); err != nil {
		t.Fatal(err)
	}
	published := kids(t, k)
	if len(published) != 3 {
		t.Fatalf("published %v", published)
	}
	c.pass(time.Hour - time.Millisecond)
	last, kid := sign(t, k, "ES256")
	if kid != first {
		t.Error("the new key signs before it was published for an hour")
	}
	// A relying party that fetched the keys when the new one came out knows it when it signs.
	c.pass(time.Millisecond)
	token, second := sign(t, k, "ES256")
	if second == first || !slices.Contains(published, second) {
		t.Errorf("signs with %s; published an hour ago: %v", second, published)
	}
	if err := errors.Join(verify(t, k, token), verify(t, k, last)); err != nil {
		t.Error(err)
	}
	if _, kid := sign(t, k, "RS256"); kid != rsa {
		t.Error("the other algorithm's key changed too")
	}
	c.pass(25*time.Hour - time.Second)
	if err := verify(t, k, last); err != nil {
		t.Errorf("a second before the old key is withdrawn: %v", err)
	}
	c.pass(time.Second)
	if err := verify(t, k, last); err == nil {
		t.Error("the old key is still published")
	}
	if ids := kids(t, newKeys(t, s, c, 1)); len(ids) != 2 || slices.Contains(ids, first) {
		t.Errorf("published at the end: %v", ids)
	}
}

func TestProcessesRotatingTogetherMakeOneKey(t *testing.T) {
	c := newClock()
	s := openStore(t, c)
	const processes = 8
	var all [processes]*keys.Keys
	for i := range all {
		all[i] = newKeys(t, s, c, 1)
	}
	if err := all[0].Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		parallel(t, processes, func(i int) error { return all[i].Rotate(t.Context(), "ES256") })
		if ids := kids(t, newKeys(t, s, c, 1)); len(ids) != 2+round+1 {
			t.Fatalf("round %d: published %v", round, ids)
		}
		c.pass(time.Hour)
	}
	_, want := sign(t, all[0], "ES256")
	for _, k := range all {
		if _, kid := sign(t, k, "ES256"); kid != want {
			t.Errorf("one signs with %s, another with %s", kid, want)
		}
	}
}

// A process that dies after adding a key and before retiring the one before leaves work that the next one does.
func TestRotationBrokenOffIsFinished(t *testing.T) {
	c := newClock()
	s := openStore(t, c)
	k := newKeys(t, s, c, 1)
	if err := k.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, first := sign(t, k, "ES256")
	if err := k.Rotate(t.Context(), "ES256"); err != nil {
		t.Fatal(err)
	}
	broken, err := s.SigningKeys.Get(t.Context(), storage.Global, first)
	if err != nil {
		t.Fatal(err)
	}
	if broken.Retired.IsZero() || broken.Expires.IsZero() {
		t.Fatal("the old key was not retired")
	}
	broken.Retired, broken.Expires = time.Time{}, time.Time{}
	if err := s.SigningKeys.Replace(t.Context(), &broken); err != nil {
		t.Fatal(err)
	}
	if err := newKeys(t, s, c, 1).Rotate(t.Context(), "ES256"); err != nil {
		t.Fatal(err)
	}
	mended, err := s.SigningKeys.Get(t.Context(), storage.Global, first)
	if err != nil || !mended.Retired.Equal(c.Now().Add(time.Hour)) || !mended.Expires.Equal(mended.Retired.Add(25*time.Hour)) {
		t.Errorf("retired %s, expires %s, %v", mended.Retired, mended.Expires, err)
	}
}

func TestRunRotatesByAge(t *testing.T) {
	c := newClock()
	s := openStore(t, c)
	k := newKeys(t, s, c, 1)
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			k.Run(ctx)
		}()
		// The bubble's time moves on once Run waits for it; the keys' clock follows by hand.
		pass := func(d time.Duration) {
			c.pass(d)
			time.Sleep(5 * time.Minute)
			synctest.Wait()
		}
		pass(0)
		_, first := sign(t, k, "ES256")
		pass(90*24*time.Hour - time.Hour - time.Minute)
		if ids := kids(t, k); len(ids) != 2 {
			t.Errorf("rotated too early: %v", ids)
		}
		pass(time.Minute)
		if ids := kids(t, k); len(ids) != 4 {
			t.Errorf("an hour before the end of their time %v are published", ids)
		}
		if _, kid := sign(t, k, "ES256"); kid != first {
			t.Error("the new key signs at once")
		}
		pass(time.Hour)
		token, kid := sign(t, k, "ES256")
		if kid == first {
			t.Error("the old key signs after 90 days")
		}
		if err := verify(t, k, token); err != nil {
			t.Error(err)
		}
		pass(25 * time.Hour)
		if ids := kids(t, k); len(ids) != 2 || slices.Contains(ids, first) {
			t.Errorf("in the end %v are published", ids)
		}
		stop()
		<-ended
	})
}

// Who can write to the database, but has no master key, can't have a key published or a private key moved.
func TestForgedSigningKeyIsNotPublished(t *testing.T) {
	c := newClock()
	s := openStore(t, c)
	k := newKeys(t, s, c, 1)
	if err := k.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	active, err := k.Signer(t.Context(), "ES256")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := s.SigningKeys.Get(t.Context(), storage.Global, active.ID)
	if err != nil {
		t.Fatal(err)
	}
	public, err := newKeys(t, s, c, 1).Public(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(public, func(j jose.JSONWebKey) bool {
		p, ok := j.Key.(interface{ Equal(crypto.PublicKey) bool })
		return j.KeyID == active.ID && ok && p.Equal(active.Key.Public())
	}) {
		t.Error("what is published is not the public half of the key that signs")
	}
	kept.ID = "moved"
	if err := s.SigningKeys.Insert(t.Context(), &kept); err != nil {
		t.Fatal(err)
	}
	if _, err := newKeys(t, s, c, 1).Public(t.Context()); !errors.Is(err, keys.ErrSealed) {
		t.Errorf("a private key under another name: %v", err)
	}
}

func BenchmarkSign(b *testing.B) {
	c := newClock()
	k := newKeys(b, openStore(b, c), c, 1)
	if err := k.Ensure(b.Context()); err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("claims"))
	for _, alg := range keys.Algs() {
		b.Run(alg, func(b *testing.B) {
			for b.Loop() {
				s, err := k.Signer(b.Context(), alg)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := s.Key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
