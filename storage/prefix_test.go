package storage_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/storage"
)

func TestRangeOfAPrefix(t *testing.T) {
	for value, want := range map[string]string{
		"a": "b", "an": "ao", "\x00": "\x01", "\x7f": "\u0080", "é": "ê", "a\u07ff": "a\u0800", "\ud7ff": "\ue000",
		"\uffff": "\U00010000", "a\U0010ffff": "b", "a\U0010ffff\U0010ffff": "b", "\U0010ffff": "",
	} {
		q := storage.Query{Tenant: "t", Field: "name", Value: value, Prefix: true}
		if to, err := q.Range(); to != want || err != nil {
			t.Errorf("%+q: to %+q, %v; want %+q", value, to, err, want)
		}
	}
	for name, q := range map[string]storage.Query{
		"no field": {Value: "a"}, "empty": {Field: "name"}, "no text": {Field: "name", Value: "a\xff"},
		"after": {Field: "name", Value: "a", After: "x"}, "desc": {Field: "name", Value: "a", Desc: true},
	} {
		if to, err := q.Range(); err == nil {
			t.Errorf("%s: to %q and no error", name, to)
		}
	}
}

// FuzzRange wants the range to hold what begins with the prefix and nothing else.
func FuzzRange(f *testing.F) {
	f.Add("a", "ab")
	f.Add("a\U0010ffff", "b")
	f.Add("\ud7ff", "\ue000")
	f.Fuzz(func(t *testing.T, value, s string) {
		to, err := storage.Query{Field: "name", Value: value, Prefix: true}.Range()
		if (err == nil) != (value != "" && utf8.ValidString(value)) {
			t.Fatalf("%+q: %v", value, err)
		}
		if err != nil || !utf8.ValidString(s) {
			return
		}
		if !utf8.ValidString(to) {
			t.Errorf("%+q: %+q is not UTF-8", value, to)
		}
		if in := s >= value && (to == "" || s < to); in != strings.HasPrefix(s, value) {
			t.Errorf("%+q: %+q is in the range to %+q: %t", value, s, to, in)
		}
	})
}
