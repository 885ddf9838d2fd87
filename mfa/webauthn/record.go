package webauthn

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/sallyport-id/sallyport/mfa"
)

// record is what is kept of a passkey: a credential record (WebAuthn section 4), and whose it is.
type record struct {
	Tenant string `json:"tenant"`
	User   string `json:"user"`
	// ID is the authenticator's own, not mfa.Credential's.
	ID []byte `json:"id"`
	// Key is the public key as COSE has it.
	Key        []byte   `json:"key"`
	AAGUID     []byte   `json:"aaguid"`
	Attested   attested `json:"attested,omitempty"`
	Format     string   `json:"format"`
	Transports []string `json:"transports,omitempty"`
	// Count is the highest value of the signature counter; many passkeys always say 0.
	Count    uint32 `json:"count"`
	Eligible bool   `json:"eligible"`
	BackedUp bool   `json:"backedUp"`
	// Copied: the counter went back once.
	Copied bool `json:"copied,omitempty"`
	// Spent are the challenges that were answered and are still young.
	Spent []spent `json:"spent,omitempty"`
	// Since bounds Spent: challenges that were put then or earlier are not accepted.
	Since time.Time `json:"since,omitzero"`
}

// spent is a challenge that was answered. Its place in the record makes every answer count once: by the version of the
// record where two come at a time, and by itself later.
type spent struct {
	Hash []byte    `json:"hash"`
	Put  time.Time `json:"put"`
}

// mostSpent is how many answered challenges are remembered. Whoever signs in more often than that within Life loses
// only the oldest questions that still wait.
const mostSpent = 32

// open reads the record of u that c holds.
func open(c mfa.Credential, u mfa.User) (record, error) {
	var r record
	err := mfa.Unpack(c.Data, &r)
	if err == nil {
		err = r.check(u)
	}
	if err != nil {
		return record{}, fmt.Errorf("webauthn: reading credential %q: %w", c.ID, err)
	}
	return r, nil
}

// check tells whether r is a whole record of u.
func (r record) check(u mfa.User) error {
	if r.Tenant != u.Tenant || r.User != u.ID {
		return errors.New("it belongs to another user")
	}
	if len(r.ID) == 0 {
		return errors.New("it has no ID")
	}
	if _, err := webauthncose.ParsePublicKey(r.Key); err != nil {
		return errors.New("it has no public key")
	}
	return nil
}

// credential is r as the library wants it.
func (r record) credential() webauthn.Credential {
	c := webauthn.Credential{
		ID:                r.ID,
		PublicKey:         r.Key,
		AttestationFormat: r.Format,
		Flags:             webauthn.CredentialFlags{UserPresent: true, UserVerified: true, BackupEligible: r.Eligible, BackupState: r.BackedUp},
		Authenticator:     webauthn.Authenticator{AAGUID: r.AAGUID, SignCount: r.Count},
	}
	for _, t := range r.Transports {
		c.Transport = append(c.Transport, protocol.AuthenticatorTransport(t))
	}
	return c
}

// keep returns c with r as its data.
func (r record) keep(c mfa.Credential) (mfa.Credential, error) {
	data, err := mfa.Pack(r)
	if err != nil {
		return mfa.Credential{}, err
	}
	c.Data, c.Note, c.AMR, c.Whole = data, NoteDevice, []string{"hwk", "user"}, false
	if r.Eligible {
		c.Note, c.AMR = NoteSynced, []string{"swk", "user"}
	}
	if r.Copied {
		c.Note = NoteCopied
	}
	return c, nil
}

// spend marks the challenge of s as answered. It returns a *mfa.Wrong where it was before.
func (r *record) spend(s state, now time.Time) error {
	sum := sha256.Sum256(s.Challenge)
	if slices.ContainsFunc(r.Spent, func(e spent) bool { return bytes.Equal(e.Hash, sum[:]) }) {
		return &mfa.Wrong{Reason: mfa.Used}
	}
	if !s.Put.After(r.Since) {
		return &mfa.Wrong{Reason: mfa.Expired}
	}
	var young []spent
	for _, e := range append(r.Spent, spent{Hash: sum[:], Put: s.Put}) {
		if now.Sub(e.Put) < Life {
			young = append(young, e)
		}
	}
	slices.SortFunc(young, func(a, b spent) int { return a.Put.Compare(b.Put) })
	if n := len(young) - mostSpent; n > 0 {
		r.Since, young = young[n-1].Put, young[n:]
	}
	r.Spent = young
	return nil
}

// Purposes of a state: what one proves, another doesn't.
const (
	forSetup    = "set-up"
	forSignIn   = "sign-in"
	forDiscover = "discover"
)

// state is a challenge that waits.
type state struct {
	Factor string `json:"factor"`
	For    string `json:"for"`
	// Tenant and User are empty where the question was put to nobody in particular.
	Tenant    string    `json:"tenant,omitempty"`
	User      string    `json:"user,omitempty"`
	Challenge []byte    `json:"challenge"`
	Put       time.Time `json:"put"`
	// Allowed are the IDs of the passkeys that were asked for (section 7.2, step 5).
	Allowed [][]byte `json:"allowed,omitempty"`
}

// read returns the state of ch, if it is u's and for one of purposes. It returns a *mfa.Wrong where it is too old.
func (f Factor) read(ch mfa.Challenge, u mfa.User, purposes ...string) (state, error) {
	var s state
	if err := mfa.Unpack(ch.State, &s); err != nil {
		return state{}, fmt.Errorf("webauthn: reading the challenge: %w", err)
	}
	switch {
	case s.Factor != ID || !slices.Contains(purposes, s.For):
		return state{}, errors.New("webauthn: the challenge is of another factor or for another purpose")
	case s.For == forDiscover && (s.Tenant != "" || s.User != ""):
		return state{}, errors.New("webauthn: the challenge is for nobody, and for somebody")
	case s.For != forDiscover && (s.Tenant != u.Tenant || s.User != u.ID):
		return state{}, errors.New("webauthn: the challenge is of another user")
	case len(s.Challenge) < 16 || s.Put.IsZero():
		return state{}, errors.New("webauthn: the challenge is not whole")
	case f.Now().Sub(s.Put) >= Life:
		return state{}, &mfa.Wrong{Reason: mfa.Expired}
	}
	return s, nil
}
