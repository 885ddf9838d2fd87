package sms

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/mfatest"
)

func TestFactor(t *testing.T) {
	var w *world
	var f Factor
	mfatest.Run(t, mfatest.Case{
		New: func(t testing.TB, now func() time.Time) mfa.Factor {
			w = newWorld()
			w.quota.free = true // the kit asks faster than people may
			h := w.host()
			h.Now = now
			f = in(t, Factor{Sender: w, Countries: []string{"DE"}}, h)
			return f
		},
		// The user reads the SMS of this challenge, which need not be the last that was sent.
		Answer: func(t testing.TB, q mfatest.Question) string {
			var a asked
			if err := mfa.Unpack(q.Asked.State, &a); err != nil {
				t.Fatal(err)
			}
			for _, m := range slices.Backward(w.sent) {
				code := m.Text[len(m.Text)-digits:]
				if a.right(f.codeKey, code, q.Time) == nil {
					return code
				}
			}
			if len(w.sent) == 0 {
				t.Fatal("no SMS was sent")
			}
			return "000000" // asked after the end of its time
		},
		Input:    mobile,
		Lifetime: lifetime,
	})
}

func TestText(t *testing.T) {
	w := newWorld()
	f := w.factor(t)
	if _, err := f.Enroll(t.Context(), alice, mobile); err != nil {
		t.Fatal(err)
	}
	m, code := w.last(t)
	want := fmt.Sprintf("en sms.code code %[1]s product Example n 5\n\n@login.example.com #%[1]s", code)
	if m.Text != want || m.To != mobile || m.Tenant != "acme" || m.User != "alice" || len(m.ID) != 26 {
		t.Errorf("%+v", m)
	}
	for issuer, origin := range map[string]string{
		"https://login.example.com": "@login.example.com #123456", "http://localhost:8080": "@localhost #123456",
		"http://[::1]:8080/": "@[::1] #123456", "https://XN--bcher-kva.example/id": "@xn--bcher-kva.example #123456",
	} {
		h := w.host()
		var err error
		if h.Issuer, err = url.Parse(issuer); err != nil {
			t.Fatal(err)
		}
		got := in(t, Factor{Sender: w, Countries: []string{"DE"}}, h).text(alice, "123456")
		if lines := strings.Split(got, "\n"); lines[len(lines)-1] != origin || lines[len(lines)-2] != "" {
			t.Errorf("%s: %q", issuer, got)
		}
	}
	// A name that tries to bind the code to a host of its own.
	u := alice
	u.Issuer = "Evil\r\n\n@evil.example #111111\u2028" + strings.Repeat("x", 99)
	if got := f.text(u, "123456"); strings.Count(got, "\n") != 2 || len(got) > 200 || !strings.HasSuffix(got, "\n\n@login.example.com #123456") {
		t.Errorf("%q", got)
	}
	u.Issuer = ""
	if got := f.text(u, "123456"); !strings.Contains(got, "product Sallyport") {
		t.Errorf("%q", got)
	}
}

func TestPrompt(t *testing.T) {
	w := newWorld()
	f := w.factor(t)
	c := w.enrol(t, f, alice, "0151 23456789")
	if c.Note != "•••• 789" || c.Name != "" || c.Left != -1 {
		t.Errorf("%+v", c)
	}
	ch, err := f.Challenge(t.Context(), alice, []mfa.Credential{c})
	if err != nil {
		t.Fatal(err)
	}
	want := mfa.Prompt{Target: "•••• 789", Again: w.now.Add(30 * time.Second), Input: mfa.Input{Digits: 6}}
	if got, err := json.Marshal(ch.Prompt); err != nil || !bytes.Equal(got, pack(t, want)) {
		t.Errorf("%s, %v", got, err)
	}
}

