package recovery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/mfatest"
)

var (
	alice  = mfa.User{Tenant: "acme", ID: "alice"}
	noon   = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	theKey = bytes.Repeat([]byte{7}, mfa.LookupKey)
)

func at(t time.Time) Factor { return Factor{Key: theKey, Now: func() time.Time { return t }} }

func TestContract(t *testing.T) {
	mfatest.Run(t, mfatest.Case{
		New:         func(testing.TB, func() time.Time) mfa.Factor { return Factor{} },
		Hosted:      true,
		AnyConfirms: true,
		Lifetime:    Life,
		Answer: func(_ testing.TB, q mfatest.Question) string {
			if q.Nth == 0 {
				return "" // the owner is not asked anything
			}
			return q.Setup.Prompt.Codes[0]
		},
	})
}

// enrol returns alice's code as it is shown, and the credential.
func enrol(t testing.TB, f Factor) (string, mfa.Credential) {
	t.Helper()
	ctx := context.Background()
	ch, err := f.Enroll(ctx, alice, "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Confirm(ctx, alice, ch, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(ch.Prompt.Codes) != 1 {
		t.Fatalf("%d codes", len(ch.Prompt.Codes))
	}
	return ch.Prompt.Codes[0], c
}

func verify(f Factor, u mfa.User, answer string, creds ...mfa.Credential) (mfa.Credential, error) {
	return f.Verify(context.Background(), u, creds, mfa.Challenge{}, answer)
}

func reason(err error) mfa.Reason {
	var w *mfa.Wrong
	if errors.As(err, &w) {
		return w.Reason
	}
	return ""
}

func TestOnceAndForAnHour(t *testing.T) {
	code, c := enrol(t, at(noon))
	if c.Left != 1 || !c.Expires.Equal(noon.Add(time.Hour)) {
		t.Fatalf("left %d until %v", c.Left, c.Expires)
	}
	for _, d := range []time.Duration{time.Hour, 2 * time.Hour} {
		if _, err := verify(at(noon.Add(d)), alice, code, c); reason(err) != mfa.Expired {
			t.Errorf("after %v: %v", d, err)
		}
	}
	// A credential that the store forgot to expire is over all the same.
	late := c
	late.Expires = noon.Add(48 * time.Hour)
	if _, err := verify(at(noon.Add(time.Hour)), alice, code, late); reason(err) != mfa.Expired {
		t.Errorf("with the store's expiry put off: %v", err)
	}
	used, err := verify(at(noon.Add(time.Hour-time.Nanosecond)), alice, code, c)
	if err != nil || used.Left != 0 || used.ID != c.ID {
		t.Fatalf("in its last moment: %v, left %d", err, used.Left)
	}
	for _, d := range []time.Duration{0, 2 * time.Hour} {
		if _, err := verify(at(noon.Add(d)), alice, code, used); reason(err) != mfa.Used {
			t.Errorf("used, after %v: %v", d, err)
		}
	}
}

func TestTellsNothingToGuessers(t *testing.T) {
	_, c := enrol(t, at(noon))
	guess := strings.Repeat("0", int(form))
	for _, d := range []time.Duration{0, 2 * time.Hour} {
		if _, err := verify(at(noon.Add(d)), alice, guess, c); reason(err) != mfa.Mismatch {
			t.Errorf("a guess after %v: %v", d, err)
		}
	}
}

func TestShape(t *testing.T) {
	// 16 of 32 characters are 80 bits; 64 are asked.
	shape := regexp.MustCompile(`^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$`)
	seen := map[string]bool{}
	for range 200 {
		code, c := enrol(t, at(noon))
		if !shape.MatchString(code) || seen[code] {
			t.Fatalf("%q is not of the shape, or comes twice", code)
		}
		seen[code] = true
		if plain := strings.ReplaceAll(code, "-", ""); bytes.Contains(c.Data, []byte(plain)) || bytes.Contains(c.Data, []byte(code)) {
			t.Fatal("the credential holds the code in clear")
		}
	}
}

func TestRecoveryIsNoSecondStep(t *testing.T) {
	in := Factor{}.Info()
	if len(in.AMR) != 0 || !in.Backup || !in.Single || in.Enrolment != mfa.ByOwner {
		t.Errorf("%+v", in)
	}
}

