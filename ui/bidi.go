package ui

import (
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// rightToLeft are the scripts that are written so.
var rightToLeft = []string{"Adlm", "Arab", "Hebr", "Mand", "Mend", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"}

// direction is how a language is written, as HTML's dir.
func direction(tag language.Tag) string {
	if script, _ := tag.Script(); slices.Contains(rightToLeft, script.String()) {
		return "rtl"
	}
	return "ltr"
}

// Marks of the Unicode Bidirectional Algorithm (UAX #9, section 2.4) that keep what is between them from being taken apart by
// the text around it.
const (
	isolate    = "\u2068" // in the direction of what is isolated
	isolateLTR = "\u2066"
	isolateEnd = "\u2069"
)

// alone isolates what is filled into a sentence that is written from right to left: an address, a number or a name would be
// read in pieces, in the wrong order. Links and codes are left as they are, for programs read them out of mails and text
// messages too.
func alone(name, value string) string {
	switch name {
	case "link", "code", "not_me":
		return value
	default:
		return isolate + value + isolateEnd
	}
}

// apart isolates a sentence that a page written from right to left has in English only; text messages cost twice as much with
// anything in them that is not in their own alphabet.
func apart(key, words string) string {
	if strings.HasPrefix(key, "sms.") || strings.Contains(words, "\n") {
		return words
	}
	return isolateLTR + words + isolateEnd
}

// comma parts the items of a list.
func comma(lang string) string {
	if script, _ := language.Make(lang).Script(); script.String() == "Arab" {
		return "، "
	}
	return ", "
}
