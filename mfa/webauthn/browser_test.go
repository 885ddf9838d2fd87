package webauthn

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"testing"
	"time"

	virtual "github.com/descope/virtualwebauthn"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/mfatest"
)

const issuer = mfatest.Issuer

// in returns the factor as a deployment at the issuer has it.
func in(t testing.TB, f Factor, issuer string, now func() time.Time) Factor {
	t.Helper()
	u, err := url.Parse(issuer)
	if err != nil {
		t.Fatal(err)
	}
	h := mfatest.Host(now)
	h.Issuer = u
	got, err := f.In(h)
	if err != nil {
		t.Fatal(err)
	}
	factor, ok := got.(Factor)
	if !ok {
		t.Fatalf("In returned a %T", got)
	}
	return factor
}

// browser is a page with one authenticator, which makes one passkey at a time.
type browser struct {
	virtual.RelyingParty
	auth    virtual.Authenticator
	passkey virtual.Credential
}

func newBrowser(options virtual.AuthenticatorOptions) *browser {
	b := &browser{
		RelyingParty: virtual.RelyingParty{ID: "login.example.com", Name: "Example", Origin: issuer},
		auth:         virtual.NewAuthenticatorWithOptions(options),
	}
	b.passkey = newKey(virtual.KeyTypeEC2)
	return b
}

// newKey makes a passkey. The virtual authenticator writes a coordinate that begins with zeros too short, which no
// server takes: such a key is thrown away.
func newKey(kind virtual.KeyType) virtual.Credential {
	const whole = 77
	for {
		k := virtual.NewCredential(kind)
		if kind != virtual.KeyTypeEC2 || len(k.Key.AttestationData()) == whole {
			return k
		}
	}
}

// create answers a question of Enroll.
func (b *browser) create(t testing.TB, ch mfa.Challenge) string {
	t.Helper()
	options, err := virtual.ParseAttestationOptions(string(ch.Prompt.Options))
	if err != nil {
		t.Fatal(err)
	}
	b.auth.Options.UserHandle = []byte(options.UserID)
	return virtual.CreateAttestationResponse(b.RelyingParty, b.auth, b.passkey, *options)
}

// get answers a question of Challenge or Discover.
func (b *browser) get(t testing.TB, ch mfa.Challenge) string {
	t.Helper()
	options, err := virtual.ParseAssertionOptions(string(ch.Prompt.Options))
	if err != nil {
		t.Fatal(err)
	}
	if len(options.AllowCredentials) > 0 && !b.passkey.IsAllowedForAssertion(*options) {
		t.Fatal("the passkey is not asked for")
	}
	return virtual.CreateAssertionResponse(b.RelyingParty, b.auth, b.passkey, *options)
}

// edit changes one member of an answer's response.
func edit(t testing.TB, answer, member string, change func([]byte) []byte) string {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal([]byte(answer), &whole); err != nil {
		t.Fatal(err)
	}
	response, ok := whole["response"].(map[string]any)
	if !ok {
		t.Fatal("the answer has no response")
	}
	text, _ := response[member].(string) // an absent member is an empty one
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	response[member] = base64.RawURLEncoding.EncodeToString(change(raw))
	b, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// flip changes the last bit.
func flip(b []byte) []byte {
	b = slices.Clone(b)
	b[len(b)-1] ^= 1
	return b
}

// spoil makes an answer wrong: the signature of an assertion, the key of a registration.
func spoil(t testing.TB, answer string) string {
	t.Helper()
	var a struct{ Response struct{ Signature string } }
	if err := json.Unmarshal([]byte(answer), &a); err != nil {
		t.Fatal(err)
	}
	if a.Response.Signature != "" {
		return edit(t, answer, "signature", flip)
	}
	return edit(t, answer, "attestationObject", flip)
}
