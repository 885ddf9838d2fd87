package mfatest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
)

// The checks of this file are of what some factors can beside mfa.Factor, and pass where a factor can't.

// guest: In gives the factor a deployment, and doesn't make another of it.
func guest(k *kit) {
	g, ok := k.given.(mfa.Guest)
	if !ok {
		return
	}
	f := k.in(g)
	if got, want := fmt.Sprintf("%+v", f.Info()), fmt.Sprintf("%+v", k.given.Info()); got != want {
		k.Errorf("In changes Info:\n%s\n%s", want, got)
	}
}

func (k *kit) in(g mfa.Guest) mfa.Factor {
	k.Helper()
	var f mfa.Factor
	k.guarded("In", args{}, func() (err error) {
		if f, err = g.In(Host(k.clock)); err != nil {
			k.Fatalf("In: %v", err)
		}
		return nil
	})
	if f == nil {
		k.Fatalf("In returned neither a factor nor an error")
	}
	return f
}

// setUpInput: what a set-up asks for is checked before anything is sent.
func setUpInput(k *kit) {
	asks := k.factor.Info().Asks
	if asks == mfa.AsksNothing {
		return
	}
	if k.c.Input == "" {
		k.Fatalf("the factor asks for %q: Case.Input has none", asks)
	}
	u := k.user("acme", "alice")
	for _, input := range []string{
		"", " ", "\x00", "\n", "x", "+", "0", "-1", "null", "\u202e", "\xff", "<script>", "' OR 1=1 --", `{"$ne":""}`,
		"\uff0b\uff14\uff19", strings.Repeat("1", 1<<20), k.c.Input + "\x00", k.c.Input + k.c.Input + k.c.Input + k.c.Input,
	} {
		k.now = k.now.Add(time.Minute)
		var err error
		k.guarded("Enroll", args{user: u}, func() error {
			_, err = k.factor.Enroll(k.ctx(), u, input)
			return err
		})
		var refused *mfa.Refused
		switch {
		case err == nil && asks == mfa.AsksPhone:
			k.Errorf("Enroll takes %.30q for a phone number", input)
		case err != nil && !errors.As(err, &refused):
			k.Errorf("Enroll with %.30q: want a *mfa.Refused, got %v", input, err)
		case err != nil && refused.Reason != mfa.Malformed && refused.Reason != mfa.Country:
			k.Errorf("Enroll refuses %.30q as %q", input, refused.Reason)
		}
	}
	k.enrol(u) // what was refused cost nothing
}

// known checks the reason of a *mfa.Refused.
func (k *kit) known(method string, err error) {
	k.Helper()
	reasons := []mfa.Refusal{mfa.Malformed, mfa.Country, mfa.Often, mfa.Budget, mfa.Undeliverable, mfa.Gateway}
	var r *mfa.Refused
	if !errors.As(err, &r) {
		return
	}
	if !slices.Contains(reasons, r.Reason) {
		k.Errorf("%s returned a *mfa.Refused for no known reason: %q", method, r.Reason)
	}
	if r.Reason == mfa.Often && !r.Until.After(k.now) {
		k.Errorf("%s refuses as too often, and does not say until when", method)
	}
}

func (k *kit) repeat(r mfa.Repeater, u mfa.User, ch mfa.Challenge) (again mfa.Challenge, err error) {
	k.Helper()
	k.guarded("Repeat", args{user: u, challenge: ch}, func() error {
		again, err = r.Repeat(k.ctx(), u, ch)
		return err
	})
	if errors.Is(err, mfa.ErrWrong) {
		k.Errorf("Repeat returned ErrWrong, and there was no answer: %v", err)
	}
	k.known("Repeat", err)
	return again, err
}

// againLater asks again as soon as Prompt.Again says that it may, and returns that question with its answer.
func (o *owner) againLater(r mfa.Repeater, ch mfa.Challenge) (mfa.Challenge, string) {
	o.k.Helper()
	k := o.k
	if ch.Prompt.Again.IsZero() {
		k.Fatalf("the factor is a Repeater, and Prompt.Again is not set")
	}
	if k.c.Hosted && ch.Prompt.Again.After(k.now) {
		var refused *mfa.Refused
		k.now = ch.Prompt.Again.Add(-time.Nanosecond)
		if _, err := k.repeat(r, o.user, ch); !errors.As(err, &refused) {
			k.Errorf("Repeat before the time of Prompt.Again: want a *mfa.Refused, got %v", err)
		}
	}
	if ch.Prompt.Again.After(k.now) {
		k.now = ch.Prompt.Again
	}
	again, err := k.repeat(r, o.user, ch)
	if err != nil {
		k.Fatalf("Repeat at the time of Prompt.Again: %v", err)
	}
	o.asked-- // it is the same question
	return again, o.answer(again)
}

// repeating: what was sent first stays right, each answer is right once, and all of them together count once.
func repeating(k *kit) {
	r, ok := k.factor.(mfa.Repeater)
	if !ok {
		return
	}
	for _, which := range []string{"first", "second"} {
		o := k.begin(k.user("acme", "alice"))
		answers := map[string]string{"first": o.answer(o.setup)}
		again, second := o.againLater(r, o.setup)
		answers["second"] = second
		var err error
		if o.cred, err = k.confirm(o.user, again, answers[which]); err != nil {
			k.Fatalf("Confirm of the %s of two answers: %v", which, err)
		}
		ch, first := o.ask()
		again, second = o.againLater(r, ch)
		answers["first"], answers["second"] = first, second
		cred, err := k.verify(o.user, o.creds(), again, answers[which])
		if err != nil {
			k.Fatalf("Verify of the %s of two answers: %v", which, err)
		}
		o.cred = cred
		for other, answer := range answers {
			_, err = k.verify(o.user, o.creds(), again, answer)
			k.refused("after the "+which+" of two answers the "+other, err)
		}
	}
	repeatingOfOthers(k, r)
}

