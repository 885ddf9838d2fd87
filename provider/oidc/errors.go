package oidc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Error codes that the engine has no constructor for.
func errInvalidToken(description string) *oidc.Error {
	return &oidc.Error{ErrorType: "invalid_token", Description: description}
}

func errInsufficientScope() *oidc.Error {
	return &oidc.Error{ErrorType: "insufficient_scope", Description: "the access token was not issued for scope openid"}
}

// errInvalidClient is the one answer to every failed client authentication, so that it tells nothing of which
// clients there are.
func errInvalidClient() *oidc.Error {
	return oidc.ErrInvalidClient().WithDescription("client authentication failed")
}

// errDead: the code, token or grant is not good (any more). Why is for the audit log, not for who shows it.
func errDead() *oidc.Error {
	return oidc.ErrInvalidGrant().WithDescription("invalid, expired, revoked or issued to another client")
}

// fail turns what an operation failed with into what the client may read. Errors without an entry in the protocol's
// tables are ours: the client gets the number of the request, the log the rest.
func (s *server) fail(ctx context.Context, err error) error {
	var known *oidc.Error
	if errors.As(err, &known) {
		return known
	}
	id := web.ActorFrom(ctx).Request
	status := http.StatusInternalServerError
	if temporary(err) {
		status = http.StatusServiceUnavailable
	}
	s.p.c.Logger.LogAttrs(ctx, slog.LevelError, "protocol request failed", slog.Any("error", err), slog.String("request", id))
	return op.NewStatusError(oidc.ErrServerError().WithDescription("internal error, request %s", id), status)
}

func temporary(err error) bool {
	return errors.Is(err, web.ErrUnavailable) || errors.Is(err, web.ErrBusy) || errors.Is(err, storage.ErrConflict) ||
		errors.Is(err, context.DeadlineExceeded)
}

// authError is an error that goes back to the application (RFC 6749, section 4.1.2.1). Descriptions keep to ASCII
// without quotes, as that section asks.
type authError struct{ code, description string }

func (e *authError) Error() string { return e.code + ": " + e.description }

func refuse(code, description string) *authError { return &authError{code, description} }

func invalidRequest(description string) *authError { return refuse("invalid_request", description) }

// answerable finds the error code for what a sign-in failed with.
func (p *Provider) answerable(ctx context.Context, by *web.Actor, err error) *authError {
	var known *authError
	var denied *web.Denied
	var hooked *web.Hooked
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, login.ErrLoginRequired):
		return refuse("login_required", "the user must sign in")
	case errors.Is(err, login.ErrInteractionRequired):
		return refuse("interaction_required", "the user must take another step")
	case errors.Is(err, login.ErrUnmet):
		return refuse("unmet_authentication_requirements", "none of the essential acr values can be met")
	case errors.As(err, &denied), errors.Is(err, web.ErrForbidden), errors.Is(err, web.ErrRecoveryNeeded):
		return refuse("access_denied", "the sign-in is not allowed")
	case errors.As(err, &hooked):
		return refuse("access_denied", describable(hooked.Reason))
	}
	p.c.Logger.LogAttrs(ctx, slog.LevelError, "authorization request failed", slog.Any("error", err), slog.String("request", by.Request))
	if temporary(err) {
		return refuse("temporarily_unavailable", "try again, request "+by.Request)
	}
	return refuse("server_error", "internal error, request "+by.Request)
}
