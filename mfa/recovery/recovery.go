package recovery

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
)

// ID is the factor's ID.
const ID = "recovery"

// Life is how long a code can be used after it was made.
const Life = 60 * time.Minute

// form is 16 characters: 80 bits, above the 64 that NIST SP 800-63B-4, section 3.1.2, asks of look-up secrets whose
// wrong answers are counted, for a code that is gone within the hour and is read out over the telephone.
const form mfa.Lookup = 16

// Factor makes one recovery code at a time. A right one lets its user in and earns no RFC 8176 value: what passed it
// on was a person.
type Factor struct {
	// Key is what codes are hashed under, at least 32 bytes. Codes that were made under another key no longer fit.
	Key []byte
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

var (
	_ mfa.Factor = Factor{}
	_ mfa.Guest  = Factor{}
)

// In implements mfa.Guest: a Factor without a Key or a clock gets the deployment's.
func (f Factor) In(h mfa.Host) (mfa.Factor, error) {
	if len(f.Key) == 0 {
		f.Key = h.Key("recovery codes", mfa.LookupKey)
	}
	if f.Now == nil {
		f.Now = h.Now
	}
	return f, form.Fits(ID, f.Key)
}

// Info implements mfa.Factor.
func (Factor) Info() mfa.Info {
	return mfa.Info{
		ID:        ID,
		Name:      "Recovery code",
		Enrolment: mfa.ByOwner,
		Input:     form.Input(),
		Single:    true,
		Backup:    true,
	}
}

// code is what is kept of a user's code.
type code struct {
	// Tenant and User bind it to its owner, as the hash itself does.
	Tenant string `json:"tenant"`
	User   string `json:"user"`
	Hash   []byte `json:"hash"`
	// Expires ends it also where the store's own expiry is late.
	Expires time.Time `json:"expires"`
	// Used ones stay until they expire, so that "used before" can be told from "wrong".
	Used bool `json:"used,omitempty"`
}

// pending is a code that is yet to be handed out. It is not itself a code, so that neither can be taken for the other.
type pending struct {
	Factor string `json:"factor"`
	Tenant string `json:"tenant"`
	User   string `json:"user"`
	Hash   []byte `json:"hash"`
}

// Enroll makes a code. It is in the prompt, to be shown this once; the state holds its hash.
func (f Factor) Enroll(_ context.Context, u mfa.User, _ string) (mfa.Challenge, error) {
	if err := f.ready(u); err != nil {
		return mfa.Challenge{}, err
	}
	plain := form.New()
	state, err := mfa.Pack(pending{Factor: ID, Tenant: u.Tenant, User: u.ID, Hash: f.hash(u, plain)})
	if err != nil {
		return mfa.Challenge{}, err
	}
	return mfa.Challenge{Prompt: mfa.Prompt{Codes: []string{form.Show(plain)}}, State: state}, nil
}

// Confirm takes any answer, and starts the code's life.
func (f Factor) Confirm(_ context.Context, u mfa.User, ch mfa.Challenge, _ string) (mfa.Credential, error) {
	if err := f.ready(u); err != nil {
		return mfa.Credential{}, err
	}
	var p pending
	if err := mfa.Unpack(ch.State, &p); err != nil {
		return mfa.Credential{}, fmt.Errorf("recovery: reading the set-up: %w", err)
	}
	if p.Factor != ID {
		return mfa.Credential{}, errors.New("recovery: the set-up is of another factor")
	}
	k := code{Tenant: p.Tenant, User: p.User, Hash: p.Hash, Expires: f.now().Add(Life).UTC()}
	if err := k.check(u); err != nil {
		return mfa.Credential{}, fmt.Errorf("recovery: reading the set-up: %w", err)
	}
	c := mfa.Credential{ID: strings.ToLower(rand.Text()), Name: "Recovery code", Expires: k.Expires}
	return k.keep(c)
}

// Challenge asks for the code. It has no state: the question is always the same.
func (f Factor) Challenge(_ context.Context, u mfa.User, creds []mfa.Credential) (mfa.Challenge, error) {
	if err := f.ready(u); err != nil {
		return mfa.Challenge{}, err
	}
	if len(creds) == 0 {
		return mfa.Challenge{}, errNoCredential
	}
	return mfa.Challenge{Prompt: mfa.Prompt{Input: form.Input()}}, nil
}

// Verify marks the code as used, and returns it with none left. A code that was right is told as used or expired only
// to whoever types that very code.
func (f Factor) Verify(_ context.Context, u mfa.User, creds []mfa.Credential, ch mfa.Challenge, answer string) (mfa.Credential, error) {
	if err := f.ready(u); err != nil {
		return mfa.Credential{}, err
	}
	if len(creds) == 0 {
		return mfa.Credential{}, errNoCredential
	}
	plain, err := form.Read(answer)
	if err != nil {
		return mfa.Credential{}, err
	}
	if len(ch.State) != 0 {
		return mfa.Credential{}, errors.New("recovery: the challenge is of another factor")
	}
	hash, now := f.hash(u, plain), f.now()
	wrong := &mfa.Wrong{Reason: mfa.Mismatch}
	var failed error
	for _, c := range creds {
		k, err := open(c, u)
		switch {
		case err != nil:
			failed = errors.Join(failed, err)
		case !hmac.Equal(k.Hash, hash):
		case k.Used:
			wrong = &mfa.Wrong{Reason: mfa.Used}
		case !now.Before(k.Expires):
			wrong = &mfa.Wrong{Reason: mfa.Expired}
		default:
			k.Used = true
			return k.keep(c)
		}
	}
	if failed != nil {
		// It may be the code that could not be read: saying "wrong" would be a guess.
		return mfa.Credential{}, failed
	}
	return mfa.Credential{}, wrong
}

var errNoCredential = errors.New("recovery: the user has no code")

func (f Factor) now() time.Time {
	if f.Now != nil {
		return f.Now()
	}
	return time.Now()
}

// ready refuses to work without a key, or for nobody.
func (f Factor) ready(u mfa.User) error { return form.Ready(ID, f.Key, u) }

func (f Factor) hash(u mfa.User, plain string) []byte {
	return form.Hash(f.Key, "sallyport/mfa/recovery", u, plain)
}

// open reads the code of u that c holds.
func open(c mfa.Credential, u mfa.User) (code, error) {
	var k code
	err := mfa.Unpack(c.Data, &k)
	if err == nil {
		err = k.check(u)
	}
	if err != nil {
		return code{}, fmt.Errorf("recovery: reading credential %q: %w", c.ID, err)
	}
	return k, nil
}

// check tells whether k is a whole code of u.
func (k code) check(u mfa.User) error {
	switch {
	case k.Tenant != u.Tenant || k.User != u.ID:
		return errors.New("it belongs to another user")
	case len(k.Hash) != sha256.Size:
		return errors.New("it holds no hash")
	case k.Expires.IsZero():
		return errors.New("it never expires")
	}
	return nil
}

// keep returns c with k as its data.
func (k code) keep(c mfa.Credential) (mfa.Credential, error) {
	data, err := mfa.Pack(k)
	if err != nil {
		return mfa.Credential{}, err
	}
	c.Data, c.Left = data, 1
	if k.Used {
		c.Left = 0
	}
	return c, nil
}
