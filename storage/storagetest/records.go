package storagetest

import (
	"reflect"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/storage"
)

// roundTrip: what is kept comes back whole, filled and empty, by Get and by List, and belongs to nobody else's memory.
func (s *subject[N, P]) roundTrip() {
	full := s.record("full")
	P(&full).Record().Expires = s.clock.now().Add(hour)
	full = s.insert(full)
	s.want(full)

	empty := s.bare("empty")
	storage.Derive(&empty)
	empty = s.insert(empty)
	s.want(empty)

	got, err := s.table.List(s.Context(), storage.Query{Tenant: s.tenant})
	if err != nil || len(got) != 2 {
		s.Fatalf("List: %d records, %v; want 2", len(got), err)
	}
	for i, want := range []N{empty, full} {
		if d := diff(got[i], want); d != "" {
			s.Errorf("List: record %d: %s", i, d)
		}
	}

	full = s.other(full, "replaced")
	if err := s.table.Replace(s.Context(), &full); err != nil {
		s.Fatalf("Replace: %v", err)
	}
	s.want(full)

	// A caller may go on using what it handed over, and what it was given.
	kept := s.other(full, "replaced")
	scribble(reflect.ValueOf(&full).Elem())
	s.want(kept)
	mine, err := s.table.Get(s.Context(), s.tenant, "full")
	if err != nil {
		s.Fatalf("Get: %v", err)
	}
	scribble(reflect.ValueOf(&mine).Elem())
	s.want(kept)
}

// scribble writes over the first element of every slice of the struct v.
func scribble(v reflect.Value) {
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Slice && f.Len() > 0 {
			f.Index(0).SetZero()
		}
	}
}

// times: an instant in another zone, finer than a millisecond, comes back in UTC and cut to the millisecond.
func (s *subject[N, P]) times() {
	zone := time.FixedZone("", 5*3600+1800)
	fine := time.Date(2031, 5, 6, 7, 8, 9, 123_999_999, zone)
	n := s.record("fine")
	setTimes(reflect.ValueOf(&n).Elem(), fine)
	P(&n).Record().Expires = s.clock.now().In(zone).Add(hour + 999*time.Microsecond)
	n = s.insert(n)
	setTimes(reflect.ValueOf(&n).Elem(), fine.Truncate(millisecond))
	P(&n).Record().Expires = s.clock.now().Add(hour)
	s.want(n)
}

// setTimes sets every time below v.
func setTimes(v reflect.Value, t time.Time) {
	switch {
	case v.Type() == timeType:
		v.Set(reflect.ValueOf(t))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			setTimes(v.Field(i), t)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			setTimes(v.Index(i), t)
		}
	case v.Kind() == reflect.Pointer && !v.IsNil():
		setTimes(v.Elem(), t)
	case v.Kind() == reflect.Map:
		for _, k := range v.MapKeys() {
			e := reflect.New(v.Type().Elem()).Elem()
			e.Set(v.MapIndex(k))
			setTimes(e, t)
			v.SetMapIndex(k, e)
		}
	}
}

// versions: Insert sets 1 whatever it was given, Replace counts up, a stale writer loses and changes nothing, and an
// operation that fails leaves the caller's record alone.
func (s *subject[N, P]) versions() {
	ctx := s.Context()
	n := s.record("v")
	P(&n).Record().Version = 41
	n = s.insert(n)
	if v := P(&n).Record().Version; v != 1 {
		s.Errorf("Version after Insert: %d, want 1", v)
	}
	stale := n
	for want := int64(2); want < 5; want++ {
		n = s.other(n, numbered(int(want)))
		if err := s.table.Replace(ctx, &n); err != nil {
			s.Fatalf("Replace: %v", err)
		}
		if v := P(&n).Record().Version; v != want {
			s.Errorf("Version after Replace: %d, want %d", v, want)
		}
		s.want(n)
	}
	for _, wrong := range []int64{1, 3, 5, 0, -1} {
		m := s.other(stale, "stale")
		P(&m).Record().Version = wrong
		s.wantErr("Replace with another version", s.table.Replace(ctx, &m), storage.ErrConflict)
		if v := P(&m).Record().Version; v != wrong {
			s.Errorf("a Replace that failed set Version to %d", v)
		}
	}
	s.want(n)

	again := s.record("v")
	P(&again).Record().Version = 7
	s.wantErr("second Insert", s.table.Insert(ctx, &again), storage.ErrExists)
	if v := P(&again).Record().Version; v != 7 {
		s.Errorf("an Insert that failed set Version to %d", v)
	}
	s.want(n)

	none := s.record("none")
	P(&none).Record().Version = 1
	s.wantErr("Replace of nothing", s.table.Replace(ctx, &none), storage.ErrConflict)
	s.wantErr("Delete of nothing", s.table.Delete(ctx, s.tenant, "none"), storage.ErrNotFound)
	s.absent(s.tenant, "none")

	if err := s.table.Delete(ctx, s.tenant, "v"); err != nil {
		s.Errorf("Delete: %v", err)
	}
	s.absent(s.tenant, "v")
	s.wantErr("second Delete", s.table.Delete(ctx, s.tenant, "v"), storage.ErrNotFound)
	s.wantErr("Replace after Delete", s.table.Replace(ctx, &n), storage.ErrConflict)
	s.absent(s.tenant, "v")
	if n = s.insert(s.record("v")); P(&n).Record().Version != 1 {
		s.Errorf("Version after Delete and Insert: %d, want 1", P(&n).Record().Version)
	}
}