// TestRepeat: what was sent before stays right until it expires, and one answer spends them all.
func TestRepeat(t *testing.T) {
	w := newWorld()
	f := w.factor(t)
	c := w.enrol(t, f, alice, mobile)
	creds := []mfa.Credential{c}
	first, err := f.Challenge(t.Context(), alice, creds)
	if err != nil {
		t.Fatal(err)
	}
	_, one := w.last(t)
	if _, err := f.Repeat(t.Context(), alice, first); !refused(err, mfa.Often) || !until(err).Equal(w.now.Add(30*time.Second)) {
		t.Errorf("at once: %v", err)
	}
	w.now = w.now.Add(30 * time.Second)
	second, err := f.Repeat(t.Context(), alice, first)
	if err != nil || !second.Prompt.Again.Equal(w.now.Add(30*time.Second)) {
		t.Fatalf("after 30 s: %+v, %v", second.Prompt, err)
	}
	_, two := w.last(t)
	if len(w.sent) != 3 || one == two || w.sent[1].ID == w.sent[2].ID {
		t.Fatalf("%d were sent", len(w.sent))
	}
	if _, err := f.Verify(t.Context(), alice, creds, first, two); reason(err) != mfa.Mismatch {
		t.Errorf("the second code in the first challenge: %v", err)
	}
	w.now = w.now.Add(4 * time.Minute)
	after, err := f.Verify(t.Context(), alice, creds, second, one)
	if err != nil {
		t.Fatalf("the first code: %v", err)
	}
	if _, err := f.Verify(t.Context(), alice, []mfa.Credential{after}, second, two); reason(err) != mfa.Used {
		t.Errorf("the second code of a challenge that was answered: %v", err)
	}
	w.now = w.now.Add(30 * time.Second)
	if _, err := f.Verify(t.Context(), alice, creds, second, one); reason(err) != mfa.Expired {
		t.Errorf("the first code after five minutes: %v", err)
	}
	if _, err := f.Verify(t.Context(), alice, creds, second, two); err != nil {
		t.Errorf("the second code after four and a half: %v", err)
	}
	if _, err := f.Repeat(t.Context(), mfa.User{Tenant: "acme", ID: "bob"}, second); err == nil || errors.Is(err, mfa.ErrWrong) {
		t.Errorf("another user: %v", err)
	}
}

// TestRepeatAtSetUp: the number that was typed need not be typed again.
func TestRepeatAtSetUp(t *testing.T) {
	w := newWorld()
	f := w.factor(t)
	ch, err := f.Enroll(t.Context(), alice, mobile)
	if err != nil {
		t.Fatal(err)
	}
	_, one := w.last(t)
	w.now = w.now.Add(31 * time.Second)
	if ch, err = f.Repeat(t.Context(), alice, ch); err != nil {
		t.Fatal(err)
	}
	m, two := w.last(t)
	if m.To != mobile {
		t.Errorf("sent to %s", m.To)
	}
	// Not even a credential without a name, as that of a set-up has none, makes a sign-in of it.
	nameless := mfa.Credential{Data: pack(t, kept{Tenant: "acme", User: "alice", Number: mobile})}
	if _, err := f.Verify(t.Context(), alice, []mfa.Credential{nameless}, ch, two); err == nil {
		t.Error("a set-up was taken for a sign-in")
	}
	for _, code := range []string{one, two} {
		if _, err := f.Confirm(t.Context(), alice, ch, code); err != nil {
			t.Errorf("%v", err)
		}
	}
}

