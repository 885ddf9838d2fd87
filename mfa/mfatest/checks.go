package mfatest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
)

// amr are the values of RFC 8176, section 2, that a factor may earn: all but "mfa", which only two factors are.
var amr = []string{
	"face", "fpt", "geo", "hwk", "iris", "kba", "mca", "otp", "pin", "pop", "pwd", "rba", "retina", "sc", "sms", "swk",
	"tel", "user", "vbm", "wia",
}

var idPattern = regexp.MustCompile(`^[a-z][a-z0-9]*$`)

func info(k *kit) {
	in := k.factor.Info()
	if !idPattern.MatchString(in.ID) {
		k.Errorf("ID %q is not lower-case letters and digits", in.ID)
	}
	if in.Name == "" {
		k.Errorf("Name is empty")
	}
	for i, v := range in.AMR {
		if !slices.Contains(amr, v) {
			k.Errorf("AMR %q is not of RFC 8176, or not for a factor to claim", v)
		}
		if slices.Contains(in.AMR[:i], v) {
			k.Errorf("AMR %q stands twice", v)
		}
	}
	if in.Enrolment < mfa.BySelf || in.Enrolment > mfa.ByOwner {
		k.Errorf("Enrolment %d is none", in.Enrolment)
	}
	if !slices.Contains([]mfa.Ask{mfa.AsksNothing, mfa.AsksPhone, mfa.AsksText}, in.Asks) {
		k.Errorf("Asks %q is nothing that can be asked", in.Asks)
	}
	if i := in.Input; i.Digits < 0 || i.Shortest < 0 || i.Longest < 0 || i.Longest > 0 && i.Longest < i.Shortest {
		k.Errorf("Input %+v fits no answer", i)
	}
	// Whoever sorts or appends to what Info returned must not change what the next caller gets.
	want := fmt.Sprintf("%+v", in)
	for i := range in.AMR {
		in.AMR[i] = "changed"
	}
	k.enrol(k.user("acme", "alice"))
	if got := fmt.Sprintf("%+v", k.factor.Info()); got != want {
		k.Errorf("Info is not constant:\n%s\n%s", want, got)
	}
}

func signIn(k *kit) {
	o := k.enrol(k.user("acme", "alice"))
	if again := k.enrol(k.user("acme", "alice")); again.cred.ID == o.cred.ID {
		k.Errorf("two credentials have the ID %q", o.cred.ID)
	}
	for range 3 {
		ch, right := o.ask()
		// The service cleans an answer before anything else: what is right must come through that.
		in := k.factor.Info().Input
		if ch.Prompt.Input != (mfa.Input{}) {
			in = ch.Prompt.Input
		}
		clean, err := in.Clean(right)
		if err != nil {
			k.Errorf("Input %+v refuses the right answer: %v", in, err)
		}
		cred, err := k.verify(o.user, o.creds(), ch, clean)
		if err != nil {
			k.Fatalf("Verify of right answer %d: %v", o.asked, err)
		}
		if o.cred = cred; cred.Left == 0 {
			return
		}
	}
}

func wrongAnswer(k *kit) {
	o := k.begin(k.user("acme", "alice"))
	o.first = o.answer(o.setup)
	if !k.c.AnyConfirms {
		_, err := k.confirm(o.user, o.setup, k.wrong(o.first))
		k.refused("a wrong answer at set-up", err)
	}
	var err error
	if o.cred, err = k.confirm(o.user, o.setup, o.first); err != nil {
		k.Fatalf("Confirm of the right answer after a wrong one: %v", err)
	}
	ch, right := o.ask()
	_, err = k.verify(o.user, o.creds(), ch, k.wrong(right))
	k.refused("a wrong answer", err)
	if _, err = k.verify(o.user, o.creds(), ch, right); err != nil {
		k.Errorf("the right answer after a wrong one: %v", err)
	}
}

func malformedAnswer(k *kit) {
	o := k.enrol(k.user("acme", "alice"))
	ch, right := o.ask()
	for _, answer := range []string{
		"", " ", "\n", "\x00", "0", "-1", "+12345", "1e5", "0x1234", "null", "12345\u0661",
		"\u0661\u0662\u0663\u0664\u0665\u0666", "\uff11\uff12\uff13\uff14\uff15\uff16", "\u202e123456", "\xff\xfe\xfd\xfc\xfb\xfa",
		"' OR 1=1 --", `{"$ne":""}`, "<script>", strings.Repeat("1", 1<<20), strings.Repeat("\u00e9", 1<<16),
		right + right, right + "\x00", right[:len(right)-1],
	} {
		_, err := k.verify(o.user, o.creds(), ch, answer)
		k.refused(fmt.Sprintf("the answer %.30q", answer), err)
	}
	if k.c.AnyConfirms {
		return
	}
	setup := k.begin(k.user("acme", "bob"))
	for _, answer := range []string{"", " ", "\x00", "\uff11\uff12\uff13\uff14\uff15\uff16", "\xff", strings.Repeat("1", 1<<20)} {
		_, err := k.confirm(setup.user, setup.setup, answer)
		k.refused(fmt.Sprintf("the answer %.30q at set-up", answer), err)
	}
}

