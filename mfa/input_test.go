package mfa_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/mfa"
)

func TestInputClean(t *testing.T) {
	six := mfa.Input{Digits: 6}
	text := mfa.Input{Shortest: 4, Longest: 8}
	for _, c := range []struct {
		name   string
		in     mfa.Input
		answer string
		want   string
		wrong  mfa.Reason
	}{
		{"as it is", six, "123456", "123456", ""},
		{"leading zeros stay", six, "000012", "000012", ""},
		{"grouped", six, "123 456", "123456", ""},
		{"hyphen", six, "123-456", "123456", ""},
		{"pasted with a line end", six, "123456\r\n", "123456", ""},
		{"tab", six, "\t123456", "123456", ""},
		{"no-break space", six, "123\u00a0456", "123456", ""},
		{"narrow no-break space", six, "123\u202f456", "123456", ""},
		{"non-breaking hyphen", six, "123\u2011456", "123456", ""},
		{"nothing", six, "", "", mfa.Empty},
		{"only what is taken away", six, " - \n", "", mfa.Empty},
		{"five", six, "12345", "", mfa.Short},
		{"seven", six, "1234567", "", mfa.Long},
		{"letter O", six, "12345O", "", mfa.Format},
		{"sign", six, "+123456", "", mfa.Format},
		{"Arabic digits", six, "\u0661\u0662\u0663\u0664\u0665\u0666", "", mfa.Format},
		{"full-width digits", six, "\uff11\uff12\uff13\uff14\uff15\uff16", "", mfa.Format},
		{"zero-width space", six, "123\u200b456", "", mfa.Format},
		{"right-to-left override", six, "\u202e123456", "", mfa.Format},
		{"NUL", six, "123456\x00", "", mfa.Format},
		{"invalid UTF-8", six, "123456\xff", "", mfa.Format},
		{"a megabyte of digits", six, strings.Repeat("1", 1<<20), "", mfa.Long},
		{"a megabyte of spaces", six, strings.Repeat(" ", 1<<20), "", mfa.Empty},
		{"eight", mfa.Input{Digits: 8}, "1234 5678", "12345678", ""},
		{"digits go before bounds", mfa.Input{Digits: 6, Shortest: 1, Longest: 2}, "123456", "123456", ""},
		{"text", text, "ab-CD", "abCD", ""},
		{"punctuation", text, "a!~/", "a!~/", ""},
		{"text too short", text, "abc", "", mfa.Short},
		{"text at its longest", text, "abcdefgh", "abcdefgh", ""},
		{"text too long", text, "abcdefghi", "", mfa.Long},
		{"letter outside ASCII", text, "abcé", "", mfa.Format},
		{"control character", text, "abcd\x7f", "", mfa.Format},
		{"64 where nothing is said", mfa.Input{}, strings.Repeat("a", 64), strings.Repeat("a", 64), ""},
		{"65 where nothing is said", mfa.Input{}, strings.Repeat("a", 65), "", mfa.Long},
		{"nothing where nothing is said", mfa.Input{}, "", "", mfa.Empty},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.in.Clean(c.answer)
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			var w *mfa.Wrong
			switch {
			case c.wrong == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.wrong != "" && !errors.As(err, &w):
				t.Errorf("got %v, want a *mfa.Wrong", err)
			case c.wrong != "" && (w.Reason != c.wrong || w.Want != c.in.Digits || !errors.Is(err, mfa.ErrWrong)):
				t.Errorf("got %+v, want %s", w, c.wrong)
			}
		})
	}
}

// FuzzInputClean: what comes out is of the form that was asked for, is part of what went in, and stays as it is when
// cleaned again.
func FuzzInputClean(f *testing.F) {
	f.Add("123 456", 6, 0, 0)
	f.Add("abcd-efgh", 0, 4, 8)
	f.Add("\u202e\xff\x00", 0, 0, 0)
	f.Add(strings.Repeat("1", 2000), 6, 0, 0)
	f.Fuzz(func(t *testing.T, answer string, digits, shortest, longest int) {
		in := mfa.Input{Digits: digits, Shortest: shortest, Longest: longest}
		got, err := in.Clean(answer)
		if err != nil {
			var w *mfa.Wrong
			if got != "" || !errors.As(err, &w) {
				t.Fatalf("%+v: %q with %v", in, got, err)
			}
			return
		}
		most := longest
		if most == 0 {
			most = 64
		}
		switch {
		case digits > 0 && (len(got) != digits || strings.Trim(got, "0123456789") != ""):
			t.Errorf("%+v lets %q through", in, got)
		case digits <= 0 && (got == "" || len(got) < shortest || len(got) > most):
			t.Errorf("%+v lets %q through", in, got)
		}
		rest := answer
		for _, c := range []byte(got) {
			if c <= ' ' || c > '~' || c == '-' {
				t.Fatalf("%q is left in %q", c, got)
			}
			i := strings.IndexByte(rest, c)
			if i < 0 {
				t.Fatalf("%q was not in %q", got, answer)
			}
			rest = rest[i+1:]
		}
		if again, err := in.Clean(got); err != nil || again != got {
			t.Errorf("cleaned again %q becomes %q, %v", got, again, err)
		}
	})
}
