package web

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// body reads what a program sent, which is JSON or nothing.
func (x *exchange) body() ([]byte, error) {
	r := x.c.Request()
	data, err := io.ReadAll(http.MaxBytesReader(x.c.Response(), r.Body, maxBody))
	if err != nil {
		return nil, badBody(err)
	}
	if len(data) == 0 {
		return nil, nil
	}
	given := r.Header.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(given)
	merge := kind == "application/merge-patch+json" && r.Method == http.MethodPatch
	if err != nil || kind != "application/json" && !merge {
		return nil, errMediaType(given, "application/json")
	}
	return data, nil
}

// decode fills v. The path comes last, so that nothing else of the request can stand in its place.
func (p *plan) decode(x *exchange, v reflect.Value, body []byte) error {
	r := x.c.Request()
	if body != nil {
		if err := p.decodeJSON(v, body); err != nil {
			return err
		}
	} else if err := missing(p.json, nil); err != nil {
		return err
	}
	if err := p.decodeQuery(v, r.URL.RawQuery); err != nil {
		return err
	}
	if p.upload != nil {
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || !slices.Contains(p.accepts, kind) {
			return errMediaType(r.Header.Get("Content-Type"), strings.Join(p.accepts, ", "))
		}
		v.FieldByIndex(p.upload).Set(reflect.ValueOf(Upload{Type: kind, Body: arriving{x, r.Body}}))
	}
	for name, s := range p.path {
		value := x.c.Param(name)
		if r.URL.RawPath != "" {
			// Where the path has escapes of its own, such as %2F, the router works on it as it was sent.
			var err error
			if value, err = url.PathUnescape(value); err != nil {
				return malformed(name, "the path is not escaped as it should be", "escape each of its segments")
			}
		}
		if err := setText(v.FieldByIndex(s.index), name, value); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) decodeQuery(v reflect.Value, raw string) error {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return malformed("", "the query is not escaped as it should be", "escape each of its values")
	}
	// In order, so that the same request gets the same answer.
	for _, name := range slices.Sorted(maps.Keys(values)) {
		s, ok := p.query[name]
		if !ok {
			return malformed(name, "there is no such parameter in the query", "leave it out, or check its spelling")
		}
		field, given := v.FieldByIndex(s.index), values[name]
		if field.Kind() == reflect.Slice {
			field.Set(reflect.MakeSlice(field.Type(), len(given), len(given)))
			for i, one := range given {
				if err := s.set(field.Index(i), name, one); err != nil {
					return err
				}
			}
			continue
		}
		if len(given) > 1 {
			return malformed(name, fmt.Sprintf("it stands there %d times", len(given)), "send it once")
		}
		if err := s.set(field, name, given[0]); err != nil {
			return err
		}
	}
	return missing(p.query, func(name string) bool { return values.Has(name) })
}

// missing refuses where a required field was not sent.
func missing(slots map[string]slot, sent func(string) bool) error {
	for _, name := range slices.Sorted(maps.Keys(slots)) {
		if slots[name].required && (sent == nil || !sent(name)) {
			return malformed(name, "it is missing", "send it")
		}
	}
	return nil
}

// setText fills a field from the path or the query.
func setText(field reflect.Value, name, s string) error {
	if len(s) > maxValue || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return malformed(name, "it is too long, or no text", "send it as UTF-8")
	}
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		return setText(field.Elem(), name, s)
	}
	if u, ok := field.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(s)); err != nil {
			return ofType(name, field.Type())
		}
		return nil
	}
	switch field.Kind() {
	case reflect.String:
		field.SetString(s)
	case reflect.Bool:
		if s != "true" && s != "false" {
			return ofType(name, field.Type())
		}
		field.SetBool(s == "true")
	case reflect.Int:
		n, err := strconv.Atoi(s)
		if err != nil {
			return ofType(name, field.Type())
		}
		field.SetInt(int64(n))
	default:
		return fmt.Errorf("web: field %q has a type that can't be filled: %s", name, field.Type())
	}
	return nil
}

// maxDepth bounds how deep a body is nested. No operation has a use for more.
const maxDepth = 32

