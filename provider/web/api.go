package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// PathAPI is what the paths of API routes begin with.
const PathAPI = "/api"

// Contract is what programs are told of an API route.
type Contract struct {
	// ID is the operation's name in generated programs (operationId of OpenAPI), Tag the group it stands in, and Summary
	// what it does, in a few words.
	ID, Tag, Summary string
	// Scope is what the access token must be good for; where it is empty, any token will do.
	Scope string
	// In is the operation's question. Out is what stands in the body of its answer, nil where there is none.
	In, Out reflect.Type
	// Status is that of success.
	Status int
	// Accepts are the media types of an Upload, Produces those of a Download.
	Accepts, Produces []string
	// Repeatable: it takes an Idempotency-Key.
	Repeatable bool
}

// Call is what stands behind an API route: a question or command In by an actor, answered or refused.
//
// In is a struct that is filled strictly: fields tagged `path:"…"` from the path, `query:"…"` from the query, `json:"…"`
// from the JSON object in the body; embedded structs count as their fields. What nobody asked for, what has another type
// and what stands there twice is refused, and what has the tag `required:"true"` must be there. Fields of the query are
// strings, whole numbers, booleans, what implements encoding.TextUnmarshaler (time.Time: RFC 3339), pointers to these,
// which stay nil where nothing was sent, or slices of them, whose parameter may be repeated. null takes a pointer in the
// body back to the zero value (RFC 7396), and is refused elsewhere. A field of type Upload is the body as it comes.
//
// Out is written as JSON with status 200; struct{} is 204 without a body, Created is 201, and a Download is written as it
// comes.
type Call[In, Out any] func(ctx context.Context, by *Actor, in In) (Out, error)

// API is the route of an operation for programs, which show an access token (RFC 6750) that is good for scope. Cookies
// have no say there. path begins with PathAPI.
func API[In, Out any](method, path, scope string, op Call[In, Out]) Route {
	var out Out
	in := reflect.TypeFor[In]()
	c := &Contract{Scope: scope, In: in, Out: reflect.TypeFor[Out](), Status: http.StatusOK}
	switch o := any(out).(type) {
	case struct{}:
		c.Out, c.Status = nil, http.StatusNoContent
	case creation:
		_, view := o.creation()
		c.Out, c.Status = reflect.TypeOf(view), http.StatusCreated
	}
	plan, err := planFor(method, path, in)
	c.Accepts = plan.accepts
	_, download := any(out).(Download)
	c.Repeatable = method == http.MethodPost && !download && plan.upload == nil
	// No authority comes from the browser, so it does not matter which site makes it send something.
	return Route{Method: method, Path: path, CrossOrigin: true, API: c, fault: err, plan: plan, bind: func(x *exchange, body []byte) (carrier, error) {
		var in In
		if err := plan.decode(x, reflect.ValueOf(&in).Elem(), body); err != nil {
			return nil, err
		}
		return func(ctx context.Context) (any, error) { return op(ctx, x.by, in) }, nil
	}}
}

// carrier carries out what was asked for.
type carrier func(ctx context.Context) (any, error)

// About names an API route for its description.
func (r Route) About(id, tag, summary string) Route {
	c := *r.API
	c.ID, c.Tag, c.Summary = id, tag, summary
	r.API = &c
	return r
}

// Produces names the media types that a route's Download comes in.
func (r Route) Produces(types ...string) Route {
	c := *r.API
	c.Produces = types
	r.API = &c
	return r
}

// Created is the answer of an operation that made something.
type Created[T any] struct {
	// Path is where it stands from now on, a path of ours; it may be empty.
	Path string
	View T
}

type creation interface {
	creation() (path string, view any)
}

func (c Created[T]) creation() (path string, view any) { return c.Path, c.View }

// Answer is a whole answer to a program, so that it can be kept and given again.
type Answer struct {
	Status   int    `json:"status"`
	Type     string `json:"type,omitempty"`
	Location string `json:"location,omitempty"`
	// Retry is when to try again, in seconds; 0 says nothing of it.
	Retry int    `json:"retry,omitempty"`
	Body  []byte `json:"body,omitempty"`
}

// Passing tells that the same request may be answered otherwise in a moment, so that it is not to be kept.
func (a Answer) Passing() bool {
	return a.Status == http.StatusTooManyRequests || a.Status >= http.StatusInternalServerError
}

// Once carries out what an actor asks for under a key of its own (draft-ietf-httpapi-idempotency-key-header), unless that
// was done before: then it answers the same again. request is a hash of what was asked. ErrUnderWay, ErrKeyReused.
type Once func(ctx context.Context, by *Actor, key, request string, do func(ctx context.Context) Answer) (Answer, error)

// program answers a program: with an access token, without cookies, in JSON.
func (x *exchange) program(r Route) {
	x.asProgram()
	if err := x.admitProgram(r); err != nil {
		x.fail(err)
		return
	}
	var body []byte
	if r.plan.upload == nil {
		var err error
		if body, err = x.body(); err != nil {
			x.fail(err)
			return
		}
	}
	do, err := r.bind(x, body)
	if err != nil {
		x.fail(err)
		return
	}
	ctx := x.c.Request().Context()
	switch {
	case r.plan.upload != nil || r.API.Out == reflect.TypeFor[Download]():
		x.stream(do(ctx))
	case r.Method == http.MethodGet:
		x.write(x.answerOf(do(ctx)))
	default:
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), OperationTime)
		defer cancel()
		x.once(ctx, r, body, do)
	}
}

