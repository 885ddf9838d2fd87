package mfatest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
)

// Case is a factor to check, and what a user of it would do.
type Case struct {
	// New returns the factor, on the kit's clock. It is called once for each check.
	New func(t testing.TB, now func() time.Time) mfa.Factor
	// Answer gives the right answer to a question: what the user would read off the phone. It is called once for each
	// question, at least a minute of the kit's clock after the one before.
	Answer func(t testing.TB, q Question) string
	// Wrong turns a right answer into a wrong one of the same form. nil changes places of two characters, or where
	// all are the same, the last one.
	Wrong func(right string) string
	// Input is what Enroll is given.
	Input string
	// Options are the tenant's settings in mfa.User.
	Options map[string]string
	// AnyConfirms tells that Confirm takes any answer.
	AnyConfirms bool
	// Lifetime, if set, is the age at which an answer is no longer right.
	Lifetime time.Duration
	// Hosted tells that New's factor is an mfa.Guest for the kit to put into Host, on the kit's clock. It also has a
	// Repeater show that it doesn't repeat before its time, which it may leave to the Host's Quota.
	Hosted bool
}

// Question is what an answer is wanted to.
type Question struct {
	// Setup is what Enroll returned, Asked the challenge that waits: at set-up the same.
	Setup, Asked mfa.Challenge
	// Time is the kit's.
	Time time.Time
	// Nth counts the questions put to one credential: 0 is its set-up, sign-ins follow from 1. A question that is put
	// again keeps its number.
	Nth int
}

// Run checks the factor, each part of the contract in a subtest of its name.
func Run(t *testing.T, c Case) {
	t.Helper()
	for _, check := range checks {
		t.Run(check.name, func(t *testing.T) { check.run(newKit(t, c)) })
	}
}

// check is a part of the contract.
type check struct {
	name string
	run  func(*kit)
}

var checks = []check{
	{"info", info},
	{"sign in", signIn},
	{"wrong answer", wrongAnswer},
	{"malformed answer", malformedAnswer},
	{"replay", replay},
	{"in parallel", inParallel},
	{"other users", otherUsers},
	{"state of others", stateOfOthers},
	{"spoilt state", spoiltState},
	{"spoilt credential", spoiltCredential},
	{"no credential", noCredential},
	{"two credentials", twoCredentials},
	{"prompt at sign-in", promptAtSignIn},
	{"expiry", expiry},
	{"cancelled", cancelled},
	{"guest", guest},
	{"set-up input", setUpInput},
	{"repeating", repeating},
	{"discovering", discovering},
}

// kit is one check under way.
type kit struct {
	testing.TB
	c Case
	// given is what Case.New returned, factor what is used: the same, if not Case.Hosted.
	given, factor mfa.Factor
	now           time.Time
}

func newKit(t testing.TB, c Case) *kit {
	k := &kit{TB: t, c: c, now: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)}
	// The clock stands still while calls run in parallel, so that it needs no lock.
	k.given = c.New(t, k.clock)
	k.factor = k.given
	if c.Hosted {
		g, ok := k.given.(mfa.Guest)
		if !ok {
			t.Fatalf("Case.Hosted: the factor is no mfa.Guest")
		}
		k.factor = k.in(g)
	}
	return k
}

func (k *kit) clock() time.Time { return k.now }

// user is somebody of the tenant.
func (k *kit) user(tenant, id string) mfa.User {
	options := map[string]string{"another.option": "kept"}
	for key, value := range k.c.Options {
		options[key] = value
	}
	return mfa.User{Tenant: tenant, ID: id, Account: id + "@example.com", Issuer: "Example", Options: options}
}

// owner is a user with one credential.
type owner struct {
	k     *kit
	user  mfa.User
	setup mfa.Challenge
	// first is the answer that the set-up was confirmed with.
	first string
	cred  mfa.Credential
	asked int
}

// begin enrols u as far as to the question.
func (k *kit) begin(u mfa.User) *owner {
	k.Helper()
	k.now = k.now.Add(time.Minute)
	ch, err := k.enroll(u)
	if err != nil {
		k.Fatalf("Enroll: %v", err)
	}
	return &owner{k: k, user: u, setup: ch}
}

// enrol sets the factor up for u.
func (k *kit) enrol(u mfa.User) *owner {
	k.Helper()
	o := k.begin(u)
	o.first = o.answer(o.setup)
	cred, err := k.confirm(u, o.setup, o.first)
	if err != nil {
		k.Fatalf("Confirm of the right answer: %v", err)
	}
	o.cred = cred
	return o
}

// ask puts the question at sign-in and has it answered rightly.
func (o *owner) ask() (ch mfa.Challenge, right string) {
	o.k.Helper()
	o.k.now = o.k.now.Add(time.Minute)
	ch, err := o.k.challenge(o.user, o.creds())
	if err != nil {
		o.k.Fatalf("Challenge: %v", err)
	}
	return ch, o.answer(ch)
}

// answer is the right one.
func (o *owner) answer(ch mfa.Challenge) string {
	o.k.Helper()
	right := o.k.c.Answer(o.k, Question{Setup: cloneChallenge(o.setup), Asked: cloneChallenge(ch), Time: o.k.now, Nth: o.asked})
	o.asked++
	return right
}

func (o *owner) creds() []mfa.Credential { return []mfa.Credential{o.cred} }

// wrong is a wrong answer of the form of right.
func (k *kit) wrong(right string) string {
	if k.c.Wrong != nil {
		return k.c.Wrong(right)
	}
	b := []byte(right)
	if i := slices.IndexFunc(b, func(c byte) bool { return c != b[0] && c != '-' }); i > 0 {
		b[0], b[i] = b[i], b[0]
		return string(b)
	}
	switch last := &b[len(b)-1]; *last {
	case '9', 'z', 'Z':
		*last--
	default:
		*last++
	}
	return string(b)
}

func (k *kit) ctx() context.Context { return context.Background() }
