package mfatest

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/sallyport-id/sallyport/mfa"
)

// The methods of this file call the factor and hold it to what is true of every call: it does not panic, does not
// write into what it was given, returns either a credential or an error, and spends what it accepts.

func (k *kit) enroll(u mfa.User) (ch mfa.Challenge, err error) {
	k.Helper()
	k.guarded("Enroll", args{user: u}, func() error {
		ch, err = k.factor.Enroll(k.ctx(), u, k.c.Input)
		return err
	})
	k.known("Enroll", err)
	return ch, err
}

func (k *kit) confirm(u mfa.User, ch mfa.Challenge, answer string) (c mfa.Credential, err error) {
	k.Helper()
	k.guarded("Confirm", args{user: u, challenge: ch}, func() error {
		c, err = k.factor.Confirm(k.ctx(), u, ch, answer)
		return err
	})
	k.either("Confirm", c, err)
	if err == nil {
		k.earned("Confirm", c)
		if !c.Expires.IsZero() && !c.Expires.After(k.now) {
			k.Errorf("Confirm returned a credential that is over already")
		}
	}
	return c, err
}

func (k *kit) challenge(u mfa.User, creds []mfa.Credential) (ch mfa.Challenge, err error) {
	k.Helper()
	k.guarded("Challenge", args{user: u, creds: creds}, func() error {
		ch, err = k.factor.Challenge(k.ctx(), u, creds)
		return err
	})
	if errors.Is(err, mfa.ErrWrong) {
		k.Errorf("Challenge returned ErrWrong before there was an answer: %v", err)
	}
	k.known("Challenge", err)
	return ch, err
}

func (k *kit) verify(u mfa.User, creds []mfa.Credential, ch mfa.Challenge, answer string) (c mfa.Credential, err error) {
	k.Helper()
	k.guarded("Verify", args{user: u, challenge: ch, creds: creds}, func() error {
		c, err = k.factor.Verify(k.ctx(), u, creds, ch, answer)
		return err
	})
	k.either("Verify", c, err)
	if err != nil {
		return c, err
	}
	k.earned("Verify", c)
	i := slices.IndexFunc(creds, func(old mfa.Credential) bool { return old.ID == c.ID })
	if i < 0 {
		k.Errorf("Verify returned the credential %q, which it was not given", c.ID)
		return c, nil
	}
	// Without a change the compare-and-swap lets the same answer in again.
	if bytes.Equal(creds[i].Data, c.Data) {
		k.Errorf("Verify accepted an answer and left the credential's data as it was: it can be replayed")
	}
	switch before := creds[i].Left; {
	case before < 0 && c.Left >= 0, before >= 0 && c.Left != before-1:
		k.Errorf("Verify left %d uses of %d", c.Left, before)
	}
	return c, nil
}

// either checks that c and err are not both something, or both nothing.
func (k *kit) either(method string, c mfa.Credential, err error) {
	k.Helper()
	empty := c.ID == "" && len(c.Data) == 0
	switch {
	case err != nil && !empty:
		k.Errorf("%s returned a credential together with the error %q", method, err)
	case err == nil && (c.ID == "" || len(c.Data) == 0):
		k.Errorf("%s returned neither an error nor a whole credential", method)
	}
	var w *mfa.Wrong
	if errors.As(err, &w) && !errors.Is(err, mfa.ErrWrong) {
		k.Errorf("%s returned a *mfa.Wrong that is no ErrWrong", method)
	}
	reasons := []mfa.Reason{mfa.Mismatch, mfa.Used, mfa.Expired, mfa.Empty, mfa.Short, mfa.Long, mfa.Format}
	if w != nil && !slices.Contains(reasons, w.Reason) {
		k.Errorf("%s returned a *mfa.Wrong for no known reason: %q", method, w.Reason)
	}
}

// earned checks what an answer is said to be worth.
func (k *kit) earned(method string, c mfa.Credential) {
	k.Helper()
	for _, v := range c.AMR {
		if !slices.Contains(amr, v) {
			k.Errorf("%s returned the AMR %q, which is not of RFC 8176, or not for a factor to claim", method, v)
		}
	}
	if c.Whole && !slices.Contains(c.AMR, "user") && !slices.Contains(k.factor.Info().AMR, "user") {
		k.Errorf("%s returned a whole sign-in without user verification", method)
	}
}

// refused checks that err is ErrWrong.
func (k *kit) refused(what string, err error) {
	k.Helper()
	switch {
	case err == nil:
		k.Errorf("%s was accepted", what)
	case !errors.Is(err, mfa.ErrWrong):
		k.Errorf("%s: want ErrWrong, got %v", what, err)
	}
}

// failed checks that err is any error: ErrWrong or not, nobody gets in.
func (k *kit) failed(what string, err error) {
	k.Helper()
	if err == nil {
		k.Errorf("%s was accepted", what)
	}
}

// args are what a method is given by reference.
type args struct {
	user      mfa.User
	challenge mfa.Challenge
	creds     []mfa.Credential
}

func (a args) clone() args {
	a.user.Options = maps.Clone(a.user.Options)
	a.user.Held = cloneCredentials(a.user.Held)
	a.challenge = cloneChallenge(a.challenge)
	a.creds = cloneCredentials(a.creds)
	return a
}

func cloneCredentials(creds []mfa.Credential) []mfa.Credential {
	creds = slices.Clone(creds)
	for i := range creds {
		creds[i].Data, creds[i].AMR = bytes.Clone(creds[i].Data), slices.Clone(creds[i].AMR)
	}
	return creds
}

func cloneChallenge(ch mfa.Challenge) mfa.Challenge {
	ch.State = bytes.Clone(ch.State)
	ch.Prompt.Codes = slices.Clone(ch.Prompt.Codes)
	ch.Prompt.Options = bytes.Clone(ch.Prompt.Options)
	return ch
}

// guarded makes the call. A panic becomes a failure, so that the checks after it still run.
func (k *kit) guarded(method string, a args, call func() error) {
	k.Helper()
	before := a.clone()
	defer func() {
		if p := recover(); p != nil {
			k.Fatalf("%s panicked: %v", method, p)
		}
	}()
	_ = call() // the caller looks at the error
	if !reflect.DeepEqual(before, a) {
		k.Errorf("%s wrote into what it was given", method)
	}
}

// store keeps one credential as the service does: read, and compare-and-swap.
type store struct {
	p atomic.Pointer[mfa.Credential]
}

func (s *store) swap(old *mfa.Credential, c mfa.Credential) bool { return s.p.CompareAndSwap(old, &c) }

// stopped returns a context that was cancelled.
func stopped() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
