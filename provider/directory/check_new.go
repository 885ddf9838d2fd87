package directory

import (
	"strings"
	"unicode"
	"unicode/utf8"

	zxcvbn "github.com/nbutton23/zxcvbn-go"
)

// The least and greatest number of characters in a password.
const (
	MinPassword = 8
	MaxPassword = 128
)

// PasswordError says why a password is not good enough.
type PasswordError struct {
	// Reason is TooShort, TooLong, Charset, Common or Personal.
	Reason string
}

// Error implements error.
func (e *PasswordError) Error() string { return "directory: password: " + e.Reason }

const (
	// minScore of zxcvbn's 0 to 4: below it a password falls to fewer than a million guesses. More is not asked, as
	// guesses are slowed down and a second step stands behind; eight random letters pass, what could be a date does not.
	minScore = 1
	// maxScored bounds zxcvbn's work, which grows faster than the password; what comes later only adds strength.
	maxScored = 32
	// minPersonal is the least number of characters a password has beside its owner's names.
	minPersonal = 4
)

// CheckNew tells why a password would be a bad one for the person or product that context names (e-mail address, user
// name, name, product; empty ones are passed over). There are no rules of composition. The error is *PasswordError.
func CheckNew(password string, context ...string) error {
	canon, fits := canonical(password)
	n := utf8.RuneCountInString(canon)
	switch {
	case !utf8.ValidString(password):
		return &PasswordError{Charset}
	case !fits:
		return &PasswordError{TooLong}
	case n < MinPassword:
		return &PasswordError{TooShort}
	}
	words := wordsOf(context)
	rest := strings.ToLower(canon)
	for _, w := range words {
		rest = strings.ReplaceAll(rest, w, "")
	}
	if len(rest) < len(canon) && utf8.RuneCountInString(rest) < minPersonal {
		return &PasswordError{Personal}
	}
	scored := canon
	if n > maxScored {
		scored = string([]rune(canon)[:maxScored])
	}
	switch {
	case zxcvbn.PasswordStrength(scored, words).Score >= minScore:
		return nil
	case zxcvbn.PasswordStrength(scored, nil).Score >= minScore:
		return &PasswordError{Personal}
	default:
		return &PasswordError{Common}
	}
}

// wordsOf returns the whole texts and the words in them, lower-cased, longest first where one holds another.
func wordsOf(texts []string) []string {
	var words []string
	for _, t := range texts {
		t = strings.ToLower(t)
		parts := strings.FieldsFunc(t, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		for _, w := range append([]string{t}, parts...) {
			if utf8.RuneCountInString(w) >= 3 {
				words = append(words, w)
			}
		}
	}
	return words
}
