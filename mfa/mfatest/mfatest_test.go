package mfatest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
)

// toy sends an eight-digit code nowhere: the test reads it from the state. With a fault it does one thing wrong.
type toy struct {
	now   func() time.Time
	fault string
}

type toyState struct {
	Tenant, User, For, Code string
	At                      time.Time
}

type toyData struct{ Tenant, User, Spent string }

func (f toy) Info() mfa.Info {
	in := mfa.Info{ID: "toy", Name: "Toy", AMR: []string{"otp"}, Input: mfa.Input{Digits: 8}}
	switch f.fault {
	case "claims mfa":
		in.AMR = []string{"otp", "mfa"}
	case "shares its AMR":
		in.AMR = sharedAMR
	case "bad ID":
		in.ID = "Toy!"
	case "wants six digits":
		in.Input.Digits = 6
	}
	return in
}

var sharedAMR = []string{"otp"}

func (f toy) ask(u mfa.User, purpose string) (mfa.Challenge, error) {
	b := make([]byte, 8)
	rand.Read(b)
	for i := range b {
		b[i] = '0' + b[i]%10
	}
	state, err := json.Marshal(toyState{u.Tenant, u.ID, purpose, string(b), f.now()})
	ch := mfa.Challenge{State: state}
	if f.fault == "shows the code" && purpose == "sign-in" {
		ch.Prompt.Text = "Type " + string(b)
	}
	return ch, err
}

func (f toy) check(u mfa.User, ch mfa.Challenge, purpose, answer string) error {
	if f.fault == "panics on nothing" && answer == "" {
		panic("no answer")
	}
	var s toyState
	if err := json.Unmarshal(ch.State, &s); err != nil {
		return err
	}
	if (s.Tenant != u.Tenant || s.User != u.ID || u.ID == "" || u.Tenant == "") && f.fault != "takes any state" {
		return errors.New("state of another user")
	}
	if s.For != purpose && f.fault != "takes any purpose" {
		return errors.New("state of another purpose")
	}
	if f.fault == "trims" {
		answer = strings.Trim(answer, "\x00")
	}
	switch {
	case f.now().Sub(s.At) >= 5*time.Minute && f.fault != "never expires":
		return &mfa.Wrong{Reason: mfa.Expired}
	case f.fault == "takes any answer":
		return nil
	case subtle.ConstantTimeCompare([]byte(s.Code), []byte(answer)) == 1:
		return nil
	case f.fault == "fails on a wrong answer":
		return errors.New("no")
	case f.fault == "gives an unknown reason":
		return &mfa.Wrong{Reason: "because"}
	default:
		return &mfa.Wrong{Reason: mfa.Mismatch}
	}
}

func (f toy) Enroll(_ context.Context, u mfa.User, _ string) (mfa.Challenge, error) {
	if f.fault == "writes into options" {
		u.Options["toy"] = "here"
	}
	return f.ask(u, "set-up")
}

func (f toy) Confirm(_ context.Context, u mfa.User, ch mfa.Challenge, answer string) (mfa.Credential, error) {
	if err := f.check(u, ch, "set-up", answer); err != nil {
		return mfa.Credential{}, err
	}
	data, err := json.Marshal(toyData{u.Tenant, u.ID, ""})
	c := mfa.Credential{ID: rand.Text(), Data: data, Left: -1}
	if f.fault == "has one ID" {
		c.ID = "toy"
	}
	return c, err
}

func (f toy) Challenge(ctx context.Context, u mfa.User, creds []mfa.Credential) (mfa.Challenge, error) {
	if f.fault == "says wrong when cancelled" && ctx.Err() != nil {
		return mfa.Challenge{}, mfa.ErrWrong
	}
	if len(creds) == 0 && f.fault != "asks without a credential" {
		return mfa.Challenge{}, errors.New("no credential")
	}
	return f.ask(u, "sign-in")
}

