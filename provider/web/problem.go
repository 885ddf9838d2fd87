package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
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
	// errMethod: what is at the address does not take such a request.
	errMethod = errors.New("method not allowed")
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

// Changed refuses because somebody else changed what a page was made from. Next is the path where it is shown as it is now.
type Changed struct{ Next string }

// Error implements error.
func (c *Changed) Error() string { return "changed meanwhile" }

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

	// What follows is for programs. code and detail take the place of what page says; invalid are the refusals behind it.
	code, detail string
	invalid      []*Invalid
	// challenge are the parameters of WWW-Authenticate; none where it is nil.
	challenge []string
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
	{errMethod, http.StatusMethodNotAllowed, ui.FailNotFound, ui.PathAccount, 0},
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
	var changed *Changed
	if errors.As(err, &changed) {
		return problem{status: http.StatusConflict, page: ui.FailChanged.Page(changed.Next)}, true
	}
	var many *TooMany
	if errors.As(err, &many) {
		return problem{
			status: http.StatusTooManyRequests, page: ui.FailTooManyRequests.Page("", "n", Minutes(many.Retry)), retry: many.Retry,
		}, true
	}
	if p, ok := asFault(err); ok {
		return p, true
	}
	if p, ok := asInvalid(err); ok {
		return p, true
	}
	for _, e := range problems {
		if errors.Is(err, e.is) {
			return problem{status: e.status, page: e.says.Page(e.next), retry: e.retry}, true
		}
	}
	return problem{status: http.StatusInternalServerError, page: ui.FailInternal.Page("")}, false
}

// fail answers with a refusal: a page, or problem details (RFC 9457).
func (x *exchange) fail(err error) {
	p, ok := x.refused(err)
	if !ok {
		return
	}
	if p.challenge != nil {
		x.c.Response().Header().Set("WWW-Authenticate", challengeOf(x.s.Issuer.String(), p.challenge))
	}
	if x.wantsJSON() {
		x.write(x.details(p))
		return
	}
	if p.retry > 0 {
		x.c.Response().Header().Set("Retry-After", strconv.Itoa(seconds(p.retry)))
	}
	if x.by.Lang == "" {
		x.hear()
	}
	if p.status == http.StatusTooManyRequests || p.status >= http.StatusInternalServerError {
		p.page.Next, p.page.Button = x.again()
	}
	p.page.Request = x.by.Request
	x.page(p.status, nil, p.page)
}

// refused finds the words for an error, and logs it; false where nobody is there any more to read them.
func (x *exchange) refused(err error) (problem, bool) {
	ctx := x.c.Request().Context()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		x.s.Logger.DebugContext(ctx, "client went away", "path", x.c.Path(), "request", x.by.Request)
		return problem{status: http.StatusServiceUnavailable, page: ui.FailUnavailable.Page("")}, false
	}
	p, known := explain(err)
	level := slog.LevelInfo
	if !known || p.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	x.s.Logger.Log(ctx, level, "refused", "status", p.status, "error", err, "path", x.c.Path(), "request", x.by.Request)
	return p, true
}

// refusal is the answer to a program that says why not.
func (x *exchange) refusal(err error) Answer {
	p, _ := x.refused(err)
	return x.details(p)
}

// Problem is a refusal as programs read it (RFC 9457).
type Problem struct {
	// Type is "about:blank": what there is to say of the type stands in Code.
	Type string `json:"type"`
	// Title is the kind of problem in a few words, in the language of the request.
	Title string `json:"title"`
	// Status is the HTTP status.
	Status int `json:"status"`
	// Detail says what happened, and what helps.
	Detail string `json:"detail"`
	// Code is the kind of problem as a word for programs, such as "error.invalid".
	Code string `json:"code"`
	// Request identifies the request in logs and in the audit log.
	Request string `json:"request"`
	// Errors are what is wrong with the request, place by place, where that can be told.
	Errors []ProblemError `json:"errors,omitempty"`
	// Next is where to go on, for programs that stand in for a browser.
	Next string `json:"next,omitempty"`
}

// ProblemError is one thing that is wrong with a request.
type ProblemError struct {
	// Where it stands: the name of a field or parameter, with slashes where it is within others (RFC 6901, without the
	// first one), or a kind of record.
	Where string `json:"where,omitempty"`
	// Code tells refusals of one place apart.
	Code string `json:"code,omitempty"`
	// What is wrong, in English.
	What string `json:"what"`
	// Do is what to do about it, in English.
	Do string `json:"do,omitempty"`
}

// details are problem details.
func (x *exchange) details(p problem) Answer {
	about := Problem{
		Type: "about:blank", Status: p.status, Title: x.s.UI.Text(x.by.Lang, p.page.Title), Detail: x.s.UI.Text(x.by.Lang, p.page.Body),
		Code: strings.TrimSuffix(p.page.Title.Key, ".title"), Request: x.by.Request, Next: p.next,
	}
	switch {
	case p.detail != "":
		about.Title, about.Detail, about.Code = http.StatusText(p.status), p.detail, p.code
	case x.toProgram && p.status == http.StatusNotFound:
		// The catalogue speaks of pages and links.
		about.Title, about.Detail = http.StatusText(p.status), "There is no such thing, or it is not yours to see."
	}
	for _, e := range p.invalid {
		about.Errors = append(about.Errors, ProblemError{e.Where, e.Code, e.What, e.Do})
	}
	data, err := json.Marshal(about)
	if err != nil {
		data = []byte(`{}`)
	}
	return Answer{Status: p.status, Type: "application/problem+json", Retry: seconds(p.retry), Body: data}
}

// seconds rounds up, so that nobody comes back too early.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

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
