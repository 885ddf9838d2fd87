package mfa

import "strings"

// Input says what an answer looks like: for the field that it is typed into, and for the checks that come before
// an attempt is counted.
type Input struct {
	// Digits is the length of an all-digit code; 0 means that the answer is other text.
	Digits int `json:"digits,omitempty"`
	// Shortest and Longest bound other text, in bytes after cleaning; Longest 0 means 64.
	Shortest int `json:"shortest,omitempty"`
	Longest  int `json:"longest,omitempty"`
	// Script: the page's script makes the answer, out of Prompt.Options; nobody types it.
	Script bool `json:"script,omitempty"`
}

// longestScript bounds what a script may answer, in bytes.
const longestScript = 16 << 10

// Clean takes away what people and password managers put around and between the characters of a code (spaces,
// hyphens), and refuses with a *Wrong what no code looks like, so that a slip of the finger costs no attempt.
// Letters and digits outside ASCII are not codes.
func (in Input) Clean(answer string) (string, error) {
	if in.Script {
		switch {
		case answer == "":
			return "", &Wrong{Reason: Empty}
		case len(answer) > longestScript:
			return "", &Wrong{Reason: Long}
		}
		return answer, nil
	}
	var b strings.Builder
	for _, r := range answer {
		switch {
		case r == ' ' || r == '-' || r == '\t' || r == '\n' || r == '\r' || r == '\u00a0' || r == '\u202f' || r == '\u2011':
			continue
		case in.Digits > 0 && (r < '0' || r > '9'), r < '!' || r > '~':
			return "", &Wrong{Reason: Format, Want: in.Digits}
		case b.Len() > 1024:
			return "", &Wrong{Reason: Long, Want: in.Digits}
		default:
			b.WriteRune(r)
		}
	}
	shortest, longest := in.Shortest, in.Longest
	if longest == 0 {
		longest = 64
	}
	if in.Digits > 0 {
		shortest, longest = in.Digits, in.Digits
	}
	switch n := b.Len(); {
	case n == 0:
		return "", &Wrong{Reason: Empty, Want: in.Digits}
	case n < shortest:
		return "", &Wrong{Reason: Short, Want: in.Digits}
	case n > longest:
		return "", &Wrong{Reason: Long, Want: in.Digits}
	default:
		return b.String(), nil
	}
}
