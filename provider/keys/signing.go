package keys

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/sallyport-id/sallyport/storage"
)

// Algs are the JWS algorithms (RFC 7518, section 3.1) that tokens are signed with, side by side.
func Algs() []string { return []string{"ES256", "RS256"} }

// rsaBits is what relying parties everywhere accept, and NIST SP 800-57 holds good until 2030.
const rsaBits = 2048

// SigningKey is a key to sign tokens with.
type SigningKey struct {
	// ID is the `kid` (RFC 7515, section 4.1.4).
	ID string
	// Alg is the JWS algorithm, one of Algs.
	Alg string
	// Key signs; it is an *ecdsa.PrivateKey on P-256 or an *rsa.PrivateKey.
	Key crypto.Signer
}

// Signer returns the key that signs with alg now. ErrAlg; storage.ErrNotFound before Ensure was called once.
func (k *Keys) Signer(ctx context.Context, alg string) (SigningKey, error) {
	if !slices.Contains(Algs(), alg) {
		return SigningKey{}, fmt.Errorf("%w: %q", ErrAlg, alg)
	}
	held, err := k.held(ctx)
	if err != nil {
		return SigningKey{}, err
	}
	i := current(held, alg, k.o.Now())
	if i < 0 {
		return SigningKey{}, fmt.Errorf("keys: signing key for %s: %w", alg, storage.ErrNotFound)
	}
	return SigningKey{ID: held[i].ID, Alg: alg, Key: held[i].signer}, nil
}

// Public returns the keys to publish as JWK set (RFC 7517, section 5): those that sign, those that are about to, and
// those that signed tokens which may still be about. They are computed from the private keys, so that somebody who
// can write to the database but has no master key can't have a key of his own published.
func (k *Keys) Public(ctx context.Context) ([]jose.JSONWebKey, error) {
	held, err := k.held(ctx)
	if err != nil {
		return nil, err
	}
	now := k.o.Now()
	public := make([]jose.JSONWebKey, 0, len(held))
	for _, h := range held {
		if h.Expires.IsZero() || now.Before(h.Expires) {
			public = append(public, jwk(h.ID, h.Alg, h.signer))
		}
	}
	return public, nil
}

func jwk(id, alg string, s crypto.Signer) jose.JSONWebKey {
	return jose.JSONWebKey{Key: s.Public(), KeyID: id, Algorithm: alg, Use: "sig"}
}

// current returns the index of the key that signs with alg: the youngest whose time has come, else the first to come
// (another machine's clock may be some seconds ahead of ours), else -1. keys are ordered by SignFrom.
func current(keys []held, alg string, now time.Time) int {
	best := -1
	for i, h := range keys {
		if h.Alg == alg && (best < 0 || !h.SignFrom.After(now)) {
			best = i
		}
	}
	return best
}

// held is a signing key as it is kept, with its private key unsealed.
type held struct {
	storage.SigningKey
	signer crypto.Signer
}

// ring caches the signing keys.
type ring struct {
	loading sync.Mutex
	state   atomic.Pointer[ringState]
}

type ringState struct {
	keys  []held
	until time.Time
}

// held returns the signing keys from the cache, or reads them.
func (k *Keys) held(ctx context.Context) ([]held, error) {
	if s := k.ring.state.Load(); s != nil && k.o.Now().Before(s.until) {
		return s.keys, nil
	}
	k.ring.loading.Lock()
	defer k.ring.loading.Unlock()
	if s := k.ring.state.Load(); s != nil && k.o.Now().Before(s.until) {
		return s.keys, nil
	}
	return k.load(ctx)
}

// reload reads the signing keys past the cache, as every decision to change them must.
func (k *Keys) reload(ctx context.Context) ([]held, error) {
	k.ring.loading.Lock()
	defer k.ring.loading.Unlock()
	return k.load(ctx)
}