func TestLimits(t *testing.T) {
	w := newWorld()
	f := w.factor(t)
	begun := w.now
	creds := []mfa.Credential{w.enrol(t, f, alice, mobile)} // the first of the hour
	ask := func(u mfa.User, creds []mfa.Credential) error {
		_, err := f.Challenge(t.Context(), u, creds)
		return err
	}
	for n := 2; n <= 5; n++ {
		if err := ask(alice, creds); err != nil {
			t.Fatalf("code %d: %v", n, err)
		}
		w.now = w.now.Add(29 * time.Second)
		free := w.now.Add(time.Second)
		if n == 5 {
			free = begun.Add(time.Hour) // what is told is the latest of what holds
		}
		if err := ask(alice, creds); !refused(err, mfa.Often) || !until(err).Equal(free) {
			t.Errorf("29 s after code %d: %v until %v, want %v", n, err, until(err), free)
		}
		w.now = w.now.Add(10 * time.Minute)
	}
	if err := ask(alice, creds); !refused(err, mfa.Often) || len(w.sent) != 5 {
		t.Errorf("the sixth in an hour: %v, %d were sent", err, len(w.sent))
	}
	w.now = w.now.Add(2 * time.Hour)
	// Three accounts of two tenants type one number in: one SMS is left for whose number it is.
	for i, u := range []mfa.User{{Tenant: "acme", ID: "a"}, {Tenant: "umbrella", ID: "a"}, {Tenant: "umbrella", ID: "c"}} {
		_, err := f.Enroll(t.Context(), u, mobile)
		if i < 2 && err != nil || i == 2 && !refused(err, mfa.Often) {
			t.Errorf("account %d: %v", i+1, err)
		}
	}
	if err := ask(alice, creds); err != nil {
		t.Errorf("the number's owner after others typed it in: %v", err)
	}
	w.now = w.now.Add(time.Minute)
	if err := ask(alice, creds); !refused(err, mfa.Often) {
		t.Errorf("the fourth to one number in ten minutes: %v", err)
	}
	if len(w.sent) != 8 {
		t.Errorf("%d were sent", len(w.sent))
	}
	for _, name := range w.quota.names {
		if strings.Contains(name, "15123456789") || strings.Contains(name, mobile) {
			t.Errorf("a limit's name tells the number: %s", name)
		}
	}
	if want := []string{"sms/gap/alice", "sms/user/alice", w.quota.names[2], w.quota.names[3], "sms/budget"}; !slices.Equal(w.quota.names[:5], want) {
		t.Errorf("limits are taken as %q", w.quota.names[:5])
	}
}

// A try that one limit refuses takes nothing from the others: neither the gap, nor a full inbox of the number, nor a budget
// that is used up, eats the five codes of the hour.
func TestRefusedTriesTakeNothing(t *testing.T) {
	w := newWorld()
	f := in(t, Factor{Sender: w, Countries: []string{"DE"}, Budget: 4}, w.host())
	creds := []mfa.Credential{w.enrol(t, f, alice, mobile)}
	ask := func() error {
		_, err := f.Challenge(t.Context(), alice, creds)
		return err
	}
	for range 3 { // to one number, in ten minutes
		if err := ask(); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(30 * time.Second)
	}
	for range 20 {
		if err := ask(); !refused(err, mfa.Budget) {
			t.Fatalf("a tenant's budget is used up for longer than a number: %v", err)
		}
		w.now = w.now.Add(time.Second)
	}
	f = in(t, Factor{Sender: w, Countries: []string{"DE"}}, w.host())
	for range 20 {
		if err := ask(); !refused(err, mfa.Often) {
			t.Fatalf("the fourth to one number: %v", err)
		}
		w.now = w.now.Add(10 * time.Second)
	}
	w.now = w.now.Add(10 * time.Minute)
	if err := ask(); err != nil {
		t.Errorf("the fifth of the hour: %v", err)
	}
}

