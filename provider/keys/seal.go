package keys

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// A sealed value is, in bytes:
//
//	4   which key it was sealed under, so that the others need not be tried
//	12  salt: with the purpose it makes the key that seals this one value
//	12  nonce
//	…   ciphertext
//	16  authentication tag
//
// A key for each value, because a random 96-bit nonce alone is safe for some 2³² values under one key, and strangers
// can have as many sign-in requests sealed as they like. Salt and nonce together are 192 bits.
const (
	idSize    = 4
	saltSize  = 12
	nonceSize = 12
	tagSize   = 16
	overhead  = idSize + saltSize + nonceSize + tagSize
)

// maxSealed bounds the work on a stranger's text, in characters. Request bodies end at 64 KiB.
const maxSealed = 64 << 10

// encoding is strict, so that a sealed value has one spelling only.
var encoding = base64.RawURLEncoding.Strict()

func decode(sealed string) ([]byte, error) {
	// The decoder skips line breaks, which would give one value many spellings.
	if len(sealed) > maxSealed || strings.ContainsAny(sealed, "\r\n") {
		return nil, ErrSealed
	}
	raw, err := encoding.DecodeString(sealed)
	if err != nil {
		return nil, ErrSealed
	}
	return raw, nil
}

// sealer seals under keys derived from one master or data key.
type sealer struct {
	id [idSize]byte
	// prk is HKDF's pseudorandom key (RFC 5869, section 2.2).
	prk []byte
}

func newMaster(key []byte) (sealer, error) {
	if len(key) != MasterSize {
		return sealer{}, fmt.Errorf("has %d bytes, wants %d", len(key), MasterSize)
	}
	prk, err := hkdf.Extract(sha256.New, key, []byte("sallyport"))
	if err != nil {
		return sealer{}, fmt.Errorf("derive: %w", err)
	}
	s := sealer{prk: prk}
	id, err := hkdf.Expand(sha256.New, prk, "id", idSize)
	if err != nil {
		return sealer{}, fmt.Errorf("derive: %w", err)
	}
	copy(s.id[:], id)
	return s, nil
}

// aead returns the cipher for one value: its key hangs on aad, so on the purpose, and on the salt.
func (s sealer) aead(aad, salt []byte) (cipher.AEAD, error) {
	key, err := hkdf.Expand(sha256.New, s.prk, "seal\x00"+string(salt)+string(aad), 32)
	if err != nil {
		return nil, fmt.Errorf("derive: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (s sealer) seal(aad, plain []byte) ([]byte, error) {
	out := make([]byte, idSize+saltSize+nonceSize, overhead+len(plain))
	copy(out, s.id[:])
	if _, err := rand.Read(out[idSize:]); err != nil {
		return nil, err
	}
	a, err := s.aead(aad, out[idSize:idSize+saltSize])
	if err != nil {
		return nil, err
	}
	return a.Seal(out, out[idSize+saltSize:], plain, aad), nil
}

// open fails with ErrSealed unless sealed came out of seal of the same key with the same aad.
func (s sealer) open(aad, sealed []byte) ([]byte, error) {
	if !s.sealed(sealed) {
		return nil, ErrSealed
	}
	salt, rest := sealed[idSize:idSize+saltSize], sealed[idSize+saltSize:]
	a, err := s.aead(aad, salt)
	if err != nil {
		return nil, err
	}
	plain, err := a.Open(nil, rest[:nonceSize], rest[nonceSize:], aad)
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

// sealed tells whether the value names this key.
func (s sealer) sealed(value []byte) bool {
	return len(value) >= overhead && bytes.Equal(value[:idSize], s.id[:])
}

// aad joins parts so that no two lists of parts come out the same.
func aad(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p))) //nolint:gosec // G115: no part has 4 GiB.
		b = append(b, p...)
	}
	return b
}

const stampSize = 8

// stamp puts the expiry, in Unix milliseconds and 0 for none, in front of plain.
func stamp(until time.Time, plain []byte) []byte {
	out := make([]byte, stampSize, stampSize+len(plain))
	if !until.IsZero() {
		binary.BigEndian.PutUint64(out, uint64(until.UnixMilli()))
	}
	return append(out, plain...)
}

func unstamp(stamped []byte) (until time.Time, plain []byte, err error) {
	if len(stamped) < stampSize {
		return time.Time{}, nil, ErrSealed
	}
	if ms := binary.BigEndian.Uint64(stamped); ms != 0 {
		until = time.UnixMilli(int64(ms)) //nolint:gosec // G115: sealed by us, out of an int64.
	}
	return until, stamped[stampSize:], nil
}
