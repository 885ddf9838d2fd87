package webauthn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	virtual "github.com/descope/virtualwebauthn"

	"github.com/sallyport-id/sallyport/mfa"
)

// TestCounter: one that goes back, or stands still above 0, is refused and noted; the note stays.
func TestCounter(t *testing.T) {
	d := newDesk(t, Factor{}, device)
	d.passkey.Counter = 5
	d.pass("the first")
	for _, count := range []uint32{3, 5, 0} {
		d.passkey.Counter = count
		ch := d.ask()
		answer := d.get(t, ch)
		c, err := d.verify(ch, answer)
		wrong(t, fmt.Sprintf("%d after 5", count), err, mfa.Mismatch)
		if c.ID != d.cred.ID || c.Note != NoteCopied || bytes.Equal(c.Data, d.cred.Data) || c.Whole {
			t.Errorf("%d after 5: %q noted %q, whole %v", count, c.ID, c.Note, c.Whole)
		}
		d.cred = c
		c, err = d.verify(ch, answer)
		wrong(t, "again", err, mfa.Used)
		if c.ID != "" {
			t.Error("a credential with a replay")
		}
	}
	d.passkey.Counter = 6
	if c := d.pass("the next"); c.Note != NoteCopied {
		t.Errorf("a good one takes the warning away: %q", c.Note)
	}
	// Without the key nobody gets a passkey noted.
	d = newDesk(t, Factor{}, device)
	d.passkey.Counter = 5
	d.pass("the first")
	d.passkey.Counter = 3
	ch := d.ask()
	if c, err := d.verify(ch, spoil(t, d.get(t, ch))); c.ID != "" || !errors.Is(err, mfa.ErrWrong) {
		t.Errorf("a forged one that goes back: %q, %v", c.Note, err)
	}
}

// TestFlags: the user must be there and verified, and what can be synced once can be always.
func TestFlags(t *testing.T) {
	for name, change := range map[string]func(*virtual.AuthenticatorOptions){
		"not verified":           func(o *virtual.AuthenticatorOptions) { o.UserNotVerified = true },
		"not there":              func(o *virtual.AuthenticatorOptions) { o.UserNotPresent = true },
		"backed up, not able to": func(o *virtual.AuthenticatorOptions) { o.BackupState = true },
	} {
		d := newDesk(t, Factor{}, device)
		ch, setup := d.ask(), d.setup(alice)
		change(&d.auth.Options)
		_, err := d.verify(ch, d.get(t, ch))
		wrong(t, name, err, mfa.Mismatch)
		discovery := d.discover()
		_, err = d.verify(discovery, d.get(t, discovery))
		wrong(t, name+", discovered", err, mfa.Mismatch)
		_, err = d.Confirm(context.Background(), alice, setup, d.create(t, setup))
		wrong(t, name+", at set-up", err, mfa.Mismatch)
	}
	d := newDesk(t, Factor{}, device)
	d.auth.Options.BackupEligible = true
	ch := d.ask()
	_, err := d.verify(ch, d.get(t, ch))
	wrong(t, "a device's passkey that can be synced all at once", err, mfa.Mismatch)
}

// TestOrigin: a page elsewhere gets no answer that is right here.
func TestOrigin(t *testing.T) {
	for _, origin := range []string{
		"https://login.example.com.evil.example", "https://evil.example", "http://login.example.com", "https://example.com",
		"https://login.example.com:8443", "https://login.example.com:443", "https://LOGIN.example.com", "https://login.example.com/",
		"https://www.login.example.com", "login.example.com", "null", "", "android:apk-key-hash:AAAA",
	} {
		d := newDesk(t, Factor{}, device)
		ch, setup := d.ask(), d.setup(alice)
		d.Origin = origin
		_, err := d.verify(ch, d.get(t, ch))
		wrong(t, origin, err, mfa.Mismatch)
		_, err = d.Confirm(context.Background(), alice, setup, d.create(t, setup))
		wrong(t, origin+" at set-up", err, mfa.Mismatch)
	}
	for _, id := range []string{"example.com", "evil.example", ""} {
		d := newDesk(t, Factor{}, device)
		ch, setup := d.ask(), d.setup(alice)
		d.RelyingParty.ID = id
		_, err := d.verify(ch, d.get(t, ch))
		wrong(t, "RP ID "+id, err, mfa.Mismatch)
		_, err = d.Confirm(context.Background(), alice, setup, d.create(t, setup))
		wrong(t, "RP ID "+id+" at set-up", err, mfa.Mismatch)
	}
	// The port that goes without saying does so in the issuer too.
	for at, origin := range map[string]string{
		"https://Login.Example.com:443/": "https://login.example.com", "https://login.example.com:8443": "https://login.example.com:8443",
		"http://localhost:80": "http://localhost", "http://localhost:8080/id": "http://localhost:8080",
	} {
		if got := in(t, Factor{}, at, w3cClock).origin; got != origin {
			t.Errorf("%s has the origin %s", at, got)
		}
	}
}

