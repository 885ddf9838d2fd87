package totp

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
)

// A guesser who is told that a code will be right in five minutes must not be able to come back then.
func TestToldCodeIsBurnt(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	f := Factor{Now: func() time.Time { return now }}
	u := mfa.User{Tenant: "t", ID: "u", Account: "a", Issuer: "i"}
	ch, err := f.Enroll(t.Context(), u, "")
	if err != nil {
		t.Fatal(err)
	}
	k := key{Secret: ch.Prompt.Secret, Algorithm: "SHA1", Digits: 6}
	codeAt := func(step int64) string {
		for guess := range 1_000_000 {
			code := string([]byte{byte('0' + guess/100000), byte('0' + guess/10000%10), byte('0' + guess/1000%10), byte('0' + guess/100%10), byte('0' + guess/10%10), byte('0' + guess%10)})
			if ok, err := k.at(step, code); err != nil {
				t.Fatal(err)
			} else if ok {
				return code
			}
		}
		t.Fatal("no code fits")
		return ""
	}
	cred, err := f.Confirm(t.Context(), u, ch, codeAt(f.step()))
	if err != nil {
		t.Fatal(err)
	}
	future := codeAt(f.step() + 10)
	burnt, err := f.Verify(t.Context(), u, []mfa.Credential{cred}, mfa.Challenge{}, future)
	var w *mfa.Wrong
	if !errors.As(err, &w) || w.Drift != 5*time.Minute {
		t.Fatalf("a code of five minutes from now: got %v, want a Wrong with that Drift", err)
	}
	if burnt.ID != cred.ID || bytes.Equal(burnt.Data, cred.Data) {
		t.Fatal("the credential was not returned with the step burnt")
	}
	now = now.Add(5 * time.Minute)
	if _, err := f.Verify(t.Context(), u, []mfa.Credential{burnt}, mfa.Challenge{}, future); !errors.As(err, &w) || w.Reason != mfa.Used {
		t.Fatalf("the told code when its time has come: got %v, want Used", err)
	}
	if _, err := f.Verify(t.Context(), u, []mfa.Credential{burnt}, mfa.Challenge{}, codeAt(f.step()+1)); err != nil {
		t.Fatalf("another code is accepted all the same: %v", err)
	}
}
