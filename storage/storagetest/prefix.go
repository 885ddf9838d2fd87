package storagetest

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/sallyport-id/sallyport/storage"
)

// derived: fields that follow from others are written as they follow, whatever the caller put there, by every write.
func (s *subject[N, P]) derived() {
	ctx := s.Context()
	spoilt := func(n N) N {
		for _, field := range s.kind.Indexes {
			if f, ok := s.stringField(&n, field); ok && s.follows(n, field) {
				f.SetString("spoilt")
			}
		}
		return n
	}
	want := s.record("one")
	n := s.insert(spoilt(want))
	P(&want).Record().Version = 1
	s.want(want)

	want = s.other(want, "other")
	P(&want).Record().Version = 2
	n = spoilt(s.other(n, "other"))
	if err := s.table.Replace(ctx, &n); err != nil {
		s.Fatalf("Replace: %v", err)
	}
	s.want(want)
	for _, field := range s.kind.Indexes {
		s.wantIDs(storage.Query{Tenant: s.tenant, Field: field, Value: s.field(want, field)}, []string{"one"})
	}

	two := s.record("two")
	n = spoilt(two)
	if done, err := storage.InsertSeries(ctx, s.table, []*N{&n}); done != 1 || err != nil {
		s.Fatalf("InsertSeries: %d, %v", done, err)
	}
	P(&two).Record().Version = 1
	s.want(two)
}

// follows tells whether a field of n follows from others.
func (s *subject[N, P]) follows(n N, field string) bool {
	const unlikely = "no value that follows from others"
	f, _ := s.stringField(&n, field)
	f.SetString(unlikely)
	storage.Derive(&n)
	return f.String() != unlikely
}

// prefixed are values with beginnings in common, some of them at the ends of what text can be.
var prefixed = []string{
	"an", "ann", "ann a", "anna", "annb", "annz", "ao", "Ann", "anné", "ann\x00", "ann\uffff", "ann\U0010ffff", "ann\U0010ffffx",
	"b%", "b_", "bc", "\ud7ff", "\ud7ffa", "\ue000", "é", "éa", "ê", "\U0010ffff", "\U0010ffff\U0010ffff",
}

// prefix: what begins with a value is found and nothing else, in the order of the field and then the ID, up to the limit.
func (s *subject[N, P]) prefix() {
	var all []N
	for i, value := range append([]string{"anna"}, prefixed...) { // one of them twice
		n := s.record(numbered(len(prefixed) - i)) // the IDs in another order than the values
		s.setStrings(&n, value)
		all = append(all, n)
	}
	s.insertAll(slices.Clone(all))

	stranger, old := s.record("stranger"), s.record("r")
	s.setStrings(&stranger, "ann")
	*P(&stranger).Record() = storage.Key{Tenant: storage.NewID(), ID: "stranger"}
	s.insert(stranger)
	s.setStrings(&old, "ann")
	*P(&old).Record() = storage.Key{Tenant: s.tenant, ID: "r", Expires: s.clock.now().Add(hour)}
	s.insert(old)
	s.clock.advance(hour)

	for _, field := range s.kind.Indexes {
		for _, value := range append([]string{"a", "A", "b", ".*", "%", "ann\U0010ffffy"}, prefixed...) {
			q := storage.Query{Tenant: s.tenant, Field: field, Value: value, Prefix: true}
			want := s.beginning(all, field, value)
			s.wantPage(q, want)
			s.wantCount(q, len(want))
		}
		want := s.beginning(all, field, "an")
		for _, limit := range []int{1, 3, len(want), 1000, 5000} {
			q := storage.Query{Tenant: s.tenant, Field: field, Value: "an", Prefix: true, Limit: limit}
			s.wantPage(q, want[:min(len(want), q.PageSize())])
		}
	}
	s.prefixRefused()
}

