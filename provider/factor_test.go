package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/mfatest"
	"github.com/sallyport-id/sallyport/mfa/totp"
	"github.com/sallyport-id/sallyport/storage"
)

// pager is a factor of somebody else's whose challenge has to be remembered: it sends a code of its own for each
// sign-in, and that code is good for five minutes, in that sign-in.
type pager struct {
	now func() time.Time

	mu   sync.Mutex
	sent []string
	// down makes every sending fail.
	down bool
}

// paged is a code on its way, and, once it was typed in, what the credential remembers of the last one.
type paged struct {
	User  string    `json:"user"`
	SetUp bool      `json:"set_up"`
	Code  string    `json:"code"`
	At    time.Time `json:"at"`
}

func (*pager) Info() mfa.Info {
	return mfa.Info{ID: "pager", Name: "Pager", AMR: []string{"otp"}, Input: mfa.Input{Digits: 4}}
}

func (p *pager) page(u mfa.User, setUp bool) (mfa.Challenge, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return mfa.Challenge{}, errors.New("the radio mast is down")
	}
	c := paged{User: u.Tenant + "/" + u.ID, SetUp: setUp, Code: fmt.Sprintf("%04d", 1000+len(p.sent)), At: p.now()}
	p.sent = append(p.sent, c.Code)
	state, err := json.Marshal(c)
	return mfa.Challenge{Prompt: mfa.Prompt{Text: "We paged you.", Target: "•••• 42"}, State: state}, err
}

func readPaged(u mfa.User, data []byte) (paged, error) {
	var c paged
	if err := json.Unmarshal(data, &c); err != nil || c.User != u.Tenant+"/"+u.ID {
		return c, errors.New("pager: not this user's")
	}
	return c, nil
}

func (p *pager) check(u mfa.User, ch mfa.Challenge, setUp bool, answer string) (paged, error) {
	c, err := readPaged(u, ch.State)
	switch {
	case err != nil:
		return c, err
	case c.SetUp != setUp:
		return c, errors.New("pager: a challenge for something else")
	case answer != c.Code:
		return c, &mfa.Wrong{Reason: mfa.Mismatch}
	case p.now().Sub(c.At) >= 5*time.Minute:
		return c, &mfa.Wrong{Reason: mfa.Expired}
	}
	return c, nil
}

func (p *pager) Enroll(_ context.Context, u mfa.User, _ string) (mfa.Challenge, error) {
	return p.page(u, true)
}

func (p *pager) Confirm(_ context.Context, u mfa.User, ch mfa.Challenge, answer string) (mfa.Credential, error) {
	c, err := p.check(u, ch, true, answer)
	if err != nil {
		return mfa.Credential{}, err
	}
	data, err := json.Marshal(c)
	return mfa.Credential{ID: storage.NewID(), Name: "Pager 42", Data: data, Left: -1}, err
}

func (p *pager) Challenge(_ context.Context, u mfa.User, creds []mfa.Credential) (mfa.Challenge, error) {
	if len(creds) == 0 {
		return mfa.Challenge{}, errors.New("pager: the user has no pager")
	}
	return p.page(u, false)
}

func (p *pager) Verify(_ context.Context, u mfa.User, creds []mfa.Credential, ch mfa.Challenge, answer string) (mfa.Credential, error) {
	if len(creds) == 0 {
		return mfa.Credential{}, errors.New("pager: the user has no pager")
	}
	c, err := p.check(u, ch, false, answer)
	if err != nil {
		return mfa.Credential{}, err
	}
	cred := creds[0]
	before, err := readPaged(u, cred.Data)
	if err != nil {
		return mfa.Credential{}, err
	}
	if !c.At.After(before.At) {
		return mfa.Credential{}, &mfa.Wrong{Reason: mfa.Used}
	}
	cred.Data, err = json.Marshal(c)
	return cred, err
}

func (p *pager) last() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent[len(p.sent)-1]
}

func (p *pager) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.sent)
}

