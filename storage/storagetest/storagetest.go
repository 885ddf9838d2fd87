package storagetest

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// Open gives an empty store that tells the time by now, and closes it when the test ends. Run calls it more than
// once; each call needs a store of its own.
type Open func(t *testing.T, now func() time.Time) storage.Store

// Options fit the checks to what a backend can bear. The zero value asks for everything.
type Options struct {
	// Records is how many records the larger checks keep in a table; 0 means 250, less than 8 is taken as 8.
	Records int
	// Parallel is how many goroutines race for one record; 0 means 64, less than 2 is taken as 2.
	Parallel int
	// Without names the checks (see Checks) this backend is not asked to pass, each with the reason. They show up in
	// the test's log, and a name that is no check fails the test.
	Without map[string]string
}

func (o Options) records() int  { return atLeast(8, o.Records, 250) }
func (o Options) parallel() int { return atLeast(2, o.Parallel, 64) }

func atLeast(least, asked, usual int) int {
	if asked == 0 {
		return usual
	}
	return max(least, asked)
}

// T is the part of *testing.T that a check uses, so that the checks themselves can be tested.
type T interface {
	Helper()
	Context() context.Context
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Run puts every table of the store that open gives through every check.
func Run(t *testing.T, open Open, o Options) {
	leftOut(t, o)
	c := newClock()
	st := open(t, c.now)
	t.Run("Store", func(t *testing.T) { checkStore(t, st) })
	runTable(t, st, st.Tenants, c, o)
	runTable(t, st, st.Users, c, o)
	runTable(t, st, st.Logins, c, o)
	runTable(t, st, st.Credentials, c, o)
	runTable(t, st, st.Flows, c, o)
	runTable(t, st, st.Sessions, c, o)
	runTable(t, st, st.Devices, c, o)
	runTable(t, st, st.Grants, c, o)
	runTable(t, st, st.Clients, c, o)
	runTable(t, st, st.SigningKeys, c, o)
	runTable(t, st, st.Events, c, o)
	runTable(t, st, st.Counters, c, o)
	runTable(t, st, st.Messages, c, o)
	runTable(t, st, st.Links, c, o)
	runTable(t, st, st.Webhooks, c, o)
	runTable(t, st, st.Deliveries, c, o)
	runTable(t, st, st.Tallies, c, o)
	runTable(t, st, st.Replies, c, o)
	runTable(t, st, st.Logos, c, o)
	runTable(t, st, st.Uploads, c, o)
	runTable(t, st, st.DueDeliveries, c, o)
	t.Run("Closed", func(t *testing.T) { checkClosed(t, open(t, c.now)) })
}

// Checks are the names of the checks each table is put through, in order.
func Checks() []string {
	var names []string
	for _, c := range checks[storage.Counter]() {
		names = append(names, c.name)
	}
	return names
}

type check[N any, P storage.Row[N]] struct {
	name string
	run  func(s *subject[N, P])
}

func checks[N any, P storage.Row[N]]() []check[N, P] {
	type s = *subject[N, P]
	return []check[N, P]{
		{"RoundTrip", s.roundTrip},
		{"Times", s.times},
		{"Versions", s.versions},
		{"Refused", s.refused},
		{"OtherTenant", s.otherTenant},
		{"KeysAreApart", s.keysAreApart},
		{"Hostile", s.hostile},
		{"ParallelInsert", s.parallelInsert},
		{"ParallelReplace", s.parallelReplace},
		{"ParallelDelete", s.parallelDelete},
		{"ParallelMixed", s.parallelMixed},
		{"ReadYourWrites", s.readYourWrites},
		{"Paging", s.paging},
		{"PagingByField", s.pagingByField},
		{"EmptyFieldValue", s.emptyFieldValue},
		{"PagingWhileInserting", s.pagingWhileInserting},
		{"Derived", s.derived},
		{"Prefix", s.prefix},
		{"Count", s.counts},
		{"Expiry", s.expiry},
		{"ExpiryMoves", s.expiryMoves},
		{"ParallelInsertOverExpired", s.parallelInsertOverExpired},
		{"Sweep", s.sweep},
		{"Cancelled", s.cancelled},
		{"CancelledUnderWay", s.cancelledUnderWay},
	}
}

func runTable[N any, P storage.Row[N]](t *testing.T, st storage.Store, table storage.Table[N], c *clock, o Options) {
	kind := P(new(N)).Kind()
	t.Run(kind.Name, func(t *testing.T) {
		if table == nil {
			t.Fatalf("the store has no table for %s", kind.Name)
		}
		for _, check := range checks[N, P]() {
			if _, out := o.Without[check.name]; out {
				continue
			}
			t.Run(check.name, func(t *testing.T) {
				check.run(&subject[N, P]{
					T: t, table: table, sweepAll: st.Sweep, clock: c, o: o, kind: kind,
					tenant: storage.NewID(),
				})
			})
		}
	})
}

// leftOut says what a run does not show.
func leftOut(t *testing.T, o Options) {
	t.Helper()
	names := Checks()
	for name, reason := range o.Without {
		if !slices.Contains(names, name) {
			t.Fatalf("Options.Without names %q, which is no check; the checks are %v", name, names)
		}
		t.Logf("left out: %s: %s", name, reason)
	}
	if o.Records != 0 || o.Parallel != 0 {
		t.Logf("run small: %d records a table, %d goroutines", o.records(), o.parallel())
	}
}

// checkStore looks for ports left empty, and asks the store whether it is there.
func checkStore(t T, st storage.Store) {
	v := reflect.ValueOf(st)
	for i := range v.NumField() {
		if v.Field(i).IsNil() {
			t.Fatalf("Store.%s is nil", v.Type().Field(i).Name)
		}
	}
	if err := st.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := st.Ping(ctx); err == nil {
		t.Errorf("Ping with a cancelled context: no error")
	}
	if _, err := st.Sweep(ctx); err == nil {
		t.Errorf("Sweep with a cancelled context: no error")
	}
}

// checkClosed wants a closed store to answer, and to answer with an error that cannot be taken for "not there".
func checkClosed(t T, st storage.Store) {
	ctx := t.Context()
	kept := storage.Counter{Key: storage.Key{Tenant: storage.NewID(), ID: "kept"}}
	if err := st.Counters.Insert(ctx, &kept); err != nil {
		t.Fatalf("Insert: %v", err)
	}
	if err := st.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	_, getErr := st.Counters.Get(ctx, kept.Tenant, kept.ID)
	_, listErr := st.Counters.List(ctx, storage.Query{Tenant: kept.Tenant})
	other := storage.Counter{Key: storage.Key{Tenant: kept.Tenant, ID: "other"}}
	for name, err := range map[string]error{
		"Get": getErr, "List": listErr,
		"Insert":  st.Counters.Insert(ctx, &other),
		"Replace": st.Counters.Replace(ctx, &kept),
		"Delete":  st.Counters.Delete(ctx, kept.Tenant, kept.ID),
		"Ping":    st.Ping(ctx),
	} {
		if err == nil || isSentinel(err) {
			t.Errorf("%s after Close: %v, want an error of its own", name, err)
		}
	}
}

// clock is the time a store is told. It begins far in the future, where no clean-up that goes by a server's own clock
// interferes, and moves only when a check moves it.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2096, 2, 29, 23, 59, 58, 987_000_000, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}