// refused: an empty tenant or ID, and a field without index, are mistakes of the caller and not "not found".
func (s *subject[N, P]) refused() {
	ctx := s.Context()
	s.insert(s.record("here"))
	for _, k := range []storage.Key{{ID: "here"}, {Tenant: s.tenant}, {}} {
		_, err := s.table.Get(ctx, k.Tenant, k.ID)
		s.wantOwnErr("Get without tenant or ID", err)
		s.wantOwnErr("Delete without tenant or ID", s.table.Delete(ctx, k.Tenant, k.ID))
		n := s.record("x")
		*P(&n).Record() = k
		s.wantOwnErr("Insert without tenant or ID", s.table.Insert(ctx, &n))
		P(&n).Record().Version = 1
		s.wantOwnErr("Replace without tenant or ID", s.table.Replace(ctx, &n))
	}
	_, err := s.table.List(ctx, storage.Query{})
	s.wantOwnErr("List without tenant", err)
	for _, field := range []string{"id", "tenant", "version", "no_such_field", "$where", "user'--", "created"} {
		q := storage.Query{Tenant: s.tenant, Field: field, Value: "x"}
		_, err := s.table.List(ctx, q)
		s.wantOwnErr("List by "+field, err)
		_, err = s.count(q)
		s.wantOwnErr("Count by "+field, err)
	}
	_, err = s.count(storage.Query{})
	s.wantOwnErr("Count without tenant", err)
}

// otherTenant: the same ID under two tenants is two records, and neither tenant reaches the other's.
func (s *subject[N, P]) otherTenant() {
	ctx := s.Context()
	mine := s.insert(s.record("shared"))
	stranger := storage.NewID()
	s.absent(stranger, "shared")
	s.wantErr("another tenant's Delete", s.table.Delete(ctx, stranger, "shared"), storage.ErrNotFound)
	theft := s.other(mine, "theft")
	P(&theft).Record().Tenant = stranger
	s.wantErr("another tenant's Replace", s.table.Replace(ctx, &theft), storage.ErrConflict)
	s.want(mine)

	theirs := s.record("shared")
	theirs = s.other(theirs, "theirs")
	P(&theirs).Record().Tenant = stranger
	theirs = s.insert(theirs)
	s.want(mine)
	s.want(theirs)
	for _, q := range s.queriesFor(mine) {
		q.Tenant = stranger
		got, err := s.table.List(ctx, q)
		if err != nil {
			s.Fatalf("List(%+v): %v", q, err)
		}
		for i := range got {
			if k := P(&got[i]).Record(); k.Tenant != stranger {
				s.Errorf("List(%+v) shows a record of tenant %q", q, k.Tenant)
			}
		}
	}
	if err := s.table.Delete(ctx, stranger, "shared"); err != nil {
		s.Errorf("Delete: %v", err)
	}
	s.want(mine)
}

// queriesFor are List's questions that n is an answer to: all, and by each indexed field.
func (s *subject[N, P]) queriesFor(n N) []storage.Query {
	qs := []storage.Query{{Tenant: s.tenant}}
	for _, field := range s.kind.Indexes {
		qs = append(qs, storage.Query{Tenant: s.tenant, Field: field, Value: s.field(n, field)})
	}
	return qs
}

