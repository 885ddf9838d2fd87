package keys

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// Errors that callers tell apart; anything else means that the answer could not be had.
var (
	// ErrSealed: this was not sealed here, for this purpose, or somebody changed it, or its key is gone.
	ErrSealed = errors.New("keys: not sealed here for this purpose")
	// ErrExpired: it is genuine, but its time is over.
	ErrExpired = errors.New("keys: sealed value has expired")
	// ErrDestroyed: the tenant has no data key any more, so what was sealed under it can't be read by anybody.
	ErrDestroyed = errors.New("keys: the tenant's data key was destroyed")
	// ErrAlg: this package does not sign with that JWS algorithm.
	ErrAlg = errors.New("keys: unknown signature algorithm")
)

// MasterSize is the length of a master key in bytes.
const MasterSize = 32

// Options say how keys are kept. All but Master may be left out.
type Options struct {
	// Master seals everything else. It has 32 bytes from a random source, and never stands in the database.
	Master []byte
	// Previous are masters of before; what was sealed under them still opens.
	Previous [][]byte
	// Now is the clock; nil means time.Now.
	Now    func() time.Time
	Logger *slog.Logger
	// RotateEvery is the age at which a signing key hands over to the next: 90 days when 0.
	RotateEvery time.Duration
	// PublishAhead is how long a new signing key is published before it signs, so that verifiers have it in their
	// caches by then: 1 h when 0, which is also the least.
	PublishAhead time.Duration
	// KeepFor is how long an old signing key stays published after it stopped signing: 25 h when 0, so that an ID
	// token shown as a hint is known for as long as a session can last; the least is 2 h.
	KeepFor time.Duration
	// CacheFor is how long this process uses what it read from the store without asking again: 5 s when 0.
	CacheFor time.Duration
}

// Keys seals, hashes and signs. It is safe for concurrent use; any number of processes may share one store.
type Keys struct {
	o      Options
	store  storage.Store
	master sealer
	// older are the masters of before; they only open.
	older []sealer
	// secret is what Hash and Derive hang on.
	secret []byte

	data dataKeys
	ring ring
}

// New opens the keys of the deployment that store belongs to, and at its first start makes the secret behind Hash
// and Derive. It fails with ErrSealed when neither Master nor Previous is what that secret was sealed under.
func New(ctx context.Context, store storage.Store, o Options) (*Keys, error) {
	k := &Keys{o: o.withDefaults(), store: store}
	var err error
	if k.master, err = newMaster(o.Master); err != nil {
		return nil, fmt.Errorf("keys: master key: %w", err)
	}
	for i, m := range o.Previous {
		s, err := newMaster(m)
		if err != nil {
			return nil, fmt.Errorf("keys: previous master key %d: %w", i+1, err)
		}
		k.older = append(k.older, s)
	}
	k.data.keys = map[string]dataKey{}
	if k.secret, err = k.loadSecret(ctx); err != nil {
		return nil, fmt.Errorf("keys: the deployment's secret: %w", err)
	}
	return k, nil
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.RotateEvery <= 0 {
		o.RotateEvery = 90 * 24 * time.Hour
	}
	o.PublishAhead = max(o.PublishAhead, time.Hour)
	if o.KeepFor <= 0 {
		o.KeepFor = 25 * time.Hour
	}
	o.KeepFor = max(o.KeepFor, 2*time.Hour)
	if o.CacheFor <= 0 {
		o.CacheFor = 5 * time.Second
	}
	return o
}

// Seal encrypts and authenticates plain for one purpose, to be handed out and taken back: AES-256-GCM under a key of
// its own, base64url, safe in URLs and hidden fields. After ttl it no longer opens; ttl 0 means that it does not
// expire. The length of plain can be seen.
func (k *Keys) Seal(purpose string, ttl time.Duration, plain []byte) (string, error) {
	var until time.Time
	switch {
	case ttl < 0:
		return "", fmt.Errorf("keys: seal %s: negative time to live %s", purpose, ttl)
	case ttl > 0:
		until = k.o.Now().Add(ttl)
	}
	sealed, err := k.master.seal(aad("token", purpose), stamp(until, plain))
	if err != nil {
		return "", fmt.Errorf("keys: seal %s: %w", purpose, err)
	}
	return encoding.EncodeToString(sealed), nil
}