func replay(k *kit) {
	o := k.enrol(k.user("acme", "alice"))
	if !k.c.AnyConfirms {
		k.now = k.now.Add(pause)
		ch, err := k.challenge(o.user, o.creds())
		if err != nil {
			k.Fatalf("Challenge: %v", err)
		}
		_, err = k.verify(o.user, o.creds(), ch, o.first)
		k.refused("the answer that confirmed the set-up", err)
	}
	ch, right := o.ask()
	cred, err := k.verify(o.user, o.creds(), ch, right)
	if err != nil {
		k.Fatalf("Verify: %v", err)
	}
	o.cred = cred
	_, err = k.verify(o.user, o.creds(), ch, right)
	k.refused("the same answer to the same challenge", err)
	k.now = k.now.Add(pause)
	next, err := k.challenge(o.user, o.creds())
	if err != nil {
		k.Fatalf("Challenge: %v", err)
	}
	_, err = k.verify(o.user, o.creds(), next, right)
	k.refused("the same answer to the next challenge", err)
}

func inParallel(k *kit) {
	o := k.enrol(k.user("acme", "alice"))
	ch, right := o.ask()
	var s store
	s.p.Store(&o.cred)
	stored := s.p.Load() // all have read before any writes
	var wg sync.WaitGroup
	won := make(chan bool, 20)
	for range cap(won) {
		wg.Go(func() {
			// guarded would compare the arguments while others read them, which is what the race detector is for.
			c, err := k.factor.Verify(k.ctx(), o.user, []mfa.Credential{*stored}, ch, right)
			switch {
			case err != nil && !errors.Is(err, mfa.ErrWrong):
				k.Errorf("Verify in parallel: %v", err)
			case err == nil && bytes.Equal(c.Data, stored.Data):
				k.Errorf("Verify in parallel left the credential's data as it was: each of the answers gets in")
			case err == nil && s.swap(stored, c):
				won <- true
			}
		})
	}
	wg.Wait()
	if n := len(won); n != 1 {
		k.Errorf("one answer sent %d times at once got in %d times", cap(won), n)
	}
	_, err := k.verify(o.user, []mfa.Credential{*s.p.Load()}, ch, right)
	k.refused("the answer of a sign-in that came second", err)
}

func otherUsers(k *kit) {
	alice := k.enrol(k.user("acme", "alice"))
	for _, u := range []mfa.User{k.user("acme", "bob"), k.user("umbrella", "alice"), k.user("", ""), k.user("acme", ""), k.user("", "alice")} {
		who := u.Tenant + "/" + u.ID
		ch, right := alice.ask()
		_, err := k.verify(u, alice.creds(), ch, right)
		k.failed("a credential and challenge of acme/alice as "+who, err)
		if ch, err = k.challenge(u, alice.creds()); err == nil {
			_, err = k.verify(u, alice.creds(), ch, alice.answer(ch))
			k.failed("a credential of acme/alice as "+who, err)
		}
		if u.Tenant == "" || u.ID == "" {
			continue
		}
		other := k.enrol(u)
		ch, _ = other.ask()
		_, right = alice.ask()
		_, err = k.verify(u, other.creds(), ch, right)
		k.refused("the answer of acme/alice as "+who, err)
	}
}

func stateOfOthers(k *kit) {
	alice, bob := k.begin(k.user("acme", "alice")), k.enrol(k.user("acme", "bob"))
	right := alice.answer(alice.setup)
	if len(alice.setup.State) > 0 {
		for _, u := range []mfa.User{bob.user, k.user("umbrella", "alice")} {
			_, err := k.confirm(u, alice.setup, right)
			k.failed("the set-up of acme/alice as "+u.Tenant+"/"+u.ID, err)
		}
	}
	var err error
	if alice.cred, err = k.confirm(alice.user, alice.setup, right); err != nil {
		k.Fatalf("Confirm: %v", err)
	}
	ch, right := alice.ask()
	if len(ch.State) == 0 {
		return
	}
	_, err = k.verify(bob.user, bob.creds(), ch, right)
	k.failed("the challenge of acme/alice as acme/bob", err)
	// A challenge must not end a set-up, nor a set-up answer a challenge: they prove different things.
	_, err = k.confirm(alice.user, ch, right)
	k.failed("the challenge of a sign-in as a set-up", err)
	setup := k.begin(alice.user)
	_, err = k.verify(alice.user, alice.creds(), setup.setup, setup.answer(setup.setup))
	k.failed("a set-up as the challenge of a sign-in", err)
}

// spoilt are versions of b that no factor wrote.
func spoilt(b []byte) [][]byte {
	return [][]byte{
		nil,
		{},
		[]byte("null"), []byte("{}"), []byte("[]"), []byte(`""`), []byte("0"), []byte("\x00"), []byte("nonsense"),
		[]byte(`{"factor":"nonsense"}`), b[:len(b)/2], append(bytes.Clone(b), " x"...), bytes.Repeat([]byte("["), 1<<16),
	}
}

