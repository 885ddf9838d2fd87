package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

// old is a log of so many entries, one an hour, and what keeps it; its clock stands behind the last.
func old(t *testing.T, n int) (storage.Store, *audit.Log) {
	t.Helper()
	s := sqlitetest.Open(t, sqlite.Options{})
	l := audit.New(s.Events, audit.Options{Now: func() time.Time { return may1.Add(time.Duration(n) * time.Hour) }})
	write(t, l, every(time.Hour, n)...)
	return s, l
}

func retain(t *testing.T, l *audit.Log, before time.Time) int {
	t.Helper()
	n, err := l.Retain(t.Context(), "acme", before)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// kept are the IDs of acme's entries as numbers, as the store has them.
func kept(t *testing.T, s storage.Store) (numbers []int) {
	t.Helper()
	q := storage.Query{Tenant: "acme", Limit: 1000}
	err := storage.Each(t.Context(), s.Events, q, func(e *storage.Event) error {
		n, err := strconv.Atoi(e.ID)
		numbers = append(numbers, n)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return numbers
}

// series are the numbers from one to another.
func series(from, to int) (numbers []int) {
	for i := from; i <= to; i++ {
		numbers = append(numbers, i)
	}
	return numbers
}

func whole(t *testing.T, l *audit.Log, removed uint64) audit.Report {
	t.Helper()
	r := verify(t, l, "acme")
	if !r.OK() || r.Removed != removed || r.First != fmt.Sprintf("%020d", removed+1) {
		t.Errorf("%+v, want %d removed and no fault", r, removed)
	}
	return r
}

func TestRetainRemovesWhatIsOlder(t *testing.T) {
	const n = 20
	for name, c := range map[string]struct {
		before  time.Time
		removed int
	}{
		"nothing is so old": {may1, 0},
		"the first":         {may1.Add(time.Millisecond), 1},
		"not one so old":    {may1.Add(10 * time.Hour), 10},
		"all":               {may1.Add((n - 1) * time.Hour).Add(1), n},
		"in the future":     {may1.AddDate(1, 0, 0), n},
	} {
		t.Run(name, func(t *testing.T) {
			s, l := old(t, n)
			if got := retain(t, l, c.before); got != c.removed {
				t.Errorf("removed %d, want %d", got, c.removed)
			}
			last := n
			if c.removed > 0 {
				last++
			}
			if got := kept(t, s); !reflect.DeepEqual(got, series(c.removed+1, last)) {
				t.Errorf("left is %v", got)
			}
			whole(t, l, uint64(c.removed))
			// Again, there is nothing to do; not even where the attestation itself is old.
			if got := retain(t, l, c.before); got != 0 {
				t.Errorf("the second time it removed %d", got)
			}
			if got := kept(t, s); !reflect.DeepEqual(got, series(c.removed+1, last)) {
				t.Errorf("the second time left %v", got)
			}
			// Who writes next goes on where the chain ends.
			record(t, audit.New(s.Events, audit.Options{}), 1)
			whole(t, l, uint64(c.removed))
		})
	}
}

// Clocks may differ: what is not older than asked for stays, with all behind it, and nothing else.
func TestRetainRemovesNothingYoungerWhereClocksDiffer(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 5))
			s := sqlitetest.Open(t, sqlite.Options{})
			events := uneven(r, 1+r.IntN(200))
			end := events[len(events)-1].Time
			l := audit.New(s.Events, audit.Options{Now: func() time.Time { return end.Add(time.Hour) }})
			write(t, l, events...)
			for gone := 0; gone < len(events); {
				before := events[min(gone+r.IntN(20), len(events)-1)].Time.Add(time.Duration(r.IntN(3)-1) * time.Millisecond)
				want := 0
				for gone < len(events) && events[gone].Time.Before(before) {
					gone, want = gone+1, want+1
				}
				if got := retain(t, l, before); got != want {
					t.Fatalf("before %v: removed %d, want %d", before, got, want)
				}
				whole(t, l, uint64(gone))
			}
		})
	}
}