func (f toy) Verify(_ context.Context, u mfa.User, creds []mfa.Credential, ch mfa.Challenge, answer string) (mfa.Credential, error) {
	if err := f.check(u, ch, "sign-in", answer); err != nil {
		if f.fault == "returns both" && len(creds) > 0 {
			return creds[0], err
		}
		return mfa.Credential{}, err
	}
	if len(creds) == 0 {
		return mfa.Credential{}, errors.New("no credential")
	}
	c := creds[0]
	var d toyData
	if err := json.Unmarshal(c.Data, &d); err != nil {
		return mfa.Credential{}, err
	}
	spent := hex.EncodeToString(ch.State)
	switch {
	case (d.Tenant != u.Tenant || d.User != u.ID) && f.fault != "takes any credential":
		return mfa.Credential{}, errors.New("credential of another user")
	case d.Spent == spent:
		return mfa.Credential{}, &mfa.Wrong{Reason: mfa.Used}
	case f.fault == "spends nothing":
		return c, nil
	case f.fault == "forgets what was spent":
		spent = rand.Text()
	case f.fault == "renames":
		c.ID = rand.Text()
	case f.fault == "counts uses up":
		c.Left = 3
	}
	d.Spent = spent
	data, err := json.Marshal(d)
	if f.fault == "writes into data" {
		copy(creds[0].Data, bytes.Repeat([]byte("x"), 8))
	}
	c.Data = data
	return c, err
}

func toyCase(fault string) Case {
	return Case{
		New: func(_ testing.TB, now func() time.Time) mfa.Factor { return toy{now, fault} },
		Answer: func(t testing.TB, q Question) string {
			var s toyState
			if err := json.Unmarshal(q.Asked.State, &s); err != nil {
				t.Fatal(err)
			}
			return s.Code
		},
		Lifetime: 5 * time.Minute,
	}
}

func TestSoundFactorPasses(t *testing.T) { Run(t, toyCase("")) }

// recorder notes failures instead of failing.
type recorder struct {
	testing.TB
	mu     sync.Mutex
	failed []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = append(r.failed, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

// failures runs a check and returns what it said.
func failures(c Case, run func(*kit)) []string {
	r := &recorder{}
	var wg sync.WaitGroup
	wg.Go(func() { run(newKit(r, c)) }) // Fatalf ends its goroutine
	wg.Wait()
	return r.failed
}

func TestRecorderPassesSoundFactor(t *testing.T) {
	for _, check := range checks {
		if got := failures(toyCase(""), check.run); len(got) > 0 {
			t.Errorf("a sound factor fails %q: %q", check.name, got)
		}
	}
}

// TestBrokenFactorsFail breaks the toy in one way at a time: the check that is there for it must say so.
func TestBrokenFactorsFail(t *testing.T) {
	for fault, want := range map[string]struct{ check, says string }{
		"claims mfa":                {"info", `AMR "mfa"`},
		"shares its AMR":            {"info", "not constant"},
		"bad ID":                    {"info", `ID "Toy!"`},
		"wants six digits":          {"sign in", "refuses the right answer"},
		"has one ID":                {"sign in", "two credentials have the ID"},
		"renames":                   {"sign in", "which it was not given"},
		"counts uses up":            {"sign in", "left 3 uses of -1"},
		"writes into options":       {"sign in", "Enroll wrote into"},
		"writes into data":          {"sign in", "Verify wrote into"},
		"takes any answer":          {"wrong answer", "was accepted"},
		"fails on a wrong answer":   {"wrong answer", "want ErrWrong"},
		"gives an unknown reason":   {"wrong answer", "no known reason"},
		"returns both":              {"wrong answer", "together with the error"},
		"panics on nothing":         {"malformed answer", "panicked"},
		"trims":                     {"malformed answer", "was accepted"},
		"forgets what was spent":    {"replay", "same answer to the same challenge"},
		"spends nothing":            {"in parallel", "each of the answers gets in"},
		"takes any credential":      {"other users", "was accepted"},
		"takes any state":           {"state of others", "was accepted"},
		"takes any purpose":         {"state of others", "was accepted"},
		"asks without a credential": {"no credential", "was accepted"},
		"shows the code":            {"prompt at sign-in", "tells a secret"},
		"never expires":             {"expiry", "too old was accepted"},
		"says wrong when cancelled": {"cancelled", "wrong answer"},
	} {
		t.Run(fault, func(t *testing.T) {
			sharedAMR = []string{"otp"}
			i := slices.IndexFunc(checks, func(c check) bool { return c.name == want.check })
			if i < 0 {
				t.Fatalf("there is no check %q", want.check)
			}
			got := failures(toyCase(fault), checks[i].run)
			if !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, want.says) }) {
				t.Errorf("check %q does not say %q, but %q", want.check, want.says, got)
			}
		})
	}
}
