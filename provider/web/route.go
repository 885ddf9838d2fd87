package web

import (
	"context"
	"net/http"
	"time"
)

// Access says who may call an operation.
type Access int

const (
	// Open: everybody, signed in or not. Such operations check by themselves what they need.
	Open Access = iota
	// Self: whoever is signed in, for their own affairs.
	Self
	// Fresh: whoever is signed in and passed the second step (or, without a factor, the password) within the last
	// ten minutes.
	Fresh
)

// Freshness is how long ago somebody may have signed in, with the second step, who changes what matters.
const Freshness = 10 * time.Minute

// Route is one entry of the route table.
type Route struct {
	Method string
	// Path is relative to the issuer; ":name" segments are path parameters.
	Path   string
	Access Access
	// CrossOrigin lets other sites send browsers here by POST, or call it by script: for protocol endpoints that
	// take no authority from cookies.
	CrossOrigin bool
	// Public answers are the same for everybody, and may be kept by caches: no cookie is read for them, and none set.
	// It goes with Handler.
	Public bool
	// Handler answers protocol endpoints that are neither page nor JSON of ours; nil for operations.
	Handler http.Handler

	// API is set for the routes that programs call; see API.
	API *Contract

	call func(x *exchange) (Result, error)
	// bind and plan belong to API; fault is what is wrong with it.
	bind  func(x *exchange, body []byte) (carrier, error)
	plan  *plan
	fault error
}

// Operation is what stands behind a route: a question or command In by an actor, answered or refused. In is a struct
// whose fields are filled by their tags: `path:"…"` from the path, `form:"…"` from the query, form or JSON body.
type Operation[In any] func(ctx context.Context, by *Actor, in In) (Result, error)

// Get is the route of an operation that changes nothing.
func Get[In any](path string, access Access, op Operation[In]) Route {
	return operation(http.MethodGet, path, access, op)
}

// Post is the route of an operation that changes something.
func Post[In any](path string, access Access, op Operation[In]) Route {
	return operation(http.MethodPost, path, access, op)
}

func operation[In any](method, path string, access Access, op Operation[In]) Route {
	return Route{Method: method, Path: path, Access: access, call: func(x *exchange) (Result, error) {
		var in In
		if err := decode(x.c, &in); err != nil {
			return Result{}, err
		}
		ctx := x.c.Request().Context()
		if method == http.MethodPost {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), OperationTime)
			defer cancel()
		}
		return op(ctx, x.by, in)
	}}
}

// OperationTime bounds what changes something. It is seen through to its end although the browser goes away meanwhile:
// a right answer must not be spent in vain, nor a wrong one go uncounted because its sender hung up.
const OperationTime = 30 * time.Second