func TestBudget(t *testing.T) {
	w := newWorld()
	f := in(t, Factor{Sender: w, Countries: []string{"DE"}, Budget: 2}, w.host())
	user := func(tenant string, i int, option string) mfa.User {
		u := mfa.User{Tenant: tenant, ID: fmt.Sprint("user", i)}
		if option != "" {
			u.Options = map[string]string{"sms.budget": option}
		}
		return u
	}
	number := func(i int) string { return fmt.Sprintf("+49151234567%02d", i) }
	for i := range 3 {
		_, err := f.Enroll(t.Context(), user("acme", i, ""), number(i))
		if i < 2 && err != nil || i == 2 && (!refused(err, mfa.Budget) || !until(err).Equal(w.now.Add(24*time.Hour))) {
			t.Errorf("SMS %d of acme: %v", i+1, err)
		}
	}
	// Another tenant has its own, and may have set it.
	for i := range 4 {
		_, err := f.Enroll(t.Context(), user("umbrella", i, "3"), number(10+i))
		if i < 3 && err != nil || i == 3 && !refused(err, mfa.Budget) {
			t.Errorf("SMS %d of umbrella: %v", i+1, err)
		}
	}
	if len(w.sent) != 5 {
		t.Errorf("%d were sent", len(w.sent))
	}
	if want := []string{"acme sms", "acme sms", "umbrella sms", "umbrella sms", "umbrella sms"}; !slices.Equal(w.counted, want) {
		t.Errorf("counted as sent: %q, want %q", w.counted, want)
	}
	for option, want := range map[string]int{"": 2, "3": 3} {
		if n, err := f.Daily(user("acme", 0, option)); err != nil || n != want {
			t.Errorf("sms.budget %q: %d a day (%v), want %d", option, n, err, want)
		}
	}
	w.now = w.now.Add(24 * time.Hour)
	if _, err := f.Enroll(t.Context(), user("acme", 3, ""), number(3)); err != nil {
		t.Errorf("a day later: %v", err)
	}
	for _, option := range []string{"0", "-1", "many", "1e3", "99999999999999999999"} {
		if _, err := f.Enroll(t.Context(), user("acme", 9, option), number(9)); err == nil {
			t.Errorf("sms.budget %q was accepted", option)
		}
	}
	if got := in(t, Factor{Sender: w, Countries: []string{"DE"}}, w.host()).Budget; got != 500 {
		t.Errorf("the default is %d", got)
	}
}

// TestQuotaDown: what can't be counted is not sent.
func TestQuotaDown(t *testing.T) {
	w := newWorld()
	h := w.host()
	down := errors.New("the database is down")
	h.Quota = broken{down}
	f := in(t, Factor{Sender: w, Countries: []string{"DE"}}, h)
	if _, err := f.Enroll(t.Context(), alice, mobile); !errors.Is(err, down) || isRefused(err) {
		t.Errorf("%v", err)
	}
	if len(w.sent) != 0 {
		t.Error("it was sent all the same")
	}
}

type broken struct{ err error }

func (b broken) Take(context.Context, string, ...mfa.Limit) error { return b.err }

