package oidc

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/storage"
)

// authorization is what is kept of an authorization request until there is an answer to it. It travels sealed.
type authorization struct {
	RedirectURI    string   `json:"redirect_uri"`
	ResponseMode   string   `json:"response_mode,omitempty"`
	State          string   `json:"state,omitempty"`
	Nonce          string   `json:"nonce,omitempty"`
	Scopes         []string `json:"scopes,omitempty"`
	CodeChallenge  string   `json:"code_challenge,omitempty"`
	IDTokenClaims  []string `json:"id_token_claims,omitempty"`
	UserInfoClaims []string `json:"userinfo_claims,omitempty"`
}

// How long parameters may be, in bytes. The request goes through the browser, sealed, in a URL.
const (
	maxParameter     = 4 << 10
	maxLongParameter = 8 << 10
	maxHint          = 320
	maxACRs          = 20
)

// longParameters hold JSON or a JWT.
func longParameter(name string) bool { return name == "claims" || name == "id_token_hint" }

// understand reads an authorization request of a client whose redirect URI is right. What it returns besides an error
// is enough to send that error back.
func (p *Provider) understand(ctx context.Context, client *storage.Client, form url.Values) (authorization, login.Request, error) {
	a := authorization{RedirectURI: form.Get("redirect_uri")}
	if len(form["response_mode"]) == 1 && form.Get("response_mode") == string(oidc.ResponseModeFormPost) {
		a.ResponseMode = string(oidc.ResponseModeFormPost)
	}
	if state := form["state"]; len(state) == 1 && len(state[0]) <= maxParameter && utf8.ValidString(state[0]) {
		a.State = state[0]
	}
	values, err := single(form)
	if err != nil {
		return a, login.Request{}, invalidRequest(err.Error())
	}
	if err := unsupported(values); err != nil {
		return a, login.Request{}, err
	}
	ar, err := op.ParseAuthorizeRequest(&http.Request{Method: http.MethodGet, Form: values, PostForm: url.Values{}}, p.decoder)
	if err != nil {
		return a, login.Request{}, invalidRequest("a parameter has the wrong form")
	}
	if err := acceptable(client, ar); err != nil {
		return a, login.Request{}, err
	}
	a.Nonce, a.CodeChallenge = ar.Nonce, ar.CodeChallenge
	if a.Scopes = allowed(client, ar.Scopes); len(a.Scopes) == 0 {
		return a, login.Request{}, refuse("invalid_scope", "no scope that this client may have")
	}
	req, err := p.signIn(ctx, client, &a, ar, values)
	return a, req, err
}

// unsupported refuses what is too large, and what may not be passed over (OpenID Connect Core, section 3.1.2.6).
func unsupported(values url.Values) error {
	for name, v := range values {
		if len(v[0]) > maxParameter && (len(v[0]) > maxLongParameter || !longParameter(name)) {
			return invalidRequest("a parameter is too long")
		}
	}
	switch {
	case values.Has("request"):
		return refuse("request_not_supported", "request objects are not supported")
	case values.Has("request_uri"):
		return refuse("request_uri_not_supported", "request objects are not supported")
	case values.Has("registration"):
		return refuse("registration_not_supported", "registration by request is not supported")
	}
	return nil
}

