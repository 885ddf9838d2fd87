package webauthn

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	virtual "github.com/descope/virtualwebauthn"
	"github.com/fxamacker/cbor/v2"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/mfatest"
)

var (
	device = virtual.AuthenticatorOptions{}
	synced = virtual.AuthenticatorOptions{BackupEligible: true, BackupState: true}
)

func TestContract(t *testing.T) {
	for name, options := range map[string]virtual.AuthenticatorOptions{"device": device, "synced": synced} {
		t.Run(name, func(t *testing.T) {
			browsers := map[string]*browser{} // by set-up
			mfatest.Run(t, mfatest.Case{
				New:      func(testing.TB, func() time.Time) mfa.Factor { return Factor{} },
				Hosted:   true,
				Lifetime: Life,
				Wrong:    func(right string) string { return spoil(t, right) },
				Answer: func(t testing.TB, q mfatest.Question) string {
					b := browsers[string(q.Setup.State)]
					if b == nil {
						b = newBrowser(options)
						browsers[string(q.Setup.State)] = b
					}
					if q.Nth == 0 {
						return b.create(t, q.Asked)
					}
					if !options.BackupEligible { // passkeys that are synced always say 0
						b.passkey.Counter++
					}
					return b.get(t, q.Asked)
				},
			})
		})
	}
}

// desk is a factor in a deployment, with a user who has one passkey.
type desk struct {
	testing.TB
	Factor
	*browser
	user mfa.User
	now  time.Time
	cred mfa.Credential
}

func newDesk(t testing.TB, f Factor, options virtual.AuthenticatorOptions) *desk {
	t.Helper()
	d := &desk{TB: t, user: alice, now: noon, browser: newBrowser(options)}
	d.Factor = in(t, f, issuer, func() time.Time { return d.now })
	d.cred = d.enrol(d.user)
	return d
}

func (d *desk) enrol(u mfa.User) mfa.Credential {
	d.Helper()
	c, err := d.Confirm(context.Background(), u, d.setup(u), d.create(d, d.setup(u)))
	if err == nil {
		d.Fatal("the answer to another question is right")
	}
	ch := d.setup(u)
	if c, err = d.Confirm(context.Background(), u, ch, d.create(d, ch)); err != nil {
		d.Fatal(err)
	}
	return c
}

func (d *desk) setup(u mfa.User) mfa.Challenge {
	d.Helper()
	ch, err := d.Enroll(context.Background(), u, "")
	if err != nil {
		d.Fatal(err)
	}
	return ch
}

func (d *desk) ask() mfa.Challenge {
	d.Helper()
	ch, err := d.Challenge(context.Background(), d.user, []mfa.Credential{d.cred})
	if err != nil {
		d.Fatal(err)
	}
	return ch
}

func (d *desk) discover() mfa.Challenge {
	d.Helper()
	ch, err := d.Discover(context.Background())
	if err != nil {
		d.Fatal(err)
	}
	return ch
}

func (d *desk) verify(ch mfa.Challenge, answer string) (mfa.Credential, error) {
	return d.Verify(context.Background(), d.user, []mfa.Credential{d.cred}, ch, answer)
}

// pass signs in, and keeps what comes of it.
func (d *desk) pass(what string) mfa.Credential {
	d.Helper()
	ch := d.ask()
	c, err := d.verify(ch, d.get(d, ch))
	if err != nil {
		d.Fatalf("%s: %v", what, err)
	}
	d.cred = c
	return c
}

