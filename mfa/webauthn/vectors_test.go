package webauthn

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/sallyport-id/sallyport/mfa"
)

// octets are written in hexadecimal, as in the specification.
type octets []byte

func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.DecodeString(string(text))
	return err
}

// vector is one of the test vectors of WebAuthn Level 3, section 16.
type vector struct {
	Section, Name, Format string
	ID, Key               octets
	Registration          struct{ Challenge, ClientData, AttestationObject octets }
	Assertion             struct{ Challenge, ClientData, AuthenticatorData, Signature octets }
}

// vectors returns them and the certificate of section 16.1.
func vectors(t testing.TB) ([]vector, *x509.CertPool) {
	t.Helper()
	b, err := os.ReadFile("testdata/w3c.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Root    octets
		Vectors []vector
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(file.Root)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return file.Vectors, pool
}

var (
	alice    = mfa.User{Tenant: "acme", ID: "alice", Account: "alice@example.com"}
	noon     = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	w3cClock = func() time.Time { return noon }
)

const w3cIssuer = "https://example.org"

// response writes an answer as PublicKeyCredential.toJSON does.
func response(t testing.TB, id []byte, members map[string][]byte) string {
	t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	r := map[string]string{}
	for name, value := range members {
		r[name] = b64(value)
	}
	b, err := json.Marshal(map[string]any{
		"id": b64(id), "rawId": b64(id), "type": "public-key", "response": r, "clientExtensionResults": map[string]any{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (v vector) register(t testing.TB, f Factor) (mfa.Credential, error) {
	t.Helper()
	state, err := mfa.Pack(state{Factor: ID, For: forSetup, Tenant: alice.Tenant, User: alice.ID, Challenge: v.Registration.Challenge, Put: noon})
	if err != nil {
		t.Fatal(err)
	}
	return f.Confirm(context.Background(), alice, mfa.Challenge{State: state}, v.creation(t))
}

func (v vector) creation(t testing.TB) string {
	return response(t, v.ID, map[string][]byte{
		"clientDataJSON": v.Registration.ClientData, "attestationObject": v.Registration.AttestationObject,
	})
}

// verify checks the assertion, with the record that the registration makes.
func (v vector) verify(t testing.TB, f Factor) (mfa.Credential, error) {
	t.Helper()
	s, err := mfa.Pack(state{
		Factor: ID, For: forSignIn, Tenant: alice.Tenant, User: alice.ID,
		Challenge: v.Assertion.Challenge, Put: noon, Allowed: [][]byte{v.ID},
	})
	if err != nil {
		t.Fatal(err)
	}
	flags := protocol.AuthenticatorFlags(v.Assertion.AuthenticatorData[32])
	c, err := record{
		Tenant: alice.Tenant, User: alice.ID, ID: v.ID, Key: v.Key, Format: v.Format,
		Eligible: flags.HasBackupEligible(), BackedUp: flags.HasBackupState(),
	}.keep(mfa.Credential{ID: "c", Left: -1})
	if err != nil {
		t.Fatal(err)
	}
	return f.Verify(context.Background(), alice, []mfa.Credential{c}, mfa.Challenge{State: s}, response(t, v.ID, map[string][]byte{
		"clientDataJSON": v.Assertion.ClientData, "authenticatorData": v.Assertion.AuthenticatorData, "signature": v.Assertion.Signature,
	}))
}

// TestPublishedVectors: of the vectors those are accepted that verified the user, with an algorithm that was asked for,
// on a page that no other embeds. The TPM and the Android key of the vectors are of no real maker, and the library takes
// no statement of such.
func TestPublishedVectors(t *testing.T) {
	f := in(t, Factor{}, w3cIssuer, w3cClock)
	registered := map[string]bool{"16.3": true, "16.7": true, "16.10": true}
	asserted := map[string]bool{"16.6": true, "16.7": true, "16.13": true}
	list, _ := vectors(t)
	if len(list) != 14 {
		t.Fatalf("there are %d vectors", len(list))
	}
	for _, v := range list {
		t.Run(v.Section+" "+v.Name, func(t *testing.T) {
			c, err := v.register(t, f)
			expect(t, "registration", registered[v.Section], c, err)
			if v.Name == "PackedES384" || v.Name == "PackedES512" {
				return // never registered, so there is nothing to assert with
			}
			c, err = v.verify(t, f)
			expect(t, "assertion", asserted[v.Section], c, err)
			if !asserted[v.Section] {
				return
			}
			for what, part := range map[string]octets{
				"signature": v.Assertion.Signature, "client data": v.Assertion.ClientData, "authenticator data": v.Assertion.AuthenticatorData,
			} {
				part[len(part)-1] ^= 1
				if c, err = v.verify(t, f); !errors.Is(err, mfa.ErrWrong) {
					t.Errorf("with one bit of the %s flipped: %q, %v", what, c.ID, err)
				}
				part[len(part)-1] ^= 1
			}
		})
	}
}

func expect(t *testing.T, what string, accepted bool, c mfa.Credential, err error) {
	t.Helper()
	switch {
	case accepted && (err != nil || len(c.Data) == 0):
		t.Errorf("the %s is refused: %v", what, err)
	case !accepted && !errors.Is(err, mfa.ErrWrong):
		t.Errorf("the %s: %v, want ErrWrong", what, err)
	}
}

// The models of the vectors.
const (
	modelES256 = "876ca4f5-2071-c3e9-b255-09ef2cdf7ed6"
	modelOther = "428f8878-298b-9862-a36a-d8c7527bfef2"
	modelSelf  = "df850e09-db6a-fbdf-ab51-697791506cfc"
)

// TestAttestation: with a list of models, what a passkey says of its model must be attested, and with Roots by its
// maker.
func TestAttestation(t *testing.T) {
	list, roots := vectors(t)
	bySection := map[string]vector{}
	for _, v := range list {
		bySection[v.Section] = v
	}
	self, full := bySection["16.3"], bySection["16.7"]
	for _, c := range []struct {
		name     string
		factor   Factor
		v        vector
		accepted bool
	}{
		{"listed, and by its maker", Factor{AAGUIDs: []string{modelES256}, Roots: roots}, full, true},
		{"one of two that are listed", Factor{AAGUIDs: []string{modelOther, modelES256}, Roots: roots}, full, true},
		{"listed, without roots", Factor{AAGUIDs: []string{modelES256}}, full, true},
		{"not listed", Factor{AAGUIDs: []string{modelOther}, Roots: roots}, full, false},
		{"not listed, without roots", Factor{AAGUIDs: []string{modelOther}}, full, false},
		{"listed, by another maker", Factor{AAGUIDs: []string{modelES256}, Roots: x509.NewCertPool()}, full, false},
		{"listed, by itself", Factor{AAGUIDs: []string{modelSelf}}, self, true},
		{"listed, by itself, where the maker must", Factor{AAGUIDs: []string{modelSelf}, Roots: roots}, self, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := in(t, c.factor, w3cIssuer, w3cClock)
			if got := f.Info().Hardware; got != (c.factor.Roots != nil) {
				t.Errorf("Hardware is %v", got)
			}
			got, err := c.v.register(t, f)
			expect(t, "registration", c.accepted, got, err)
		})
	}
}

// TestCertificateOfTPM: it leads to the maker though it has a critical extension that Go's verifier doesn't know.
func TestCertificateOfTPM(t *testing.T) {
	list, roots := vectors(t)
	i := slices.IndexFunc(list, func(v vector) bool { return v.Format == "tpm" })
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(list[i].creation(t)))
	if err != nil {
		t.Fatal(err)
	}
	for want, pool := range map[attested]*x509.CertPool{attestedByMaker: roots, attestedNot: x509.NewCertPool()} {
		f := in(t, Factor{AAGUIDs: []string{modelES256}, Roots: pool}, w3cIssuer, w3cClock)
		if got, err := f.attest(parsed.Response.AttestationObject); got != want || (err == nil) != (want == attestedByMaker) {
			t.Errorf("attested %d, %v; want %d", got, err, want)
		}
	}
}
