package storage

import (
	"errors"
	"unicode/utf8"
)

// Range is what a query by Prefix means to an index: the values from Value on that sort before to. Where nothing sorts
// after all that begins with Value, to is empty. An error says why q can't be asked.
func (q Query) Range() (to string, err error) {
	switch {
	case q.Field == "":
		return "", errors.New("a prefix of no field")
	case q.Value == "":
		return "", errors.New("an empty prefix")
	case q.After != "" || q.Desc:
		return "", errors.New("a prefix has one page, upwards")
	case !utf8.ValidString(q.Value):
		return "", errors.New("the prefix is not UTF-8")
	}
	return successor(q.Value), nil
}

// successor is the least text that sorts after all texts that begin with s. UTF-8 sorts as its code points do, and what
// comes out is UTF-8 too, which the next byte of s would not be.
func successor(s string) string {
	for s != "" {
		last, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
		switch {
		case last == 0xD7FF: // the surrogates that follow are no text
			return s + "\uE000"
		case last < utf8.MaxRune:
			return s + string(last+1)
		}
	}
	return ""
}
