package keys

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/sallyport-id/sallyport/storage"
)

// The deployment's secret is kept beside the signing keys, but is none and is never published. Hash and Derive hang on
// it and not on the master, because a backup code's hash can't be made anew when the master is changed.
const (
	secretID   = "deployment-secret"
	secretAlg  = "HS256"
	secretSize = 32
)

// loadSecret reads the deployment's secret, or makes it: of several processes at their first start one inserts it and
// all read what that one wrote.
func (k *Keys) loadSecret(ctx context.Context) ([]byte, error) {
	kept, err := k.store.SigningKeys.Get(ctx, storage.Global, secretID)
	if errors.Is(err, storage.ErrNotFound) {
		if err := k.makeSecret(ctx); err != nil && !errors.Is(err, storage.ErrExists) {
			return nil, err
		}
		kept, err = k.store.SigningKeys.Get(ctx, storage.Global, secretID)
	}
	if err != nil {
		return nil, err
	}
	secret, err := k.openMaster(privateAAD(secretAlg, secretID), kept.Private)
	if err != nil {
		return nil, fmt.Errorf("sealed under a master key that was not given: %w", err)
	}
	return secret, nil
}

func (k *Keys) makeSecret(ctx context.Context) error {
	secret := make([]byte, secretSize)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	sealed, err := k.master.seal(privateAAD(secretAlg, secretID), secret)
	if err != nil {
		return err
	}
	now := k.o.Now()
	return k.store.SigningKeys.Insert(ctx, &storage.SigningKey{
		Key: storage.Key{Tenant: storage.Global, ID: secretID},
		Alg: secretAlg, Private: sealed, Created: now, SignFrom: now,
	})
}

// privateAAD binds a sealed private key to the record it stands in, so that two can't be swapped in the database.
func privateAAD(alg, id string) []byte { return aad("private key", alg, id) }

// Hash returns a keyed hash of value for one purpose: HMAC-SHA-256, base64url, 43 characters. It is how cookies,
// codes, tokens and client secrets are kept. It outlives a change of the master key.
func (k *Keys) Hash(purpose, value string) string {
	return encoding.EncodeToString(k.mac(aad("hash", purpose, value)))
}

// Equal tells in constant time whether hash is that of value for purpose. An empty hash equals nothing.
func (k *Keys) Equal(hash, purpose, value string) bool {
	return hmac.Equal([]byte(hash), []byte(k.Hash(purpose, value)))
}

// Derive returns n bytes of key for one purpose, always the same ones: the counter mode of NIST SP 800-108r1,
// section 4.1, with HMAC-SHA-256. It outlives a change of the master key.
func (k *Keys) Derive(purpose string, n int) []byte {
	out := make([]byte, 0, n+sha256.Size)
	for i := uint32(1); len(out) < n; i++ {
		block := binary.BigEndian.AppendUint32(nil, i)
		block = append(block, aad("derive", purpose)...)
		out = append(out, k.mac(binary.BigEndian.AppendUint64(block, uint64(n)))...) //nolint:gosec // G115: a length is not negative.
	}
	return out[:n:n]
}

func (k *Keys) mac(message []byte) []byte {
	h := hmac.New(sha256.New, k.secret)
	h.Write(message)
	return h.Sum(nil)
}