// challenge is what S256 makes of a verifier (RFC 7636, section 4.2).
var challenge = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// acceptable checks what concerns the answer.
func acceptable(client *storage.Client, ar *oidc.AuthRequest) error {
	switch ar.ResponseMode {
	case "", oidc.ResponseModeQuery, oidc.ResponseModeFormPost:
	default:
		return invalidRequest("response_mode must be query or form_post")
	}
	switch {
	case ar.ResponseType == "":
		return invalidRequest("response_type is missing")
	case ar.ResponseType != oidc.ResponseTypeCode:
		return refuse("unsupported_response_type", "response_type must be code")
	case !may(client, oidc.GrantTypeCode):
		return refuse("unauthorized_client", "the client may not sign users in")
	case len(ar.Scopes) == 0:
		return refuse("invalid_scope", "scope is missing")
	}
	// RFC 9700, section 2.1.1. A challenge that was sent counts, even where none is asked for.
	switch {
	case ar.CodeChallenge == "" && ar.CodeChallengeMethod == "" && client.NoPKCE && confidential(client):
		return nil
	case ar.CodeChallenge == "":
		return invalidRequest("code_challenge is missing (PKCE, RFC 7636)")
	case ar.CodeChallengeMethod != oidc.CodeChallengeMethodS256:
		// Left out, the method would be plain, which gives the verifier away to whoever sees the request.
		return invalidRequest("code_challenge_method must be S256")
	case !challenge.MatchString(ar.CodeChallenge):
		return invalidRequest("code_challenge is not that of an S256 verifier")
	}
	return nil
}

// signIn says what sign-in an authorization request asks for.
func (p *Provider) signIn(ctx context.Context, client *storage.Client, a *authorization, ar *oidc.AuthRequest, values url.Values) (login.Request, error) {
	req := login.Request{
		Client: client.ID, App: client.Name, Tenant: client.Owner, Hint: ar.LoginHint, Locales: values.Get("ui_locales"),
		FormTargets: formTargets(a.RedirectURI),
	}
	if len(req.Hint) > maxHint {
		req.Hint = ""
	}
	if err := limitTo(&req.Tenant, values.Get("tenant")); err != nil {
		return req, err
	}
	if err := prompts(&req, ar.Prompt); err != nil {
		return req, err
	}
	if ar.MaxAge != nil {
		age := int(min(*ar.MaxAge, math.MaxInt32))
		req.MaxAge = &age
	}
	for _, acr := range ar.ACRValues {
		if acr != "" {
			req.ACR = append(req.ACR, acr)
		}
	}
	if err := p.claims(&req, client, a, values.Get("claims")); err != nil {
		return req, err
	}
	if len(req.ACR) > maxACRs {
		return req, invalidRequest("too many acr values")
	}
	if req.Essential && !slices.ContainsFunc(req.ACR, func(acr string) bool { return slices.Contains(p.c.ACRs, acr) }) {
		return req, login.ErrUnmet
	}
	err := p.hint(ctx, &req, client, ar.IDTokenHint)
	return req, err
}

// limitTo narrows a field of the request that must not be two things at once.
func limitTo(field *string, value string) error {
	if value == "" || value == *field {
		return nil
	}
	if *field != "" {
		return invalidRequest("tenant or subject contradict each other, or are not the client's")
	}
	*field = value
	return nil
}

// prompts reads the prompt parameter. Consent is not asked of users: which applications there are, the tenant's
// admins decided, so that there is nothing to ask on prompt=consent, and it is satisfied.
func prompts(req *login.Request, values []string) error {
	for _, v := range values {
		switch v {
		case oidc.PromptNone:
			req.None = true
		case oidc.PromptLogin, oidc.PromptSelectAccount:
			req.Login = true
		case oidc.PromptConsent, "":
		default:
			return invalidRequest("prompt has an unknown value")
		}
	}
	if req.None && len(values) > 1 {
		return invalidRequest("prompt=none goes with no other value")
	}
	return nil
}

// hint reads an id_token_hint: the sign-in is for the user of an ID token that this client got, however old it is.
func (p *Provider) hint(ctx context.Context, req *login.Request, client *storage.Client, token string) error {
	if token == "" {
		return nil
	}
	c, err := p.verifyIDToken(ctx, token)
	if err != nil {
		return err
	}
	if c == nil || !slices.Contains(c.Audience, client.ID) {
		return invalidRequest("id_token_hint is no ID token of this client")
	}
	if err := limitTo(&req.Tenant, c.Tenant); err != nil {
		return err
	}
	return limitTo(&req.Subject, c.Subject)
}