// keysAreApart: tenant and ID are two values, compared byte by byte; no joining, folding, trimming or normalising
// makes two keys one.
func (s *subject[N, P]) keysAreApart() {
	a, c := s.tenant, "c"
	keys := []storage.Key{
		{Tenant: a, ID: c},
		{Tenant: a, ID: "C"},
		{Tenant: a, ID: "c "},
		{Tenant: a, ID: " c"},
		{Tenant: a, ID: "é"},
		{Tenant: a, ID: "e\u0301"},
		{Tenant: a, ID: "c\x00"},
		{Tenant: a, ID: "1"},
		{Tenant: a, ID: "1.0"},
		{Tenant: a + " ", ID: c},
		{Tenant: " " + a, ID: c},
		{Tenant: a + "\x00", ID: c},
	}
	for _, sep := range []string{":", "/", "|", ".", "-", "_", " ", "\x00", "\x1f", ","} {
		keys = append(keys, storage.Key{Tenant: a, ID: "b" + sep + c}, storage.Key{Tenant: a + sep + "b", ID: c})
	}
	kept := make([]N, len(keys))
	for i, k := range keys {
		n := s.other(s.record(numbered(i)), numbered(i))
		*P(&n).Record() = k
		kept[i] = n
	}
	s.insertAll(kept)
	for _, n := range kept {
		s.want(n)
		k := P(&n).Record()
		got := s.pages(storage.Query{Tenant: k.Tenant})
		count := 0
		for _, other := range keys {
			if other.Tenant == k.Tenant {
				count++
			}
		}
		if len(got) != count {
			s.Errorf("List of tenant %q: %d records, want %d", k.Tenant, len(got), count)
		}
	}
}

// hostileStrings are what strangers send where an ID or a value belongs.
var hostileStrings = []string{
	`'`, `"`, `' OR '1'='1`, `'; DROP TABLE users; --`, `{"$gt":""}`, `$ne`, `$where`, `a.b.c`, `.`, `..`, `$`, `%`, `_`, `*`, `%00`,
	"\x00", "a\x00b", "\n", "\t", `\`, `\u0000`, `null`, `true`, `0`, `-`, `🦊`, "\u202e", "\ufeff", "\ufffd", "\U0010ffff",
	`__proto__`, `../../etc/passwd`, `<script>`, `.*`, `^`, `/x/`,
}

// hostile: whatever a string says, it is kept, found and compared as that string.
func (s *subject[N, P]) hostile() {
	ctx := s.Context()
	s.insert(s.record("bystander"))
	for _, h := range hostileStrings {
		s.absent(s.tenant, h)
		s.absent(h+s.tenant, "bystander")
		s.wantErr("Delete of a hostile ID", s.table.Delete(ctx, s.tenant, h), storage.ErrNotFound)
		n := s.record(h)
		for _, field := range s.kind.Indexes {
			s.setField(&n, field, h)
		}
		n = s.insert(n)
		s.want(n)
		for _, field := range s.kind.Indexes {
			v := s.field(n, field)
			got := s.pages(storage.Query{Tenant: s.tenant, Field: field, Value: v})
			if !slices.Contains(got, h) || (v == h && len(got) != 1) { // what follows from one string may follow from another
				s.Errorf("List by %s = %q: %q, want just that one", field, v, got)
			}
		}
		if _, err := s.table.List(ctx, storage.Query{Tenant: s.tenant, After: h}); err != nil {
			s.Errorf("List after %q: %v", h, err)
		}
		if err := s.table.Replace(ctx, &n); err != nil {
			s.Errorf("Replace of %q: %v", h, err)
		}
		s.want(n)
	}
	if got := len(s.pages(storage.Query{Tenant: s.tenant})); got != len(hostileStrings)+1 {
		s.Errorf("List: %d records, want %d", got, len(hostileStrings)+1)
	}
	for _, h := range hostileStrings {
		if err := s.table.Delete(ctx, s.tenant, h); err != nil {
			s.Errorf("Delete of %q: %v", h, err)
		}
	}
	if got := s.pages(storage.Query{Tenant: s.tenant}); len(got) != 1 {
		s.Errorf("List after all was deleted but one: %q", got)
	}
	s.invalidUTF8()
}

// invalidUTF8: bytes that are no text are refused or kept as they are; what must not be is that they turn into
// another key.
func (s *subject[N, P]) invalidUTF8() {
	ctx := s.Context()
	bad := "bad\xff"
	if utf8.ValidString(bad) {
		s.Fatalf("%q is valid", bad)
	}
	n := s.record(bad)
	if err := s.table.Insert(ctx, &n); err == nil {
		s.want(n)
		s.absent(s.tenant, "bad\ufffd")
		s.absent(s.tenant, "bad\xfe")
	} else if isSentinel(err) {
		s.Errorf("Insert of an ID that is no UTF-8: %v", err)
	}
}
