package directory

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Why a field was refused; FieldError.Reason is one of these. They are keys for texts, not texts.
const (
	Missing  = "missing"
	TooLong  = "too_long"
	Charset  = "charset"
	Syntax   = "syntax"
	Unknown  = "unknown"
	Taken    = "taken"
	Crowded  = "crowded"
	TooShort = "too_short"
	Common   = "common"
	Personal = "personal"
	// Same: it is what there is already.
	Same = "same"
)

// FieldError says which field of a user was refused, and why.
type FieldError struct {
	// Field is the JSON name of the field: "email", "login", "name", "role" or "type".
	Field string
	// Reason is Missing, TooLong, Charset, Syntax, Unknown, Taken, Crowded or Same.
	Reason string
}

// Error implements error.
func (e *FieldError) Error() string { return fmt.Sprintf("directory: %s: %s", e.Field, e.Reason) }

// Unwrap makes ErrTaken and ErrCrowded found.
func (e *FieldError) Unwrap() error {
	switch e.Reason {
	case Taken:
		return ErrTaken
	case Crowded:
		return ErrCrowded
	default:
		return nil
	}
}

const (
	maxEmail = 254 // characters; RFC 5321, section 4.5.3.1.3
	maxLocal = 64  // RFC 5321, section 4.5.3.1.1
	maxLogin = 64
	maxName  = 128
)

// Normalize returns the one form in which an e-mail address or user name is kept, claimed and looked up: characters
// that an input method wrote in another width folded (NFKC), lower-cased, the domain in ASCII (RFC 5890). What is
// not ASCII after that is refused, so no two names that look alike are different users. *FieldError.
func Normalize(login string) (string, error) {
	if strings.Contains(login, "@") || strings.Contains(login, "＠") {
		return NormalizeEmail(login)
	}
	return normalizeLogin(login)
}

func fold(field, s string) (string, error) {
	// Before anything is done with it: folding can make a text longer by a factor, and takes time.
	if len(s) > 4*maxEmail {
		return "", &FieldError{field, TooLong}
	}
	if !utf8.ValidString(s) {
		return "", &FieldError{field, Charset}
	}
	// Folding a second time matters where lower-casing leaves a character and its accent apart.
	s = norm.NFKC.String(strings.ToLower(norm.NFKC.String(strings.TrimSpace(s))))
	if s == "" {
		return "", &FieldError{field, Missing}
	}
	return s, nil
}

func normalizeLogin(login string) (string, error) {
	s, err := fold("login", login)
	switch {
	case err != nil:
		return "", err
	case len(s) > maxLogin:
		return "", &FieldError{"login", TooLong}
	case strings.ContainsFunc(s, notIn(loginChars)) || !alphanumeric(s[0]):
		return "", &FieldError{"login", Charset}
	}
	return s, nil
}

const (
	letters    = "abcdefghijklmnopqrstuvwxyz0123456789"
	loginChars = letters + "._+-"
	// localChars are what RFC 5322, section 3.2.3, allows in a local part that is not quoted.
	localChars = letters + "!#$%&'*+-/=?^_`{|}~."
)

func notIn(set string) func(rune) bool {
	return func(r rune) bool { return !strings.ContainsRune(set, r) }
}

func alphanumeric(c byte) bool { return strings.IndexByte(letters, c) >= 0 }

// NormalizeEmail is Normalize for what has to be an e-mail address.
func NormalizeEmail(email string) (string, error) {
	s, err := fold("email", email)
	if err != nil {
		return "", err
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return "", &FieldError{"email", Syntax}
	}
	local, domain := s[:at], s[at+1:]
	if strings.ContainsFunc(local, notIn(localChars)) {
		return "", &FieldError{"email", Charset}
	}
	if domain, err = idna.Lookup.ToASCII(domain); err != nil {
		return "", &FieldError{"email", Syntax}
	}
	s = local + "@" + domain
	if len(local) > maxLocal || len(s) > maxEmail {
		return "", &FieldError{"email", TooLong}
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s || strings.Trim(domain, letters+".-") != "" {
		return "", &FieldError{"email", Syntax}
	}
	return s, nil
}

// NormalizeName returns a display name in its composed form and without space around it. Control characters and
// bidirectional controls could turn round what stands beside the name on a page. *FieldError.
func NormalizeName(name string) (string, error) {
	if len(name) > 16*maxName {
		return "", &FieldError{"name", TooLong}
	}
	name = strings.TrimSpace(name)
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unprintable) {
		return "", &FieldError{"name", Charset}
	}
	name = norm.NFC.String(name)
	if utf8.RuneCountInString(name) > maxName {
		return "", &FieldError{"name", TooLong}
	}
	return name, nil
}

func unprintable(r rune) bool {
	return unicode.IsControl(r) || r == utf8.RuneError || r == '\uFEFF' ||
		unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point)
}