// A factor that imports only mfa, and one entry in a list: it is on the sign-in and the security pages, and a
// challenge that it has to remember is put once for each sign-in.
func TestFactorOfSomebodyElse(t *testing.T) {
	pg := &pager{}
	w := newWorld(t, func(c *Config) {
		pg.now = c.Now
		c.Factors = []mfa.Factor{totp.Factor{Now: c.Now}, pg}
	})
	w.user("acme", "robin@acme.example", "staff")
	b := w.browser()
	p := b.get("/account/security").signIn("robin@acme.example").is(atIntro).says("Pager")
	p = p.submit("/set-up/pager").says("We paged you.")
	if p = p.submit("/set-up", "code", "9999"); p.status != 422 {
		t.Fatalf("a wrong code in set-up: %d", p.status)
	}
	p.submit("/set-up", "code", pg.last()).is(atCodes).submit("/codes", "saved", "yes").is(atSecurity).says("Pager 42")

	// Sent on arriving, once; loading again, and looking at the other ways, does not send again.
	w.clock.forward(time.Second)
	b = w.browser()
	sent := pg.count()
	p = b.get("/account/security").signIn("robin@acme.example").says("•••• 42")
	p = b.get(p.url.Path)
	b.get(p.link("/ways")).says("Pager")
	p = b.get(p.url.Path + "/with/pager")
	if got := pg.count() - sent; got != 1 {
		t.Fatalf("%d pages sent for one sign-in", got)
	}
	code := pg.last()

	// Nor does the same page opened many times at once.
	w.clock.forward(time.Second)
	many := w.browser()
	sent = pg.count()
	at, err := many.once(many.get("/account/security").request("/signin", "login", "robin@acme.example", "password", rightPassword))
	if err != nil {
		t.Fatal(err)
	}
	together(t, 8, func(int) error {
		q, err := many.once(many.request(http.MethodGet, at.header.Get("Location"), nil))
		if err == nil && q.status != http.StatusOK {
			err = fmt.Errorf("the page answers %d", q.status)
		}
		return err
	})
	if got := pg.count() - sent; got != 1 {
		t.Errorf("%d pages sent for one sign-in opened eight times at once", got)
	}

	// The same in another browser: its code is of no use in the first.
	w.clock.forward(time.Second)
	b2 := w.browser()
	p2 := b2.get("/account/security").signIn("robin@acme.example")
	if q := p.submit("/with/pager", "code", pg.last()); q.status != 422 {
		t.Errorf("the code of another sign-in: %d", q.status)
	}
	p.submit("/with/pager", "code", code[:2]+" "+code[2:]).is(atSecurity)
	p2.submit("/with/pager", "code", pg.last()).is(atSecurity)

	// Too late is not wrong.
	b = w.browser()
	p = b.get("/account/security").signIn("robin@acme.example")
	w.clock.forward(6 * time.Minute)
	if q := p.submit("/with/pager", "code", pg.last()); q.status != 422 || strings.Contains(q.text(), "isn’t right") {
		t.Errorf("an expired code: %d\n%s", q.status, q.text())
	} else {
		q.says("expired")
	}
}

// A factor that can't make its check lets nobody in, and is no wrong code.
func TestFactorThatFails(t *testing.T) {
	pg := &pager{}
	w := newWorld(t, func(c *Config) {
		pg.now = c.Now
		c.Factors = []mfa.Factor{pg}
	})
	w.user("acme", "robin@acme.example", "staff")
	b := w.browser()
	p := b.get("/account/security").signIn("robin@acme.example").submit("/set-up/pager")
	p.submit("/set-up", "code", pg.last()).submit("/codes", "saved", "yes").is(atSecurity)
	pg.down = true
	for range 7 {
		if p = w.browser().get("/account/security").signIn("robin@acme.example"); p.status != http.StatusServiceUnavailable {
			t.Fatalf("a factor that fails answers %d, want 503", p.status)
		}
	}
	pg.down = false
	w.clock.forward(time.Second)
	// The page of the refusal leads back to where it happened.
	p.b.get(p.says("Try again").link(p.url.Path)).submit("/with/pager", "code", pg.last()).is(atSecurity)
	w.clock.forward(time.Second)
	w.browser().get("/account/security").signIn("robin@acme.example").submit("/with/pager", "code", pg.last()).is(atSecurity)
}

func TestPagerKeepsTheContract(t *testing.T) {
	mfatest.Run(t, mfatest.Case{
		New:      func(_ testing.TB, now func() time.Time) mfa.Factor { return &pager{now: now} },
		Lifetime: 5 * time.Minute,
		Answer: func(_ testing.TB, q mfatest.Question) string {
			var c paged
			if err := json.Unmarshal(q.Asked.State, &c); err != nil {
				return ""
			}
			return c.Code
		},
	})
}

// The pages are there as JSON too, from the same routes.
func TestPagesAsJSON(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("birch", "kim@birch.example")
	b := w.browser()
	p := b.get("/account/security").signIn("kim@birch.example").is(atCode)
	r := b.request(http.MethodGet, p.url.String(), nil)
	r.Header.Set("Accept", "application/json")
	got, err := b.once(r)
	if err != nil {
		t.Fatal(err)
	}
	var code struct {
		Factor struct{ ID string }
		Digits int
		Action string
	}
	if err := json.Unmarshal([]byte(got.body), &code); err != nil || code.Factor.ID != "totp" || code.Digits != 6 {
		t.Fatalf("the code page as JSON: %s (%v)", got.body, err)
	}
	send := func(code string) *page {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.issuer+p.url.Path+"/with/totp", strings.NewReader(`{"code":"`+code+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json")
		got, err := b.once(r)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := send(ph.wrong()); got.status != 422 || !strings.Contains(got.body, `"problem":{"key":"problem.code_wrong"}`) {
		t.Errorf("a wrong code as JSON: %d %s", got.status, got.body)
	}
	if got := send(ph.next()); got.status != 200 || !strings.Contains(got.body, `"next":"/account/security"`) {
		t.Errorf("the right code as JSON: %d %s", got.status, got.body)
	}
}