// wrong checks that err is a *mfa.Wrong of that reason.
func wrong(t testing.TB, what string, err error, want mfa.Reason) {
	t.Helper()
	var w *mfa.Wrong
	if !errors.As(err, &w) || w.Reason != want {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}

func TestPossible(t *testing.T) {
	for issuer, want := range map[string]bool{
		"https://login.example.com":      true,
		"https://login.example.com:8443": true,
		"https://Login.Example.COM/id":   true,
		"https://xn--bcher-kva.example":  true,
		"http://localhost:8080":          true,
		"https://localhost":              true,
		"http://app.localhost":           true,
		"http://login.example.com":       false,
		"http://127.0.0.1:8080":          false,
		"https://127.0.0.1":              false,
		"https://[::1]":                  false,
		"https://127.1":                  false,
		"https://10.0.0.300":             false,
		"https://bücher.example":         false,
		"ftp://login.example.com":        false,
		"http://notlocalhost":            false,
		"":                               false,
	} {
		u, err := url.Parse(issuer)
		if err != nil {
			t.Fatal(err)
		}
		if got := Possible(u); got != want {
			t.Errorf("%s: %v", issuer, got)
		}
		h := mfatest.Host(time.Now)
		h.Issuer = u
		if _, err := (Factor{}).In(h); (err == nil) != want {
			t.Errorf("In at %s: %v", issuer, err)
		}
	}
	if Possible(nil) {
		t.Error("nowhere is possible")
	}
}

func TestFieldsThatDoNotFit(t *testing.T) {
	for name, f := range map[string]Factor{
		"another site":          {RPID: "example.org"},
		"a part of a label":     {RPID: "ogin.example.com"},
		"below the issuer":      {RPID: "www.login.example.com"},
		"a URL":                 {RPID: "https://login.example.com"},
		"no UUID":               {AAGUIDs: []string{"yubikey"}},
		"half a UUID":           {AAGUIDs: []string{"876ca4f5-2071"}},
		"the UUID of no model":  {AAGUIDs: []string{"00000000-0000-0000-0000-000000000000"}},
		"roots for no one":      {Roots: x509.NewCertPool()},
		"an address as RP ID":   {RPID: "127.0.0.1"},
		"the last label of all": {RPID: "com"},
	} {
		if _, err := f.In(mfatest.Host(time.Now)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestNothingBeforeIn(t *testing.T) {
	ctx := context.Background()
	_, enroll := Factor{}.Enroll(ctx, alice, "")
	_, confirm := Factor{}.Confirm(ctx, alice, mfa.Challenge{}, "{}")
	_, challenge := Factor{}.Challenge(ctx, alice, nil)
	_, verify := Factor{}.Verify(ctx, alice, nil, mfa.Challenge{}, "{}")
	_, discover := Factor{}.Discover(ctx)
	for _, err := range []error{enroll, confirm, challenge, verify, discover} {
		if !errors.Is(err, errNotIn) {
			t.Errorf("got %v", err)
		}
	}
}

// same compares JSON.
func same(t *testing.T, got []byte, want string) {
	t.Helper()
	var g, w any
	if err := errors.Join(json.Unmarshal(got, &g), json.Unmarshal([]byte(want), &w)); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(g) != fmt.Sprint(w) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// b64 returns base64url of b.
func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func question(t *testing.T, ch mfa.Challenge) string {
	t.Helper()
	var o struct{ Challenge string }
	if err := json.Unmarshal(ch.Prompt.Options, &o); err != nil {
		t.Fatal(err)
	}
	if raw, err := base64.RawURLEncoding.DecodeString(o.Challenge); err != nil || len(raw) < 16 {
		t.Errorf("the challenge has %d bytes, %v", len(raw), err)
	}
	return o.Challenge
}

// TestOptions: the options are in the form that PublicKeyCredential.parseCreationOptionsFromJSON and
// parseRequestOptionsFromJSON take (WebAuthn Level 3, section 5.1), and ask for all that is wanted.
func TestOptions(t *testing.T) {
	d := newDesk(t, Factor{}, synced)
	u := alice
	u.Held = []mfa.Credential{d.cred, {ID: "unreadable", Data: []byte("{")}}
	h, err := handle(u.Tenant, u.ID)
	if err != nil {
		t.Fatal(err)
	}
	passkey := `{"type":"public-key","id":"` + b64(d.passkey.ID) + `"}`

	ch := d.setup(u)
	same(t, ch.Prompt.Options, `{
		"rp":{"id":"login.example.com","name":"Example"},
		"user":{"id":"`+b64(h)+`","name":"alice@example.com","displayName":"alice@example.com"},
		"challenge":"`+question(t, ch)+`","timeout":300000,
		"pubKeyCredParams":[{"type":"public-key","alg":-7},{"type":"public-key","alg":-8},{"type":"public-key","alg":-257}],
		"excludeCredentials":[`+passkey+`],
		"authenticatorSelection":{"residentKey":"required","requireResidentKey":true,"userVerification":"required"},
		"attestation":"none"}`)
	if !ch.Prompt.Input.Script {
		t.Error("a person is to type the answer")
	}
	ch = d.ask()
	same(t, ch.Prompt.Options, `{"challenge":"`+question(t, ch)+`","timeout":300000,"rpId":"login.example.com",
		"allowCredentials":[`+passkey+`],"userVerification":"required"}`)
	ch = d.discover()
	same(t, ch.Prompt.Options, `{"challenge":"`+question(t, ch)+`","timeout":300000,"rpId":"login.example.com",
		"userVerification":"required"}`)

	f := in(t, Factor{AAGUIDs: []string{modelES256}, RPID: "example.com"}, issuer, w3cClock)
	ch, err = f.Enroll(context.Background(), mfa.User{Tenant: "acme", ID: "alice"}, "")
	if err != nil {
		t.Fatal(err)
	}
	var o struct {
		RP          struct{ ID string }
		User        struct{ Name string }
		Attestation string
	}
	if err := json.Unmarshal(ch.Prompt.Options, &o); err != nil || o.RP.ID != "example.com" || o.User.Name != "alice" || o.Attestation != "direct" {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestWhatIsEarned(t *testing.T) {
	for note, want := range map[string]struct {
		options virtual.AuthenticatorOptions
		amr     string
	}{
		NoteDevice: {device, "[hwk user]"},
		NoteSynced: {synced, "[swk user]"},
	} {
		d := newDesk(t, Factor{}, want.options)
		if c := d.cred; c.Note != note || c.Name != "Passkey" || c.Left != -1 || fmt.Sprint(c.AMR) != want.amr || c.Whole {
			t.Errorf("set up: %q %q %d %v %v", c.Note, c.Name, c.Left, c.AMR, c.Whole)
		}
		if c := d.pass(note); c.Note != note || fmt.Sprint(c.AMR) != want.amr || !c.Whole {
			t.Errorf("sign-in: %q %v %v", c.Note, c.AMR, c.Whole)
		}
	}
	if in := (Factor{}).Info(); !in.PhishingResistant || in.Hardware || in.Backup || in.Single {
		t.Errorf("%+v", in)
	}
}

// TestKeysOfOtherKinds: RS256 by the virtual authenticator, EdDSA made by hand.
func TestKeysOfOtherKinds(t *testing.T) {
	d := newDesk(t, Factor{}, device)
	d.passkey = newKey(virtual.KeyTypeRSA)
	d.cred = d.enrol(alice)
	d.passkey.Counter++
	d.pass("RS256")

	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := open(d.cred, alice)
	if err != nil {
		t.Fatal(err)
	}
	if r.Key, err = cbor.Marshal(map[int]any{1: 1, 3: -8, -1: 6, -2: []byte(public)}); err != nil {
		t.Fatal(err)
	}
	if d.cred, err = r.keep(d.cred); err != nil {
		t.Fatal(err)
	}
	d.passkey.Counter++
	ch := d.ask()
	answer := d.get(t, ch)
	var a struct {
		Response struct{ AuthenticatorData, ClientDataJSON string }
	}
	if err := json.Unmarshal([]byte(answer), &a); err != nil {
		t.Fatal(err)
	}
	signed, err := base64.RawURLEncoding.DecodeString(a.Response.AuthenticatorData)
	if err != nil {
		t.Fatal(err)
	}
	client, err := base64.RawURLEncoding.DecodeString(a.Response.ClientDataJSON)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(client)
	signature := ed25519.Sign(private, slices.Concat(signed, sum[:]))
	_, err = d.verify(ch, answer)
	wrong(t, "a signature by another key", err, mfa.Mismatch)
	if _, err = d.verify(ch, edit(t, answer, "signature", func([]byte) []byte { return signature })); err != nil {
		t.Errorf("EdDSA: %v", err)
	}
}

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