func spoiltState(k *kit) {
	o := k.begin(k.user("acme", "alice"))
	right := o.answer(o.setup)
	if len(o.setup.State) > 0 {
		for _, state := range spoilt(o.setup.State) {
			_, err := k.confirm(o.user, mfa.Challenge{Prompt: o.setup.Prompt, State: state}, right)
			k.failed(fmt.Sprintf("the set-up state %.30q", state), err)
		}
	}
	o = k.enrol(k.user("acme", "alice"))
	ch, right := o.ask()
	if len(ch.State) > 0 {
		for _, state := range spoilt(ch.State) {
			_, err := k.verify(o.user, o.creds(), mfa.Challenge{Prompt: ch.Prompt, State: state}, right)
			k.failed(fmt.Sprintf("the state %.30q", state), err)
		}
	}
}

func spoiltCredential(k *kit) {
	o := k.enrol(k.user("acme", "alice"))
	ch, right := o.ask()
	for _, data := range spoilt(o.cred.Data) {
		c := o.cred
		c.Data = data
		_, err := k.verify(o.user, []mfa.Credential{c}, ch, right)
		k.failed(fmt.Sprintf("the credential data %.30q", data), err)
		// Whether the question can be put is the factor's own affair; it must not panic or change anything.
		_, _ = k.challenge(o.user, []mfa.Credential{c})
	}
}

func noCredential(k *kit) {
	o := k.enrol(k.user("acme", "alice"))
	ch, right := o.ask()
	k.now = k.now.Add(pause)
	_, err := k.challenge(o.user, nil)
	k.failed("a challenge for no credential", err)
	_, err = k.verify(o.user, nil, ch, right)
	k.failed("an answer for no credential", err)
}

func twoCredentials(k *kit) {
	if k.factor.Info().Single {
		return
	}
	first := k.enrol(k.user("acme", "alice"))
	u := first.user
	u.Held = first.creds()
	second := k.enrol(u)
	both := []mfa.Credential{first.cred, second.cred}
	k.now = k.now.Add(2 * time.Minute)
	ch, err := k.challenge(first.user, both)
	if err != nil {
		k.Fatalf("Challenge of two credentials: %v", err)
	}
	c, err := k.verify(first.user, both, ch, second.answer(ch))
	if err != nil {
		k.Fatalf("Verify of two credentials: %v", err)
	}
	if len(ch.State) == 0 && c.ID != second.cred.ID {
		k.Errorf("the second credential's answer counted for the first")
	}
}

func promptAtSignIn(k *kit) {
	o := k.enrol(k.user("acme", "alice"))
	ch, right := o.ask()
	if p := ch.Prompt; p.Secret != "" || p.URI != "" || len(p.Codes) > 0 {
		k.Errorf("the prompt at sign-in has fields that are for set-ups")
	}
	shown, err := json.Marshal(ch.Prompt)
	if err != nil {
		k.Fatalf("encoding the prompt: %v", err)
	}
	for _, secret := range append([]string{right, o.setup.Prompt.Secret, o.setup.Prompt.URI, k.c.Input}, o.setup.Prompt.Codes...) {
		if secret != "" && bytes.Contains(shown, []byte(secret)) {
			k.Errorf("the prompt at sign-in tells a secret")
		}
	}
	// What waits on the server goes through JSON.
	for _, want := range []mfa.Challenge{o.setup, ch} {
		var got mfa.Challenge
		b, err := json.Marshal(want)
		if err == nil {
			err = json.Unmarshal(b, &got)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			k.Errorf("a challenge does not come back from JSON as it was: %v", err)
		}
	}
}

func expiry(k *kit) {
	if k.c.Lifetime == 0 {
		return
	}
	if !k.c.AnyConfirms {
		setup := k.begin(k.user("acme", "alice"))
		right := setup.answer(setup.setup)
		k.now = k.now.Add(k.c.Lifetime)
		_, err := k.confirm(setup.user, setup.setup, right)
		k.refused("an answer at set-up that is too old", err)
	}
	o := k.enrol(k.user("acme", "alice"))
	ch, right := o.ask()
	k.now = k.now.Add(k.c.Lifetime)
	_, err := k.verify(o.user, o.creds(), ch, right)
	k.refused("an answer that is too old", err)
}

// cancelled: when the client is gone the factor may finish or fail, but must not say that the answer was wrong, which
// would count.
func cancelled(k *kit) {
	ctx := stopped()
	setup := k.begin(k.user("acme", "bob"))
	_, confirm := k.factor.Confirm(ctx, setup.user, setup.setup, setup.answer(setup.setup))
	_, enroll := k.factor.Enroll(ctx, setup.user, k.c.Input)
	o := k.enrol(k.user("acme", "alice"))
	ch, right := o.ask()
	_, challenge := k.factor.Challenge(ctx, o.user, o.creds())
	_, verify := k.factor.Verify(ctx, o.user, o.creds(), ch, right)
	for method, err := range map[string]error{"Enroll": enroll, "Confirm": confirm, "Challenge": challenge, "Verify": verify} {
		if err != nil && !errors.Is(err, context.Canceled) {
			k.Errorf("%s with a cancelled context: %v", method, err)
		}
	}
}
