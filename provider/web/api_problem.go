package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// What only programs are refused for.
var (
	// ErrToken: the access token is none of ours, has expired or was revoked, or what it stands on is gone.
	ErrToken = errors.New("access token is not good")
	// ErrUnderWay: a request with the same Idempotency-Key is being answered.
	ErrUnderWay = errors.New("a request with this key is under way")
	// ErrKeyReused: the Idempotency-Key was sent with another request before.
	ErrKeyReused = errors.New("the key was sent with another request")
	// ErrNotKept: the request was carried out before, but its answer was too large to be kept.
	ErrNotKept = errors.New("the answer was not kept")
)

// programFault is a refusal that only programs meet, which are written by people who read English. Its title is the
// name of the status, as RFC 9457, section 4.2.1, has it where there is no more to say about the type.
type programFault struct {
	status       int
	code, detail string
	// challenge are the parameters of WWW-Authenticate (RFC 6750, section 3); none where it is nil.
	challenge []string
}

// Error implements error.
func (f *programFault) Error() string { return f.detail }

// errNoToken: whoever shows nothing is told how, not what was wrong (RFC 6750, section 3.1).
var errNoToken = &programFault{
	status: http.StatusUnauthorized, code: "error.token_missing", challenge: []string{},
	detail: "This needs an access token: send it in the header Authorization, after the word Bearer.",
}

// errStale has an application send the user to sign in again (RFC 9470, section 3), with max_age.
var errStale = &programFault{
	status: http.StatusUnauthorized, code: "error.insufficient_user_authentication",
	detail: "The user signed in more than ten minutes ago. To change something, have the user sign in again, with max_age=600.",
	challenge: []string{
		"error", "insufficient_user_authentication", "error_description", "a sign-in of the last ten minutes is needed",
		"max_age", strconv.Itoa(int(Freshness / time.Second)),
	},
}

func errScope(scope string) error {
	return &programFault{
		status: http.StatusForbidden, code: "error.insufficient_scope",
		detail:    fmt.Sprintf("The access token was not issued for scope %s.", scope),
		challenge: []string{"error", "insufficient_scope", "scope", scope},
	}
}

func errMediaType(given, want string) error {
	return &programFault{
		status: http.StatusUnsupportedMediaType, code: "error.media_type",
		detail: fmt.Sprintf("The Content-Type is %q; send %s.", given, want),
	}
}

// programFaults are the errors that come from elsewhere.
var programFaults = []struct {
	is    error
	fault programFault
}{
	{ErrToken, programFault{
		status: http.StatusUnauthorized, code: "error.invalid_token", detail: "The access token is invalid, has expired or was revoked.",
		challenge: []string{"error", "invalid_token", "error_description", "the access token is invalid, has expired or was revoked"},
	}},
	{ErrUnderWay, programFault{
		status: http.StatusConflict, code: "error.idempotency_under_way",
		detail: "A request with this Idempotency-Key is being answered; send it again in a moment.",
	}},
	{ErrKeyReused, programFault{
		status: http.StatusUnprocessableEntity, code: "error.idempotency_key_reused",
		detail: "This Idempotency-Key was sent with another request; take a new one for each.",
	}},
	{ErrNotKept, programFault{
		status: http.StatusConflict, code: "error.idempotency_answer_lost",
		detail: "This request was carried out before, but its answer was too large to be kept; read what it changed.",
	}},
}

// asFault finds a refusal that only programs meet.
func asFault(err error) (problem, bool) {
	var fault *programFault
	if !errors.As(err, &fault) {
		for i := range programFaults {
			if errors.Is(err, programFaults[i].is) {
				fault = &programFaults[i].fault
			}
		}
	}
	if fault == nil {
		return problem{}, false
	}
	return problem{
		status: fault.status, page: ui.FailBadRequest.Page(""), code: fault.code, detail: fault.detail, challenge: fault.challenge,
	}, true
}

// malformed refuses a request that can't be read.
func malformed(where, what, do string) error {
	return &Invalid{Where: where, What: what, Do: do, Err: ErrBadRequest}
}

// asInvalid finds a refusal in words, or several of them.
func asInvalid(err error) (problem, bool) {
	all := invalids(err)
	if len(all) == 0 {
		return problem{}, false
	}
	p := problem{
		status: http.StatusUnprocessableEntity, page: ui.FailBadRequest.Page(""), code: "error.invalid", detail: all[0].said(), invalid: all,
	}
	switch first := all[0]; {
	case errors.Is(first, ErrBadRequest):
		p.status, p.code = http.StatusBadRequest, codeOf(ui.FailBadRequest)
	case errors.Is(first, storage.ErrNotFound):
		p.status, p.page, p.code = http.StatusNotFound, ui.FailNotFound.Page(ui.PathAccount), codeOf(ui.FailNotFound)
	case errors.Is(first, storage.ErrExists):
		p.status, p.code = http.StatusConflict, "error.exists"
	}
	return p, true
}

// invalids are all refusals in words that an error wraps, in order.
func invalids(err error) []*Invalid {
	switch e := err.(type) { //nolint:errorlint // the whole tree is walked, so that several refusals are all told.
	case nil:
		return nil
	case *Invalid:
		return []*Invalid{e}
	case interface{ Unwrap() []error }:
		var all []*Invalid
		for _, one := range e.Unwrap() {
			all = append(all, invalids(one)...)
		}
		return all
	default:
		return invalids(errors.Unwrap(err))
	}
}

// said is the refusal as a sentence or two.
func (e *Invalid) said() string {
	s := e.What
	if e.Where != "" {
		s = e.Where + ": " + s
	}
	if e.Do != "" {
		s += "; " + e.Do
	}
	return s + "."
}

// codeOf is how programs know a failure.
func codeOf(f ui.Failure) string { return string(f) }

// challengeOf writes WWW-Authenticate (RFC 6750, section 3).
func challengeOf(issuer string, parameters []string) string {
	s := fmt.Sprintf("Bearer realm=%q", issuer)
	for i := 0; i+1 < len(parameters); i += 2 {
		s += fmt.Sprintf(", %s=%q", parameters[i], parameters[i+1])
	}
	return strings.TrimSpace(s)
}