// Open returns what was sealed for purpose. ErrSealed, ErrExpired.
func (k *Keys) Open(purpose, sealed string) ([]byte, error) {
	raw, err := decode(sealed)
	if err != nil {
		return nil, err
	}
	stamped, err := k.openMaster(aad("token", purpose), raw)
	if err != nil {
		return nil, err
	}
	until, plain, err := unstamp(stamped)
	if err != nil {
		return nil, err
	}
	if !until.IsZero() && !k.o.Now().Before(until) {
		return nil, ErrExpired
	}
	return plain, nil
}

// openMaster opens what was sealed under the newest master or one of before.
func (k *Keys) openMaster(aad, sealed []byte) ([]byte, error) {
	plain, err := k.master.open(aad, sealed)
	for i := 0; errors.Is(err, ErrSealed) && i < len(k.older); i++ {
		plain, err = k.older[i].open(aad, sealed)
	}
	return plain, err
}

// NewDataKey returns a fresh data key for a new tenant, sealed under the master key.
func (k *Keys) NewDataKey() ([]byte, error) {
	key := make([]byte, MasterSize)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("keys: new data key: %w", err)
	}
	sealed, err := k.master.seal(aad("data key"), key)
	if err != nil {
		return nil, fmt.Errorf("keys: new data key: %w", err)
	}
	return sealed, nil
}

// SealFor encrypts and authenticates plain under the tenant's data key, for one purpose.
// ErrDestroyed; storage.ErrNotFound if there is no such tenant.
func (k *Keys) SealFor(ctx context.Context, tenant, purpose string, plain []byte) ([]byte, error) {
	s, err := k.dataKey(ctx, tenant)
	if err != nil {
		return nil, err
	}
	sealed, err := s.seal(aad("data", tenant, purpose), plain)
	if err != nil {
		return nil, fmt.Errorf("keys: seal %s: %w", purpose, err)
	}
	return sealed, nil
}

// OpenFor returns what SealFor sealed for this tenant and purpose. ErrSealed, ErrDestroyed; storage.ErrNotFound if
// there is no such tenant.
func (k *Keys) OpenFor(ctx context.Context, tenant, purpose string, sealed []byte) ([]byte, error) {
	s, err := k.dataKey(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return s.open(aad("data", tenant, purpose), sealed)
}

// Forget makes this process read the tenant's data key anew, so that one that was destroyed is gone here at once
// and not only after Options.CacheFor.
func (k *Keys) Forget(tenant string) { k.data.forget(tenant) }

// dataKeys are the tenants' data keys in use, unsealed.
type dataKeys struct {
	mu   sync.Mutex
	keys map[string]dataKey
}

type dataKey struct {
	sealer
	until time.Time
}

// maxDataKeys bounds the memory that cached data keys take (about 100 bytes each).
const maxDataKeys = 10_000

func (d *dataKeys) get(tenant string, now time.Time) (sealer, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	k, ok := d.keys[tenant]
	return k.sealer, ok && now.Before(k.until)
}

func (d *dataKeys) put(tenant string, s sealer, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.keys) >= maxDataKeys {
		clear(d.keys)
	}
	d.keys[tenant] = dataKey{s, until}
}

func (d *dataKeys) forget(tenant string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.keys, tenant)
}

func (k *Keys) dataKey(ctx context.Context, tenant string) (sealer, error) {
	now := k.o.Now()
	if s, ok := k.data.get(tenant, now); ok {
		return s, nil
	}
	t, err := k.store.Tenants.Get(ctx, storage.Global, tenant)
	if err != nil {
		return sealer{}, fmt.Errorf("keys: data key: %w", err)
	}
	if len(t.DataKey) == 0 {
		k.data.forget(tenant)
		return sealer{}, ErrDestroyed
	}
	key, err := k.openMaster(aad("data key"), t.DataKey)
	if err != nil {
		return sealer{}, fmt.Errorf("keys: data key: %w", err)
	}
	s, err := newMaster(key)
	if err != nil {
		return sealer{}, fmt.Errorf("keys: data key: %w", err)
	}
	k.data.put(tenant, s, now.Add(k.o.CacheFor))
	return s, nil
}
