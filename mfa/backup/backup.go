package backup

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-id/sallyport/mfa"
)

// ID is the factor's ID.
const ID = "backup"

// form is 24 characters: 120 bits, above the 112 that NIST SP 800-63B-4, section 3.1.2, asks of look-up secrets that
// are kept as plain hashes, without a salt or a slow function.
const form mfa.Lookup = 24

// Factor makes sets of backup codes and strikes them out one at a time. A set has ten codes, or one where the tenant's
// option "backup.codes" is "1".
type Factor struct {
	// Key is what codes are hashed under, at least 32 bytes. Codes that were made under another key no longer fit.
	Key []byte
}

var (
	_ mfa.Factor = Factor{}
	_ mfa.Guest  = Factor{}
)

// In implements mfa.Guest: a Factor without a Key gets the deployment's.
func (f Factor) In(h mfa.Host) (mfa.Factor, error) {
	if len(f.Key) == 0 {
		f.Key = h.Key("backup codes", mfa.LookupKey)
	}
	return f, form.Fits(ID, f.Key)
}

// Info implements mfa.Factor.
func (Factor) Info() mfa.Info {
	return mfa.Info{
		ID:        ID,
		Name:      "Backup codes",
		AMR:       []string{"otp"},
		Enrolment: mfa.Automatic,
		Input:     form.Input(),
		Single:    true,
		Backup:    true,
	}
}

// set is what is kept of a user's codes.
type set struct {
	// Tenant and User bind it to its owner, as the hashes themselves do.
	Tenant string `json:"tenant"`
	User   string `json:"user"`
	Codes  []kept `json:"codes"`
}

// kept is one code. Used ones stay, so that "used before" can be told from "wrong".
type kept struct {
	Hash []byte `json:"hash"`
	Used bool   `json:"used,omitempty"`
}

// pending is a set whose codes wait to be saved. It is not itself a set, so that neither can be taken for the other.
type pending struct {
	Factor string `json:"factor"`
	Set    set    `json:"set"`
}

// Enroll makes a set. Its codes are in the prompt, to be shown this once; the state holds their hashes.
func (f Factor) Enroll(_ context.Context, u mfa.User, _ string) (mfa.Challenge, error) {
	if err := f.ready(u); err != nil {
		return mfa.Challenge{}, err
	}
	var count int
	switch o := u.Options["backup.codes"]; o {
	case "", "10":
		count = 10
	case "1":
		count = 1
	default:
		return mfa.Challenge{}, fmt.Errorf("backup: option backup.codes is %q, not 10 or 1", o)
	}
	p := pending{Factor: ID, Set: set{Tenant: u.Tenant, User: u.ID}}
	var codes []string
	for range count {
		code := form.New()
		codes = append(codes, form.Show(code))
		p.Set.Codes = append(p.Set.Codes, kept{Hash: f.hash(u, code)})
	}
	state, err := mfa.Pack(p)
	if err != nil {
		return mfa.Challenge{}, err
	}
	return mfa.Challenge{Prompt: mfa.Prompt{Codes: codes}, State: state}, nil
}

// Confirm takes any answer: that the codes are saved only their owner can say, and the page asks.
func (f Factor) Confirm(_ context.Context, u mfa.User, ch mfa.Challenge, _ string) (mfa.Credential, error) {
	if err := f.ready(u); err != nil {
		return mfa.Credential{}, err
	}
	var p pending
	if err := mfa.Unpack(ch.State, &p); err != nil {
		return mfa.Credential{}, fmt.Errorf("backup: reading the set-up: %w", err)
	}
	if p.Factor != ID {
		return mfa.Credential{}, errors.New("backup: the set-up is of another factor")
	}
	if err := p.Set.check(u); err != nil {
		return mfa.Credential{}, fmt.Errorf("backup: reading the set-up: %w", err)
	}
	return p.Set.keep(mfa.Credential{ID: strings.ToLower(rand.Text()), Name: "Backup codes"})
}

// Challenge asks for a code. It has no state: the question is always the same.
func (f Factor) Challenge(_ context.Context, u mfa.User, creds []mfa.Credential) (mfa.Challenge, error) {
	if err := f.ready(u); err != nil {
		return mfa.Challenge{}, err
	}
	if len(creds) == 0 {
		return mfa.Challenge{}, errNoCredential
	}
	return mfa.Challenge{Prompt: mfa.Prompt{Input: form.Input()}}, nil
}

// Verify strikes the code out and returns the set with the number of codes that are left.
func (f Factor) Verify(_ context.Context, u mfa.User, creds []mfa.Credential, ch mfa.Challenge, answer string) (mfa.Credential, error) {
	if err := f.ready(u); err != nil {
		return mfa.Credential{}, err
	}
	if len(creds) == 0 {
		return mfa.Credential{}, errNoCredential
	}
	code, err := form.Read(answer)
	if err != nil {
		return mfa.Credential{}, err
	}
	if len(ch.State) != 0 {
		return mfa.Credential{}, errors.New("backup: the challenge is of another factor")
	}
	hash := f.hash(u, code)
	wrong := &mfa.Wrong{Reason: mfa.Mismatch}
	var failed error
	for _, c := range creds {
		s, err := open(c, u)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		i := s.find(hash)
		switch {
		case i < 0:
		case s.Codes[i].Used:
			wrong = &mfa.Wrong{Reason: mfa.Used}
		default:
			s.Codes[i].Used = true
			return s.keep(c)
		}
	}
	if failed != nil {
		// The code may be in the set that could not be read: saying "wrong" would be a guess.
		return mfa.Credential{}, failed
	}
	return mfa.Credential{}, wrong
}

var errNoCredential = errors.New("backup: the user has no codes")

// ready refuses to work without a key, or for nobody.
func (f Factor) ready(u mfa.User) error { return form.Ready(ID, f.Key, u) }

func (f Factor) hash(u mfa.User, code string) []byte {
	return form.Hash(f.Key, "sallyport/mfa/backup", u, code)
}

// open reads the set of u that c holds.
func open(c mfa.Credential, u mfa.User) (set, error) {
	var s set
	err := mfa.Unpack(c.Data, &s)
	if err == nil {
		err = s.check(u)
	}
	if err != nil {
		return set{}, fmt.Errorf("backup: reading credential %q: %w", c.ID, err)
	}
	return s, nil
}

// check tells whether s is a whole set of u.
func (s set) check(u mfa.User) error {
	if s.Tenant != u.Tenant || s.User != u.ID {
		return errors.New("it belongs to another user")
	}
	if len(s.Codes) == 0 || slices.ContainsFunc(s.Codes, func(k kept) bool { return len(k.Hash) != sha256.Size }) {
		return errors.New("it is not a set of hashes")
	}
	return nil
}

// find returns the place of the code with this hash, or -1. It looks at every code, so that the time taken doesn't
// tell which.
func (s set) find(hash []byte) int {
	found := -1
	for i, k := range s.Codes {
		if hmac.Equal(k.Hash, hash) {
			found = i
		}
	}
	return found
}

// keep returns c with s as its data.
func (s set) keep(c mfa.Credential) (mfa.Credential, error) {
	data, err := mfa.Pack(s)
	if err != nil {
		return mfa.Credential{}, err
	}
	c.Data, c.Left = data, 0
	for _, k := range s.Codes {
		if !k.Used {
			c.Left++
		}
	}
	return c, nil
}