// TestWhoseAnswer: a passkey signs in its owner only, whatever the answer says.
func TestWhoseAnswer(t *testing.T) {
	ctx := context.Background()
	d := newDesk(t, Factor{}, device)
	bob := mfa.User{Tenant: "acme", ID: "bob"}
	his := *d.browser
	his.passkey = newKey(virtual.KeyTypeEC2)
	setup := d.setup(bob)
	bobs, err := d.Confirm(ctx, bob, setup, his.create(t, setup))
	if err != nil {
		t.Fatal(err)
	}
	ch := d.discover()
	_, err = d.Verify(ctx, alice, []mfa.Credential{d.cred}, ch, his.get(t, ch))
	wrong(t, "bob's answer as alice", err, mfa.Mismatch)

	d.auth.Options.UserHandle = his.auth.Options.UserHandle
	named := d.get(t, ch)
	if tenant, user, err := d.Whose(named); err != nil || tenant != "acme" || user != "bob" {
		t.Errorf("the answer names %s/%s, %v", tenant, user, err)
	}
	_, err = d.Verify(ctx, bob, []mfa.Credential{bobs}, ch, named)
	wrong(t, "alice's passkey that names bob, as bob", err, mfa.Mismatch)
	_, err = d.verify(ch, named)
	wrong(t, "alice's passkey that names bob, as alice", err, mfa.Mismatch)
	asked := d.ask()
	_, err = d.verify(asked, d.get(t, asked))
	wrong(t, "alice's passkey that names bob, as second step", err, mfa.Mismatch)

	d.auth.Options.UserHandle = nil
	_, err = d.verify(ch, d.get(t, ch))
	wrong(t, "an answer that names nobody", err, mfa.Mismatch)
	_, _, err = d.Whose(d.get(t, ch))
	wrong(t, "whose is an answer that names nobody", err, mfa.Mismatch)
	// As second step it need name nobody: it was asked for.
	asked = d.ask()
	if _, err = d.verify(asked, d.get(t, asked)); err != nil {
		t.Errorf("an answer that names nobody, as second step: %v", err)
	}
}

// TestAskedFor: only the passkeys that were asked for answer.
func TestAskedFor(t *testing.T) {
	d := newDesk(t, Factor{}, device)
	ch := d.ask()
	first := d.passkey
	d.passkey = newKey(virtual.KeyTypeEC2)
	later := d.enrol(alice)
	options, err := virtual.ParseAssertionOptions(string(ch.Prompt.Options))
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Verify(context.Background(), alice, []mfa.Credential{d.cred, later}, ch,
		virtual.CreateAssertionResponse(d.RelyingParty, d.auth, d.passkey, *options))
	wrong(t, "a passkey that was made after the question", err, mfa.Mismatch)
	// One that was removed since is no answer either, but not in the way of the other.
	both, err := d.Challenge(context.Background(), alice, []mfa.Credential{d.cred, later})
	if err != nil {
		t.Fatal(err)
	}
	answer := d.get(t, both)
	_, err = d.verify(both, answer)
	wrong(t, "a passkey that was removed", err, mfa.Mismatch)
	d.passkey = first
	if _, err = d.verify(both, d.get(t, both)); err != nil {
		t.Errorf("the other: %v", err)
	}
}

// TestReplay: an answer that was right once is so never again, also when others came between, and with a passkey whose
// counter doesn't count.
func TestReplay(t *testing.T) {
	d := newDesk(t, Factor{}, synced)
	type sent struct {
		ch     mfa.Challenge
		answer string
	}
	var all []sent
	for i := range 3 * mostSpent {
		d.now = d.now.Add(time.Second)
		ch := d.ask()
		if i%2 == 1 {
			ch = d.discover()
		}
		answer := d.get(t, ch)
		c, err := d.verify(ch, answer)
		if err != nil {
			t.Fatalf("sign-in %d: %v", i, err)
		}
		d.cred = c
		all = append(all, sent{ch, answer})
		for _, s := range all {
			if c, err := d.verify(s.ch, s.answer); !errors.Is(err, mfa.ErrWrong) || c.ID != "" {
				t.Fatalf("a replay after %d: %v", i, err)
			}
		}
	}
	r, err := open(d.cred, alice)
	if err != nil || len(r.Spent) != mostSpent {
		t.Errorf("%d are remembered, %v", len(r.Spent), err)
	}
	d.now = d.now.Add(Life)
	d.pass("later")
	if r, err = open(d.cred, alice); err != nil || len(r.Spent) != 1 {
		t.Errorf("%d are remembered when their life is over, %v", len(r.Spent), err)
	}
}

