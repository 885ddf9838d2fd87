package storage_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/storage"
)

func TestUnprintable(t *testing.T) {
	for _, r := range "\x00\t\n\r\x1b\x7f\u0085\u061c\u200e\u202a\u202e\u2028\u2029\u2066\u2069" {
		if !storage.Unprintable(r) {
			t.Errorf("%U can be printed", r)
		}
	}
	for _, r := range "aß 1“…\u00a0\u200d漢א🔑\ufffd" {
		if storage.Unprintable(r) {
			t.Errorf("%U can't be printed", r)
		}
	}
}

// FuzzUnlinked: nothing is left that a program takes for an address, and a name without any is left as it is.
func FuzzUnlinked(f *testing.F) {
	for _, s := range []string{
		"Olga Owner", "Dr. Olga B. Owner, Ltd.", "https://evil.example/now", "www.evil.example", "me@evil.example", "mailto:x@y.example", "evil。example",
		"a\nb", "\u202eevil.example", "//evil", "tel:110", ".", "a..b", ": /", "\xff",
	} {
		f.Add(s)
	}
	address := regexp.MustCompile(`\S[.。．｡@＠:：]\S|//|\S/\S`)
	f.Fuzz(func(t *testing.T, name string) {
		got := storage.Unlinked(name)
		if found := address.FindString(got); found != "" || strings.ContainsFunc(got, storage.Unprintable) {
			t.Errorf("%q became %q", name, got)
		}
		plain := strings.Join(strings.Fields(name), " ")
		if utf8.ValidString(name) && !address.MatchString(plain) && !strings.ContainsAny(plain, ":/.@。．｡：／＠") && !strings.ContainsFunc(name, storage.Unprintable) && got != plain {
			t.Errorf("%q became %q", name, got)
		}
	})
}

// FuzzSheetCell: whatever a text holds, no spreadsheet runs it once it is a cell, wherever it parts cells, and it comes back.
func FuzzSheetCell(f *testing.F) {
	for _, s := range []string{
		"=1+1", "'t Hooft", "''", "'", "-", "@x", "+49", "plain", "", "Kim;=1+1", `Kim; "=1+1"`, ";", ";;-1", "a; 'b", ";'", "'=;'=", "\n=1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cell := storage.SheetCell(text)
		if cell != "" && strings.IndexByte("=+-@\t\r\n", cell[0]) >= 0 {
			t.Errorf("%q is run", cell)
		}
		for _, part := range strings.Split(cell, ";")[1:] {
			if part = strings.TrimLeft(part, ` "`); part != "" && strings.IndexByte("=+-@\t\r\n", part[0]) >= 0 {
				t.Errorf("between semicolons %q is run", part)
			}
		}
		if got := storage.SheetText(cell); got != text {
			t.Errorf("%q comes back as %q", text, got)
		}
	})
}
