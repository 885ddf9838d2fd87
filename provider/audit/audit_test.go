package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
)

func openStore(tb testing.TB) storage.Store {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), sqlite.Options{Path: filepath.Join(tb.TempDir(), "audit.db")})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func event(tenant, action string) storage.Event {
	return storage.Event{Key: storage.Key{Tenant: tenant}, Action: action, Outcome: "ok", User: "u1", Address: "192.0.2.1"}
}

// record appends n events to acme's chain.
func record(t *testing.T, l *audit.Log, n int) {
	t.Helper()
	for i := range n {
		if err := l.Record(t.Context(), event("acme", fmt.Sprintf("action.%d", i+1))); err != nil {
			t.Fatal(err)
		}
	}
}

func verify(t *testing.T, l *audit.Log, tenant string) audit.Report {
	t.Helper()
	r, err := l.Verify(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestChainOfEachTenantIsWhole(t *testing.T) {
	s := openStore(t)
	l := audit.New(s.Events, audit.Options{})
	record(t, l, 3)
	if err := l.Record(t.Context(), event("globex", "sign_in.password")); err != nil {
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), event("", "server.start")); err != nil {
		t.Fatal(err)
	}
	// Another process goes on where the first stopped.
	other := audit.New(s.Events, audit.Options{})
	record(t, other, 2)
	record(t, l, 1)
	for tenant, want := range map[string]uint64{"acme": 6, "globex": 1, "": 1, "nobody": 0} {
		if r := verify(t, l, tenant); !r.OK() || r.Entries != want {
			t.Errorf("%s: %+v, want %d entries", tenant, r, want)
		}
	}
	if r := verify(t, l, "acme"); r.Last != "00000000000000000006" || r.Head == "" {
		t.Errorf("ends with %+v", r)
	}
	global, err := s.Events.Get(t.Context(), storage.Global, "00000000000000000001")
	if err != nil || global.Action != "server.start" {
		t.Errorf("event of no tenant: %+v, %v", global, err)
	}
}

func TestParallelRecordsOfTwoProcessesGiveOneChain(t *testing.T) {
	s := openStore(t)
	logs := [2]*audit.Log{audit.New(s.Events, audit.Options{}), audit.New(s.Events, audit.Options{})}
	const n = 64
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = logs[i%2].Record(context.Background(), event("acme", fmt.Sprintf("action.%d", i)))
		})
	}
	close(start)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, logs[0], "acme"); !r.OK() || r.Entries != n {
		t.Errorf("%+v", r)
	}
	events, err := s.Events.List(t.Context(), storage.Query{Tenant: "acme", Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range events {
		seen[e.Action] = true
	}
	if len(seen) != n {
		t.Errorf("%d different events are kept of %d", len(seen), n)
	}
}

// tamper rewrites entry n of acme's chain past the log.
func tamper(t *testing.T, s storage.Store, n int, change func(e *storage.Event)) {
	t.Helper()
	e, err := s.Events.Get(t.Context(), "acme", fmt.Sprintf("%020d", n))
	if err != nil {
		t.Fatal(err)
	}
	change(&e)
	if err := s.Events.Replace(t.Context(), &e); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, s storage.Store, n int) {
	t.Helper()
	if err := s.Events.Delete(t.Context(), "acme", fmt.Sprintf("%020d", n)); err != nil {
		t.Fatal(err)
	}
}

func TestVerifyNamesWhatWasDone(t *testing.T) {
	at := func(n int) string { return fmt.Sprintf("%020d", n) }
	for name, c := range map[string]struct {
		do   func(t *testing.T, s storage.Store)
		want []audit.Fault
	}{
		"nothing": {func(*testing.T, storage.Store) {}, nil},
		"changed": {
			func(t *testing.T, s storage.Store) { tamper(t, s, 3, func(e *storage.Event) { e.Outcome = "refused" }) },
			[]audit.Fault{{ID: at(3), Kind: audit.Changed, Count: 1}},
		},
		"first taken out": {
			func(t *testing.T, s storage.Store) { remove(t, s, 1) },
			[]audit.Fault{{ID: at(1), Kind: audit.Missing, Count: 1}},
		},
		"three in the middle taken out": {
			func(t *testing.T, s storage.Store) { remove(t, s, 4); remove(t, s, 5); remove(t, s, 6) },
			[]audit.Fault{{ID: at(4), Kind: audit.Missing, Count: 3}},
		},
		"two exchanged": {
			func(t *testing.T, s storage.Store) {
				var four, five storage.Event
				tamper(t, s, 4, func(e *storage.Event) { four = *e })
				tamper(t, s, 5, func(e *storage.Event) { five = *e; k := e.Key; *e = four; e.Key = k })
				tamper(t, s, 4, func(e *storage.Event) { k := e.Key; *e = five; e.Key = k })
			},
			[]audit.Fault{{ID: at(4), Kind: audit.Changed, Count: 1}, {ID: at(5), Kind: audit.Changed, Count: 1}},
		},
		"exchanged for one with a hash of its own": {
			func(t *testing.T, s storage.Store) {
				// The attacker has our code: he writes a log of his own and copies an entry with the same place.
				own := openStore(t)
				record(t, audit.New(own.Events, audit.Options{}), 5)
				forged, err := own.Events.Get(t.Context(), "acme", at(5))
				if err != nil {
					t.Fatal(err)
				}
				tamper(t, s, 5, func(e *storage.Event) { k := e.Key; *e = forged; e.Key = k })
			},
			[]audit.Fault{{ID: at(5), Kind: audit.Unlinked, Count: 1}, {ID: at(6), Kind: audit.Unlinked, Count: 1}},
		},
		"put in before the beginning": {
			func(t *testing.T, s storage.Store) {
				e := event("acme", "x")
				e.ID = at(0)
				if err := s.Events.Insert(t.Context(), &e); err != nil {
					t.Fatal(err)
				}
			},
			[]audit.Fault{{ID: at(0), Kind: audit.Changed, Count: 1}},
		},
		"put in under no number": {
			func(t *testing.T, s storage.Store) {
				e := event("acme", "x")
				e.ID = at(3) + "a"
				if err := s.Events.Insert(t.Context(), &e); err != nil {
					t.Fatal(err)
				}
			},
			[]audit.Fault{{ID: at(3) + "a", Kind: audit.Changed, Count: 1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
			l := audit.New(s.Events, audit.Options{Now: func() time.Time { now = now.Add(time.Second); return now }})
			record(t, l, 8)
			c.do(t, s)
			if r := verify(t, l, "acme"); !reflect.DeepEqual(r.Faults, c.want) {
				t.Errorf("found %+v, want %+v", r.Faults, c.want)
			}
		})
	}
}

func TestChainCutAtItsEndShowsInTheHead(t *testing.T) {
	s := openStore(t)
	l := audit.New(s.Events, audit.Options{})
	record(t, l, 4)
	before := verify(t, l, "acme")
	remove(t, s, 4)
	if after := verify(t, l, "acme"); !after.OK() || after.Last >= before.Last || after.Head == before.Head {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

// A hash that left a field out would let that field be changed unseen; this finds fields added later too.
func TestEveryFieldIsHashed(t *testing.T) {
	s := openStore(t)
	l := audit.New(s.Events, audit.Options{})
	record(t, l, 1)
	typ := reflect.TypeFor[storage.Event]()
	for i := range typ.NumField() {
		if typ.Field(i).Name == "Key" {
			continue
		}
		var was storage.Event
		tamper(t, s, 1, func(e *storage.Event) {
			was = *e
			switch f := reflect.ValueOf(e).Elem().Field(i).Addr().Interface().(type) {
			case *string:
				*f += "x"
			case *time.Time:
				*f = f.Add(time.Millisecond)
			default:
				t.Fatalf("%s: this test does not know how to change a %T", typ.Field(i).Name, f)
			}
		})
		if r := verify(t, l, "acme"); r.OK() {
			t.Errorf("a change of %s is not seen", typ.Field(i).Name)
		}
		tamper(t, s, 1, func(e *storage.Event) { k := e.Key; *e = was; e.Key = k })
	}
	tamper(t, s, 1, func(e *storage.Event) { e.Expires = time.Now().Add(time.Hour) })
	if r := verify(t, l, "acme"); r.OK() {
		t.Error("an event can be made to expire unseen")
	}
}

func TestLongChainIsReadPageByPage(t *testing.T) {
	s := openStore(t)
	l := audit.New(s.Events, audit.Options{})
	const n = 1100
	record(t, l, n)
	for _, i := range []int{500, 1000, 1001} {
		tamper(t, s, i, func(e *storage.Event) { e.Reason = "changed" })
	}
	if r := verify(t, l, "acme"); r.Entries != n || len(r.Faults) != 3 || r.Faults[2].ID != fmt.Sprintf("%020d", 1001) {
		t.Errorf("%+v", r)
	}
	for i := range 150 {
		tamper(t, s, i+1, func(e *storage.Event) { e.Reason = "changed" })
	}
	if r := verify(t, l, "acme"); len(r.Faults) != audit.MaxFaults || r.More != 150+3-audit.MaxFaults {
		t.Errorf("lists %d faults and %d more", len(r.Faults), r.More)
	}
}

func TestTextsOfStrangersCannotForgeLines(t *testing.T) {
	s := openStore(t)
	var out bytes.Buffer
	l := audit.New(s.Events, audit.Options{Logger: slog.New(slog.NewTextHandler(&out, nil))})
	e := event("acme", "sign_in.password")
	e.Agent = "curl\r\nlevel=INFO msg=audit outcome=ok \x1b[2J\u202egnp.exe\u2028\x00\xff"
	e.Reason = strings.Repeat("é", 1000)
	if err := l.Record(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	kept, err := s.Events.Get(t.Context(), "acme", "00000000000000000001")
	if err != nil {
		t.Fatal(err)
	}
	if want := "curl\ufffd\ufffdlevel=INFO msg=audit outcome=ok \ufffd[2J\ufffdgnp.exe\ufffd\ufffd\ufffd"; kept.Agent != want {
		t.Errorf("kept %q, want %q", kept.Agent, want)
	}
	if kept.Reason != strings.Repeat("é", 128) {
		t.Errorf("kept %d bytes of reason: %q", len(kept.Reason), kept.Reason)
	}
	if n := strings.Count(out.String(), "\n"); n != 1 {
		t.Errorf("logged %d lines: %s", n, &out)
	}
	if r := verify(t, l, "acme"); !r.OK() {
		t.Errorf("%+v", r)
	}
}

type sink struct{ events []storage.Event }

func (s *sink) Event(_ context.Context, e storage.Event) { s.events = append(s.events, e) }

func TestSinksAndLogHearOfWhatIsKeptAndOnlyOfThat(t *testing.T) {
	s := openStore(t)
	var out bytes.Buffer
	var heard sink
	l := audit.New(s.Events, audit.Options{Logger: slog.New(slog.NewJSONHandler(&out, nil)), Sinks: []audit.Sink{&heard}})
	record(t, l, 2)
	for i, e := range heard.events {
		kept, err := s.Events.Get(t.Context(), "acme", e.ID)
		if err != nil || !reflect.DeepEqual(kept, e) {
			t.Errorf("event %d: heard %+v, kept %+v, %v", i, e, kept, err)
		}
	}
	if len(heard.events) != 2 {
		t.Errorf("heard of %d events", len(heard.events))
	}
	var line map[string]any
	if err := json.NewDecoder(&out).Decode(&line); err != nil {
		t.Fatal(err)
	}
	if line["action"] != "action.1" || line["tenant"] != "acme" || line["hash"] != heard.events[0].Hash || line["address"] != "192.0.2.1" {
		t.Errorf("logged %v", line)
	}
	out.Reset()
	failing := audit.New(full{s.Events}, audit.Options{Logger: slog.New(slog.NewJSONHandler(&out, nil)), Sinks: []audit.Sink{&heard}})
	if err := failing.Record(t.Context(), event("acme", "x")); !errors.Is(err, errFull) {
		t.Errorf("not kept: %v", err)
	}
	if len(heard.events) != 2 || !strings.Contains(out.String(), "audit event not kept") {
		t.Errorf("heard of %d events; logged %s", len(heard.events), &out)
	}
}

var errFull = errors.New("disk full")

// full is a table whose disk is full.
type full struct{ storage.Table[storage.Event] }

func (full) Insert(context.Context, *storage.Event) error { return errFull }

// unsure writes and then does not know that it did.
type unsure struct {
	storage.Table[storage.Event]
	once sync.Once
}

func (u *unsure) Insert(ctx context.Context, e *storage.Event) (err error) {
	err = u.Table.Insert(ctx, e)
	u.once.Do(func() { err = errFull })
	return err
}

func TestChainGoesOnAfterAnErrorThatLeftTheEndUnknown(t *testing.T) {
	s := openStore(t)
	l := audit.New(&unsure{Table: s.Events}, audit.Options{})
	if err := l.Record(t.Context(), event("acme", "first")); !errors.Is(err, errFull) {
		t.Fatalf("%v", err)
	}
	record(t, l, 2)
	if r := verify(t, l, "acme"); !r.OK() || r.Entries != 3 {
		t.Errorf("%+v", r)
	}
}

func TestWhoHangsUpIsRecordedNevertheless(t *testing.T) {
	s := openStore(t)
	l := audit.New(s.Events, audit.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Record(ctx, event("acme", "sign_in.password")); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, l, "acme"); r.Entries != 1 {
		t.Errorf("%+v", r)
	}
}

func BenchmarkRecord(b *testing.B) {
	l := audit.New(openStore(b).Events, audit.Options{})
	for b.Loop() {
		if err := l.Record(b.Context(), event("acme", "sign_in.password")); err != nil {
			b.Fatal(err)
		}
	}
}
