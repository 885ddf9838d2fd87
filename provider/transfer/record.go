package transfer

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/sallyport-id/sallyport/storage"
)

// record is what a line says of a user. What it does not say is nil.
type record struct {
	Email         *string `json:"email"`
	EmailVerified *bool   `json:"email_verified"`
	Login         *string `json:"login"`
	Name          *string `json:"name"`
	Role          *string `json:"role"`
	Type          *string `json:"type"`
	Require2FA    *bool   `json:"require_2fa"`
	Locale        *string `json:"locale"`
	Disabled      *bool   `json:"disabled"`
	Locked        *string `json:"locked"`
	Created       *string `json:"created"`
	PasswordHash  *string `json:"password_hash"`
	Password      *string `json:"password"`
	TOTP          *string `json:"totp"`

	// What an export says besides, and an import passes over.
	ID         json.RawMessage `json:"id"`
	LastSignIn json.RawMessage `json:"last_sign_in"`
	TwoFactor  json.RawMessage `json:"two_factor"`

	locked, created time.Time
}

// texts and flags find the cells of a CSV line by the names of their columns.
func (r *record) texts() map[string]**string {
	return map[string]**string{
		"email": &r.Email, "login": &r.Login, "name": &r.Name, "role": &r.Role, "type": &r.Type, "locale": &r.Locale,
		"locked": &r.Locked, "created": &r.Created, "password_hash": &r.PasswordHash, "password": &r.Password, "totp": &r.TOTP,
	}
}

func (r *record) flags() map[string]**bool {
	return map[string]**bool{"email_verified": &r.EmailVerified, "require_2fa": &r.Require2FA, "disabled": &r.Disabled}
}

// passedOver are the columns of an export that an import has no use for.
var passedOver = [...]string{"id", "last_sign_in", "two_factor"}

// cell puts one cell of a CSV line into the record. An empty one says nothing.
func (r *record) cell(texts map[string]**string, flags map[string]**bool, column, value string) error {
	value = storage.SheetText(value)
	if strings.TrimSpace(value) == "" {
		return nil
	}
	if p, ok := texts[column]; ok {
		*p = &value
	}
	if p, ok := flags[column]; ok {
		b, ok := flag(value)
		if !ok {
			return refuse(bad(column, "flag"), "%s is neither true nor false", column)
		}
		*p = &b
	}
	return nil
}

func flag(s string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "yes", "1":
		return true, true
	case "false", "no", "0":
		return false, true
	default:
		return false, false
	}
}

// readJSON reads one line of JSON, strictly: what is not understood is not passed over.
func readJSON(line string) (*record, error) {
	if !strings.HasPrefix(strings.TrimSpace(line), "{") {
		return nil, refuse(Fault{Code: "object"}, "it is no JSON object, such as {\"email\": \"sam@example.com\"}")
	}
	var r record
	d := json.NewDecoder(strings.NewReader(line))
	d.DisallowUnknownFields()
	err := d.Decode(&r)
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
	case errors.As(err, &kind):
		return nil, refuse(bad(shown(kind.Field), "kind"), "%s can't be a %s", shown(kind.Field), kind.Value)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		name := shown(strings.TrimPrefix(err.Error(), "json: unknown field "))
		return nil, refuse(bad(name, "no_field"), "there is no field %s; there are %s", name, listed())
	default:
		return nil, refuse(Fault{Code: "json"}, "it is not well-formed JSON")
	}
	if rest, err := io.ReadAll(d.Buffered()); err != nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, refuse(Fault{Code: "behind"}, "something stands behind the JSON object")
	}
	return &r, nil
}

// account is what the user of a line is called by in reports.
func (r *record) account() string {
	for _, p := range []*string{r.Email, r.Login} {
		if p != nil && *p != "" {
			return shown(strings.TrimSpace(*p))
		}
	}
	return ""
}

// check reads what has a form of its own.
func (r *record) check(now time.Time, passwords bool) (err error) {
	if r.Password != nil && !passwords {
		return refuse(bad("password", "plain"), "it has a plain password, and plain passwords were not allowed for this import")
	}
	if r.Password != nil && r.PasswordHash != nil {
		return refuse(bad("password", "both"), "it has both a password and a password_hash")
	}
	if r.locked, err = moment("locked", r.Locked, now); err != nil {
		return err
	}
	if r.created, err = moment("created", r.Created, now); err != nil {
		return err
	}
	if r.Locale != nil && *r.Locale != "" {
		tag, err := language.Parse(*r.Locale)
		if err != nil || len(*r.Locale) > maxLocale {
			return refuse(bad("locale", "locale"), "locale is no language tag, such as de or en-GB")
		}
		text := tag.String()
		r.Locale = &text
	}
	return nil
}

// maxLocale is the longest language tag in use (RFC 5646, section 4.4.1), in bytes.
const maxLocale = 35

// moment reads a time that has been.
func moment(field string, s *string, now time.Time) (time.Time, error) {
	if s == nil || *s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, strings.TrimSpace(*s)); err == nil && !t.IsZero() {
			if t.After(now) {
				return t, refuse(bad(field, "future"), "%s lies in the future", field)
			}
			return t.UTC().Truncate(time.Millisecond), nil
		}
	}
	return time.Time{}, refuse(bad(field, "time"), "%s is no time, such as 2026-01-31T09:00:00Z", field)
}

// put writes what the record says over u.
func (r *record) put(u *storage.User) {
	set(&u.Name, r.Name)
	set(&u.Type, r.Type)
	set(&u.Require2FA, r.Require2FA)
	set(&u.Locale, r.Locale)
	set(&u.Disabled, r.Disabled)
	if r.Role != nil {
		u.Role = storage.Role(*r.Role)
	}
	// A lock is never taken off by a file.
	if u.Locked.IsZero() {
		u.Locked = r.locked
	}
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// is tells whether a text is there and not empty.
func is(s *string) bool { return s != nil && strings.TrimSpace(*s) != "" }
