package storagetest

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// subject is one table under one check, with a tenant of the check's own, so that checks share a store and see
// nothing of each other.
type subject[N any, P storage.Row[N]] struct {
	T
	table    storage.Table[N]
	sweepAll sweepFunc
	clock    *clock
	o        Options
	kind     storage.Kind
	tenant   string
}

// record is a record with every field filled (those that follow from others as they do), not yet kept and without expiry.
func (s *subject[N, P]) record(id string) N {
	return s.other(s.bare(id), id)
}

// bare is a record of a key and nothing else.
func (s *subject[N, P]) bare(id string) N {
	var n N
	*P(&n).Record() = storage.Key{Tenant: s.tenant, ID: id}
	return n
}

// other changes every field of n but the key.
func (s *subject[N, P]) other(n N, seed string) N {
	key := *P(&n).Record()
	var m N
	fill(reflect.ValueOf(&m).Elem(), seed)
	*P(&m).Record() = key
	storage.Derive(&m)
	return m
}

func (s *subject[N, P]) insert(n N) N {
	s.Helper()
	if err := s.table.Insert(s.Context(), &n); err != nil {
		s.Fatalf("Insert(%q, %q): %v", P(&n).Record().Tenant, P(&n).Record().ID, err)
	}
	return n
}

// insertAll inserts side by side what the check needs to be there, in no order.
func (s *subject[N, P]) insertAll(all []N) {
	s.Helper()
	workers := s.o.parallel()
	for _, err := range race(workers, func(w int) error {
		for i := w; i < len(all); i += workers {
			if err := s.table.Insert(s.Context(), &all[i]); err != nil {
				return fmt.Errorf("Insert(%q): %w", P(&all[i]).Record().ID, err)
			}
		}
		return nil
	}) {
		if err != nil {
			s.Fatalf("%v", err)
		}
	}
}

// want reads n's key and compares the whole record, version and expiry included.
func (s *subject[N, P]) want(n N) {
	s.Helper()
	k := P(&n).Record()
	got, err := s.table.Get(s.Context(), k.Tenant, k.ID)
	if err != nil {
		s.Errorf("Get(%q, %q): %v", k.Tenant, k.ID, err)
		return
	}
	if d := diff(got, n); d != "" {
		s.Errorf("Get(%q, %q): %s", k.Tenant, k.ID, d)
	}
}

// absent wants the key not to be found.
func (s *subject[N, P]) absent(tenant, id string) {
	s.Helper()
	if _, err := s.table.Get(s.Context(), tenant, id); !errors.Is(err, storage.ErrNotFound) {
		s.Errorf("Get(%q, %q): %v, want ErrNotFound", tenant, id, err)
	}
}

// wantErr wants err to be the sentinel and no other one.
func (s *subject[N, P]) wantErr(what string, err, sentinel error) {
	s.Helper()
	for _, e := range sentinels {
		if errors.Is(err, e) != (e == sentinel) { //nolint:errorlint // Both are out of the list of sentinels.
			s.Errorf("%s: %v, want %v", what, err, sentinel)
			return
		}
	}
}

// wantOwnErr wants an error that cannot be taken for an answer.
func (s *subject[N, P]) wantOwnErr(what string, err error) {
	s.Helper()
	if err == nil || isSentinel(err) {
		s.Errorf("%s: %v, want an error that is none of the sentinels", what, err)
	}
}

// pages lists q to its end and returns the IDs in the order they came. It calls between after each page but the last.
func (s *subject[N, P]) pages(q storage.Query, between ...func()) []string {
	s.Helper()
	var ids []string
	for range 10_000 {
		page, err := s.table.List(s.Context(), q)
		if err != nil {
			s.Fatalf("List(%+v): %v", q, err)
		}
		if len(page) > q.PageSize() {
			s.Fatalf("List(%+v): %d records, want %d at most", q, len(page), q.PageSize())
		}
		for i := range page {
			ids = append(ids, P(&page[i]).Record().ID)
		}
		if len(page) < q.PageSize() {
			return ids
		}
		q.After = ids[len(ids)-1]
		for _, f := range between {
			f()
		}
	}
	s.Fatalf("List(%+v) does not end", q)
	return nil
}

// race runs f in n goroutines that set off together, and returns what each said.
func race(n int, f func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	done.Wait()
	return errs
}

// oneWinner wants one nil among errs and the sentinel everywhere else, and returns who won.
func (s *subject[N, P]) oneWinner(what string, errs []error, sentinel error) int {
	s.Helper()
	winner, wins := 0, 0
	for i, err := range errs {
		switch {
		case err == nil:
			winner = i
			wins++
		case !errors.Is(err, sentinel):
			s.Errorf("%s: %v, want %v", what, err, sentinel)
		}
	}
	if wins != 1 {
		s.Fatalf("%s: %d of %d succeeded, want exactly one", what, wins, len(errs))
	}
	return winner
}

// setField sets the string field with the JSON name, which List can be asked for, and gives the value that it then has:
// where the field follows from others, what follows when all of them have the value.
func (s *subject[N, P]) setField(n *N, name, value string) string {
	s.Helper()
	f, ok := s.stringField(n, name)
	if !ok {
		s.Fatalf("%s has no top-level string field %q, though its Kind says so", s.kind.Name, name)
	}
	f.SetString(value)
	storage.Derive(n)
	if f.String() != value {
		s.setStrings(n, value)
	}
	return f.String()
}

// setStrings sets every top-level string field.
func (s *subject[N, P]) setStrings(n *N, value string) {
	v := reflect.ValueOf(n).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.String {
			v.Field(i).SetString(value)
		}
	}
	storage.Derive(n)
}

// field reads the string field with the JSON name.
func (s *subject[N, P]) field(n N, name string) string {
	f, _ := s.stringField(&n, name)
	return f.String()
}

func (s *subject[N, P]) stringField(n *N, name string) (reflect.Value, bool) {
	v := reflect.ValueOf(n).Elem()
	for i := range v.NumField() {
		tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if tag == name && v.Field(i).Kind() == reflect.String {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

var sentinels = []error{storage.ErrNotFound, storage.ErrExists, storage.ErrConflict}

func isSentinel(err error) bool {
	for _, e := range sentinels {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func numbered(i int) string { return fmt.Sprintf("r%06d", i) }

const (
	hour        = time.Hour
	millisecond = time.Millisecond
)
