package webauthn

import (
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
	if _, err := d.Confirm(context.Background(), u, d.setup(u), d.create(d, d.setup(u))); !errors.Is(err, mfa.ErrWrong) {
		d.Fatalf("the answer to another question: %v", err)
	}
	ch := d.setup(u)
	c, err := d.Confirm(context.Background(), u, ch, d.create(d, ch))
	if err != nil {
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
