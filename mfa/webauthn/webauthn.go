package webauthn

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/sallyport-id/sallyport/mfa"
)

// ID is the factor's ID.
const ID = "webauthn"

// Life is how long a challenge can be answered.
const Life = 5 * time.Minute

// Notes that this factor sets in mfa.Credential.Note.
const (
	// NoteSynced: the passkey can be on several devices (backup eligibility, WebAuthn section 6.1.3).
	NoteSynced = "synced"
	// NoteDevice: it can't leave the device that it was made on.
	NoteDevice = "device"
	// NoteCopied: its counter went back, so there may be a second copy of it (section 6.1.1). It stays noted.
	NoteCopied = "copied"
)

// Factor registers passkeys and checks their assertions. User verification is always required, so that a passkey is a
// whole sign-in. It works only after In told it the deployment.
//
// AAGUIDs and Roots are a policy: passkeys that were registered before it was set, and don't meet it, are not accepted
// any more.
type Factor struct {
	// AAGUIDs, if any, are the models of authenticators that are allowed, written as UUIDs. Registration then asks for
	// an attestation, which must verify. Passkeys that are synced have none, and are thereby not allowed.
	AAGUIDs []string
	// Roots are the certificates of the makers that an attestation must lead to. Without them the list is a
	// convention: it keeps out what people register unthinkingly, but software can claim any AAGUID. With them what is
	// registered is hardware, and Info says so.
	Roots *x509.CertPool
	// RPID is the relying party ID: the issuer's host, which is the default, or a domain above it. Passkeys can't move
	// to another.
	RPID string
	// Now is the clock; nil means the deployment's.
	Now func() time.Time

	// What In finds out.
	origin  string
	lib     *webauthn.WebAuthn
	allowed [][]byte
	logger  *slog.Logger
}

var (
	_ mfa.Factor     = Factor{}
	_ mfa.Guest      = Factor{}
	_ mfa.Discoverer = Factor{}
)

// Info implements mfa.Factor. Its AMR is what a passkey earns at least; Verify returns what it did earn.
func (f Factor) Info() mfa.Info {
	return mfa.Info{
		ID:                ID,
		Name:              "Passkey",
		AMR:               []string{"swk", "user"},
		PhishingResistant: true,
		Hardware:          len(f.AAGUIDs) > 0 && f.Roots != nil,
		Input:             mfa.Input{Script: true},
	}
}

// Possible tells whether browsers make passkeys for pages of issuer: those of a domain over TLS, and of localhost.
func Possible(issuer *url.URL) bool { return possible(issuer) == nil }

func possible(issuer *url.URL) error {
	if issuer == nil {
		return errors.New("there is no issuer")
	}
	host := strings.ToLower(issuer.Hostname())
	local := host == "localhost" || strings.HasSuffix(host, ".localhost")
	if issuer.Scheme != "https" && (issuer.Scheme != "http" || !local) {
		return fmt.Errorf("browsers make no passkeys for %s: it is neither https nor localhost", issuer)
	}
	if err := protocol.ValidateRPID(host); err != nil {
		return fmt.Errorf("browsers make no passkeys for %s: they need a domain name: %w", issuer, err)
	}
	return nil
}

// In implements mfa.Guest. It fails where Possible is false, and where the fields don't fit the deployment.
func (f Factor) In(h mfa.Host) (mfa.Factor, error) {
	if err := possible(h.Issuer); err != nil {
		return nil, fmt.Errorf("webauthn: %w", err)
	}
	host := strings.ToLower(h.Issuer.Hostname())
	if f.RPID == "" {
		f.RPID = host
	}
	if err := protocol.ValidateRPID(f.RPID); err != nil {
		return nil, fmt.Errorf("webauthn: Factor.RPID %q: %w", f.RPID, err)
	}
	if host != f.RPID && !strings.HasSuffix(host, "."+f.RPID) {
		return nil, fmt.Errorf("webauthn: Factor.RPID %q is neither the issuer's host %q nor above it", f.RPID, host)
	}
	f.origin = originOf(h.Issuer)
	f.allowed = nil
	for _, s := range f.AAGUIDs {
		id, err := parseAAGUID(s)
		if err != nil {
			return nil, err
		}
		f.allowed = append(f.allowed, id)
	}
	if f.Roots != nil && len(f.allowed) == 0 {
		return nil, errors.New("webauthn: Factor.Roots without AAGUIDs would be looked at by nobody")
	}
	if f.Now == nil {
		f.Now = h.Now
	}
	if f.Now == nil {
		f.Now = time.Now
	}
	if f.logger = h.Logger; f.logger == nil {
		f.logger = slog.New(slog.DiscardHandler)
	}
	lib, err := f.library(h.Product)
	if err != nil {
		return nil, err
	}
	f.lib = lib
	return f, nil
}

// library is go-webauthn with the settings that it does not have by itself. What it leaves to its caller is checked
// here: that a challenge is young, answered once, and by a counter that rises.
func (f Factor) library(product string) (*webauthn.WebAuthn, error) {
	if product == "" {
		product = f.RPID
	}
	attestation := protocol.PreferNoAttestation
	if len(f.allowed) > 0 {
		attestation = protocol.PreferDirectAttestation
	}
	timeout := webauthn.TimeoutConfig{Timeout: Life, TimeoutUVD: Life}
	lib, err := webauthn.New(&webauthn.Config{
		RPID:                  f.RPID,
		RPDisplayName:         product,
		RPOrigins:             []string{f.origin},
		AttestationPreference: attestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: protocol.ResidentKeyRequired(),
			ResidentKey:        protocol.ResidentKeyRequirementRequired,
			UserVerification:   protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: timeout, Registration: timeout},
		// Password managers add results of extensions that nobody asked for. None is looked at (section 7.1, step 17).
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("webauthn: setting up: %w", err)
	}
	return lib, nil
}

// originOf is u's origin as browsers write it: without the port that goes without saying.
func originOf(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return u.Scheme + "://" + host
	}
	return u.Scheme + "://" + host + ":" + port
}

// algorithms are the signatures that are accepted, the preferred one first: ES256 and EdDSA for their speed, RS256 for
// the TPMs of Windows.
func algorithms() []protocol.CredentialParameter {
	var list []protocol.CredentialParameter
	for _, a := range []webauthncose.COSEAlgorithmIdentifier{webauthncose.AlgES256, webauthncose.AlgEdDSA, webauthncose.AlgRS256} {
		list = append(list, protocol.CredentialParameter{Type: protocol.PublicKeyCredentialType, Algorithm: a})
	}
	return list
}

// ready refuses to work outside of a deployment, or for nobody.
func (f Factor) ready(u mfa.User) error {
	if f.lib == nil {
		return errNotIn
	}
	if u.Tenant == "" || u.ID == "" {
		return errors.New("webauthn: the user has no tenant or no ID")
	}
	return nil
}

// may tells whether the policy of AAGUIDs and Roots lets r in.
func (f Factor) may(r record) bool {
	if len(f.allowed) == 0 {
		return true
	}
	listed := slices.ContainsFunc(f.allowed, func(id []byte) bool { return bytes.Equal(id, r.AAGUID) })
	return listed && r.Attested >= f.wanted()
}
