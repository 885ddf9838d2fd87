package storage

import "unicode"

// Unprintable tells whether r must not be in a line that people are to read, in a page, mail, log or terminal: a control
// character, a bidirectional control, or a line or paragraph separator. With these, who chose the text could forge what
// stands beside it, or turn it around.
func Unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}
