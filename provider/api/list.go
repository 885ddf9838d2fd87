package api

import (
	"bytes"
	"encoding/base64"
	"errors"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/storage"
)

// Paged is the part of a question for a list that says which page of it is asked for.
type Paged struct {
	// After is where the page begins: "next" of the page before. The first page has none.
	After Cursor `query:"after"`
	// Limit is the largest number of items: 100 when it is left out.
	Limit int `query:"limit" minimum:"1" maximum:"1000"`
}

func (p Paged) page() admin.Page { return admin.Page{After: string(p.After), Limit: p.Limit} }

// List is a page of a list.
type List[T any] struct {
	// Items are what was asked for.
	Items []T `json:"items"`
	// Next is what the next page is asked for with; the last page has none.
	Next Cursor `json:"next,omitempty"`
	// More: so many were found by a text that not all are shown, and there is no next page of these.
	More bool `json:"more,omitempty"`
}

// listed makes a page of what a full page of records was asked for with p. id tells where a record stands.
func listed[T any](items []T, p Paged, id func(*T) string) List[T] {
	l := List[T]{Items: items}
	if n := len(items); n > 0 && n >= (storage.Query{Limit: p.Limit}).PageSize() {
		l.Next = Cursor(id(&items[n-1]))
	}
	return l
}

// Cursor is a place in a list. Programs get it encoded, so that none comes to rely on what it is.
type Cursor string

var errCursor = errors.New("api: no cursor of ours")

// MarshalText implements encoding.TextMarshaler.
func (c Cursor) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, []byte(c)), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Cursor) UnmarshalText(text []byte) error {
	plain, err := base64.RawURLEncoding.Strict().DecodeString(string(text))
	// IDs are such lines; databases differ in what they make of anything else.
	if err != nil || len(plain) == 0 || !utf8.Valid(plain) || bytes.ContainsFunc(plain, storage.Unprintable) {
		return errCursor
	}
	*c = Cursor(plain)
	return nil
}
