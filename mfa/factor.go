package mfa

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Factor is a kind of second step. It knows a prompt, an answer and a credential; neither HTTP nor the database.
//
// A factor keeps nothing itself. What must be remembered between two calls it returns, in Challenge.State or in
// Credential.Data; the caller seals and stores both. Verify returns the credential as it is to be kept from now on
// (a counter moved on, a code struck out), and the caller saves it by compare-and-swap: of two answers that arrive
// at once one is accepted and the other gets ErrWrong. So a factor whose Verify changes the credential is single-use
// by construction.
//
// All methods must be safe for concurrent use. They return ErrWrong (usually as a *Wrong) where the answer is not
// right; any other error means that the check could not be made.
type Factor interface {
	Info() Info
	// Enroll begins a set-up. input is what Info.Asks names, such as a phone number; empty where it asks nothing. It
	// fails with a *Refused where input will not do or the question can't be put.
	Enroll(ctx context.Context, u User, input string) (Challenge, error)
	// Confirm ends a set-up with the answer to the challenge that Enroll returned.
	Confirm(ctx context.Context, u User, ch Challenge, answer string) (Credential, error)
	// Challenge puts the question at sign-in. creds are all of the user's credentials of this factor, at least one. It
	// fails with a *Refused where the question can't be put.
	Challenge(ctx context.Context, u User, creds []Credential) (Challenge, error)
	// Verify checks the answer to ch and returns the one credential it was right for, as it is to be kept. Beside a
	// *Wrong it may return a credential that is to be kept too, where what the Wrong tells must not be of use to a
	// guesser (if it can't be stored, the Wrong is told without its Drift), or where the wrong answer says something
	// about the credential that is to be remembered.
	Verify(ctx context.Context, u User, creds []Credential, ch Challenge, answer string) (Credential, error)
}

// Info describes a factor. It is constant.
type Info struct {
	// ID is lower-case letters and digits, such as "totp"; it stands in the database, in rules and in the API.
	ID string
	// Name is what people call it, in English, for factors that bring no catalogue entries of their own.
	Name string
	// AMR are the RFC 8176 values that a right answer earns, without "mfa".
	AMR []string
	// PhishingResistant and Hardware tell how strong it is.
	PhishingResistant, Hardware bool
	// Enrolment says who can set it up.
	Enrolment Enrolment
	// Asks is what Enroll's input is, and so which field asks for it before the set-up begins.
	Asks Ask
	// Input is what the answer looks like. It is checked before the attempt is counted and Verify is called.
	Input Input
	// Clock: the answer depends on the clock of the user's device, so that a wrong one may mean a wrong clock.
	Clock bool
	// Single tells that a user has at most one credential of it: a new one takes the old one's place.
	Single bool
	// Backup factors stand in for the others when these are lost. They are never offered first, and having one
	// alone is not having a second step.
	Backup bool
}

// Enrolment says who sets a factor up.
type Enrolment int

const (
	// BySelf: the user, on the profile page or led through it at sign-in.
	BySelf Enrolment = iota
	// Automatic: it is made together with the first other factor; users can ask for a new set.
	Automatic
	// ByOwner: an owner of the tenant hands it out.
	ByOwner
)

// Ask is what a set-up has to know before it can put its question.
type Ask string

// What there is to ask.
const (
	AsksNothing Ask = ""
	AsksPhone   Ask = "phone"
	// AsksText is anything else: one line, whose label the factor's own words give.
	AsksText Ask = "text"
)

// User is what a factor may know of a user.
type User struct {
	Tenant, ID string
	// Account is how the user is shown in an authenticator: the e-mail address or user name.
	Account string
	// Issuer is the name of the product or tenant that the authenticator shows beside it.
	Issuer string
	// Lang is the user's language, a BCP 47 tag; empty is the deployment's own.
	Lang string
	// Held are the user's credentials of this factor, at set-up: the same authenticator need not be enrolled twice.
	Held []Credential
	// Options are the tenant's settings by "factor.key", such as "totp.digits".
	Options map[string]string
}

