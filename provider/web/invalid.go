package web

import (
	"errors"
	"fmt"

	"github.com/sallyport-id/sallyport/storage"
)

// ErrInvalid: what was asked for can't be done as it was asked. It comes within an *Invalid.
var ErrInvalid = errors.New("invalid")

// Invalid refuses a request in words, for whoever can put it right: an operator, the writer of a program, or an
// administrator at a form.
type Invalid struct {
	// Where it stands: the JSON name of a field, or a kind of record. Code tells refusals of one place apart, for pages,
	// which have words of their own; it may be empty.
	Where, Code string
	// What is wrong, and what to Do about it.
	What, Do string
	// Value is which of several values it is about, if it is about one.
	Value string
	// Err is ErrInvalid, storage.ErrNotFound or storage.ErrExists; ErrBadRequest where the request could not even be read.
	Err error
}

// Error implements error.
func (e *Invalid) Error() string { return e.Where + ": " + e.What + "; " + e.Do }

// Unwrap returns the cause.
func (e *Invalid) Unwrap() error { return e.Err }

// Refuse refuses what stands at a place.
func Refuse(where, code, what, do string) error {
	return &Invalid{Where: where, Code: code, What: what, Do: do, Err: ErrInvalid}
}

// Missing refuses because a record is not there.
func Missing(kind, id, do string) error {
	return &Invalid{What: fmt.Sprintf("there is no %s %q", kind, id), Where: kind, Code: "missing", Do: do, Err: storage.ErrNotFound}
}
