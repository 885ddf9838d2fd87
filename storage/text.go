package storage

import (
	"strings"
	"unicode"
)

// Unprintable tells whether r must not be in a line that people are to read, in a page, mail, log or terminal: a control
// character, a bidirectional control, or a line or paragraph separator. With these, who chose the text could forge what
// stands beside it, or turn it around.
func Unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}

// Unlinked is a name as one line in which mail programs and phones find nothing to make a link of: messages go out under the
// deployment's name, some of them to strangers, and must lead nowhere but to us, whatever people and customers call themselves.
func Unlinked(name string) string {
	runes := []rune(strings.Join(strings.FieldsFunc(strings.ToValidUTF8(name, ""), func(r rune) bool {
		return unicode.IsSpace(r) || Unprintable(r)
	}), " "))
	for i, r := range runes[:max(0, len(runes)-1)] {
		// The full stops of other scripts part domain names too (RFC 3490, section 3.1).
		if strings.ContainsRune(":/.@。．｡：／＠", r) && !unicode.IsSpace(runes[i+1]) {
			runes[i] = ' '
		}
	}
	return string(runes)
}

// formula are the characters that make a spreadsheet run a cell instead of showing it. The quotation mark that is put
// before them is among them, so that it can be told from one that was there.
const formula = "=+-@\t\r\n'"

// SheetCell is a text as a cell of a CSV file that is shown and not run: strangers choose what a browser is called and
// users what they are called, and whoever exports that opens it in a spreadsheet. One that parts cells by semicolons, as
// where the comma is the decimal point, would find the beginnings of cells within a cell as well, behind spaces and
// quotation marks.
func SheetCell(text string) string {
	parts := strings.Split(text, ";")
	for i, p := range parts {
		if runs(p, i > 0) {
			parts[i] = "'" + p
		}
	}
	return strings.Join(parts, ";")
}

// SheetText is the text that SheetCell made a cell of.
func SheetText(cell string) string {
	parts := strings.Split(cell, ";")
	for i, p := range parts {
		if text, marked := strings.CutPrefix(p, "'"); marked && runs(text, i > 0) {
			parts[i] = text
		}
	}
	return strings.Join(parts, ";")
}

// runs tells whether a cell, or what a semicolon makes one, would be run.
func runs(part string, within bool) bool {
	if within {
		part = strings.TrimLeft(part, ` "`)
	}
	return part != "" && strings.IndexByte(formula, part[0]) >= 0
}