func TestGatewayFails(t *testing.T) {
	w := newWorld()
	f := w.factor(t)
	for _, c := range []struct {
		fails error
		want  mfa.Refusal
	}{
		{fmt.Errorf("code 21614: %w", ErrUndeliverable), mfa.Undeliverable},
		{errors.New("it burns"), mfa.Gateway},
		{context.DeadlineExceeded, mfa.Gateway}, // of its own: the user still waits
	} {
		w.fails, w.now = c.fails, w.now.Add(time.Hour)
		if ch, err := f.Enroll(t.Context(), alice, mobile); !refused(err, c.want) || !errors.Is(err, c.fails) || ch.State != nil {
			t.Errorf("%v: %v", c.fails, err)
		}
	}
	if len(w.counted) > 0 {
		t.Errorf("counted as sent: %q", w.counted)
	}
	w.fails, w.now = nil, w.now.Add(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Enroll(ctx, alice, mobile); !errors.Is(err, context.Canceled) || isRefused(err) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestNothingTellsTheCode: not the state, the credential, the prompt, nor any error.
func TestNothingTellsTheCode(t *testing.T) {
	w := newWorld()
	f := w.factor(t)
	var written []string
	note := func(err error) {
		if err != nil {
			written = append(written, err.Error())
		}
	}
	ch, err := f.Enroll(t.Context(), alice, mobile)
	if err != nil {
		t.Fatal(err)
	}
	_, code := w.last(t)
	c, err := f.Confirm(t.Context(), alice, ch, code)
	if err != nil {
		t.Fatal(err)
	}
	written = append(written, string(ch.State), string(c.Data), string(pack(t, ch)), string(pack(t, c)))
	spoilt := ch
	spoilt.State = append(bytes.Clone(ch.State), code...)
	for _, u := range []mfa.User{alice, {Tenant: "acme", ID: "bob"}, {}} {
		for _, ch := range []mfa.Challenge{ch, spoilt, {State: []byte(`{"code":"` + code + `"}`)}} {
			_, err := f.Verify(t.Context(), u, []mfa.Credential{c}, ch, code)
			note(err)
			_, err = f.Confirm(t.Context(), u, ch, code+" ")
			note(err)
		}
	}
	if len(written) < 15 {
		t.Fatalf("only %d texts were looked at", len(written))
	}
	for _, text := range written {
		if strings.Contains(text, code) {
			t.Errorf("it holds the code %s: %s", code, text)
		}
	}
}

// TestCodes: all six digits, zeros in front as well, each as likely. The randomness is fixed, so that the test never
// fails by chance.
func TestCodes(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 1)
	const draws = 60_000
	var counts [digits][10]int
	for range draws {
		code, err := newCode()
		if err != nil || len(code) != digits {
			t.Fatalf("%q, %v", code, err)
		}
		for place, digit := range []byte(code) {
			counts[place][digit-'0']++
		}
	}
	for place, of := range counts {
		squares := 0.0
		for _, n := range of {
			off := float64(n) - draws/10
			squares += off * off / (draws / 10)
		}
		// Nine degrees of freedom: above 33.7 in one of ten thousand.
		if squares > 33.7 {
			t.Errorf("the digits at place %d are not equally likely: %v", place, of)
		}
	}
}

func TestTwoNumbers(t *testing.T) {
	w := newWorld()
	f := w.factor(t)
	old, recent := w.enrol(t, f, alice, mobile), w.enrol(t, f, alice, "+4366412345678")
	creds := []mfa.Credential{old, recent}
	ch, err := f.Challenge(t.Context(), alice, creds)
	if err != nil {
		t.Fatal(err)
	}
	m, code := w.last(t)
	if m.To != "+4366412345678" || ch.Prompt.Target != "•••• 678" {
		t.Errorf("asked %s", m.To)
	}
	c, err := f.Verify(t.Context(), alice, creds, ch, code)
	if err != nil || c.ID != recent.ID {
		t.Errorf("%q, %v", c.ID, err)
	}
	if _, err := f.Verify(t.Context(), alice, creds[:1], ch, code); err == nil || errors.Is(err, mfa.ErrWrong) {
		t.Errorf("without the number that was asked: %v", err)
	}
	// The last can't be read any more: the other one serves.
	w.now = w.now.Add(time.Minute)
	creds[1].Data = []byte("{}")
	if ch, err = f.Challenge(t.Context(), alice, creds); err != nil || ch.Prompt.Target != "•••• 789" {
		t.Errorf("%+v, %v", ch.Prompt, err)
	}
	// Nor may a credential's number be changed under a challenge.
	_, code = w.last(t)
	swapped := old
	swapped.Data = pack(t, kept{Tenant: "acme", User: "alice", Number: "+4366412345678"})
	if _, err := f.Verify(t.Context(), alice, []mfa.Credential{swapped}, ch, code); err == nil {
		t.Error("a code that went to another number was accepted")
	}
}

func TestTell(t *testing.T) {
	w := newWorld()
	f := w.factor(t)
	creds := []mfa.Credential{w.enrol(t, f, alice, mobile), w.enrol(t, f, alice, "+4366412345678"), w.enrol(t, f, alice, mobile)}
	w.sent = nil
	if err := f.Tell(t.Context(), alice, creds, "Your password was changed.\n"); err != nil {
		t.Fatal(err)
	}
	if len(w.sent) != 2 || w.sent[0].To != mobile || w.sent[1].To != "+4366412345678" || w.sent[0].Text != "Your password was changed." {
		t.Errorf("%+v", w.sent)
	}
	if len(w.sent) == 2 && w.sent[0].ID == w.sent[1].ID {
		t.Error("two messages have one ID")
	}
	for range 3 {
		if err := f.Tell(t.Context(), alice, creds[:1], "Again."); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Tell(t.Context(), alice, creds[:1], "Once more."); !refused(err, mfa.Often) || len(w.sent) != 5 {
		t.Errorf("the sixth in an hour: %v, %d were sent", err, len(w.sent))
	}
	// Notices take no codes away.
	if _, err := f.Challenge(t.Context(), alice, creds); err != nil {
		t.Errorf("a code after five notices: %v", err)
	}
	// One that fails keeps none of the others from being told.
	w.now, w.sent = w.now.Add(time.Hour), nil
	creds[0].Data = nil
	if err := f.Tell(t.Context(), alice, creds[:2], "Text."); err == nil || len(w.sent) != 1 {
		t.Errorf("%v, %d were sent", err, len(w.sent))
	}
}

// TestCountryTakenOff: numbers set up before are sent to no more.
func TestCountryTakenOff(t *testing.T) {
	w := newWorld()
	f := w.factor(t)
	creds := []mfa.Credential{w.enrol(t, f, alice, mobile)}
	u := alice
	u.Options = map[string]string{"sms.countries": "AT"}
	w.sent, w.quota.names = nil, nil
	_, err := f.Challenge(t.Context(), u, creds)
	told := f.Tell(t.Context(), u, creds, "Text.")
	if !refused(err, mfa.Country) || !refused(told, mfa.Country) || len(w.sent) != 0 || len(w.quota.names) != 0 {
		t.Errorf("%v, %v; %d were sent", err, told, len(w.sent))
	}
}

func TestIn(t *testing.T) {
	w := newWorld()
	good := Factor{Sender: w, Countries: []string{"de", " AT", "DE"}}
	if f := in(t, good, w.host()); !slices.Equal(f.Countries, []string{"DE", "AT"}) {
		t.Errorf("%q", f.Countries)
	}
	for want, change := range map[string]func(*Factor, *mfa.Host){
		"Sender":        func(f *Factor, _ *mfa.Host) { f.Sender = nil },
		"Countries is":  func(f *Factor, _ *mfa.Host) { f.Countries = nil },
		`"Germany"`:     func(f *Factor, _ *mfa.Host) { f.Countries = []string{"DE", "Germany"} },
		`"001"`:         func(f *Factor, _ *mfa.Host) { f.Countries = []string{"001"} },
		`""`:            func(f *Factor, _ *mfa.Host) { f.Countries = []string{""} },
		"Budget is -1":  func(f *Factor, _ *mfa.Host) { f.Budget = -1 },
		"no issuer":     func(_ *Factor, h *mfa.Host) { h.Issuer = nil },
		"has no issuer": func(_ *Factor, h *mfa.Host) { h.Issuer = &url.URL{Path: "/x"} },
		"lacks a key":   func(_ *Factor, h *mfa.Host) { h.Key = nil },
		"a quota":       func(_ *Factor, h *mfa.Host) { h.Quota = nil },
		"its words":     func(_ *Factor, h *mfa.Host) { h.Say = nil },
		"not of the 32": func(_ *Factor, h *mfa.Host) { h.Key = func(string, int) []byte { return []byte("short") } },
	} {
		f, h := good, w.host()
		change(&f, &h)
		if _, err := f.In(h); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s: %v", want, err)
		}
	}
	for _, call := range []func() error{
		func() error { _, err := good.Enroll(t.Context(), alice, mobile); return err },
		func() error { _, err := good.Challenge(t.Context(), alice, nil); return err },
		func() error { _, err := good.Repeat(t.Context(), alice, mfa.Challenge{}); return err },
		func() error { _, err := good.Verify(t.Context(), alice, nil, mfa.Challenge{}, "123456"); return err },
		func() error { return good.Tell(t.Context(), alice, nil, "Text.") },
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), "call In first") {
			t.Errorf("outside of a deployment: %v", err)
		}
	}
}