// Challenge is a question that waits for its answer.
type Challenge struct {
	// Prompt is shown to the user, as a page or as JSON.
	Prompt Prompt `json:"prompt"`
	// State stays on the server, sealed.
	State []byte `json:"state,omitempty"`
}

// Prompt is what the user sees of a challenge. Factors fill the fields that they need.
type Prompt struct {
	// Text is a sentence to show, in English, for factors that bring no catalogue entries of their own.
	Text string `json:"text,omitempty"`
	// Target is where the code went, masked: "•••• 321".
	Target string `json:"target,omitempty"`
	// Secret and URI are shown at set-up only: a key to type in (base32), and what its QR code holds.
	Secret string `json:"secret,omitempty"`
	URI    string `json:"uri,omitempty"`
	// Codes are shown once, to be saved.
	Codes []string `json:"codes,omitempty"`
	// Options is what the page's script hands to the browser where Input.Script: for passkeys a
	// PublicKeyCredentialCreationOptionsJSON or PublicKeyCredentialRequestOptionsJSON (WebAuthn Level 3, section 5.1).
	Options json.RawMessage `json:"options,omitempty"`
	// Again is from when on a Repeater sends the question again; zero where it can't be sent again.
	Again time.Time `json:"again,omitzero"`
	// Until is from when on the question can't be answered any more, and is put anew instead; zero where it can be for as
	// long as the sign-in or set-up takes.
	Until time.Time `json:"until,omitzero"`
	// Input overrides Info.Input where the tenant's settings or the credential do.
	Input Input `json:"input,omitzero"`
}

// Credential is one enrolled instance of a factor.
type Credential struct {
	// ID names it among the user's credentials. The caller gives it the name; what Confirm sets is not kept.
	ID string `json:"id"`
	// Name proposes a name for it; the user can change it.
	Name string `json:"name,omitempty"`
	// Data is the factor's own. It is sealed before it is stored.
	Data []byte `json:"data"`
	// Left is how many more times it can be used; negative means without end.
	Left int `json:"left"`
	// Note says one thing about it in lists: a masked number, or a word that the catalogues have under
	// "factor.ID.note.NOTE", such as "synced".
	Note string `json:"note,omitempty"`
	// Expires, if set by Confirm, is when it stops being there.
	Expires time.Time `json:"expires,omitzero"`
	// AMR, if set by Verify or Confirm, are the RFC 8176 values that this answer earned, in place of those of Info. They
	// are not kept.
	AMR []string `json:"-"`
	// Whole is set by Verify where the answer was a sign-in by itself: something held and, checked by it, something
	// known or inherent (user verification). It is not kept.
	Whole bool `json:"-"`
}

// ErrWrong: the answer is not right. Everything else means that the check could not be made.
var ErrWrong = errors.New("mfa: wrong answer")

// Reason says in which way an answer is wrong.
type Reason string

// The reasons. They are shown to the user, so none tells more than the user's own answer does.
const (
	Mismatch Reason = "wrong"   // not the code
	Used     Reason = "used"    // right, but used before
	Expired  Reason = "expired" // right once, too late now
	Empty    Reason = "empty"   // nothing was typed
	Short    Reason = "short"   // too few characters
	Long     Reason = "long"    // too many
	Format   Reason = "format"  // characters that no such code has
)

// Wrong is an ErrWrong that says more.
type Wrong struct {
	Reason Reason
	// Drift is how far the user's clock is ahead of ours (negative: behind), where the answer tells; else 0.
	Drift time.Duration
	// Want is the number of characters a code has, for Short and Long.
	Want int
}

// Error implements error.
func (w *Wrong) Error() string { return "mfa: wrong answer: " + string(w.Reason) }

// Is makes every Wrong an ErrWrong.
func (w *Wrong) Is(target error) bool { return target == ErrWrong }
