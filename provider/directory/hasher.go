package directory

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Hasher computes password hashes as PHC strings: $id$v=…$m=…,t=…$salt$digest. What stands before the digest are the
// settings; users with the same settings share one computation.
type Hasher interface {
	// Settings returns the settings of a new password with that salt of saltSize bytes.
	Settings(salt []byte) string
	// Hash returns the whole PHC string of password under these settings. ErrSettings if they are not of this
	// hasher's kind, or would cost too much.
	Hash(settings, password string) (string, error)
}

// ErrSettings: the hash is none that this hasher can compute.
var ErrSettings = errors.New("directory: unknown or excessive password hash settings")

// Argon2id is RFC 9106 in version 0x13. Its zero value has the parameters that OWASP names first for servers:
// 19 MiB, two passes, one lane.
type Argon2id struct {
	// Memory is in KiB.
	Memory uint32
	Time   uint32
	Lanes  uint8
}

// The dearest hashes that are computed at all: an imported one must not be able to stop the server.
const (
	maxMemory = 256 << 10 // KiB
	maxTime   = 16
	maxLanes  = 16
	maxWork   = 1 << 20 // KiB times passes: about two seconds
)

const (
	saltSize   = 16
	digestSize = 32
)

// phc is how salts and digests are written: base64 without padding, one spelling only.
var phc = base64.RawStdEncoding.Strict()

// Settings implements Hasher.
func (a Argon2id) Settings(salt []byte) string {
	if a.Memory == 0 {
		a.Memory = 19 << 10
	}
	if a.Time == 0 {
		a.Time = 2
	}
	if a.Lanes == 0 {
		a.Lanes = 1
	}
	return argonSettings{a, salt, digestSize}.String()
}

// Hash implements Hasher. Any argon2id hash within bounds can be checked, whatever the parameters of new ones are.
func (Argon2id) Hash(settings, password string) (string, error) {
	s, err := parseArgon(settings)
	if err != nil {
		return "", err
	}
	d := argon2.IDKey([]byte(password), s.salt, s.Time, s.Memory, s.Lanes, s.digest)
	return settings + "$" + phc.EncodeToString(d), nil
}

type argonSettings struct {
	Argon2id
	salt   []byte
	digest uint32
}

func (s argonSettings) String() string {
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s", s.Memory, s.Time, s.Lanes, phc.EncodeToString(s.salt))
}

// parseArgon reads settings in their one canonical form.
func parseArgon(settings string) (argonSettings, error) {
	s := argonSettings{digest: digestSize}
	parts := strings.Split(settings, "$")
	if len(settings) > maxPHC || len(parts) != 5 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v=19" {
		return s, ErrSettings
	}
	params := strings.Split(parts[3], ",")
	if len(params) != 3 {
		return s, ErrSettings
	}
	memory, okM := param(params[0], "m=", maxMemory)
	time, okT := param(params[1], "t=", maxTime)
	lanes, okP := param(params[2], "p=", maxLanes)
	salt, err := phc.DecodeString(parts[4])
	if !okM || !okT || !okP || err != nil || memory*time > maxWork || memory < 8*lanes ||
		len(salt) < 8 || len(salt) > 64 {
		return s, ErrSettings
	}
	s.Memory, s.Time, s.Lanes, s.salt = memory, time, uint8(lanes), salt //nolint:gosec // G115: maxLanes was checked.
	if s.String() != settings {
		return s, ErrSettings
	}
	return s, nil
}

func param(s, name string, limit uint32) (uint32, bool) {
	digits, ok := strings.CutPrefix(s, name)
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), ok && err == nil && n >= 1 && n <= uint64(limit)
}

// maxPHC bounds a stored hash, in bytes.
const maxPHC = 256

// split parts a stored hash into settings and digest.
func split(stored string) (settings string, ok bool) {
	i := strings.LastIndexByte(stored, '$')
	if i <= 0 || len(stored) > maxPHC {
		return "", false
	}
	return stored[:i], true
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
