package storagetest

import (
	"slices"
	"sync"

	"github.com/sallyport-id/sallyport/storage"
)

// paging: every page size walks every record once, bytewise by ID, up and down.
func (s *subject[N, P]) paging() {
	ids := []string{"B", "a", "b", "Z", "aa", "a\x00", "é", "z", "\U0001f98a", "\uffff", "~", " ", "10", "9"}
	for i := len(ids); i < s.o.records(); i++ {
		ids = append(ids, numbered(i*7919%100_000))
	}
	all := make([]N, len(ids))
	for i, id := range ids {
		all[i] = s.record(id)
	}
	s.insertAll(all)
	slices.Sort(ids)
	down := slices.Clone(ids)
	slices.Reverse(down)
	for _, limit := range []int{0, 1, 7, len(ids) - 1, len(ids), len(ids) + 1, 1000, 5000, -3} {
		if limit == 1 && len(ids) > 50 {
			limit = 3
		}
		s.wantIDs(storage.Query{Tenant: s.tenant, Limit: limit}, ids)
		s.wantIDs(storage.Query{Tenant: s.tenant, Limit: limit, Desc: true}, down)
	}
	s.wantIDs(storage.Query{Tenant: s.tenant, After: "aa", Limit: 1000}, after(ids, "aa"))
	s.wantIDs(storage.Query{Tenant: s.tenant, After: "never kept", Limit: 1000}, after(ids, "never kept"))
	s.wantIDs(storage.Query{Tenant: s.tenant, After: down[0]}, nil)
	s.wantIDs(storage.Query{Tenant: s.tenant, After: ids[0], Desc: true}, nil)
	s.wantIDs(storage.Query{Tenant: storage.NewID()}, nil)
}

func (s *subject[N, P]) wantIDs(q storage.Query, want []string) {
	s.Helper()
	if got := s.pages(q); !slices.Equal(got, want) {
		s.Errorf("List(%+v): %d records %.200q, want %d %.200q", q, len(got), got, len(want), want)
	}
}

// after are the sorted ids past id.
func after(ids []string, id string) []string {
	i, found := slices.BinarySearch(ids, id)
	if found {
		i++
	}
	return ids[i:]
}

// pagingByField: a field's value picks its records and no others, in pages too, and follows a Replace and a Delete.
func (s *subject[N, P]) pagingByField() {
	ctx := s.Context()
	for _, field := range s.kind.Indexes {
		s.tenant = storage.NewID() // where fields follow from each other, the values of one are also those of others
		values := []string{"one", "One", "one ", "two"}
		want := make(map[string][]string)
		var all []N
		for i := range max(len(values)*2, s.o.records()/3) {
			n := s.record(field + numbered(i))
			v := s.setField(&n, field, values[i%len(values)])
			all = append(all, n)
			want[v] = append(want[v], field+numbered(i))
		}
		s.insertAll(all)
		for v := range want {
			for _, limit := range []int{0, 1, 5} {
				s.wantIDs(storage.Query{Tenant: s.tenant, Field: field, Value: v, Limit: limit}, want[v])
				down := slices.Clone(want[v])
				slices.Reverse(down)
				s.wantIDs(storage.Query{Tenant: s.tenant, Field: field, Value: v, Limit: limit, Desc: true}, down)
			}
		}
		s.wantIDs(storage.Query{Tenant: s.tenant, Field: field, Value: "on"}, nil)
		one := s.field(all[0], field)
		s.wantIDs(storage.Query{Tenant: storage.NewID(), Field: field, Value: one}, nil)

		moved := want[one][0]
		n, err := s.table.Get(ctx, s.tenant, moved)
		if err != nil {
			s.Fatalf("Get: %v", err)
		}
		to := s.setField(&n, field, "moved")
		if err := s.table.Replace(ctx, &n); err != nil {
			s.Fatalf("Replace: %v", err)
		}
		s.wantIDs(storage.Query{Tenant: s.tenant, Field: field, Value: to}, []string{moved})
		s.wantIDs(storage.Query{Tenant: s.tenant, Field: field, Value: one}, want[one][1:])
		if err := s.table.Delete(ctx, s.tenant, moved); err != nil {
			s.Fatalf("Delete: %v", err)
		}
		s.wantIDs(storage.Query{Tenant: s.tenant, Field: field, Value: to}, nil)
	}
}

// emptyFieldValue: the empty value is a value; it is how clients that all tenants share are found.
func (s *subject[N, P]) emptyFieldValue() {
	for _, field := range s.kind.Indexes {
		s.tenant = storage.NewID()
		with, without := s.record(field+"with"), s.record(field+"without")
		s.setField(&with, field, "value of "+field)
		if s.setField(&without, field, "") != "" {
			continue // it follows from others and is never empty
		}
		s.insert(with)
		s.insert(without)
		s.wantIDs(storage.Query{Tenant: s.tenant, Field: field}, []string{field + "without"})
	}
}

// pagingWhileInserting: whoever pages while others write still gets each record that was there, once and in order.
// One writer writes all the time, and another between any two pages, on either side of where the pages have come to.
func (s *subject[N, P]) pagingWhileInserting() {
	var there []string
	var all []N
	for i := range max(8, s.o.records()/2) {
		there = append(there, numbered(i*10))
		all = append(all, s.record(there[i]))
	}
	s.insertAll(all)
	stop := make(chan struct{})
	var writer sync.WaitGroup
	var wrote error
	writer.Go(func() {
		for i := range len(there) * 4 {
			select {
			case <-stop:
				return
			default:
			}
			n := s.record(numbered(i/4*10 + i%4 + 1))
			if wrote = s.table.Insert(s.Context(), &n); wrote != nil {
				return
			}
		}
	})
	pages := 0
	for _, desc := range []bool{false, true} {
		s.pagesHold(storage.Query{Tenant: s.tenant, Limit: 5, Desc: desc}, there, func() {
			s.insert(s.record(numbered(pages*10 + 7)))
			s.insert(s.record(numbered((len(there)-1-pages)*10 + 8)))
			pages++
		})
	}
	close(stop)
	writer.Wait()
	if wrote != nil {
		s.Errorf("Insert while others page: %v", wrote)
	}
}

// pagesHold wants the pages of q in strict order, with all of there among them.
func (s *subject[N, P]) pagesHold(q storage.Query, there []string, between func()) {
	s.Helper()
	got := s.pages(q, between)
	if q.Desc {
		slices.Reverse(got)
	}
	for i := 1; i < len(got); i++ {
		if got[i-1] >= got[i] {
			s.Errorf("List(%+v): %q and %q are out of order or twice", q, got[i-1], got[i])
			return
		}
	}
	for _, id := range there {
		if _, found := slices.BinarySearch(got, id); !found {
			s.Errorf("List(%+v): %q was there all along and is left out", q, id)
			return
		}
	}
}
