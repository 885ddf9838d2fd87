package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// What an operation may be refused for. Operations wrap these; the table below turns them into words and status codes,
// and what is not in it is an internal error that only the log explains.
var (
	ErrBadRequest = errors.New("bad request")
	ErrTooLarge   = errors.New("request too large")
	ErrNotFound   = errors.New("not found")
	ErrForbidden  = errors.New("not allowed")
	// ErrExpired: what the page was for is over, or was never begun.
	ErrExpired = errors.New("expired")
	// ErrLink: a mailed link that was used, is too old or was followed by a newer one, or never was one.
	ErrLink = errors.New("mailed link is not good")
	// ErrOtherBrowser: it was begun in another browser, or this one keeps no cookies.
	ErrOtherBrowser = errors.New("begun in another browser")
	// ErrCrossSite: another site made the browser send it.
	ErrCrossSite = errors.New("sent by another site")
	// ErrUnknownClient and ErrRedirectURI: an authorization request that no answer can be sent to.
	ErrUnknownClient = errors.New("unknown client")
	ErrRedirectURI   = errors.New("redirect URI is not registered")
	// ErrRecoveryNeeded: the user has nothing that would do; an owner of the tenant must help.
	ErrRecoveryNeeded = errors.New("recovery is needed")
	// ErrBusy: too much at once; it may work in a moment.
	ErrBusy = errors.New("busy")
	// ErrUnavailable: something that is needed does not answer; nothing was changed.
	ErrUnavailable = errors.New("unavailable")
)

// Denied refuses by a rule of the tenant's policy, whose name the user reads.
type Denied struct{ Rule string }

// Error implements error.
func (d *Denied) Error() string { return "denied by rule " + d.Rule }

// Required refuses to take away a second step that the rule of the tenant's policy requires; the rule is empty where
// none of the tenant's decided.
type Required struct{ Rule string }

// Error implements error.
func (r *Required) Error() string { return fmt.Sprintf("required by rule %q", r.Rule) }

// Hooked refuses because the deployment's own hook does. Reason is the hook's, plain text for the user, or empty.
type Hooked struct{ Reason string }

// Error implements error.
func (h *Hooked) Error() string { return fmt.Sprintf("refused by a hook: %q", h.Reason) }

// TooMany refuses until some time has passed.
type TooMany struct{ Retry time.Duration }

// Error implements error.
func (t *TooMany) Error() string { return "too many tries, next in " + t.Retry.String() }

// problem is a refusal as it is sent.
type problem struct {
	status int
	page   ui.Error
	retry  time.Duration
	// next is where a program goes on.
	next string
}

var problems = []struct {
	is     error
	status int
	says   ui.Failure
	// next is where to go on from there.
	next  string
	retry time.Duration
}{
	{ErrBadRequest, http.StatusBadRequest, ui.FailBadRequest, "", 0},
	{ErrInvalid, http.StatusUnprocessableEntity, ui.FailBadRequest, "", 0},
	{ErrTooLarge, http.StatusRequestEntityTooLarge, ui.FailBadRequest, "", 0},
	{ErrUnknownClient, http.StatusBadRequest, ui.FailUnknownClient, "", 0},
	{ErrRedirectURI, http.StatusBadRequest, ui.FailRedirectURI, "", 0},
	{ErrNotFound, http.StatusNotFound, ui.FailNotFound, ui.PathAccount, 0},
	{storage.ErrNotFound, http.StatusNotFound, ui.FailNotFound, ui.PathAccount, 0},
	{ErrForbidden, http.StatusForbidden, ui.FailForbidden, ui.PathAccount, 0},
	{ErrCrossSite, http.StatusForbidden, ui.FailForbidden, ui.PathAccount, 0},
	{ErrLink, http.StatusGone, ui.FailLink, ui.PathAccount, 0},
	{ErrExpired, http.StatusGone, ui.FailExpired, ui.PathAccount, 0},
	{ErrOtherBrowser, http.StatusForbidden, ui.FailWrongBrowser, "", 0},
	{ErrRecoveryNeeded, http.StatusForbidden, ui.FailRecoveryNeeded, "", 0},
	{ErrBusy, http.StatusServiceUnavailable, ui.FailUnavailable, "", 2 * time.Second},
	{ErrUnavailable, http.StatusServiceUnavailable, ui.FailUnavailable, "", 5 * time.Second},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, ui.FailUnavailable, "", 5 * time.Second},
	// Changed under our hands more often than we tried again: nothing was done.
	{storage.ErrConflict, http.StatusServiceUnavailable, ui.FailUnavailable, "", time.Second},
	{storage.ErrExists, http.StatusServiceUnavailable, ui.FailUnavailable, "", time.Second},
}

// explain finds the words for an error; known is false where only the log may tell.
func explain(err error) (p problem, known bool) {
	var denied *Denied
	if errors.As(err, &denied) {
		return problem{status: http.StatusForbidden, page: ui.FailDenied.Page("", "rule", denied.Rule)}, true
	}
	var required *Required
	if errors.As(err, &required) {
		return problem{status: http.StatusForbidden, page: ui.Required(required.Rule, ui.PathAccount)}, true
	}
	var hooked *Hooked
	if errors.As(err, &hooked) {
		return problem{status: http.StatusForbidden, page: ui.Hooked(hooked.Reason, "")}, true
	}
	var many *TooMany
	if errors.As(err, &many) {
		return problem{
			status: http.StatusTooManyRequests, page: ui.FailTooManyRequests.Page("", "n", Minutes(many.Retry)), retry: many.Retry,
		}, true
	}
	for _, e := range problems {
		if errors.Is(err, e.is) {
			return problem{status: e.status, page: e.says.Page(e.next), retry: e.retry}, true
		}
	}
	return problem{status: http.StatusInternalServerError, page: ui.FailInternal.Page("")}, false
}

// Minutes rounds up, so that nobody comes back too early.
func Minutes(d time.Duration) int { return int((d + time.Minute - 1) / time.Minute) }

// Unavailable wraps an error that storage gave for no cause of the user's, so that it refuses and says "try again".
// Sentinels that mean something pass through.
func Unavailable(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, storage.ErrNotFound), errors.Is(err, storage.ErrConflict), errors.Is(err, storage.ErrExists),
		errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", what, err)
	default:
		return fmt.Errorf("%s: %w: %w", what, ErrUnavailable, err)
	}
}
