package mfatest

import (
	"bytes"
	"context"
	"crypto/rand"
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

// toy sends an eight-digit code nowhere: the test reads it from the state. It has every ability. With a fault it does
// one thing wrong.
type toy struct {
	host  mfa.Host
	fault string
}

type toyState struct {
	Tenant, User, For string
	Codes             []string
	At                time.Time
}

type toyData struct{ Tenant, User, Spent string }

func (f toy) In(h mfa.Host) (mfa.Factor, error) {
	if f.fault == "returns nothing" {
		return nil, nil
	}
	f.host = h
	return f, nil
}

func (f toy) Info() mfa.Info {
	in := mfa.Info{ID: "toy", Name: "Toy", AMR: []string{"otp", "user"}, Asks: mfa.AsksPhone, Input: mfa.Input{Digits: 8}}
	switch f.fault {
	case "claims mfa":
		in.AMR = []string{"otp", "mfa"}
	case "shares its AMR":
		in.AMR = sharedAMR
	case "bad ID":
		in.ID = "Toy!"
	case "asks for shoes":
		in.Asks = "shoes"
	case "wants six digits":
		in.Input.Digits = 6
	case "is another at home":
		in.Hardware = f.host.Issuer == nil
	case "verifies nobody":
		in.AMR = []string{"otp"}
	}
	return in
}

var sharedAMR = []string{"otp"}

func (f toy) ask(ctx context.Context, s toyState) (mfa.Challenge, error) {
	if f.fault != "repeats at once" && s.For != "discovery" {
		if err := f.host.Quota.Take(ctx, s.Tenant, mfa.Limit{Name: "toy/" + s.User, Most: 1, Per: 30 * time.Second}); err != nil {
			return mfa.Challenge{}, err
		}
	}
	b := make([]byte, 8)
	rand.Read(b)
	for i := range b {
		b[i] = '0' + b[i]%10
	}
	s.Codes, s.At = append(slices.Clone(s.Codes), string(b)), f.host.Now()
	if f.fault == "forgets the first code" {
		s.Codes = []string{string(b)}
	}
	state, err := json.Marshal(s)
	ch := mfa.Challenge{State: state, Prompt: mfa.Prompt{Again: s.At.Add(40 * time.Second)}}
	switch {
	case f.fault == "shows the code" && s.For == "sign-in":
		ch.Prompt.Text = "Type " + string(b)
	case f.fault == "shows the number":
		ch.Prompt.Target = toyNumber
	case f.fault == "never says when":
		ch.Prompt.Again = time.Time{}
	}
	return ch, err
}

// read opens the state of ch for u.
func (f toy) read(u mfa.User, ch mfa.Challenge) (toyState, error) {
	var s toyState
	if err := json.Unmarshal(ch.State, &s); err != nil {
		return s, err
	}
	somebody := s.User == u.ID && s.Tenant == u.Tenant && u.ID != "" && u.Tenant != ""
	if !somebody && s.For != "discovery" && f.fault != "takes any state" {
		return s, errors.New("state of another user")
	}
	return s, nil
}

func (f toy) check(u mfa.User, ch mfa.Challenge, purpose, answer string) error {
	if f.fault == "panics on nothing" && answer == "" {
		panic("no answer")
	}
	s, err := f.read(u, ch)
	if err != nil {
		return err
	}
	if s.For == "discovery" && purpose == "sign-in" {
		purpose = "discovery"
		code, name, _ := strings.Cut(answer, ".")
		if name != u.Tenant+"."+u.ID && f.fault != "takes anybody's answer" {
			return &mfa.Wrong{Reason: mfa.Mismatch}
		}
		answer = code
	}
	if s.For != purpose && f.fault != "takes any purpose" {
		return errors.New("state of another purpose")
	}
	if f.fault == "trims" {
		answer = strings.Trim(answer, "\x00")
	}
	switch {
	case f.host.Now().Sub(s.At) >= 5*time.Minute && f.fault != "never expires":
		return &mfa.Wrong{Reason: mfa.Expired}
	case f.fault == "takes any answer", slices.Contains(s.Codes, answer):
		return nil
	case f.fault == "fails on a wrong answer":
		return errors.New("no")
	case f.fault == "gives an unknown reason":
		return &mfa.Wrong{Reason: "because"}
	default:
		return &mfa.Wrong{Reason: mfa.Mismatch}
	}
}

// toyNumber is the only one there is.
const toyNumber = "+4930123456"

func (f toy) Enroll(ctx context.Context, u mfa.User, number string) (mfa.Challenge, error) {
	if f.fault == "writes into options" {
		u.Options["toy"] = "here"
	}
	switch {
	case number == toyNumber || f.fault == "takes any number":
	case f.fault == "fails on a bad number":
		return mfa.Challenge{}, errors.New("what number is that")
	case f.fault == "refuses because":
		return mfa.Challenge{}, &mfa.Refused{Reason: "because"}
	default:
		return mfa.Challenge{}, &mfa.Refused{Reason: mfa.Malformed}
	}
	return f.ask(ctx, toyState{Tenant: u.Tenant, User: u.ID, For: "set-up"})
}

func (f toy) Confirm(_ context.Context, u mfa.User, ch mfa.Challenge, answer string) (mfa.Credential, error) {
	if err := f.check(u, ch, "set-up", answer); err != nil {
		return mfa.Credential{}, err
	}
	data, err := json.Marshal(toyData{u.Tenant, u.ID, ""})
	c := mfa.Credential{ID: rand.Text(), Data: data, Left: -1}
	switch f.fault {
	case "has one ID":
		c.ID = "toy"
	case "is over at once":
		c.Expires = f.host.Now()
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
	return f.ask(ctx, toyState{Tenant: u.Tenant, User: u.ID, For: "sign-in"})
}

func (f toy) Repeat(ctx context.Context, u mfa.User, ch mfa.Challenge) (mfa.Challenge, error) {
	s, err := f.read(u, ch)
	switch {
	case err != nil && f.fault == "repeats for anyone":
		s.Tenant, s.User = u.Tenant, u.ID
	case err != nil && f.fault == "calls it wrong":
		return mfa.Challenge{}, mfa.ErrWrong
	case err != nil:
		return mfa.Challenge{}, err
	case f.host.Now().Before(ch.Prompt.Again) && f.fault == "never says until when":
		return mfa.Challenge{}, &mfa.Refused{Reason: mfa.Often}
	case f.host.Now().Before(ch.Prompt.Again) && f.fault != "repeats at once":
		return mfa.Challenge{}, &mfa.Refused{Reason: mfa.Often, Until: ch.Prompt.Again}
	}
	return f.ask(ctx, s)
}

func (f toy) Discover(ctx context.Context) (mfa.Challenge, error) {
	ch, err := f.ask(ctx, toyState{For: "discovery"})
	switch f.fault {
	case "puts one question":
		ch.State = []byte(`{"For":"discovery","Codes":["12345678"],"At":"2026-02-03T04:05:06Z"}`)
	case "knows who is there":
		ch.Prompt.Text = "Hello alice!"
	}
	return ch, err
}

func (f toy) Whose(answer string) (tenant, user string, err error) {
	_, name, ok := strings.Cut(answer, ".")
	tenant, user, named := strings.Cut(name, ".")
	switch {
	case f.fault == "names bob":
		return "acme", "bob", nil
	case !ok || !named:
		return "", "", &mfa.Wrong{Reason: mfa.Format}
	}
	return tenant, user, nil
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
	if f.fault == "spends one of two codes" {
		spent += answer
	}
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
	case f.fault == "earns mfa":
		c.AMR = []string{"mfa"}
	}
	d.Spent = spent
	data, err := json.Marshal(d)
	if f.fault == "writes into data" {
		copy(creds[0].Data, bytes.Repeat([]byte("x"), 8))
	}
	c.Data, c.Whole = data, f.fault != "is half a sign-in" && bytes.Contains(ch.State, []byte("discovery"))
	return c, err
}

func toyCase(fault string) Case {
	return Case{
		New:    func(testing.TB, func() time.Time) mfa.Factor { return toy{fault: fault} },
		Hosted: true,
		Input:  toyNumber,
		Answer: func(t testing.TB, q Question) string {
			var asked, own toyState
			if err := errors.Join(json.Unmarshal(q.Asked.State, &asked), json.Unmarshal(q.Setup.State, &own)); err != nil {
				t.Fatal(err)
			}
			code := asked.Codes[len(asked.Codes)-1]
			if asked.For == "discovery" {
				code += "." + own.Tenant + "." + own.User
			}
			return code
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
		"asks for shoes":            {"info", "nothing that can be asked"},
		"earns mfa":                 {"sign in", `returned the AMR "mfa"`},
		"is over at once":           {"sign in", "over already"},
		"shows the number":          {"prompt at sign-in", "tells a secret"},
		"returns nothing":           {"guest", "neither a factor nor an error"},
		"is another at home":        {"guest", "changes Info"},
		"takes any number":          {"set-up input", "for a phone number"},
		"fails on a bad number":     {"set-up input", "want a *mfa.Refused"},
		"refuses because":           {"set-up input", `as "because"`},
		"never says when":           {"repeating", "Prompt.Again is not set"},
		"repeats at once":           {"repeating", "before the time of Prompt.Again"},
		"never says until when":     {"repeating", "does not say until when"},
		"forgets the first code":    {"repeating", "Confirm of the first of two answers"},
		"spends one of two codes":   {"repeating", "was accepted"},
		"repeats for anyone":        {"repeating", "Repeat of the question to acme/alice as acme/bob was accepted"},
		"calls it wrong":            {"repeating", "there was no answer"},
		"names bob":                 {"discovering", "Whose says acme/bob"},
		"takes anybody's answer":    {"discovering", "with the credentials of acme/bob was accepted"},
		"is half a sign-in":         {"discovering", "not a whole sign-in"},
		"verifies nobody":           {"discovering", "without user verification"},
		"puts one question":         {"discovering", "the same question twice"},
		"knows who is there":        {"discovering", "names somebody"},
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