// The entry says in a fixed form what is gone, and the process's log says it too.
func TestRetainAttests(t *testing.T) {
	s, _ := old(t, 5)
	third, err := s.Events.Get(t.Context(), "acme", fmt.Sprintf("%020d", 3))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	l := audit.New(s.Events, audit.Options{Logger: slog.New(slog.NewJSONHandler(&out, nil)), Now: func() time.Time { return may1.AddDate(0, 1, 0) }})
	retain(t, l, may1.Add(3*time.Hour))
	got := find(t, l, audit.Filter{Action: audit.Retention}).Events
	if len(got) != 1 || got[0].Outcome != "ok" || got[0].Actor != "retention" || got[0].Reason != "through 00000000000000000003, hash "+third.Hash || !got[0].Time.Equal(may1.AddDate(0, 1, 0)) {
		t.Errorf("attested by %+v", got)
	}
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line["action"] != audit.Retention || line["reason"] != got[0].Reason {
		t.Errorf("logged %s, %v", &out, err)
	}
	// Nobody else says so, by whatever event.
	forged := storage.Event{Key: storage.Key{Tenant: "acme"}, Action: audit.Retention, Outcome: "ok", Reason: got[0].Reason}
	if err := l.Record(t.Context(), forged); err == nil {
		t.Error("an attestation was recorded as an event")
	}
	if err := l.RecordSeries(t.Context(), "acme", []storage.Event{event("acme", "x"), forged}); err == nil {
		t.Error("an attestation was recorded in a series of events")
	}
	if r := whole(t, l, 3); r.Entries != 3 {
		t.Errorf("%d entries", r.Entries)
	}
}

// Day after day the log keeps its length, attestations are removed in their turn, and a log that nothing else is written to
// comes to rest.
func TestRetainDayByDay(t *testing.T) {
	s := sqlitetest.Open(t, sqlite.Options{})
	now := may1
	l := audit.New(s.Events, audit.Options{Now: func() time.Time { return now }})
	day := func() { now = now.AddDate(0, 0, 1); retain(t, l, now.AddDate(0, 0, -7)) }
	for range 30 {
		record(t, l, 5)
		day()
		if r := verify(t, l, "acme"); !r.OK() || r.Entries > 7*6+1 {
			t.Fatalf("on %s: %+v", now.Format(time.DateOnly), r)
		}
		if found := find(t, l, audit.Filter{Until: now.AddDate(0, 0, -7)}); len(found.Events) > 0 {
			t.Fatalf("on %s there is still %+v", now.Format(time.DateOnly), found.Events[0])
		}
	}
	for range 20 {
		day()
	}
	r := verify(t, l, "acme")
	for range 30 {
		day()
	}
	if again := verify(t, l, "acme"); !r.OK() || again.Last != r.Last || again.First != r.First {
		t.Errorf("it goes on for ever: %+v and %+v", r, again)
	}
}

// brittle is a table that stops removing after a while, before or after it did.
type brittle struct {
	storage.Table[storage.Event]
	left  int
	after bool
}

var errBrittle = errors.New("disk gone")

func (b *brittle) Delete(ctx context.Context, tenant, id string) error {
	if b.left--; b.left < 0 && !b.after {
		return errBrittle
	}
	err := b.Table.Delete(ctx, tenant, id)
	if b.left < 0 {
		return errBrittle
	}
	return err
}

func TestRetainGoesOnWhereItBrokeOff(t *testing.T) {
	for at := range 8 {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprint(at, after), func(t *testing.T) {
				s, l := old(t, 12)
				breaks := audit.New(&brittle{Table: s.Events, left: at, after: after}, audit.Options{Now: func() time.Time { return may1.Add(13 * time.Hour) }})
				n, err := breaks.Retain(t.Context(), "acme", may1.Add(8*time.Hour))
				if !errors.Is(err, errBrittle) || n != at {
					t.Fatalf("removed %d: %v", n, err)
				}
				gone := at
				if after {
					gone++
				}
				whole(t, l, uint64(gone))
				// Others write meanwhile, and the next may want to keep more, or less.
				record(t, l, 2)
				if got := retain(t, l, may1.Add(time.Duration(2+at)*time.Hour)); got != 2+at-gone {
					t.Errorf("went on by %d", got)
				}
				whole(t, l, uint64(2+at))
				retain(t, l, may1.Add(10*time.Hour))
				whole(t, l, 10)
			})
		}
	}
}

