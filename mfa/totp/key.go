package totp

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/sallyport-id/sallyport/mfa"
)

const (
	// period is the time step in seconds (RFC 6238, section 4.1). Apps ignore any other, so it is no option.
	period = 30
	// skew is how many steps a code may be early or late (RFC 6238, section 5.2).
	skew = 1
	// lookaround is how many steps away a wrong code is looked for, to tell a wrong clock from a wrong code.
	lookaround = 10 * 60 / period
	// secretSize is 160 bits, what RFC 4226, section 4 (R6) recommends; leastSecret is the 128 that it demands.
	secretSize, leastSecret = 20, 16
)

var base32NoPad = base32.StdEncoding.WithPadding(base32.NoPadding)

// key is what is kept of an authenticator.
type key struct {
	// Tenant and User bind it to its owner, so that a record moved to another user opens nothing.
	Tenant string `json:"tenant"`
	User   string `json:"user"`
	// Secret is base32 without padding.
	Secret    string `json:"secret"`
	Algorithm string `json:"algorithm"`
	Digits    int    `json:"digits"`
	// Last is the latest step whose code was accepted. It only ever rises.
	Last int64 `json:"last"`
	// Told are steps to come whose codes were sent too early and told of; they are not accepted any more.
	Told []int64 `json:"told,omitempty"`
}

// pending is a key that waits for its first code. It is not itself a key, so that neither can be taken for the other.
type pending struct {
	Factor string `json:"factor"`
	Key    key    `json:"key"`
}

// newKey makes a key for u as its tenant wants them. A setting that is not understood is an error: guessing would
// hand out keys of which the user's app and we make different codes.
func newKey(u mfa.User) (key, error) {
	k := key{Tenant: u.Tenant, User: u.ID, Algorithm: "SHA1", Digits: 6}
	if o := u.Options["totp.algorithm"]; o != "" {
		k.Algorithm = o
	}
	if o := u.Options["totp.digits"]; o != "" {
		n, err := strconv.Atoi(o)
		if err != nil {
			return key{}, fmt.Errorf("totp: option totp.digits: %w", err)
		}
		k.Digits = n
	}
	secret := make([]byte, secretSize)
	rand.Read(secret) // never fails: crypto/rand ends the process instead
	k.Secret = base32NoPad.EncodeToString(secret)
	if err := k.check(u); err != nil {
		return key{}, fmt.Errorf("totp: making a key: %w", err)
	}
	return k, nil
}

// open reads the key of u that c holds.
func open(c mfa.Credential, u mfa.User) (key, error) {
	var k key
	err := mfa.Unpack(c.Data, &k)
	if err == nil {
		err = k.check(u)
	}
	if err != nil {
		return key{}, fmt.Errorf("totp: reading credential %q: %w", c.ID, err)
	}
	return k, nil
}

// check tells whether k is a whole key of u. Its errors never quote the key.
func (k key) check(u mfa.User) error {
	if u.Tenant == "" || u.ID == "" || k.Tenant != u.Tenant || k.User != u.ID {
		return errors.New("it belongs to another user")
	}
	if _, ok := k.algorithm(); !ok {
		return errors.New("algorithm is neither SHA1 nor SHA256")
	}
	if k.Digits != 6 && k.Digits != 8 {
		return errors.New("digits are neither 6 nor 8")
	}
	secret, err := base32NoPad.DecodeString(k.Secret)
	if err != nil {
		return errors.New("secret is not base32")
	}
	if len(secret) < leastSecret {
		return errors.New("secret is shorter than 128 bits")
	}
	return nil
}

// algorithm translates for the library, which panics on a name it doesn't know.
func (k key) algorithm() (otp.Algorithm, bool) {
	switch k.Algorithm {
	case "SHA1":
		return otp.AlgorithmSHA1, true
	case "SHA256":
		return otp.AlgorithmSHA256, true
	default:
		return 0, false
	}
}

// at tells whether answer is the code of step, in constant time (RFC 4226, section 5.3).
func (k key) at(step int64, answer string) (bool, error) {
	alg, ok := k.algorithm()
	if !ok {
		return false, errors.New("totp: no such algorithm")
	}
	code, err := hotp.GenerateCodeCustom(k.Secret, uint64(step), hotp.ValidateOpts{Digits: otp.Digits(k.Digits), Algorithm: alg}) //nolint:gosec // G115: time since 1970 is not negative.
	if err != nil {
		return false, fmt.Errorf("totp: computing a code: %w", err)
	}
	return subtle.ConstantTimeCompare([]byte(code), []byte(answer)) == 1, nil
}

