package audit

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/storage"
)

// field is one text of an event: what it is called in logs and exports, and how many bytes of it are kept.
type field struct {
	name string
	text *string
	max  int
}

// hashedFirst is how many of the fields have been hashed from the beginning, whether they are empty or not. Those behind
// them were added later, and are hashed where they are not empty: so the hashes of before stay what they were.
const hashedFirst = 11

// fields are the texts that callers fill, in the order in which they are hashed.
func fields(e *storage.Event) [hashedFirst + 1]field {
	return [...]field{
		{"action", &e.Action, 64},
		{"outcome", &e.Outcome, 32},
		{"actor", &e.Actor, 128},
		{"user", &e.User, 128},
		{"client", &e.Client, 128},
		{"factor", &e.Factor, 64},
		{"rule", &e.Rule, 128},
		{"reason", &e.Reason, 256},
		{"address", &e.Address, 64},
		{"agent", &e.Agent, 256},
		{"request", &e.Request, 128},
		{"reports", &e.Reports, 1024},
	}
}

// clean cuts texts to length and takes out what could forge a line or turn one around where the log is read.
func clean(e *storage.Event) {
	for _, f := range fields(e) {
		*f.text = cut(strings.Map(visible, *f.text), f.max)
	}
}

// visible puts U+FFFD where a control, line separator or bidirectional control stood, so that it shows that
// something was there. (Bytes that are no UTF-8 arrive here as U+FFFD.)
func visible(r rune) rune {
	if storage.Unprintable(r) {
		return utf8.RuneError
	}
	return r
}

// cut shortens s to at most n bytes, not within a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// sum returns the hash of an event: SHA-256, base64url, over every field but Version and Hash itself. Each field is
// preceded by its length, and one that was added later by its name too, so that no two events have one encoding.
func sum(e storage.Event) string {
	b := []byte("sallyport audit 1\x00")
	add := func(s string) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s))) //nolint:gosec // G115: no text here has 4 GiB.
		b = append(b, s...)
	}
	add(e.Tenant)
	add(e.ID)
	add(instant(e.Expires))
	add(instant(e.Time))
	texts := fields(&e)
	for _, f := range texts[:hashedFirst] {
		add(*f.text)
	}
	add(e.Previous)
	for _, f := range texts[hashedFirst:] {
		if *f.text != "" {
			add(f.name)
			add(*f.text)
		}
	}
	h := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(h[:])
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func attrs(e storage.Event) []slog.Attr {
	a := []slog.Attr{slog.String("tenant", e.Tenant), slog.String("id", e.ID)}
	for _, f := range fields(&e) {
		if *f.text != "" {
			a = append(a, slog.String(f.name, *f.text))
		}
	}
	return append(a, slog.String("hash", e.Hash))
}
