package webauthn

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
)

// attested says what stands behind the AAGUID of a passkey.
type attested int

const (
	// attestedNot: nothing; it is what the client says.
	attestedNot attested = iota
	// attestedBySelf: a statement that verifies, by a key of which nobody knows whose it is.
	attestedBySelf
	// attestedByMaker: a statement by a certificate that leads to one of Factor.Roots.
	attestedByMaker
)

// wanted is what must stand behind an AAGUID.
func (f Factor) wanted() attested {
	switch {
	case len(f.allowed) == 0:
		return attestedNot
	case f.Roots == nil:
		return attestedBySelf
	default:
		return attestedByMaker
	}
}

// attest tells what stands behind a's AAGUID. The statement itself is verified already (WebAuthn section 7.1, step 22);
// where its certificates lead is not (steps 23 and 24).
func (f Factor) attest(a protocol.AttestationObject) (attested, error) {
	if a.Format == string(protocol.AttestationFormatNone) {
		return attestedNot, nil
	}
	if f.Roots == nil {
		return attestedBySelf, nil
	}
	chain, err := certificates(a)
	if err != nil {
		return attestedNot, err
	}
	if len(chain) == 0 {
		return attestedBySelf, nil
	}
	leaf, between := chain[0], x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	// Certificates of TPMs name their subject in a critical alternative name (section 8.3.1), which Go's verifier
	// doesn't know and the library has looked at.
	leaf.UnhandledCriticalExtensions = slices.DeleteFunc(leaf.UnhandledCriticalExtensions, func(id asn1.ObjectIdentifier) bool {
		return id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17})
	})
	_, err = leaf.Verify(x509.VerifyOptions{
		Roots:         f.Roots,
		Intermediates: between,
		CurrentTime:   f.Now(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return attestedNot, fmt.Errorf("the attestation's certificate: %w", err)
	}
	return attestedByMaker, nil
}

// certificates are those of a's statement, its own first; none where it attests itself.
func certificates(a protocol.AttestationObject) ([]*x509.Certificate, error) {
	list, ok := a.AttStatement["x5c"].([]any)
	if !ok {
		return nil, nil
	}
	var chain []*x509.Certificate
	for _, entry := range list {
		der, ok := entry.([]byte)
		if !ok {
			return nil, errors.New("the attestation's certificates are no byte strings")
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("the attestation's certificates: %w", err)
		}
		chain = append(chain, c)
	}
	return chain, nil
}

// parseAAGUID reads a UUID. All zeros mean that a model is not told, and so can't be on a list.
func parseAAGUID(s string) ([]byte, error) {
	id, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(id) != 16 || !slices.ContainsFunc(id, func(b byte) bool { return b != 0 }) {
		return nil, fmt.Errorf("webauthn: Factor.AAGUIDs: %q is not the UUID of a model", s)
	}
	return id, nil
}
