package oidc

import (
	"context"
	"net/http"
	"slices"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/text/language"

	"github.com/sallyport-id/sallyport/provider/keys"
)

// metadata is the provider's description of itself (OpenID Connect Discovery 1.0, section 3; RFC 8414, section 2).
// What stands in it works, and what works stands in it.
type metadata struct {
	oidc.DiscoveryConfiguration
	// PromptValues is of Initiating User Registration via OpenID Connect 1.0, section 4.
	PromptValues []string `json:"prompt_values_supported"`
	// ResponseIssuer is of RFC 9207, section 3.
	ResponseIssuer bool `json:"authorization_response_iss_parameter_supported"`
}

func (p *Provider) describe(locales []language.Tag) metadata {
	authMethods := []oidc.AuthMethod{oidc.AuthMethodBasic, oidc.AuthMethodPost}
	withPublic := append(slices.Clone(authMethods), oidc.AuthMethodNone)
	scopes := []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail, oidc.ScopeOfflineAccess}
	return metadata{
		DiscoveryConfiguration: oidc.DiscoveryConfiguration{
			Issuer:                                    p.issuer,
			AuthorizationEndpoint:                     p.base + pathAuthorize,
			TokenEndpoint:                             p.base + pathToken,
			UserinfoEndpoint:                          p.base + pathUserInfo,
			IntrospectionEndpoint:                     p.base + pathIntrospect,
			RevocationEndpoint:                        p.base + pathRevoke,
			EndSessionEndpoint:                        p.base + pathLogout,
			JwksURI:                                   p.base + pathKeys,
			ScopesSupported:                           append(scopes, p.c.APIScopes...),
			ResponseTypesSupported:                    []string{string(oidc.ResponseTypeCode)},
			ResponseModesSupported:                    []string{string(oidc.ResponseModeQuery), string(oidc.ResponseModeFormPost)},
			GrantTypesSupported:                       []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken, oidc.GrantTypeClientCredentials},
			ACRValuesSupported:                        p.c.ACRs,
			SubjectTypesSupported:                     []string{"public"},
			IDTokenSigningAlgValuesSupported:          keys.Algs(),
			TokenEndpointAuthMethodsSupported:         withPublic,
			RevocationEndpointAuthMethodsSupported:    withPublic,
			IntrospectionEndpointAuthMethodsSupported: authMethods,
			ClaimsSupported:                           claimNames(),
			ClaimsParameterSupported:                  true,
			CodeChallengeMethodsSupported:             []oidc.CodeChallengeMethod{oidc.CodeChallengeMethodS256},
			UILocalesSupported:                        locales,
		},
		PromptValues:   []string{oidc.PromptNone, oidc.PromptLogin, oidc.PromptSelectAccount},
		ResponseIssuer: true,
	}
}

// publicly lets caches keep an answer for some minutes, which is far less than keys are published ahead.
func publicly(data any) *op.Response {
	res := op.NewResponse(data)
	res.Header.Set("Cache-Control", "public, max-age=300")
	return res
}

// Discovery answers with the provider's description of itself.
func (s *server) Discovery(context.Context, *op.Request[struct{}]) (*op.Response, error) {
	return publicly(s.p.about), nil
}

// Keys answers with the public keys as JWK set (RFC 7517, section 5).
func (s *server) Keys(ctx context.Context, _ *op.Request[struct{}]) (*op.Response, error) {
	public, err := s.p.c.Keys.Public(ctx)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return publicly(jose.JSONWebKeySet{Keys: public}), nil
}

// Metadata answers with the same description for those who look where RFC 8414, section 3.1, has it. For an issuer
// with a path that is a place outside of the issuer's path: the host's /.well-known/oauth-authorization-server and
// the path after it.
func (p *Provider) Metadata() http.Handler { return p.public(pathDiscovery) }
