package totp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/mfatest"
)

var alice = mfa.User{Tenant: "acme", ID: "alice", Account: "alice@example.com", Issuer: "Example"}

// rfcKey is alice's key with the secret of the RFCs' test vectors: "1234567890…", as long as the hash.
func rfcKey(algorithm string, digits int) key {
	size := map[string]int{"SHA1": 20, "SHA256": 32}[algorithm]
	secret := base32NoPad.EncodeToString([]byte(strings.Repeat("1234567890", 4)[:size]))
	return key{Tenant: "acme", User: "alice", Secret: secret, Algorithm: algorithm, Digits: digits}
}

// code is k's at a step.
func code(t testing.TB, k key, step int64) string {
	t.Helper()
	c, err := independent(k, step)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func stored(t testing.TB, id string, k key) mfa.Credential {
	t.Helper()
	c, err := keep(mfa.Credential{ID: id, Left: -1}, k)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func at(unix int64) Factor { return Factor{Now: func() time.Time { return time.Unix(unix, 0) }} }

func verify(t testing.TB, f Factor, answer string, creds ...mfa.Credential) (mfa.Credential, error) {
	t.Helper()
	return f.Verify(context.Background(), alice, creds, mfa.Challenge{}, answer)
}

func reason(err error) mfa.Wrong {
	var w *mfa.Wrong
	if errors.As(err, &w) {
		return *w
	}
	return mfa.Wrong{}
}

func TestContract(t *testing.T) {
	for _, options := range []map[string]string{
		nil,
		{"totp.digits": "8", "totp.algorithm": "SHA256"},
		{"totp.digits": "6", "totp.algorithm": "SHA1"},
	} {
		t.Run(fmt.Sprint(options), func(t *testing.T) {
			mfatest.Run(t, mfatest.Case{
				New:      func(testing.TB, func() time.Time) mfa.Factor { return Factor{} },
				Hosted:   true,
				Options:  options,
				Lifetime: time.Minute, // two steps: one more than a code may be late
				Answer: func(t testing.TB, q mfatest.Question) string {
					key, err := otp.NewKeyFromURL(q.Setup.Prompt.URI)
					if err != nil {
						t.Fatal(err)
					}
					return code(t, shown(key), stepAt(q.Time))
				},
			})
		})
	}
}

// shown is the key that an app takes from the URI.
func shown(k *otp.Key) key {
	return key{Secret: k.Secret(), Algorithm: k.Algorithm().String(), Digits: k.Digits().Length()}
}

func TestRFC4226AppendixD(t *testing.T) {
	k := rfcKey("SHA1", 6)
	for counter, want := range []string{
		"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
	} {
		if ok, err := k.at(int64(counter), want); err != nil || !ok {
			t.Errorf("counter %d: %s is not the code (%v)", counter, want, err)
		}
	}
}

func TestRFC6238AppendixB(t *testing.T) {
	for _, v := range []struct {
		time      int64
		code      string
		algorithm string
	}{
		{59, "94287082", "SHA1"},
		{59, "46119246", "SHA256"},
		{1111111109, "07081804", "SHA1"},
		{1111111109, "68084774", "SHA256"},
		{1111111111, "14050471", "SHA1"},
		{1111111111, "67062674", "SHA256"},
		{1234567890, "89005924", "SHA1"},
		{1234567890, "91819424", "SHA256"},
		{2000000000, "69279037", "SHA1"},
		{2000000000, "90698825", "SHA256"},
		{20000000000, "65353130", "SHA1"},
		{20000000000, "77737706", "SHA256"},
	} {
		c := stored(t, "c", rfcKey(v.algorithm, 8))
		got, err := verify(t, at(v.time), v.code, c)
		if err != nil {
			t.Errorf("%s at %d: %v", v.algorithm, v.time, err)
			continue
		}
		if k, err := open(got, alice); err != nil || k.Last != v.time/30 {
			t.Errorf("%s at %d: last step is %d (%v)", v.algorithm, v.time, k.Last, err)
		}
	}
}

const noon = 1_767_268_800 // the start of a step

func TestWindowAndDrift(t *testing.T) {
	k := rfcKey("SHA1", 8)
	c := stored(t, "c", k)
	for d := int64(-25); d <= 25; d++ {
		_, err := verify(t, at(noon+29), code(t, k, noon/30+d), c)
		switch {
		case -1 <= d && d <= 1:
			if err != nil {
				t.Errorf("%d steps away: %v", d, err)
			}
		case -20 <= d && d <= 20:
			if got, want := reason(err), (mfa.Wrong{Reason: mfa.Mismatch, Drift: time.Duration(d) * 30 * time.Second}); got != want {
				t.Errorf("%d steps away: %+v, want %+v", d, got, want)
			}
		default:
			if got := reason(err); got != (mfa.Wrong{Reason: mfa.Mismatch}) {
				t.Errorf("%d steps away: %+v", d, got)
			}
		}
	}
}

func TestDriftIsToldAtSetup(t *testing.T) {
	ctx := context.Background()
	ch, err := at(noon).Enroll(ctx, alice, "")
	if err != nil {
		t.Fatal(err)
	}
	k := key{Secret: ch.Prompt.Secret, Algorithm: "SHA1", Digits: 6}
	_, err = at(noon).Confirm(ctx, alice, ch, code(t, k, noon/30+6))
	if got := reason(err).Drift; got != 3*time.Minute {
		t.Errorf("a phone 3 min ahead is told %v", got)
	}
}

func TestLastStepOnlyRises(t *testing.T) {
	k := rfcKey("SHA1", 6)
	now := int64(noon / 30)
	c, err := verify(t, at(noon), code(t, k, now+1), stored(t, "c", k))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []int64{now + 1, now, now - 1} {
		if _, err := verify(t, at(noon), code(t, k, step), c); reason(err).Reason != mfa.Used {
			t.Errorf("step %+d after +1 was used: %v", step-now, err)
		}
	}
	// The same code, typed again when it is out of the window, is an old code and not a slow clock.
	if _, err := verify(t, at(noon+300), code(t, k, now+1), c); reason(err) != (mfa.Wrong{Reason: mfa.Used}) {
		t.Errorf("five minutes later: %v", err)
	}
	if c, err = verify(t, at(noon+30), code(t, k, now+2), c); err != nil {
		t.Fatalf("the next code: %v", err)
	}
	// A server whose clock was set back must not take old codes again.
	if _, err := verify(t, at(noon), code(t, k, now), c); reason(err).Reason != mfa.Used {
		t.Errorf("after the clock went back: %v", err)
	}
}

// TestCodeSharedByTwoSteps: where neighbouring steps have one code, using it once uses it up for both.
func TestCodeSharedByTwoSteps(t *testing.T) {
	k := rfcKey("SHA1", 6)
	const step = 59061240 // found by search: the first pair after step 58,000,000
	shared := code(t, k, step)
	if shared != code(t, k, step+1) {
		t.Fatalf("steps %d and the next have codes of their own", step)
	}
	c, err := verify(t, at(step*30), shared, stored(t, "c", k))
	if err != nil {
		t.Fatal(err)
	}
	for _, later := range []int64{0, 30, 60} {
		if _, err := verify(t, at(step*30+later), shared, c); reason(err).Reason != mfa.Used {
			t.Errorf("%d s later: %v", later, err)
		}
	}
}

func TestSeveralKeys(t *testing.T) {
	ctx := context.Background()
	now := int64(noon / 30)
	six, eight := rfcKey("SHA1", 6), rfcKey("SHA256", 8)
	creds := []mfa.Credential{stored(t, "six", six), stored(t, "eight", eight)}
	for want, k := range map[string]key{"six": six, "eight": eight} {
		got, err := verify(t, at(noon), code(t, k, now), creds...)
		if err != nil || got.ID != want {
			t.Errorf("%s: got %q, %v", want, got.ID, err)
		}
	}
	ch, err := at(noon).Challenge(ctx, alice, creds)
	if want := (mfa.Input{Shortest: 6, Longest: 8}); err != nil || ch.Prompt.Input != want {
		t.Errorf("keys of both lengths ask for %+v, %v", ch.Prompt.Input, err)
	}
	ch, err = at(noon).Challenge(ctx, alice, creds[1:])
	if want := (mfa.Input{Digits: 8}); err != nil || ch.Prompt.Input != want {
		t.Errorf("a key of eight digits asks for %+v, %v", ch.Prompt.Input, err)
	}
	if _, err := verify(t, at(noon), code(t, six, now+4), creds...); reason(err).Drift != 2*time.Minute {
		t.Errorf("with a key of another length the drift is lost: %v", err)
	}

	// One key used, one not: each has its own last step.
	used, err := verify(t, at(noon), code(t, six, now), creds...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verify(t, at(noon), code(t, six, now), creds[1], used); reason(err).Reason != mfa.Used {
		t.Errorf("a used code: %v", err)
	}
	if _, err := verify(t, at(noon), code(t, eight, now), used, creds[1]); err != nil {
		t.Errorf("the other key's code of the same step: %v", err)
	}
}

func TestUnreadableKeyBesideGoodOne(t *testing.T) {
	k := rfcKey("SHA1", 6)
	now := int64(noon / 30)
	creds := []mfa.Credential{{ID: "broken", Data: []byte("{")}, stored(t, "good", k)}
	if got, err := verify(t, at(noon), code(t, k, now), creds...); err != nil || got.ID != "good" {
		t.Errorf("the good key's code: %q, %v", got.ID, err)
	}
	if ch, err := at(noon).Challenge(context.Background(), alice, creds); err != nil || ch.Prompt.Input.Digits != 6 {
		t.Errorf("Challenge: %+v, %v", ch, err)
	}
	_, err := verify(t, at(noon), code(t, k, now+10), creds...)
	if err == nil || errors.Is(err, mfa.ErrWrong) {
		t.Errorf("a code that may be the broken key's is called wrong: %v", err)
	}
}

func TestOnlyDigitsAreLookedAt(t *testing.T) {
	k := rfcKey("SHA1", 6)
	right := code(t, k, noon/30)
	for answer, want := range map[string]mfa.Wrong{
		"":                          {Reason: mfa.Empty, Want: 6},
		" " + right:                 {Reason: mfa.Format, Want: 6},
		right + "\n":                {Reason: mfa.Format, Want: 6},
		right[:3] + " " + right[3:]: {Reason: mfa.Format, Want: 6},
		right[:5]:                   {Reason: mfa.Short, Want: 6},
		right + "0":                 {Reason: mfa.Long, Want: 6},
		right + "000":               {Reason: mfa.Long, Want: 8},
		right[:5] + "\u0665":        {Reason: mfa.Format, Want: 6},
	} {
		if _, err := verify(t, at(noon), answer, stored(t, "c", k)); reason(err) != want {
			t.Errorf("%q: %+v, want %+v", answer, reason(err), want)
		}
	}
}

// tool finds a program that the test plays the user with. Continuous integration must have it.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is missing, and CI must not go without it: %v", name, err)
	default:
		t.Skipf("%s is not installed: whether an independent program agrees with ours stays unchecked here", name)
	}
	return ""
}

// TestOathtool enrols and signs in with codes that an independent program makes of the key as the page shows it.
func TestOathtool(t *testing.T) {
	program := tool(t, "oathtool")
	for _, c := range []struct{ digits, algorithm string }{{"6", "SHA1"}, {"8", "SHA256"}} {
		u := alice
		u.Options = map[string]string{"totp.digits": c.digits, "totp.algorithm": c.algorithm}
		code := func(secret string, unix int64) string {
			out, err := exec.Command(program, "--base32", "--totp="+c.algorithm, "--digits="+c.digits,
				fmt.Sprintf("--now=@%d", unix), secret).CombinedOutput()
			if err != nil {
				t.Fatalf("oathtool: %v\n%s", err, out)
			}
			return strings.TrimSpace(string(out))
		}
		ctx := context.Background()
		ch, err := at(noon).Enroll(ctx, u, "")
		if err != nil {
			t.Fatal(err)
		}
		cred, err := at(noon).Confirm(ctx, u, ch, code(ch.Prompt.Secret, noon))
		if err != nil {
			t.Fatalf("Confirm: %v", err)
		}
		right := code(ch.Prompt.Secret, noon+60)
		cred, err = at(noon+60).Verify(ctx, u, []mfa.Credential{cred}, mfa.Challenge{}, right)
		if err != nil {
			t.Fatalf("Verify: %v", err)
		}
		if _, err = at(noon+61).Verify(ctx, u, []mfa.Credential{cred}, mfa.Challenge{}, right); reason(err).Reason != mfa.Used {
			t.Errorf("the same code again: %v", err)
		}
	}
}

// TestZeroValue: Factor{} works on the real clock.
func TestZeroValue(t *testing.T) {
	ctx := context.Background()
	var f Factor
	ch, err := f.Enroll(ctx, alice, "")
	if err != nil {
		t.Fatal(err)
	}
	k := key{Secret: ch.Prompt.Secret, Algorithm: "SHA1", Digits: 6}
	if _, err := f.Confirm(ctx, alice, ch, code(t, k, stepAt(time.Now()))); err != nil {
		t.Error(err)
	}
}

func TestErrorsKeepTheSecret(t *testing.T) {
	k := rfcKey("SHA1", 6)
	k.Digits = 7
	c := stored(t, "c", k)
	_, err := verify(t, at(noon), "123456", c)
	if err == nil || strings.Contains(err.Error(), k.Secret) {
		t.Errorf("the error is %v", err)
	}
	c.Data = []byte(`{"secret":` + k.Secret)
	if _, err = verify(t, at(noon), "123456", c); err == nil || strings.Contains(err.Error(), "GEZD") {
		t.Errorf("the error is %v", err)
	}
}

// TestNotItsOwn: states that another factor wrote, and users who are nobody.
func TestNotItsOwn(t *testing.T) {
	ctx := context.Background()
	k := rfcKey("SHA1", 6)
	right := code(t, k, noon/30)
	refused := func(what string, err error) {
		t.Helper()
		if err == nil || errors.Is(err, mfa.ErrWrong) {
			t.Errorf("%s: %v", what, err)
		}
	}
	state, err := mfa.Pack(pending{Factor: "backup", Key: k})
	if err != nil {
		t.Fatal(err)
	}
	_, err = at(noon).Confirm(ctx, alice, mfa.Challenge{State: state}, right)
	refused("a set-up of another factor", err)
	_, err = at(noon).Verify(ctx, alice, []mfa.Credential{stored(t, "c", k)}, mfa.Challenge{State: []byte("{}")}, right)
	refused("a challenge of another factor", err)

	nobody := mfa.User{}
	k.Tenant, k.User = "", ""
	_, err = at(noon).Verify(ctx, nobody, []mfa.Credential{stored(t, "c", k)}, mfa.Challenge{}, right)
	refused("a key that is nobody's", err)
	_, err = at(noon).Enroll(ctx, nobody, "")
	refused("a set-up for nobody", err)
}
