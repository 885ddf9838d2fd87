package directory

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// HashError says why a password hash of another system can't be taken over. It does not quote the hash.
type HashError struct {
	// What is wrong, in words for an operator.
	What string
}

// Error implements error.
func (e *HashError) Error() string { return "directory: password hash: " + e.What }

func unfit(format string, args ...any) error { return &HashError{fmt.Sprintf(format, args...)} }

// CheckHash tells whether a password hash of another system can be checked here, within bounds, and returns the form in
// which it is kept: bcrypt ($2a$, $2b$, $2y$), scrypt (PHC, passlib, $7$, Django), PBKDF2 with SHA-1, SHA-256 or SHA-512 (PHC,
// passlib, Django), argon2i and argon2id (PHC). Nothing is computed. *HashError.
func CheckHash(stored string) (string, error) {
	stored = undress(strings.TrimSpace(stored))
	_, err := readHash(stored)
	return stored, err
}

// undress takes off the name that Django puts before hashes that have one.
func undress(stored string) string {
	if strings.HasPrefix(stored, "argon2$argon2") {
		return strings.TrimPrefix(stored, "argon2")
	}
	if strings.HasPrefix(stored, "bcrypt$$2") {
		return strings.TrimPrefix(stored, "bcrypt$")
	}
	return stored
}

// hashed is a stored hash that was read and found to be within bounds.
type hashed struct {
	// native: Argon2id computes it too, and for several users at once.
	native bool
	// matches computes the hash of a password and compares. An error means that it could not be computed.
	matches func(password string) (bool, error)
}

// The least and greatest number of bytes of a digest, and the greatest of a salt. A shorter digest would fit too many
// passwords.
const (
	minDigest = 16
	maxDigest = 64
	maxSalt   = 128
)

// readHash reads a hash of any kind that can be checked. *HashError.
func readHash(stored string) (hashed, error) {
	if stored == "" {
		return hashed{}, unfit("it is empty")
	}
	if len(stored) > maxPHC {
		return hashed{}, unfit("it has %d characters; the longest that is read has %d", len(stored), maxPHC)
	}
	switch id := kindOf(stored); id {
	case "2a", "2b", "2y":
		return readBcrypt(stored)
	case "argon2i", "argon2id":
		return readArgon(stored)
	case "scrypt":
		return readScrypt(stored)
	case "7":
		return readScryptCrypt(stored)
	case "pbkdf2", "pbkdf2-sha1", "pbkdf2-sha256", "pbkdf2-sha512":
		return readPBKDF2(stored)
	case "pbkdf2_sha1", "pbkdf2_sha256", "pbkdf2_sha512":
		return readDjangoPBKDF2(stored)
	default:
		return hashed{}, unfit("it is of no kind that can be checked; bcrypt, scrypt, PBKDF2, argon2i and argon2id can")
	}
}

// kindOf is the name before the second dollar sign, or before the first where none stands at the beginning.
func kindOf(stored string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(stored, "$"), "$")
	if !strings.HasPrefix(stored, "$") && !strings.HasPrefix(id, "pbkdf2_") && id != "scrypt" {
		return ""
	}
	return id
}

// maxBcryptCost takes about a second; what an import brings in may not take longer.
const maxBcryptCost = 14

// bcryptSize is the length of every bcrypt hash.
const bcryptSize = 60

func readBcrypt(stored string) (hashed, error) {
	cost, err := bcrypt.Cost([]byte(stored))
	if err != nil || len(stored) != bcryptSize {
		return hashed{}, unfit("it is not a whole bcrypt hash")
	}
	if cost > maxBcryptCost {
		return hashed{}, unfit("bcrypt at cost %d takes too long; %d is the most", cost, maxBcryptCost)
	}
	return hashed{matches: func(password string) (bool, error) {
		err := bcrypt.CompareHashAndPassword([]byte(stored), []byte(password))
		if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
			return false, nil
		}
		return err == nil, err
	}}, nil
}

// readArgon reads $argon2id$v=19$m=…,t=…,p=…$salt$digest, and the same of argon2i.
func readArgon(stored string) (hashed, error) {
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[2] != "v=19" {
		return hashed{}, unfit("argon2 is read in the form $argon2id$v=19$m=…,t=…,p=…$salt$digest only, and in version 19 only")
	}
	params := strings.Split(parts[3], ",")
	if len(params) != 3 {
		return hashed{}, unfit("argon2's parameters are m, t and p, in this order")
	}
	memory, okM := param(params[0], "m=", maxMemory)
	time, okT := param(params[1], "t=", maxTime)
	lanes, okP := param(params[2], "p=", maxLanes)
	if !okM || !okT || !okP || memory*time > maxWork || memory < 8*lanes {
		return hashed{}, unfit("argon2's parameters are out of bounds: m is %d at most, t %d, m times t %d, p %d, and m 8 times p at least",
			maxMemory, maxTime, maxWork, maxLanes)
	}
	salt, digest, err := saltAndDigest(parts[4], parts[5])
	if err != nil {
		return hashed{}, err
	}
	key := argon2.IDKey
	if parts[1] == "argon2i" {
		key = argon2.Key
	}
	settings, _ := split(stored)
	_, err = parseArgon(settings)
	return hashed{
		native: err == nil && len(digest) == digestSize && phc.EncodeToString(digest) == parts[5],
		matches: func(password string) (bool, error) {
			got := key([]byte(password), salt, time, memory, uint8(lanes), uint32(len(digest))) //nolint:gosec // G115: both have bounds.
			return same(string(got), string(digest)), nil
		},
	}, nil
}

// saltAndDigest decodes both, in base64 with or without padding, or in passlib's alphabet, which has "." for "+".
func saltAndDigest(salt, digest string) ([]byte, []byte, error) {
	s, err := base64Of(salt)
	if err != nil || len(s) > maxSalt {
		return nil, nil, unfit("its salt is not base64 of %d bytes at most", maxSalt)
	}
	d, err := digestOf(digest)
	return s, d, err
}

func digestOf(digest string) ([]byte, error) {
	d, err := base64Of(digest)
	if err != nil || len(d) < minDigest || len(d) > maxDigest {
		return nil, unfit("its digest is not base64 of %d to %d bytes", minDigest, maxDigest)
	}
	return d, nil
}

func base64Of(s string) ([]byte, error) {
	return phc.DecodeString(strings.TrimRight(strings.ReplaceAll(s, ".", "+"), "="))
}
