package admin

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/storage"
)

// line checks a text that people read on pages and in logs: one line, without characters that could turn around or
// forge what stands beside it. The length is in characters.
func line(field, s string, most int) (string, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return "", invalid(field, "it is empty", "give a text of 1 to "+fmt.Sprint(most)+" characters")
	case utf8.RuneCountInString(s) > most:
		return "", invalid(field, fmt.Sprintf("it has %d characters", utf8.RuneCountInString(s)), fmt.Sprintf("shorten it to %d", most))
	case !utf8.ValidString(s) || strings.ContainsFunc(s, storage.Unprintable):
		return "", invalid(field, "it holds control characters or line breaks", "leave them out")
	}
	return s, nil
}

// newSecret returns 256 random bits as base64url, 43 characters.
func newSecret() string {
	b := make([]byte, 32)
	// crypto/rand.Read never fails (it ends the program rather than return an error).
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// passwordGroups of four base32 characters each make 100 bits: more than anybody can guess, and still to be read out.
const passwordGroups = 5

// newPassword returns a random password such as k7fq-2m6x-vd4t-6wzn-p3hc.
func newPassword() string {
	text := strings.ToLower(rand.Text())
	groups := make([]string, passwordGroups)
	for i := range groups {
		groups[i] = text[4*i : 4*i+4]
	}
	return strings.Join(groups, "-")
}
