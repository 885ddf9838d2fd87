package transfer

import (
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/provider/web"
)

// FuzzRead feeds the readers files of any kind: they never panic, never return a line that is too long or no text, end
// at the end, and refuse with a *wrong only, which can be shown on a terminal.
func FuzzRead(f *testing.F) {
	f.Add("email,name\na@x.example,\"A \"\"B\"\"\"\n", false)
	f.Add("\ufeffemail;locked;email_verified\r\na@x.example;2026-01-31;yes\r\n\n'=1;x", false)
	f.Add(`{"email":"a@x.example","email_verified":true}`+"\n[]\nnull\n{\"a\":"+strings.Repeat("[", 100), true)
	f.Add("email\n\x00\n\xff\n\x1b[2J\n", false)
	f.Fuzz(func(t *testing.T, file string, asJSON bool) {
		in := newLines(strings.NewReader(file))
		o := Options{Format: CSV, Passwords: true}
		if asJSON {
			o.Format = JSONLines
		}
		read, err := reading(in, o)
		if err != nil {
			if !errors.As(err, new(*web.Invalid)) {
				t.Fatal(err)
			}
			return
		}
		var refused *wrong
		for range len(file) + 2 {
			text, err := in.next()
			if errors.Is(err, io.EOF) {
				if in.bytes != int64(len(file)) {
					t.Fatalf("%d of %d bytes were read", in.bytes, len(file))
				}
				return
			}
			if err == nil {
				if len(text) > maxLine || !utf8.ValidString(text) || strings.ContainsRune(text, '\n') {
					t.Fatalf("%q is no line", text)
				}
				var r *record
				if r, err = read(text); err == nil && r.account() != shown(r.account()) {
					t.Fatalf("%q is shown", r.account())
				}
			}
			if err != nil && (!errors.As(err, &refused) || shown(refused.words) != refused.words && len(refused.words) < maxShown) {
				t.Fatalf("%v", err)
			}
		}
		t.Fatal("there is no end")
	})
}
