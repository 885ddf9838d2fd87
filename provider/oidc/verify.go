package oidc

import (
	"context"
	"encoding/json"
	"errors"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/sallyport-id/sallyport/provider/keys"
)

// maxToken bounds the work on what a stranger shows as a token, in bytes.
const maxToken = 8 << 10

// keySet are our own keys, for tokens of one type.
type keySet struct {
	keys *keys.Keys
	typ  string
}

var errNotOurs = errors.New("oidc: no token of this type that we signed")

// keyFault is a reason of ours why a signature could not be checked.
type keyFault struct{ error }

// VerifySignature implements the engine's KeySet: the key must be the one named, with the algorithm it was made for,
// and the token of the right type.
func (s keySet) VerifySignature(ctx context.Context, jws *jose.JSONWebSignature) ([]byte, error) {
	head := jws.Signatures[0].Protected
	if typ, ok := head.ExtraHeaders[jose.HeaderType].(string); !ok || typ != s.typ {
		return nil, errNotOurs
	}
	public, err := s.keys.Public(ctx)
	if err != nil {
		return nil, keyFault{err}
	}
	for _, k := range public {
		if k.KeyID == head.KeyID && k.Algorithm == head.Algorithm {
			return jws.Verify(k)
		}
	}
	return nil, errNotOurs
}

// verify checks type, signature and issuer, and fills claims. It tells false for what is not ours, and fails where it
// can't be told. Not before the signature is right are the claims read: the engine's own verifiers begin with them, and
// panic at a payload of null.
func (p *Provider) verify(ctx context.Context, token, typ string, claims oidc.Claims) (bool, error) {
	var payload json.RawMessage
	if len(token) > maxToken {
		return false, nil
	}
	raw, err := oidc.ParseToken(token, &payload)
	if err != nil {
		return false, nil
	}
	err = oidc.CheckSignature(ctx, token, raw, ignoreAlg{}, keys.Algs(), keySet{p.c.Keys, typ})
	var fault keyFault
	switch {
	case errors.As(err, &fault):
		return false, fault.error
	case err != nil:
		return false, nil
	}
	if err := json.Unmarshal(raw, claims); err != nil {
		return false, nil
	}
	return oidc.CheckIssuerWithISSVerifier(claims, p.issuer, nil) == nil && claims.GetSubject() != "", nil
}

// ignoreAlg: which of our algorithms it was does not matter.
type ignoreAlg struct{}

// SetSignatureAlgorithm implements the engine's ClaimsSignature.
func (ignoreAlg) SetSignatureAlgorithm(jose.SignatureAlgorithm) {}

// verifyIDToken reads an ID token of ours, however old; nil for anything else.
func (p *Provider) verifyIDToken(ctx context.Context, token string) (*idClaims, error) {
	c := new(idClaims)
	if ok, err := p.verify(ctx, token, typeID, c); err != nil || !ok {
		return nil, err
	}
	return c, nil
}

// verifyAccessToken reads an access token of ours that has not expired; nil for anything else.
func (p *Provider) verifyAccessToken(ctx context.Context, token string) (*accessClaims, error) {
	c := new(accessClaims)
	ok, err := p.verify(ctx, token, typeAccess, c)
	if err != nil || !ok || !p.c.Now().Before(c.GetExpiration()) {
		return nil, err
	}
	return c, nil
}
