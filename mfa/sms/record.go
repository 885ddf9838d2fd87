package sms

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
)

const (
	// digits is the length of a code.
	digits = 6
	// lifetime is how long a code is right.
	lifetime = 5 * time.Minute
	// mostCodes is how many codes of one challenge are looked at: more than the limits let anybody have.
	mostCodes = 8
)

// asked is the state of a challenge: which codes are right for it. It holds no code, only keyed hashes.
type asked struct {
	Factor string `json:"factor"`
	// ID tells it from other challenges.
	ID string `json:"id"`
	// SetUp: it is to confirm a number, not to sign in with one.
	SetUp  bool   `json:"set_up,omitempty"`
	Tenant string `json:"tenant"`
	User   string `json:"user"`
	// Credential is the ID of the one that is signed in with.
	Credential string `json:"credential,omitempty"`
	Number     string `json:"number"`
	// Codes were sent for it, oldest first.
	Codes []code `json:"codes"`
}

// code is one that was sent.
type code struct {
	Hash  []byte    `json:"hash"`
	Until time.Time `json:"until"`
}

// kept is what a credential holds.
type kept struct {
	Tenant string `json:"tenant"`
	User   string `json:"user"`
	Number string `json:"number"`
	// Spent are the challenges that were answered, for as long as their codes live.
	Spent []spent `json:"spent,omitempty"`
}

type spent struct {
	Challenge string    `json:"challenge"`
	Until     time.Time `json:"until"`
}

// readAsked reads the state of a challenge that was put to u.
func readAsked(state []byte, u mfa.User) (asked, error) {
	var a asked
	err := mfa.Unpack(state, &a)
	if err == nil {
		err = a.check(u)
	}
	if err != nil {
		return asked{}, fmt.Errorf("sms: reading the challenge: %w", err)
	}
	return a, nil
}

func (a asked) check(u mfa.User) error {
	switch {
	case a.Factor != ID:
		return errors.New("it is of another factor")
	case a.Tenant != u.Tenant || a.User != u.ID:
		return errors.New("it belongs to another user")
	case a.ID == "" || a.SetUp != (a.Credential == "") || !e164.MatchString(a.Number) || len(a.Codes) == 0 || len(a.Codes) > mostCodes:
		return errors.New("it is not whole")
	}
	for _, c := range a.Codes {
		if len(c.Hash) != sha256.Size || c.Until.IsZero() {
			return errors.New("it has codes that are none")
		}
	}
	return nil
}

// right tells which answers are: nil, or a *mfa.Wrong. All codes are looked at, and in constant time, so that the time
// taken tells nothing about any.
func (a asked) right(key []byte, answer string, now time.Time) error {
	hash := a.hash(key, answer)
	matched, alive := false, false
	for _, c := range a.Codes {
		if hmac.Equal(c.Hash, hash) {
			matched = true
			alive = alive || now.Before(c.Until)
		}
	}
	switch {
	case !matched:
		return &mfa.Wrong{Reason: mfa.Mismatch}
	case !alive:
		return &mfa.Wrong{Reason: mfa.Expired}
	}
	return nil
}

// until is when the last of its codes expires.
func (a asked) until() time.Time {
	var last time.Time
	for _, c := range a.Codes {
		if c.Until.After(last) {
			last = c.Until
		}
	}
	return last
}

// hash is what is kept of a code. A million codes are soon tried, so it is keyed; and it holds all that the code is for,
// so that it means nothing in another challenge.
func (a asked) hash(key []byte, code string) []byte {
	purpose := "sign-in"
	if a.SetUp {
		purpose = "set-up"
	}
	return mfa.Keyed(key, purpose, a.ID, a.Tenant, a.User, a.Credential, a.Number, code)
}

// readKept reads the number of u that c holds.
func readKept(c mfa.Credential, u mfa.User) (kept, error) {
	var k kept
	err := mfa.Unpack(c.Data, &k)
	switch {
	case err != nil:
	case k.Tenant != u.Tenant || k.User != u.ID:
		err = errors.New("it belongs to another user")
	case !e164.MatchString(k.Number):
		err = errors.New("it holds no number")
	}
	if err != nil {
		return kept{}, fmt.Errorf("sms: reading credential %q: %w", c.ID, err)
	}
	return k, nil
}

// newCode draws a code, each as likely as any other: rand.Int draws again rather than to fold what is over.
func newCode() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("sms: drawing a code: %w", err)
	}
	return fmt.Sprintf("%0*d", digits, n), nil
}
