package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

// Limits of what a request may carry.
const (
	maxBody  = 64 << 10
	maxValue = 16 << 10
)

// MaxFile is how many bytes a file of a form has at most.
const MaxFile = 1 << 20

// FormFile is a file of a form: a field of an operation's In with the tag `file:"…"`, of which there is one. Only the routes
// of such operations take multipart/form-data (RFC 7578), and bodies of more than 64 KiB.
type FormFile struct {
	// Data is what is in the file, nil where none was chosen. What the browser says of its name and type is not kept, for
	// nothing of that need be true.
	Data []byte
	// Large: it has more than MaxFile bytes, and Data is nil.
	Large bool
}

// decode fills the struct that in points to. Path parameters come last and from the path alone, so that no body can
// put another's ID in their place. Repeated values are refused but where the field is a list of strings, as of the boxes
// that were ticked; so are objects and lists of JSON.
func decode(c echo.Context, in any) error {
	v := reflect.ValueOf(in).Elem()
	if v.Kind() != reflect.Struct {
		return fmt.Errorf("web: operation takes %s, not a struct", v.Kind())
	}
	r := c.Request()
	values := r.URL.Query()
	file, named := fileOf(v)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		var err error
		if values, err = body(c.Response(), r, named, file); err != nil {
			return err
		}
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if name, ok := f.Tag.Lookup("form"); ok {
			if err := set(v.Field(i), name, values[name]); err != nil {
				return err
			}
		}
		if name, ok := f.Tag.Lookup("path"); ok {
			if err := set(v.Field(i), name, []string{c.Param(name)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// fileOf finds the field of a struct that takes a file, and what it is called in forms.
func fileOf(v reflect.Value) (file *FormFile, name string) {
	for i := range v.NumField() {
		if name, ok := v.Type().Field(i).Tag.Lookup("file"); ok {
			file, _ := v.Field(i).Addr().Interface().(*FormFile)
			return file, name
		}
	}
	return nil, ""
}

// body reads a form or a flat JSON object. A JSON body must say so: other sites can make a browser send forms and
// plain text without asking first, but not that content type.
func body(w http.ResponseWriter, r *http.Request, named string, file *FormFile) (url.Values, error) {
	most := int64(maxBody)
	if file != nil {
		most += MaxFile
	}
	r.Body = http.MaxBytesReader(w, r.Body, most)
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err != nil && r.ContentLength == 0:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%w: content type", ErrBadRequest)
	case kind == "application/json":
		return jsonValues(r.Body)
	case kind == "application/x-www-form-urlencoded":
		if err := r.ParseForm(); err != nil {
			return nil, badBody(err)
		}
		return r.PostForm, nil
	case kind == "multipart/form-data" && file != nil:
		return parts(multipart.NewReader(r.Body, params["boundary"]), named, file)
	default:
		return nil, fmt.Errorf("%w: content type %q", ErrBadRequest, kind)
	}
}

// parts reads a form that holds a file.
func parts(form *multipart.Reader, named string, file *FormFile) (url.Values, error) {
	values, seen := url.Values{}, false
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return nil, badBody(err)
		}
		name, most := part.FormName(), int64(maxValue)
		if name == named {
			most = MaxFile
		}
		data, err := io.ReadAll(io.LimitReader(part, most+1))
		switch {
		case err != nil:
			return nil, badBody(err)
		case name == named && seen, name != named && part.FileName() != "":
			return nil, fmt.Errorf("%w: a file too many, %q", ErrBadRequest, name)
		case name != named:
			values.Add(name, string(data)) // and set refuses what is too long
		case int64(len(data)) > most:
			seen, file.Large = true, true
		default:
			seen, file.Data = true, data
		}
	}
}

func badBody(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return ErrTooLarge
	}
	return fmt.Errorf("%w: %w", ErrBadRequest, err)
}

func jsonValues(r io.Reader) (url.Values, error) {
	var fields map[string]any
	d := json.NewDecoder(r)
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		return nil, badBody(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: more than one JSON value", ErrBadRequest)
	}
	values := make(url.Values, len(fields))
	for name, v := range fields {
		switch v := v.(type) {
		case string:
			values.Set(name, v)
		case bool:
			values.Set(name, strconv.FormatBool(v))
		case json.Number:
			values.Set(name, v.String())
		default:
			return nil, fmt.Errorf("%w: %q must be a string, a number or a boolean", ErrBadRequest, name)
		}
	}
	return values, nil
}

func set(field reflect.Value, name string, given []string) error {
	if len(given) == 0 {
		return nil
	}
	if all, ok := field.Addr().Interface().(*[]string); ok {
		*all = make([]string, len(given))
		for i := range given {
			if err := set(field.Index(i), name, given[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	}
	if len(given) > 1 {
		return fmt.Errorf("%w: %q stands there %d times", ErrBadRequest, name, len(given))
	}
	s := given[0]
	if len(s) > maxValue || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return fmt.Errorf("%w: %q is too long or not text", ErrBadRequest, name)
	}
	switch field.Kind() {
	case reflect.String:
		field.SetString(s)
	case reflect.Pointer:
		// A pointer tells what was sent empty from what was not sent.
		field.Set(reflect.New(field.Type().Elem()))
		return set(field.Elem(), name, given)
	case reflect.Bool:
		// A ticked box sends "on" unless it has a value of its own.
		switch s {
		case "true", "yes", "on", "1":
			field.SetBool(true)
		case "false", "no", "off", "0", "":
		default:
			return fmt.Errorf("%w: %q must be true or false", ErrBadRequest, name)
		}
	case reflect.Int:
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("%w: %q must be a whole number", ErrBadRequest, name)
		}
		field.SetInt(int64(n))
	default:
		return fmt.Errorf("web: field %q has a type that can't be filled: %s", name, field.Kind())
	}
	return nil
}