// reporting is a gateway that reports, as whoever calls says.
type reporting struct{ *world }

func (reporting) Report(_ *http.Request, public string) (Report, error) { return Whose(public) }

func TestCallback(t *testing.T) {
	w := newWorld()
	h := w.host()
	f := in(t, Factor{Sender: reporting{w}, Countries: []string{"DE"}}, h)
	u := mfa.User{Tenant: "a&tenant=b", ID: "al ice"}
	if _, err := f.Enroll(t.Context(), u, mobile); err != nil {
		t.Fatal(err)
	}
	m, _ := w.last(t)
	if !strings.HasPrefix(m.Callback, "https://login.Example.com:8443/callbacks/sms?message="+m.ID+"&") {
		t.Errorf("%s", m.Callback)
	}
	if got, err := f.Report(nil, m.Callback); err != nil || got != (Report{ID: m.ID, Tenant: u.Tenant, User: u.ID}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, forged := range []string{
		"", "https://x/callbacks/sms", "https://x/?message=a&tenant=b", "https://x/?message=a&tenant=b&user=",
		"https://x/?message=a&tenant=b&user=c&user=d", "https://x/?message=a&tenant=b&user=c&more=d", "https://x/?message=%zz&tenant=b&user=c", "\x7f",
	} {
		if _, err := f.Report(nil, forged); !errors.Is(err, ErrForged) {
			t.Errorf("%q: %v", forged, err)
		}
	}
	// A gateway can't reach development on one machine, and one that makes no reports is not asked for them.
	asked := []Factor{w.factor(t)}
	for _, issuer := range []url.URL{{Scheme: "http", Host: "login.example.com"}, {Scheme: "https", Host: "LOCALHOST:8443"}, {Scheme: "https", Host: "a.localhost"}, {Scheme: "https", Host: "[::1]"}} {
		h.Issuer = &issuer
		asked = append(asked, in(t, Factor{Sender: reporting{w}, Countries: []string{"DE"}}, h))
	}
	for _, f := range asked {
		w.now = w.now.Add(time.Hour)
		if _, err := f.Enroll(t.Context(), alice, mobile); err != nil {
			t.Fatal(err)
		}
		if m, _ := w.last(t); m.Callback != "" {
			t.Errorf("%s", m.Callback)
		}
	}
	if _, err := w.factor(t).Report(nil, m.Callback); !errors.Is(err, ErrForged) {
		t.Errorf("a report of nobody: %v", err)
	}
}

func pack(t testing.TB, v any) []byte {
	t.Helper()
	b, err := mfa.Pack(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func isRefused(err error) bool {
	_, ok := errors.AsType[*mfa.Refused](err)
	return ok
}

func refused(err error, reason mfa.Refusal) bool {
	r, ok := errors.AsType[*mfa.Refused](err)
	return ok && r.Reason == reason
}

func until(err error) time.Time {
	if r, ok := errors.AsType[*mfa.Refused](err); ok {
		return r.Until
	}
	return time.Time{}
}

// reason says in which way an answer was wrong.
func reason(err error) mfa.Reason {
	if w, ok := errors.AsType[*mfa.Wrong](err); ok {
		return w.Reason
	}
	return ""
}

// TestRecordsStaySmall: however often a code is asked for and given, where a deployment's limits allow it.
func TestRecordsStaySmall(t *testing.T) {
	w := newWorld()
	w.quota.free = true
	f := w.factor(t)
	creds := []mfa.Credential{w.enrol(t, f, alice, mobile)}
	for range 20 {
		ch, err := f.Challenge(t.Context(), alice, creds)
		if err != nil {
			t.Fatal(err)
		}
		_, first := w.last(t)
		for range 9 {
			if ch, err = f.Repeat(t.Context(), alice, ch); err != nil {
				t.Fatal(err)
			}
		}
		_, last := w.last(t)
		if _, err := f.Verify(t.Context(), alice, creds, ch, first); reason(err) != mfa.Mismatch {
			t.Errorf("the first of ten codes: %v", err)
		}
		if creds[0], err = f.Verify(t.Context(), alice, creds, ch, last); err != nil {
			t.Fatal(err)
		}
		if len(ch.State) > 2000 || len(creds[0].Data) > 600 {
			t.Fatalf("a state of %d bytes, a credential of %d", len(ch.State), len(creds[0].Data))
		}
		w.now = w.now.Add(2 * time.Minute)
	}
	var a asked
	ch, err := f.Challenge(t.Context(), alice, creds)
	if err != nil {
		t.Fatal(err)
	}
	_, right := w.last(t)
	if err := mfa.Unpack(ch.State, &a); err != nil {
		t.Fatal(err)
	}
	a.Codes = slices.Repeat(a.Codes, mostCodes+1)
	if _, err := f.Verify(t.Context(), alice, creds, mfa.Challenge{State: pack(t, a)}, right); err == nil {
		t.Error("a state with more codes than are ever sent was taken")
	}
}
