package mfa

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
)

// Lookup is the form of codes that people keep or are handed (NIST SP 800-63B-4, section 3.1.2): so many characters of
// Crockford's base32, 5 bits each.
type Lookup int

const (
	// crockford is the alphabet in lower case: no i, l, o, which are read as 1, 1, 0, and no u.
	crockford = "0123456789abcdefghjkmnpqrstvwxyz"
	// lookupGroup is how many characters stand together when a code is shown.
	lookupGroup = 4
)

// New returns a fresh code without hyphens.
func (l Lookup) New() string {
	b := make([]byte, l)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	for i := range b {
		b[i] = crockford[b[i]%32] // 256 is a multiple of 32, so every character is as likely
	}
	return string(b)
}

// Show puts hyphens between the groups of a code.
func (l Lookup) Show(code string) string {
	var b strings.Builder
	for i := 0; i < len(code); i += lookupGroup {
		if i > 0 {
			b.WriteByte('-')
		}
		b.WriteString(code[i:min(i+lookupGroup, len(code))])
	}
	return b.String()
}

// Input is what such a code looks like when it is typed.
func (l Lookup) Input() Input { return Input{Shortest: int(l), Longest: int(l)} }

var crockfordFold = strings.NewReplacer("o", "0", "i", "1", "l", "1")

// Read returns the code that answer means: hyphens and spaces are for the eye, upper case is as good as lower, and
// letters that the alphabet leaves out stand for the digits that they look like. Else it returns a *Wrong.
func (l Lookup) Read(answer string) (string, error) {
	answer, err := l.Input().Clean(answer)
	if err != nil {
		return "", err
	}
	code := crockfordFold.Replace(strings.ToLower(answer))
	if strings.Trim(code, crockford) != "" {
		return "", &Wrong{Reason: Format, Want: int(l)}
	}
	return code, nil
}

// LookupKey is the least length in bytes of the key that codes are hashed under.
const LookupKey = 32

// Ready tells what the factor of that ID lacks to hash codes of u under key: without a key, or for nobody, hashes would be
// anyone's.
func (l Lookup) Ready(factor string, key []byte, u User) error {
	if err := l.Fits(factor, key); err != nil {
		return err
	}
	if u.Tenant == "" || u.ID == "" {
		return fmt.Errorf("%s: the user has no tenant or no ID", factor)
	}
	return nil
}

// Fits tells whether key is long enough for the factor of that ID to hash codes under.
func (Lookup) Fits(factor string, key []byte) error {
	if len(key) < LookupKey {
		return fmt.Errorf("%s: Factor.Key has %d bytes, and needs %d", factor, len(key), LookupKey)
	}
	return nil
}

// Hash is what is kept of a code that is as long as chance can't find. It is keyed, so that a copy of the database is no
// list to try codes against, and holds the purpose and the code's owner, so that it means nothing for another purpose or
// in another user's record.
func (Lookup) Hash(key []byte, purpose string, u User, code string) []byte {
	return Keyed(key, purpose, u.Tenant, u.ID, code)
}

// Keyed is the HMAC-SHA-256 of parts. Lengths go before the parts, or one owner's parts could be cut into another's.
func Keyed(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return h.Sum(nil)
}