// asProgram begins the answer to a program.
func (x *exchange) asProgram() {
	x.toProgram = true
	h, r := x.c.Response().Header(), x.c.Request()
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	x.origins()
	x.by.Hear(x.s.UI.Language, Languages{Browser: strings.Join(r.Header.Values("Accept-Language"), ",")})
}

// admitProgram finds out whose the access token is, and whether it is good for an operation. What changes something takes a
// user who has signed in lately, as it does on our pages: an application that keeps a refresh token goes on for months, and
// whoever steals its tokens must not stay.
func (x *exchange) admitProgram(r Route) error {
	token, err := bearer(x.c.Request())
	if err != nil {
		return err
	}
	if err := x.s.Bearer(x.c.Request().Context(), x.by, token); err != nil {
		return err
	}
	scope := r.API.Scope
	if scope != "" && !slices.Contains(x.by.Scopes, scope) {
		return errScope(scope)
	}
	if x.by.Stale && r.Method != http.MethodGet && !strings.HasSuffix(scope, ":read") {
		return errStale
	}
	return nil
}

// bearer reads the access token (RFC 6750, section 2.1). One in the query would end up in logs, and a JSON body has no
// place for it, so that the header is the one way.
func bearer(r *http.Request) (string, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) > 1 {
		return "", malformed("Authorization", "it stands there more than once", "send one access token")
	}
	if len(headers) == 0 {
		return "", errNoToken
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", errNoToken
	}
	return token, nil
}

// once carries out what changes something, and where the program gave it a key, does so once.
func (x *exchange) once(ctx context.Context, r Route, body []byte, do carrier) {
	keys := x.c.Request().Header.Values("Idempotency-Key")
	if !r.API.Repeatable || len(keys) == 0 {
		x.write(x.answerOf(do(ctx)))
		return
	}
	key, ok := idempotencyKey(keys)
	if !ok {
		x.fail(malformed("Idempotency-Key", "it is no key", "send it once, with 1 to 255 visible ASCII characters, such as a UUID"))
		return
	}
	answer, err := x.s.Once(ctx, x.by, key, x.digest(body), func(ctx context.Context) Answer { return x.answerOf(do(ctx)) })
	if err != nil {
		x.fail(err)
		return
	}
	x.write(answer)
}

// digest tells requests of one actor apart.
func (x *exchange) digest(body []byte) string {
	r := x.c.Request()
	h := sha256.New()
	for _, part := range []string{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, string(body)} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// maxKey bounds an Idempotency-Key, in characters.
const maxKey = 255

// idempotencyKey reads the key. The draft has it in quotes, as a string of RFC 9651; most programs leave them out.
func idempotencyKey(given []string) (string, bool) {
	if len(given) != 1 {
		return "", false
	}
	key := given[0]
	if len(key) > 1 && key[0] == '"' && key[len(key)-1] == '"' {
		key = key[1 : len(key)-1]
	}
	visible := !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
	return key, key != "" && len(key) <= maxKey && visible
}

// answerOf puts what an operation returned into an answer.
func (x *exchange) answerOf(out any, err error) Answer {
	if err != nil {
		return x.refusal(err)
	}
	a := Answer{Status: http.StatusOK}
	switch o := out.(type) {
	case struct{}:
		return Answer{Status: http.StatusNoContent}
	case creation:
		path, view := o.creation()
		a.Status, out = http.StatusCreated, view
		if path != "" {
			a.Location = x.absolute(path)
		}
	}
	a.Type = "application/json"
	if a.Body, err = jsonv2.Marshal(out, asJSON()); err != nil {
		return x.refusal(fmt.Errorf("web: answer: %w", err))
	}
	return a
}

// asJSON is how encoding/json writes, which the tags of our structs are made for, but that a list of nothing is a list:
// programs go through it without looking.
func asJSON() jsonv2.Options {
	return jsonv2.JoinOptions(jsonv1.DefaultOptionsV1(), jsonv2.FormatNilSliceAsNull(false), jsonv2.FormatNilMapAsNull(false))
}

// write sends an answer.
func (x *exchange) write(a Answer) {
	h := x.c.Response().Header()
	if a.Type != "" {
		h.Set("Content-Type", a.Type)
	}
	if a.Location != "" {
		h.Set("Location", a.Location)
	}
	if a.Retry > 0 {
		h.Set("Retry-After", strconv.Itoa(a.Retry))
	}
	x.c.Response().WriteHeader(a.Status)
	if len(a.Body) > 0 {
		x.wrote(x.c.Response().Write(a.Body))
	}
}

// apiFaults looks at all API routes of a table before the first is served.
func (s *Server) apiFaults(routes []Route) error {
	var faults []error
	for _, r := range routes {
		switch {
		case r.API == nil:
		case r.fault != nil:
			faults = append(faults, fmt.Errorf("web: %s %s: %w", r.Method, r.Path, r.fault))
		case s.Bearer == nil || s.Once == nil:
			faults = append(faults, fmt.Errorf("web: %s %s: the server lacks Bearer or Once", r.Method, r.Path))
		}
	}
	return errors.Join(faults...)
}