// load reads the signing keys, ordered by SignFrom. Private keys that have not changed are not unsealed again, for
// checking an RSA key takes longer than signing with it. The caller holds ring.loading.
func (k *Keys) load(ctx context.Context) ([]held, error) {
	known := map[string]held{}
	if s := k.ring.state.Load(); s != nil {
		for _, h := range s.keys {
			known[h.ID] = h
		}
	}
	kept, err := k.listSigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	var keys []held
	for _, s := range kept {
		if s.Alg == secretAlg {
			continue
		}
		h := held{SigningKey: s, signer: known[s.ID].signer}
		if h.signer == nil || !bytes.Equal(s.Private, known[s.ID].Private) {
			if h.signer, err = k.unseal(s); err != nil {
				return nil, fmt.Errorf("keys: signing key %s: %w", s.ID, err)
			}
		}
		keys = append(keys, h)
	}
	slices.SortFunc(keys, func(a, b held) int {
		return cmp.Or(a.SignFrom.Compare(b.SignFrom), cmp.Compare(a.ID, b.ID))
	})
	k.ring.state.Store(&ringState{keys, k.o.Now().Add(k.o.CacheFor)})
	return keys, nil
}

func (k *Keys) listSigningKeys(ctx context.Context) ([]storage.SigningKey, error) {
	kept, err := all(ctx, k.store.SigningKeys, func(s *storage.SigningKey) string { return s.ID })
	if err != nil {
		return nil, fmt.Errorf("keys: list signing keys: %w", err)
	}
	return kept, nil
}

// all reads every record of a table under Global, page by page.
func all[T any](ctx context.Context, table storage.Table[T], id func(*T) string) ([]T, error) {
	q := storage.Query{Tenant: storage.Global, Limit: 1000}
	var records []T
	for {
		page, err := table.List(ctx, q)
		if err != nil {
			return nil, err
		}
		records = append(records, page...)
		if len(page) < q.PageSize() {
			return records, nil
		}
		q.After = id(&page[len(page)-1])
	}
}

func (k *Keys) unseal(s storage.SigningKey) (crypto.Signer, error) {
	der, err := k.openMaster(privateAAD(s.Alg, s.ID), s.Private)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%w: %T", ErrAlg, key)
	}
	return signer, nil
}

// generate makes a key for alg under id that signs from then on.
func (k *Keys) generate(alg, id string, from time.Time) (*storage.SigningKey, error) {
	var signer crypto.Signer
	var err error
	switch alg {
	case "ES256":
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "RS256":
		signer, err = rsa.GenerateKey(rand.Reader, rsaBits)
	default:
		err = fmt.Errorf("%w: %q", ErrAlg, alg)
	}
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return nil, err
	}
	sealed, err := k.master.seal(privateAAD(alg, id), der)
	if err != nil {
		return nil, err
	}
	return &storage.SigningKey{
		Key: storage.Key{Tenant: storage.Global, ID: id},
		Alg: alg, Private: sealed, Created: k.o.Now(), SignFrom: from,
	}, nil
}

// insert adds the key that follows the one called before, and is content when another process has done so: the name
// of the next key follows from that of the last, so that two processes can't both add one.
func (k *Keys) insert(ctx context.Context, alg, before string, from time.Time) error {
	id := k.nextID(alg, before)
	s, err := k.generate(alg, id, from)
	if err != nil {
		return fmt.Errorf("keys: new signing key for %s: %w", alg, err)
	}
	switch err := k.store.SigningKeys.Insert(ctx, s); {
	case errors.Is(err, storage.ErrExists):
		return nil
	case err != nil:
		return fmt.Errorf("keys: new signing key for %s: %w", alg, err)
	}
	k.o.Logger.InfoContext(ctx, "signing key made", "kid", id, "alg", alg, "sign_from", from)
	return nil
}

// nextID is a keyed hash, so that the keys of two deployments never share a name: a relying party that has cached a
// name would not fetch the other key.
func (k *Keys) nextID(alg, before string) string { return k.Hash("kid "+alg, before)[:22] }