// beginning are the IDs of those whose field begins with value, as they are to be listed.
func (s *subject[N, P]) beginning(all []N, field, value string) []string {
	all = slices.DeleteFunc(slices.Clone(all), func(n N) bool { return !strings.HasPrefix(s.field(n, field), value) })
	slices.SortFunc(all, func(a, b N) int {
		return cmp.Or(cmp.Compare(s.field(a, field), s.field(b, field)), cmp.Compare(P(&a).Record().ID, P(&b).Record().ID))
	})
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = P(&all[i]).Record().ID
	}
	return ids
}

// wantPage is wantIDs for a question that has but one page.
func (s *subject[N, P]) wantPage(q storage.Query, want []string) {
	s.Helper()
	page, err := s.table.List(s.Context(), q)
	if err != nil {
		s.Errorf("List(%+v): %v", q, err)
		return
	}
	got := make([]string, len(page))
	for i := range page {
		got[i] = P(&page[i]).Record().ID
	}
	if !slices.Equal(got, want) {
		s.Errorf("List(%+v): %d records %.200q, want %d %.200q", q, len(got), got, len(want), want)
	}
}

// prefixRefused: what would not be what it seems is refused, rather than answered in some way.
func (s *subject[N, P]) prefixRefused() {
	refused := []storage.Query{{Value: "a"}, {Field: "no_such_field", Value: "a"}}
	for _, field := range s.kind.Indexes {
		refused = append(
			refused, storage.Query{Field: field}, storage.Query{Field: field, Value: "a\xff"},
			storage.Query{Field: field, Value: "a", After: "r"}, storage.Query{Field: field, Value: "a", Desc: true},
		)
	}
	for _, q := range refused {
		q.Tenant, q.Prefix = s.tenant, true
		if _, err := s.table.List(s.Context(), q); err == nil || isSentinel(err) {
			s.Errorf("List(%+v): %v, want an error that is none of the sentinels", q, err)
		}
	}
}

// counts: a count is of what List would show on all its pages.
func (s *subject[N, P]) counts() {
	var all []N
	for i := range max(8, s.o.records()/3) {
		n := s.record(numbered(i))
		s.setStrings(&n, []string{"one", "onetwo", "two"}[i%3])
		all = append(all, n)
	}
	s.insertAll(slices.Clone(all))
	stranger := all[0]
	*P(&stranger).Record() = storage.Key{Tenant: storage.NewID(), ID: "stranger"}
	s.insert(stranger)
	old := all[0]
	*P(&old).Record() = storage.Key{Tenant: s.tenant, ID: "old", Expires: s.clock.now().Add(hour)}
	s.insert(old)
	s.wantCount(storage.Query{Tenant: s.tenant}, len(all)+1)
	s.clock.advance(hour)

	s.wantCount(storage.Query{Tenant: s.tenant}, len(all))
	s.wantCount(storage.Query{Tenant: s.tenant, After: numbered(3), Limit: 2, Desc: true}, len(all))
	s.wantCount(storage.Query{Tenant: storage.NewID()}, 0)
	for _, field := range s.kind.Indexes {
		for _, n := range all[:3] {
			q := storage.Query{Tenant: s.tenant, Field: field, Value: s.field(n, field)}
			s.wantCount(q, len(s.pages(q)))
			q.Prefix = true
			s.wantCount(q, len(s.beginning(all, field, q.Value)))
		}
		s.wantCount(storage.Query{Tenant: s.tenant, Field: field, Value: "on"}, 0)
	}
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	_, err := storage.Count[N, P](ctx, s.table, storage.Query{Tenant: s.tenant})
	s.wantOwnErr("Count for a caller who has gone", err)
}

func (s *subject[N, P]) count(q storage.Query) (int, error) {
	return storage.Count[N, P](s.Context(), s.table, q)
}

func (s *subject[N, P]) wantCount(q storage.Query, want int) {
	s.Helper()
	if _, ok := s.table.(storage.Counting); q.Prefix && !ok {
		return // it may be refused
	}
	if got, err := s.count(q); err != nil || got != want {
		s.Errorf("Count(%+v): %d, %v; want %d", q, got, err, want)
	}
}