// spend checks a well-formed answer at the step now and returns k with the step it was of as the last one used.
func (k key) spend(answer string, now int64) (key, error) {
	switch n := len(answer); {
	case n < k.Digits:
		return key{}, &mfa.Wrong{Reason: mfa.Short, Want: k.Digits}
	case n > k.Digits:
		return key{}, &mfa.Wrong{Reason: mfa.Long, Want: k.Digits}
	}
	// From the latest step down: where two steps happen to share a code, marking the earlier one would leave the
	// same code good for a second time.
	for step := now + skew; step >= now-skew; step-- {
		switch ok, err := k.at(step, answer); {
		case err != nil:
			return key{}, err
		case ok && (step <= k.Last || slices.Contains(k.Told, step)):
			return key{}, &mfa.Wrong{Reason: mfa.Used}
		case ok:
			k.Last = step
			return k, nil
		}
	}
	return key{}, k.explain(answer, now)
}

// tell returns k with the step that w tells of as burnt, where that is a future one; changed says whether it is.
func (k key) tell(w *mfa.Wrong, now int64) (_ key, changed bool) {
	if w.Reason != mfa.Mismatch || w.Drift <= 0 {
		return k, false
	}
	k.Told = slices.DeleteFunc(slices.Clone(k.Told), func(step int64) bool { return step < now-skew })
	k.Told = append(k.Told, now+int64(w.Drift/(period*time.Second)))
	return k, true
}

// explain looks for a wrong answer among the codes of the ten minutes before and after, to tell a wrong clock from a
// wrong code, and returns a *mfa.Wrong that says so. It accepts nothing.
//
// It is told wrongly to 38 of a million people who mistype a code of six digits (38 steps are looked at): rare, and it
// does no harm, as the advice is to set the clock to automatic. Nearest steps come first, so that a chance hit beside
// a true one doesn't hide it.
//
// To a guesser who has the password already, a hit in the past is worthless, but a hit in the future would be a code
// that will be right at a time that is told: 22 codes to hit instead of 3. So Verify burns a step that was told of,
// and its code is not accepted when its time comes.
func (k key) explain(answer string, now int64) error {
	for away := int64(skew + 1); away <= lookaround; away++ {
		for _, d := range [...]int64{-away, away} {
			switch ok, err := k.at(now+d, answer); {
			case err != nil:
				return err
			case ok && now+d == k.Last:
				// Typed once more some minutes later: that is an old code, not a slow clock.
				return &mfa.Wrong{Reason: mfa.Used}
			case ok:
				return &mfa.Wrong{Reason: mfa.Mismatch, Drift: time.Duration(d) * period * time.Second}
			}
		}
	}
	return &mfa.Wrong{Reason: mfa.Mismatch}
}

func stepAt(t time.Time) int64 {
	s := t.Unix()
	if s < 0 {
		s -= period - 1 // division rounds towards zero, steps are counted downwards
	}
	return s / period
}

// uri is the key in the form that authenticator apps read from QR codes, the Key URI Format:
// otpauth://totp/Issuer:Account?secret=…&issuer=Issuer&algorithm=…&digits=…&period=30. The issuer stands in it twice,
// as some apps read the one and some the other.
func (k key) uri(u mfa.User) string {
	issuer, account := label(u.Issuer, 40), label(u.Account, 100)
	if account == "" {
		account = label(u.ID, 100)
	}
	path, query := account, ""
	if issuer != "" {
		path, query = issuer+":"+account, "&issuer="+issuer
	}
	return "otpauth://totp/" + path + "?secret=" + k.Secret + query +
		"&algorithm=" + k.Algorithm + "&digits=" + strconv.Itoa(k.Digits) + "&period=" + strconv.Itoa(period)
}

// label escapes s for any place in a URI. A colon would end the issuer early, also when escaped, so it becomes a
// space; spaces are %20, as apps show "+" as it is. At most limit characters are kept, so that the whole fits a QR
// code with emoji throughout.
func label(s string, limit int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), ":", " ")
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit])
	}
	s = strings.Join(strings.Fields(s), " ")
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
