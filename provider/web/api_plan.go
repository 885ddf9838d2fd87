package web

import (
	"encoding"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// plan is how a struct is filled from a request.
type plan struct {
	path, query, json map[string]slot
	upload            []int
	accepts           []string
}

// slot is a field, with what its tags say of its value.
type slot struct {
	index    []int
	required bool
	// least and most bound a whole number in the query, and words are what a string there may be; nil is no bound.
	least, most *int
	words       []string
}

func slotOf(f reflect.StructField, index []int) (s slot, err error) {
	s = slot{index: index, required: f.Tag.Get("required") == "true"}
	for tag, bound := range map[string]**int{"minimum": &s.least, "maximum": &s.most} {
		if said, ok := f.Tag.Lookup(tag); ok {
			n, err := strconv.Atoi(said)
			if err != nil {
				return s, fmt.Errorf("field %s: %s: %w", f.Name, tag, err)
			}
			*bound = &n
		}
	}
	if said, ok := f.Tag.Lookup("enum"); ok {
		s.words = strings.Split(said, ",")
	}
	return s, nil
}

// set fills a field from the query.
func (s slot) set(field reflect.Value, name, value string) error {
	if err := setText(field, name, value); err != nil {
		return err
	}
	return s.within(field, name)
}

// within refuses a value that is out of bounds.
func (s slot) within(field reflect.Value, name string) error {
	for field.Kind() == reflect.Pointer {
		field = field.Elem()
	}
	switch {
	case field.Kind() == reflect.String && s.words != nil && !slices.Contains(s.words, field.String()):
		return malformed(name, "it is none of "+strings.Join(s.words, ", "), "send one of them")
	case field.Kind() == reflect.Int && s.least != nil && field.Int() < int64(*s.least):
		return malformed(name, fmt.Sprintf("it is less than %d", *s.least), "send more")
	case field.Kind() == reflect.Int && s.most != nil && field.Int() > int64(*s.most):
		return malformed(name, fmt.Sprintf("it is more than %d", *s.most), "send less")
	}
	return nil
}

// planFor reads the tags of an operation's In.
func planFor(method, path string, in reflect.Type) (*plan, error) {
	p := &plan{path: map[string]slot{}, query: map[string]slot{}, json: map[string]slot{}}
	if !strings.HasPrefix(path, PathAPI+"/") {
		return p, fmt.Errorf("the path does not begin with %s/", PathAPI)
	}
	if in.Kind() != reflect.Struct {
		return p, fmt.Errorf("the operation takes %s, not a struct", in)
	}
	if err := p.add(in, nil); err != nil {
		return p, err
	}
	for _, segment := range strings.Split(path, "/") {
		if name, ok := strings.CutPrefix(segment, ":"); ok {
			if _, ok := p.path[name]; !ok {
				return p, fmt.Errorf("no field of %s takes %q from the path", in, name)
			}
		}
	}
	for name := range p.path {
		if !slices.Contains(strings.Split(path, "/"), ":"+name) {
			return p, fmt.Errorf("the path has no %q, which %s takes from it", name, in)
		}
	}
	if len(p.json) > 0 && (p.upload != nil || method == http.MethodGet) {
		return p, fmt.Errorf("%s takes JSON from a body that is not for it", in)
	}
	return p, nil
}

func (p *plan) add(t reflect.Type, at []int) error {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(slices.Clone(at), i)
		s, err := slotOf(f, index)
		if err != nil {
			return err
		}
		into, tag := p.json, f.Tag.Get("json")
		switch {
		case f.Type == reflect.TypeFor[Upload]():
			p.upload, p.accepts = index, strings.Split(f.Tag.Get("accept"), ",")
			continue
		case f.Tag.Get("path") != "":
			into, tag = p.path, f.Tag.Get("path")
		case f.Tag.Get("query") != "":
			into, tag = p.query, f.Tag.Get("query")
		case tag == "" && f.Anonymous && f.Type.Kind() == reflect.Struct:
			if err := p.add(f.Type, index); err != nil {
				return err
			}
			continue
		}
		name, _, _ := strings.Cut(tag, ",")
		if _, twice := into[name]; twice || name == "" || name == "-" || !f.IsExported() {
			return fmt.Errorf("field %s.%s has no tag of its own that says where it comes from", t, f.Name)
		}
		if f.Tag.Get("json") == "" && !settable(f.Type) {
			return fmt.Errorf("field %s.%s has a type that no parameter has: %s", t, f.Name, f.Type)
		}
		into[name] = s
	}
	return nil
}

// settable tells whether a parameter can have the type.
func settable(t reflect.Type) bool {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return true
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int:
		return true
	case reflect.Pointer, reflect.Slice:
		return t.Elem().Kind() != t.Kind() && settable(t.Elem())
	default:
		return false
	}
}