// decodeJSON fills the fields that come from the body.
func (p *plan) decodeJSON(v reflect.Value, body []byte) error {
	if err := wellFormed(body); err != nil {
		return err
	}
	d := jsontext.NewDecoder(bytes.NewReader(body))
	if d.PeekKind() != '{' {
		return malformed("", "the body is no JSON object", "send one")
	}
	if _, err := d.ReadToken(); err != nil {
		return malJSON(err)
	}
	sent := map[string]bool{}
	for d.PeekKind() != '}' {
		t, err := d.ReadToken()
		if err != nil {
			return malJSON(err)
		}
		name := t.String()
		s, ok := p.json[name]
		if !ok {
			return unknownField(name)
		}
		sent[name] = true
		if err := jsonv2.UnmarshalDecode(d, v.FieldByIndex(s.index).Addr().Interface(), strictly()); err != nil {
			return malJSON(err)
		}
	}
	return missing(p.json, func(name string) bool { return sent[name] })
}

// wellFormed reads a body once without looking at its meaning: it is one JSON value (RFC 8259) that names every field
// once, and none of its strings has a NUL, which databases and C libraries take for the end.
func wellFormed(body []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(body))
	for {
		t, err := d.ReadToken()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return malJSON(err)
		case t.Kind() == '"' && strings.ContainsRune(t.String(), 0):
			return malformed(where(d.StackPointer()), "it holds a NUL character", "leave that out")
		case d.StackDepth() > maxDepth:
			return malformed("", "it is nested too deep", fmt.Sprintf("keep to %d levels", maxDepth))
		case d.StackDepth() == 0:
			if rest := body[d.InputOffset():]; len(bytes.TrimLeft(rest, " \t\r\n")) > 0 {
				return malformed("", "something follows the JSON value", "send one value")
			}
		}
	}
}

// strictly is how JSON is read: names are known, spelled exactly, and each stands there once.
func strictly() jsonv2.Options {
	return jsonv2.JoinOptions(
		jsonv2.RejectUnknownMembers(true),
		jsonv2.WithUnmarshalers(jsonv2.UnmarshalFromFunc(func(d *jsontext.Decoder, v any) error {
			if d.PeekKind() != 'n' {
				return jsonv2.SkipFunc
			}
			field := reflect.ValueOf(v).Elem()
			if field.Kind() != reflect.Pointer {
				return errNull
			}
			field.Set(reflect.New(field.Type().Elem()))
			_, err := d.ReadToken()
			return err
		})),
	)
}

var errNull = errors.New("null")

// where writes a JSON Pointer (RFC 6901) as the place in an Invalid: top-level fields by their name alone.
func where(p jsontext.Pointer) string { return strings.TrimPrefix(string(p), "/") }

// malJSON finds the words for an error of the JSON decoder.
func malJSON(err error) error {
	var meaning *jsonv2.SemanticError
	var syntax *jsontext.SyntacticError
	switch {
	case errors.As(err, &meaning):
		at := where(meaning.JSONPointer)
		switch {
		case errors.Is(err, jsonv2.ErrUnknownName):
			return unknownField(at)
		case errors.Is(err, errNull):
			return malformed(at, "it is null", "send a value, or leave it out")
		default:
			return ofType(at, meaning.GoType)
		}
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntax):
		return malformed(where(syntax.JSONPointer), "it stands there twice", "send it once")
	case errors.As(err, &syntax):
		return malformed(where(syntax.JSONPointer), "this is not JSON", fmt.Sprintf("look at byte %d of the body", syntax.ByteOffset))
	default:
		return malformed("", "this is not JSON", "send one JSON object")
	}
}

func unknownField(at string) error {
	return malformed(at, "there is no such field", "leave it out, or check its spelling")
}

// ofType refuses what has another type than t.
func ofType(at string, t reflect.Type) error {
	const do = "send it as the description of the API has it"
	if t == nil {
		return malformed(at, "it has the wrong type", do)
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	kind := "of another type"
	switch {
	case t.PkgPath() == "time" && t.Name() == "Time":
		kind = "a time as of RFC 3339, such as 2026-01-31T08:30:00Z"
	case t.PkgPath() == "net/netip":
		kind = "an IP address or network"
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return malformed(at, "it is none of the values that there are", do)
	case t.Kind() == reflect.String:
		kind = "a string"
	case t.Kind() == reflect.Bool:
		kind = "true or false"
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		kind = "a whole number"
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		kind = "a list"
	case t.Kind() == reflect.Struct || t.Kind() == reflect.Map:
		kind = "an object"
	}
	return malformed(at, "it must be "+kind, do)
}