func repeatingOfOthers(k *kit, r mfa.Repeater) {
	o := k.enrol(k.user("acme", "alice"))
	ch, _ := o.ask()
	k.now = k.now.Add(time.Minute)
	for _, u := range []mfa.User{k.user("acme", "bob"), k.user("umbrella", "alice"), k.user("", "")} {
		_, err := k.repeat(r, u, ch)
		k.failed("Repeat of the question to acme/alice as "+u.Tenant+"/"+u.ID, err)
	}
	for _, state := range spoilt(ch.State) {
		_, err := k.repeat(r, o.user, mfa.Challenge{Prompt: ch.Prompt, State: state})
		k.failed(fmt.Sprintf("Repeat of the state %.30q", state), err)
	}
}

// discovering: the answer says whose it is and is right for nobody else.
func discovering(k *kit) {
	d, ok := k.factor.(mfa.Discoverer)
	if !ok {
		return
	}
	alice, bob := k.enrol(k.user("acme", "alice")), k.enrol(k.user("acme", "bob"))
	ch, right := alice.discovered(d)
	tenant, user := k.whose(d, right)
	if tenant != "acme" || user != "alice" {
		k.Errorf("Whose says %s/%s of the answer of acme/alice", tenant, user)
	}
	_, err := k.verify(bob.user, bob.creds(), ch, right)
	k.refused("the answer of acme/alice with the credentials of acme/bob", err)
	for _, u := range []mfa.User{bob.user, k.user("umbrella", "alice"), k.user("", "")} {
		_, err = k.verify(u, alice.creds(), ch, right)
		k.failed("the answer of acme/alice as "+u.Tenant+"/"+u.ID, err)
	}
	_, err = k.verify(alice.user, alice.creds(), ch, k.wrong(right))
	k.refused("a wrong answer", err)
	_, err = k.verify(alice.user, nil, ch, right)
	k.failed("an answer for no credential", err)
	_, err = k.confirm(alice.user, ch, right)
	k.failed("a question to nobody in particular as a set-up", err)

	cred, err := k.verify(alice.user, alice.creds(), ch, right)
	if err != nil {
		k.Fatalf("Verify of the right answer: %v", err)
	}
	if !cred.Whole {
		k.Errorf("the answer is not a whole sign-in")
	}
	alice.cred = cred
	_, err = k.verify(alice.user, alice.creds(), ch, right)
	k.refused("the same answer to the same question", err)
	next, _ := alice.discovered(d)
	_, err = k.verify(alice.user, alice.creds(), next, right)
	k.refused("the same answer to the next question", err)

	k.discoverNobody(d)
	if k.c.Lifetime > 0 {
		ch, right = alice.discovered(d)
		k.now = k.now.Add(k.c.Lifetime)
		_, err = k.verify(alice.user, alice.creds(), ch, right)
		k.refused("an answer that is too old", err)
	}
}

// discovered puts the question to nobody in particular, and has the owner answer it.
func (o *owner) discovered(d mfa.Discoverer) (ch mfa.Challenge, right string) {
	o.k.Helper()
	k := o.k
	k.now = k.now.Add(time.Minute)
	k.guarded("Discover", args{}, func() (err error) {
		if ch, err = d.Discover(k.ctx()); err != nil {
			k.Fatalf("Discover: %v", err)
		}
		return nil
	})
	return ch, o.answer(ch)
}

func (k *kit) whose(d mfa.Discoverer, answer string) (tenant, user string) {
	k.Helper()
	k.guarded("Whose", args{}, func() (err error) {
		if tenant, user, err = d.Whose(answer); err != nil {
			k.Errorf("Whose of a right answer: %v", err)
		}
		return nil
	})
	return tenant, user
}

// discoverNobody: the question doesn't depend on who is there, is never the same, and answers that name nobody are
// wrong ones.
func (k *kit) discoverNobody(d mfa.Discoverer) {
	k.Helper()
	one, err := d.Discover(k.ctx())
	if err != nil {
		k.Fatalf("Discover: %v", err)
	}
	other, err := d.Discover(k.ctx())
	if err != nil {
		k.Fatalf("Discover: %v", err)
	}
	if bytes.Equal(one.State, other.State) {
		k.Errorf("Discover puts the same question twice: an answer to it can be replayed")
	}
	shown, err := json.Marshal(one)
	if err != nil {
		k.Fatalf("encoding the question: %v", err)
	}
	if bytes.Contains(shown, []byte("alice")) {
		k.Errorf("the question to nobody in particular names somebody")
	}
	for _, answer := range []string{"", " ", "null", "{}", "[]", "0", "\x00", "nonsense", "\xff", strings.Repeat("[", 1<<16)} {
		k.guarded("Whose", args{}, func() error {
			tenant, user, err := d.Whose(answer)
			if !errors.Is(err, mfa.ErrWrong) || tenant != "" || user != "" {
				k.Errorf("Whose of %.30q: %q, %q, %v; want ErrWrong", answer, tenant, user, err)
			}
			return nil
		})
	}
}