func TestRetainIsBrokenOffByItsContext(t *testing.T) {
	s, l := old(t, 12)
	ctx, cancel := context.WithCancel(t.Context())
	third := &hook{Table: s.Events, before: func(n int) {
		if n == 3 {
			cancel()
		}
	}}
	n, err := audit.New(third, audit.Options{}).Retain(ctx, "acme", may1.Add(8*time.Hour))
	if !errors.Is(err, context.Canceled) || n != 3 {
		t.Errorf("removed %d: %v", n, err)
	}
	whole(t, l, 3)
	// Nothing is removed that can't be attested.
	s, l = old(t, 12)
	if n, err := audit.New(full{s.Events}, audit.Options{}).Retain(t.Context(), "acme", may1.Add(8*time.Hour)); !errors.Is(err, errFull) || n != 0 {
		t.Errorf("removed %d: %v", n, err)
	}
	whole(t, l, 0)
}

// hook is a table that does something before it removes entry n, the first being 0.
type hook struct {
	storage.Table[storage.Event]
	n      int
	before func(n int)
}

func (h *hook) Delete(ctx context.Context, tenant, id string) error {
	h.before(h.n)
	h.n++
	return h.Table.Delete(ctx, tenant, id)
}

// While several processes remove, others write, search and verify; and at no time is anything wrong.
func TestRetainOfManyProcesses(t *testing.T) {
	const n, processes = 1200, 4
	s, l := old(t, n)
	removed := make([]int, processes)
	var removing, others sync.WaitGroup
	for i := range processes {
		removing.Go(func() {
			own := audit.New(s.Events, audit.Options{Now: func() time.Time { return may1.Add(n * time.Hour) }})
			r := rand.New(rand.NewPCG(uint64(i), 9))
			for k := range 8 {
				before := may1.Add(time.Duration((k+1)*n/10+r.IntN(n/20)) * time.Hour)
				got, err := own.Retain(t.Context(), "acme", before)
				if err != nil {
					t.Error(err)
				}
				removed[i] += got
			}
		})
	}
	done := make(chan struct{})
	checks := 0
	others.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if r, err := l.Verify(t.Context(), "acme"); err != nil || !r.OK() {
				t.Errorf("%+v, %v", r, err)
				return
			}
			if found, err := l.Find(t.Context(), "acme", audit.Filter{From: may1.Add((n - 5) * time.Hour), Until: may1.Add((n - 1) * time.Hour)}); err != nil || len(found.Events) != 4 {
				t.Errorf("%+v, %v", found, err)
				return
			}
			if err := l.Record(t.Context(), event("acme", "meanwhile")); err != nil {
				t.Error(err)
				return
			}
			checks++
		}
	})
	removing.Wait()
	close(done)
	others.Wait()
	sum := 0
	for _, n := range removed {
		sum += n
	}
	r := verify(t, l, "acme")
	if !r.OK() || r.Removed != uint64(sum) || sum < 8*n/10 || checks == 0 {
		t.Errorf("removed %d by %v, checked %d times: %+v", sum, removed, checks, r)
	}
}

// What Retain takes between two pages of a Verify is not held to be missing.
func TestVerifyDuringRetain(t *testing.T) {
	s, l := old(t, 2500)
	once := &between{Table: s.Events, at: 1, do: func() { retain(t, l, may1.Add(1700*time.Hour)) }}
	if r := verify(t, audit.New(once, audit.Options{}), "acme"); !r.OK() || r.Removed != 1700 || r.Entries != 801 {
		t.Errorf("%+v", r)
	}
}

// between is a table where something happens after a page was read.
type between struct {
	storage.Table[storage.Event]
	n, at int
	do    func()
}

func (b *between) List(ctx context.Context, q storage.Query) ([]storage.Event, error) {
	page, err := b.Table.List(ctx, q)
	if b.n++; b.n == b.at {
		b.do()
	}
	return page, err
}
