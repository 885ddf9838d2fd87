package transfer

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
)

// Fault is what is wrong with a line, for programs and for pages, which have words of their own.
type Fault struct {
	// Code tells faults apart.
	Code string `json:"code,omitempty"`
	// Field is the field that it is about, if it is about one.
	Field string `json:"field,omitempty"`
	// Value is what helps to find it, such as the number of the line in which the same user stands.
	Value string `json:"value,omitempty"`
}

// wrong refuses one line, in words.
type wrong struct {
	Fault
	words string
}

// Error implements error.
func (w *wrong) Error() string { return w.words }

func refuse(f Fault, format string, args ...any) error {
	return &wrong{f, fmt.Sprintf(format, args...)}
}

// bad is the fault of a field.
func bad(field, code string) Fault { return Fault{Code: code, Field: field} }

// words says why a line was refused; ok is false where the line is not to blame.
func (r *run) words(err error) (words string, f Fault, ok bool) {
	var (
		line     *wrong
		field    *directory.FieldError
		password *directory.PasswordError
		hash     *directory.HashError
		factor   *mfa.Refused
	)
	switch {
	case errors.As(err, &line):
		return line.words, line.Fault, true
	case errors.As(err, &field):
		return r.fieldWords(field), bad(field.Field, field.Reason), true
	case errors.As(err, &password):
		return "password: " + passwordWords(password.Reason), bad("password", "password_"+password.Reason), true
	case errors.As(err, &hash):
		return "password_hash: " + hash.What, bad("password_hash", "hash"), true
	case errors.As(err, &factor) && factor.Err != nil:
		return "totp: " + factor.Err.Error(), bad("totp", "totp"), true
	case errors.Is(err, credential.ErrUnknownFactor):
		return "totp: this deployment has no authenticator apps", bad("totp", "no_totp"), true
	default:
		return "", Fault{}, false
	}
}

func (r *run) fieldWords(e *directory.FieldError) string {
	switch e.Reason {
	case directory.Missing:
		return "there is neither an e-mail address nor a user name"
	case directory.TooLong:
		return e.Field + " is too long"
	case directory.Charset:
		return e.Field + " holds characters that are not allowed there"
	case directory.Syntax:
		return "email is not an e-mail address"
	case directory.Taken:
		return e.Field + " is another user's"
	case directory.Crowded:
		return "too many users of other tenants answer to this " + e.Field
	case directory.Unknown:
		if e.Field == "type" {
			return "the tenant has no such user type; it has " + strings.Join(r.tenant.UserTypes, ", ")
		}
		return "role is none of owner, admin and member"
	default:
		return e.Field + ": " + e.Reason
	}
}

func passwordWords(reason string) string {
	switch reason {
	case directory.TooShort:
		return fmt.Sprintf("it has fewer than %d characters", directory.MinPassword)
	case directory.TooLong:
		return fmt.Sprintf("it has more than %d characters", directory.MaxPassword)
	case directory.Common:
		return "it is one that many people use"
	case directory.Personal:
		return "it hangs on the user's own name or address"
	default:
		return "it can't be a password"
	}
}