func TestOrderOfAnswers(t *testing.T) {
	d := newDesk(t, Factor{}, synced)
	first := d.ask()
	d.now = d.now.Add(time.Minute)
	d.pass("the second question")
	if _, err := d.verify(first, d.get(t, first)); err != nil {
		t.Errorf("the first question, which still waits: %v", err)
	}
	d.now = d.now.Add(Life - time.Minute)
	_, err := d.verify(first, d.get(t, first))
	wrong(t, "when its life is over", err, mfa.Expired)
}

func TestSamePasskeyTwice(t *testing.T) {
	d := newDesk(t, Factor{}, device)
	u := alice
	u.Held = []mfa.Credential{d.cred}
	ch := d.setup(u)
	_, err := d.Confirm(context.Background(), u, ch, d.create(t, ch))
	wrong(t, "a passkey that is there already", err, mfa.Used)
}

// TestPolicyAfterwards: passkeys from before a list of models are refused under it.
func TestPolicyAfterwards(t *testing.T) {
	d := newDesk(t, Factor{}, device)
	ch, discovery := d.ask(), d.discover()
	d.Factor = in(t, Factor{AAGUIDs: []string{modelES256}}, issuer, d.Now)
	for _, ch := range []mfa.Challenge{ch, discovery} {
		_, err := d.verify(ch, d.get(t, ch))
		wrong(t, "a passkey of another model", err, mfa.Mismatch)
	}
	if _, err := d.Challenge(context.Background(), alice, []mfa.Credential{d.cred}); !errors.Is(err, errNotAllowed) {
		t.Errorf("the question: %v", err)
	}
	model := fmt.Sprintf("%x", d.auth.Aaguid)
	d.Factor = in(t, Factor{AAGUIDs: []string{model}}, issuer, d.Now)
	d.pass("a passkey of a model that is listed")
}

// TestUnreadableBesideGood: a record that can't be read keeps nobody from another passkey, and isn't called wrong.
func TestUnreadableBesideGood(t *testing.T) {
	ctx := context.Background()
	d := newDesk(t, Factor{}, device)
	broken := mfa.Credential{ID: "broken", Data: []byte("{")}
	both := []mfa.Credential{broken, d.cred}
	ch, err := d.Challenge(ctx, alice, both)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.Verify(ctx, alice, both, ch, d.get(t, ch)); err != nil || got.ID != d.cred.ID {
		t.Errorf("the good passkey: %q, %v", got.ID, err)
	}
	_, err = d.Verify(ctx, alice, []mfa.Credential{broken}, ch, d.get(t, ch))
	if err == nil || errors.Is(err, mfa.ErrWrong) {
		t.Errorf("what may be the broken passkey is called wrong: %v", err)
	}
	keyless, err := open(d.cred, alice)
	if err != nil {
		t.Fatal(err)
	}
	keyless.Key = []byte{0xa0}
	c, err := keyless.keep(d.cred)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = d.Verify(ctx, alice, []mfa.Credential{c}, ch, d.get(t, ch)); err == nil || errors.Is(err, mfa.ErrWrong) {
		t.Errorf("a record without a key: %v", err)
	}
}

// TestMalformed: what is no answer at all is told so.
func TestMalformed(t *testing.T) {
	d := newDesk(t, Factor{}, device)
	ch, setup := d.ask(), d.setup(alice)
	right := d.get(t, ch)
	for answer, want := range map[string]mfa.Reason{
		"":                          mfa.Empty,
		"{":                         mfa.Format,
		"null":                      mfa.Format,
		right + right:               mfa.Format,
		`{"type":"public-key"}`:     mfa.Format,
		strings.Repeat("x", 16<<10): mfa.Format,
		strings.Repeat("x", 17<<10): mfa.Long,
		strings.Replace(right, "public-key", "password", 1):             mfa.Format,
		edit(t, right, "authenticatorData", cut):                        mfa.Format,
		edit(t, right, "clientDataJSON", cut):                           mfa.Format,
		edit(t, right, "signature", cut):                                mfa.Mismatch,
		edit(t, right, "clientDataJSON", rename("webauthn.get", "get")): mfa.Mismatch,
	} {
		_, err := d.verify(ch, answer)
		wrong(t, fmt.Sprintf("%.40q", answer), err, want)
		_, err = d.Confirm(context.Background(), alice, setup, answer)
		if !errors.Is(err, mfa.ErrWrong) {
			t.Errorf("at set-up %.40q: %v", answer, err)
		}
	}
}

func cut(b []byte) []byte { return b[:len(b)-1] }

func rename(from, to string) func([]byte) []byte {
	return func(b []byte) []byte { return bytes.Replace(b, []byte(from), []byte(to), 1) }
}
