package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/mfatest"
)

var (
	alice = mfa.User{Tenant: "acme", ID: "alice"}
	sound = Factor{Key: bytes.Repeat([]byte{7}, mfa.LookupKey)}
)

func TestContract(t *testing.T) {
	for _, options := range []map[string]string{nil, {"backup.codes": "10"}, {"backup.codes": "1"}} {
		t.Run(fmt.Sprint(options), func(t *testing.T) {
			mfatest.Run(t, mfatest.Case{
				New:         func(testing.TB, func() time.Time) mfa.Factor { return Factor{} },
				Hosted:      true,
				Options:     options,
				AnyConfirms: true,
				Answer: func(_ testing.TB, q mfatest.Question) string {
					if q.Nth == 0 {
						return "" // the page asks whether they are saved
					}
					codes := q.Setup.Prompt.Codes
					return codes[(q.Nth-1)%len(codes)]
				},
			})
		})
	}
}

// enrol returns alice's codes as they are shown, and the credential.
func enrol(t testing.TB, f Factor, u mfa.User) ([]string, mfa.Credential) {
	t.Helper()
	ctx := context.Background()
	ch, err := f.Enroll(ctx, u, "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Confirm(ctx, u, ch, "")
	if err != nil {
		t.Fatal(err)
	}
	return ch.Prompt.Codes, c
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

func TestTenCodesEachOnce(t *testing.T) {
	codes, c := enrol(t, sound, alice)
	if len(codes) != 10 || c.Left != 10 {
		t.Fatalf("%d codes, %d left", len(codes), c.Left)
	}
	for i, code := range codes {
		var err error
		if c, err = verify(sound, alice, code, c); err != nil {
			t.Fatalf("code %d: %v", i, err)
		}
		if want := 9 - i; c.Left != want {
			t.Errorf("after code %d: %d left, want %d", i, c.Left, want)
		}
		for _, used := range codes[:i+1] {
			if _, err := verify(sound, alice, used, c); reason(err) != mfa.Used {
				t.Errorf("a used code: %v", err)
			}
		}
	}
}

func TestOneCode(t *testing.T) {
	u := alice
	u.Options = map[string]string{"backup.codes": "1"}
	if codes, c := enrol(t, sound, u); len(codes) != 1 || c.Left != 1 {
		t.Errorf("%d codes, %d left", len(codes), c.Left)
	}
	for _, o := range []string{"0", "2", "ten", "-1", "010"} {
		u.Options["backup.codes"] = o
		if _, err := sound.Enroll(context.Background(), u, ""); err == nil {
			t.Errorf("option %q is taken", o)
		}
	}
}

func TestShape(t *testing.T) {
	// 24 of 32 characters are 120 bits; 112 are asked.
	shape := regexp.MustCompile(`^([0-9a-hjkmnp-tv-z]{4}-){5}[0-9a-hjkmnp-tv-z]{4}$`)
	seen, characters := map[string]bool{}, map[rune]int{}
	for range 100 {
		codes, _ := enrol(t, sound, alice)
		for _, code := range codes {
			if !shape.MatchString(code) || seen[code] {
				t.Fatalf("%q is not of the shape, or comes twice", code)
			}
			seen[code] = true
			for _, r := range strings.ReplaceAll(code, "-", "") {
				characters[r]++
			}
		}
	}
	// 24,000 characters, 750 of each expected: 500 and 1,000 are nine deviations off.
	for _, r := range "0123456789abcdefghjkmnpqrstvwxyz" {
		if n := characters[r]; n < 500 || n > 1000 {
			t.Errorf("%q comes %d times", r, n)
		}
	}
}

func TestReading(t *testing.T) {
	const code = "0123456789abcdefghjkmnp1"
	for _, answer := range []string{
		"0123-4567-89ab-cdef-ghjk-mnp1",
		"0123456789abcdefghjkmnp1",
		" 0123 4567 89AB CDEF GHJK MNP1\n",
		"O123-4567-89AB-CDEF-GHJK-MNPL",
		"oi23\u20114567\u00a089ab-cdef-ghjk-mnpI",
		"ol23-4567-89ab-cdef-ghjk-mnpi",
	} {
		if got, err := form.Read(answer); err != nil || got != code {
			t.Errorf("%q reads %q, %v", answer, got, err)
		}
	}
	for answer, want := range map[string]mfa.Reason{
		"":                                   mfa.Empty,
		"-----":                              mfa.Empty,
		"0123":                               mfa.Short,
		"0123-4567-89ab-cdef-ghjk-mnp":       mfa.Short,
		"0123-4567-89ab-cdef-ghjk-mnpqr":     mfa.Long,
		"0123-4567-89ab-cdef-ghjk-mnpu":      mfa.Format,
		"0123-4567-89ab-cdef-ghjk-mnp!":      mfa.Format,
		"0123-4567-89ab-cdef-ghjk-mnpé":      mfa.Format,
		"0123-4567-89ab-cdef-ghjk-mnp\u0130": mfa.Format, // lower case would be an i and a dot
		"0123-4567-89ab-cdef-ghjk-mnp\u212a": mfa.Format, // the Kelvin sign, lower case k
	} {
		if _, err := form.Read(answer); reason(err) != want {
			t.Errorf("%q: %v, want %s", answer, err, want)
		}
	}
}

// TestHashesAreTheOwners: a record moved to another user, with the owner's name in it changed as well, opens nothing.
func TestHashesAreTheOwners(t *testing.T) {
	codes, c := enrol(t, sound, alice)
	for _, thief := range []mfa.User{{Tenant: "acme", ID: "mallory"}, {Tenant: "umbrella", ID: "alice"}, {Tenant: "acmeal", ID: "ice"}} {
		var s set
		if err := json.Unmarshal(c.Data, &s); err != nil {
			t.Fatal(err)
		}
		s.Tenant, s.User = thief.Tenant, thief.ID
		moved, err := s.keep(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verify(sound, thief, codes[0], moved); reason(err) != mfa.Mismatch {
			t.Errorf("%+v: %v", thief, err)
		}
	}
	other := Factor{Key: bytes.Repeat([]byte{8}, mfa.LookupKey)}
	if _, err := verify(other, alice, codes[0], c); reason(err) != mfa.Mismatch {
		t.Errorf("under another key: %v", err)
	}
}

func TestNothingKeptInClear(t *testing.T) {
	ctx := context.Background()
	ch, err := sound.Enroll(ctx, alice, "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := sound.Confirm(ctx, alice, ch, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range ch.Prompt.Codes {
		plain := strings.ReplaceAll(code, "-", "")
		for where, kept := range map[string][]byte{"state": ch.State, "data": c.Data} {
			if bytes.Contains(kept, []byte(code)) || bytes.Contains(kept, []byte(plain)) {
				t.Errorf("the %s holds a code in clear", where)
			}
		}
	}
}

func TestKeyIsNeeded(t *testing.T) {
	ctx := context.Background()
	codes, c := enrol(t, sound, alice)
	for _, f := range []Factor{{}, {Key: make([]byte, mfa.LookupKey-1)}} {
		_, enroll := f.Enroll(ctx, alice, "")
		_, confirm := f.Confirm(ctx, alice, mfa.Challenge{}, "")
		_, challenge := f.Challenge(ctx, alice, []mfa.Credential{c})
		_, check := verify(f, alice, codes[0], c)
		for _, err := range []error{enroll, confirm, challenge, check} {
			if err == nil || errors.Is(err, mfa.ErrWrong) {
				t.Errorf("with a key of %d bytes: %v", len(f.Key), err)
			}
		}
	}
}

func TestKeyOfTheDeployment(t *testing.T) {
	h := mfatest.Host(time.Now)
	for _, f := range []Factor{{}, sound} {
		want := f.Key
		if want == nil {
			want = h.Key("backup codes", mfa.LookupKey)
		}
		got, err := f.In(h)
		if g, ok := got.(Factor); err != nil || !ok || !bytes.Equal(g.Key, want) {
			t.Errorf("the key is not the one that was to be taken (%v)", err)
		}
	}
	if _, err := (Factor{Key: []byte("short")}).In(h); err == nil {
		t.Error("a short key is taken")
	}
}

func TestUnreadableSetBesideGoodOne(t *testing.T) {
	codes, c := enrol(t, sound, alice)
	broken := mfa.Credential{ID: "broken", Data: []byte("{")}
	if got, err := verify(sound, alice, codes[0], broken, c); err != nil || got.ID != c.ID {
		t.Errorf("the good set's code: %q, %v", got.ID, err)
	}
	_, err := verify(sound, alice, strings.Repeat("0", int(form)), broken, c)
	if err == nil || errors.Is(err, mfa.ErrWrong) {
		t.Errorf("a code that may be of the broken set is called wrong: %v", err)
	}
}

// TestNotItsOwn: states that another factor wrote.
func TestNotItsOwn(t *testing.T) {
	ctx := context.Background()
	codes, c := enrol(t, sound, alice)
	own, err := open(c, alice)
	if err != nil {
		t.Fatal(err)
	}
	state, err := mfa.Pack(pending{Factor: "totp", Set: own})
	if err != nil {
		t.Fatal(err)
	}
	_, confirm := sound.Confirm(ctx, alice, mfa.Challenge{State: state}, "")
	_, check := sound.Verify(ctx, alice, []mfa.Credential{c}, mfa.Challenge{State: []byte("{}")}, codes[0])
	for what, err := range map[string]error{"set-up": confirm, "challenge": check} {
		if err == nil || errors.Is(err, mfa.ErrWrong) {
			t.Errorf("a %s of another factor: %v", what, err)
		}
	}
}

// FuzzVerify: answers and data of any kind cause no panic, and only an unused code of the set is accepted.
func FuzzVerify(f *testing.F) {
	codes, c := enrol(f, sound, alice)
	f.Add(codes[0], c.Data)
	f.Add(strings.ToUpper(codes[1]), c.Data)
	f.Add(strings.ReplaceAll(codes[2], "-", " "), c.Data)
	f.Add("", []byte("null"))
	f.Add(codes[3], c.Data[:40])
	f.Fuzz(func(t *testing.T, answer string, data []byte) {
		got, err := verify(sound, alice, answer, mfa.Credential{ID: "c", Data: data})
		if err != nil {
			return
		}
		var before, after set
		if json.Unmarshal(data, &before) != nil || json.Unmarshal(got.Data, &after) != nil {
			t.Fatal("accepted for data that is no set")
		}
		code, err := form.Read(answer)
		if err != nil {
			t.Fatalf("accepted %q, which reads as no code", answer)
		}
		i := before.find(sound.hash(alice, code))
		if i < 0 || before.Codes[i].Used || !after.Codes[i].Used {
			t.Errorf("accepted %q at place %d", answer, i)
		}
	})
}