// TestHashIsTheOwners: a record moved to another user, with the owner's name in it changed as well, opens nothing.
func TestHashIsTheOwners(t *testing.T) {
	code, c := enrol(t, at(noon))
	for _, thief := range []mfa.User{{Tenant: "acme", ID: "mallory"}, {Tenant: "umbrella", ID: "alice"}, {Tenant: "acmeal", ID: "ice"}} {
		k, err := open(c, alice)
		if err != nil {
			t.Fatal(err)
		}
		k.Tenant, k.User = thief.Tenant, thief.ID
		moved, err := k.keep(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verify(at(noon), thief, code, moved); reason(err) != mfa.Mismatch {
			t.Errorf("%+v: %v", thief, err)
		}
	}
	other := at(noon)
	other.Key = bytes.Repeat([]byte{8}, mfa.LookupKey)
	if _, err := verify(other, alice, code, c); reason(err) != mfa.Mismatch {
		t.Errorf("under another key: %v", err)
	}
}

func TestKeyIsNeeded(t *testing.T) {
	ctx := context.Background()
	code, c := enrol(t, at(noon))
	for _, f := range []Factor{{}, {Key: make([]byte, mfa.LookupKey-1)}} {
		_, enroll := f.Enroll(ctx, alice, "")
		_, confirm := f.Confirm(ctx, alice, mfa.Challenge{}, "")
		_, challenge := f.Challenge(ctx, alice, []mfa.Credential{c})
		_, check := verify(f, alice, code, c)
		for _, err := range []error{enroll, confirm, challenge, check} {
			if err == nil || errors.Is(err, mfa.ErrWrong) {
				t.Errorf("with a key of %d bytes: %v", len(f.Key), err)
			}
		}
	}
}

func TestKeyOfTheDeployment(t *testing.T) {
	h := mfatest.Host(func() time.Time { return noon })
	for _, f := range []Factor{{}, {Key: theKey}} {
		want := f.Key
		if want == nil {
			want = h.Key("recovery codes", mfa.LookupKey)
		}
		got, err := f.In(h)
		if g, ok := got.(Factor); err != nil || !ok || !bytes.Equal(g.Key, want) || !g.now().Equal(noon) {
			t.Errorf("key or clock is not the one that was to be taken (%v)", err)
		}
	}
	if _, err := (Factor{Key: []byte("short")}).In(h); err == nil {
		t.Error("a short key is taken")
	}
}

func TestUnreadableCodeBesideGoodOne(t *testing.T) {
	code, c := enrol(t, at(noon))
	broken := mfa.Credential{ID: "broken", Data: []byte("{")}
	if got, err := verify(at(noon), alice, code, broken, c); err != nil || got.ID != c.ID {
		t.Errorf("the good code: %q, %v", got.ID, err)
	}
	if _, err := verify(at(noon), alice, strings.Repeat("0", int(form)), broken, c); err == nil || errors.Is(err, mfa.ErrWrong) {
		t.Errorf("a code that may be the broken one is called wrong: %v", err)
	}
}

// TestNotItsOwn: states that another factor wrote, and a record that would never end.
func TestNotItsOwn(t *testing.T) {
	ctx := context.Background()
	code, c := enrol(t, at(noon))
	k, err := open(c, alice)
	if err != nil {
		t.Fatal(err)
	}
	state, err := mfa.Pack(pending{Factor: "backup", Tenant: "acme", User: "alice", Hash: k.Hash})
	if err != nil {
		t.Fatal(err)
	}
	_, confirm := at(noon).Confirm(ctx, alice, mfa.Challenge{State: state}, "")
	_, check := at(noon).Verify(ctx, alice, []mfa.Credential{c}, mfa.Challenge{State: []byte("{}")}, code)
	k.Expires = time.Time{}
	endless, err := k.keep(c)
	if err != nil {
		t.Fatal(err)
	}
	_, never := verify(at(noon), alice, code, endless)
	for what, err := range map[string]error{"set-up": confirm, "challenge": check, "record without an end": never} {
		if err == nil || errors.Is(err, mfa.ErrWrong) {
			t.Errorf("a %s of another factor: %v", what, err)
		}
	}
}

// FuzzVerify: answers and data of any kind cause no panic, and only the unused code is accepted.
func FuzzVerify(f *testing.F) {
	shown, c := enrol(f, at(noon))
	f.Add(shown, c.Data)
	f.Add(strings.ToUpper(shown), c.Data)
	f.Add(strings.ReplaceAll(shown, "-", " "), c.Data)
	f.Add("", []byte("null"))
	f.Add(shown, c.Data[:40])
	f.Fuzz(func(t *testing.T, answer string, data []byte) {
		factor := at(noon)
		got, err := verify(factor, alice, answer, mfa.Credential{ID: "c", Data: data})
		if err != nil {
			return
		}
		var before, after code
		if json.Unmarshal(data, &before) != nil || json.Unmarshal(got.Data, &after) != nil {
			t.Fatal("accepted for data that is no code")
		}
		plain, err := form.Read(answer)
		if err != nil {
			t.Fatalf("accepted %q, which reads as no code", answer)
		}
		if before.Used || !after.Used || got.Left != 0 || !bytes.Equal(before.Hash, factor.hash(alice, plain)) {
			t.Errorf("accepted %q", answer)
		}
	})
}
