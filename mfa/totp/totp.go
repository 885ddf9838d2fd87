package totp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
)

// ID is the factor's ID.
const ID = "totp"

// Factor checks the codes of authenticator apps. The zero Factor is ready to use.
//
// A tenant chooses with the options "totp.digits" ("6", the default, or "8") and "totp.algorithm" ("SHA1", the default,
// or "SHA256") what keys are made from then on; keys that are enrolled keep what they were made with.
type Factor struct {
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

var (
	_ mfa.Factor   = Factor{}
	_ mfa.Guest    = Factor{}
	_ mfa.Importer = Factor{}
)

// In implements mfa.Guest: a Factor without a clock gets the deployment's.
func (f Factor) In(h mfa.Host) (mfa.Factor, error) {
	if f.Now == nil {
		f.Now = h.Now
	}
	return f, nil
}

// Info implements mfa.Factor.
func (Factor) Info() mfa.Info {
	return mfa.Info{
		ID:    ID,
		Name:  "Authenticator app",
		AMR:   []string{"otp"},
		Clock: true,
		Input: mfa.Input{Digits: 6},
	}
}

// Enroll makes a key. The prompt holds it as text (base32 without padding) and as the URI for a QR code.
func (Factor) Enroll(_ context.Context, u mfa.User, _ string) (mfa.Challenge, error) {
	k, err := newKey(u)
	if err != nil {
		return mfa.Challenge{}, err
	}
	state, err := mfa.Pack(pending{Factor: ID, Key: k})
	if err != nil {
		return mfa.Challenge{}, err
	}
	return mfa.Challenge{
		Prompt: mfa.Prompt{Secret: k.Secret, URI: k.uri(u), Input: mfa.Input{Digits: k.Digits}},
		State:  state,
	}, nil
}

// Confirm takes the first code of the new key, which is thereby used: whoever watched the set-up cannot sign in with it.
func (f Factor) Confirm(_ context.Context, u mfa.User, ch mfa.Challenge, answer string) (mfa.Credential, error) {
	if err := wellFormed(answer); err != nil {
		return mfa.Credential{}, err
	}
	var p pending
	if err := mfa.Unpack(ch.State, &p); err != nil {
		return mfa.Credential{}, fmt.Errorf("totp: reading the set-up: %w", err)
	}
	if p.Factor != ID {
		return mfa.Credential{}, errors.New("totp: the set-up is of another factor")
	}
	if err := p.Key.check(u); err != nil {
		return mfa.Credential{}, fmt.Errorf("totp: reading the set-up: %w", err)
	}
	k, err := p.Key.spend(answer, f.step())
	if err != nil {
		return mfa.Credential{}, err
	}
	return keep(mfa.Credential{ID: strings.ToLower(rand.Text()), Name: "Authenticator app", Left: -1}, k)
}

// Challenge asks for a code as long as the user's keys make them. It has no state: the question is always the same.
func (Factor) Challenge(_ context.Context, u mfa.User, creds []mfa.Credential) (mfa.Challenge, error) {
	var in mfa.Input
	err := errNoCredential
	for _, c := range creds {
		k, e := open(c, u)
		switch {
		case e != nil:
			// A key that can't be read must not keep the user from signing in with another.
			err = e
		case in == mfa.Input{}:
			in = mfa.Input{Digits: k.Digits}
		case in.Digits != k.Digits:
			in = mfa.Input{Shortest: 6, Longest: 8}
		}
	}
	if in == (mfa.Input{}) {
		return mfa.Challenge{}, err
	}
	return mfa.Challenge{Prompt: mfa.Prompt{Input: in}}, nil
}

// Verify finds the key that the code is of and returns it with the code's step marked as used. RFC 6238, section 5.2:
// a code is accepted one step (30 s) early or late, and once. A wrong code that fits a time up to ten minutes away comes
// back with the Drift.
func (f Factor) Verify(_ context.Context, u mfa.User, creds []mfa.Credential, ch mfa.Challenge, answer string) (mfa.Credential, error) {
	if err := wellFormed(answer); err != nil {
		return mfa.Credential{}, err
	}
	if len(ch.State) != 0 {
		return mfa.Credential{}, errors.New("totp: the challenge is of another factor")
	}
	now := f.step()
	var wrong *mfa.Wrong
	var failed error
	var told mfa.Credential
	for _, c := range creds {
		k, err := open(c, u)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		spent, err := k.spend(answer, now)
		var w *mfa.Wrong
		switch {
		case err == nil:
			return keep(c, spent)
		case errors.As(err, &w):
			if wrong = moreTelling(wrong, w); wrong != w {
				continue
			}
			told = mfa.Credential{}
			if burnt, changed := k.tell(w, now); changed {
				if told, err = keep(c, burnt); err != nil {
					return mfa.Credential{}, err
				}
			}
		default:
			failed = errors.Join(failed, err)
		}
	}
	switch {
	case failed != nil:
		// The code may have been right for the key that could not be read: saying "wrong" would be a guess.
		return mfa.Credential{}, failed
	case wrong == nil:
		return mfa.Credential{}, errNoCredential
	default:
		return told, wrong
	}
}

var errNoCredential = errors.New("totp: the user has no key")

// step is the present time step (RFC 6238, section 4.2).
func (f Factor) step() int64 {
	now := time.Now
	if f.Now != nil {
		now = f.Now
	}
	return stepAt(now())
}

// keep returns c with k as its data.
func keep(c mfa.Credential, k key) (mfa.Credential, error) {
	data, err := mfa.Pack(k)
	if err != nil {
		return mfa.Credential{}, err
	}
	c.Data = data
	return c, nil
}

// wellFormed refuses what is not 6 to 8 ASCII digits, before the library sees it: that trims white space, and what
// it would trim is not what was counted as the attempt.
func wellFormed(answer string) error {
	switch n := len(answer); {
	case n == 0:
		return &mfa.Wrong{Reason: mfa.Empty, Want: 6}
	case strings.Trim(answer, "0123456789") != "":
		return &mfa.Wrong{Reason: mfa.Format, Want: 6}
	case n < 6:
		return &mfa.Wrong{Reason: mfa.Short, Want: 6}
	case n > 8:
		return &mfa.Wrong{Reason: mfa.Long, Want: 8}
	default:
		return nil
	}
}

// moreTelling picks, of what two keys say to one code, what helps the user more.
func moreTelling(a, b *mfa.Wrong) *mfa.Wrong {
	if a == nil || weight(b) > weight(a) ||
		weight(b) == weight(a) && b.Drift.Abs() < a.Drift.Abs() {
		return b
	}
	return a
}

func weight(w *mfa.Wrong) int {
	switch {
	case w.Reason == mfa.Used:
		return 3
	case w.Drift != 0:
		return 2
	case w.Reason == mfa.Mismatch:
		return 1
	default:
		return 0
	}
}
