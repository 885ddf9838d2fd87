package audit_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

// forge gives an entry the hash that fits it, as an attacker can who knows this code.
func forge(e *storage.Event) {
	texts := []string{
		e.Tenant, e.ID, "", e.Time.UTC().Format("2006-01-02T15:04:05.000Z"),
		e.Action, e.Outcome, e.Actor, e.User, e.Client, e.Factor, e.Rule, e.Reason, e.Address, e.Agent, e.Request, e.Previous,
	}
	if e.Reports != "" {
		texts = append(texts, "reports", e.Reports)
	}
	b := []byte("sallyport audit 1\x00")
	for _, t := range texts {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(t))), t...)
	}
	h := sha256.Sum256(b)
	e.Hash = base64.RawURLEncoding.EncodeToString(h[:])
}

// A log that was written before a field was added is whole as it was: this entry and its hash are of that time.
func TestHashOfBeforeStaysValid(t *testing.T) {
	s := sqlitetest.Open(t, sqlite.Options{})
	e := storage.Event{
		Key: storage.Key{Tenant: "acme", ID: fmt.Sprintf("%020d", 1)}, Time: time.Date(2026, 5, 1, 12, 0, 0, 5e6, time.UTC),
		Action: "sign_in.factor", Outcome: "refused", Actor: "u1", User: "u2", Client: "c1", Factor: "totp", Rule: "Staff", Reason: "mismatch",
		Address: "192.0.2.1", Agent: "Firefox", Request: "r1", Hash: "OrorAZp6OzWPKm8u7LaktYlZYZj_hKOetNVWLVeIl7Q",
	}
	if err := s.Events.Insert(t.Context(), &e); err != nil {
		t.Fatal(err)
	}
	l := audit.New(s.Events, audit.Options{})
	record(t, l, 1)
	if r := verify(t, l, "acme"); !r.OK() || r.Entries != 2 {
		t.Errorf("%+v", r)
	}
}

// What report-only rules would have done is kept as the other texts are: cleaned, logged, and not to be changed unseen.
func TestReportsAreKeptAsTheOtherTextsAre(t *testing.T) {
	s := sqlitetest.Open(t, sqlite.Options{})
	var out bytes.Buffer
	l := audit.New(s.Events, audit.Options{Logger: slog.New(slog.NewTextHandler(&out, nil))})
	write(t, l, storage.Event{Action: "sign_in", Outcome: "ok", Reports: "r1\nr2"}, storage.Event{Action: "sign_in", Outcome: "ok", Reports: strings.Repeat("r", 2000)})
	var texts []string
	for _, e := range find(t, l, audit.Filter{}).Events {
		texts = append(texts, e.Reports)
	}
	if want := []string{strings.Repeat("r", 1024), "r1\ufffdr2"}; !slices.Equal(texts, want) {
		t.Errorf("kept %q", texts)
	}
	if !strings.Contains(out.String(), "reports=\"r1\ufffdr2\"") {
		t.Errorf("logged %s", &out)
	}
	if r := verify(t, l, "acme"); !r.OK() {
		t.Errorf("%+v", r)
	}
	tamper(t, s, 1, func(e *storage.Event) { e.Reports = "" })
	if r := verify(t, l, "acme"); len(r.Faults) != 1 || r.Faults[0].Kind != audit.Changed {
		t.Errorf("taken out: %+v", r)
	}
	// Nor can it be moved into another field.
	tamper(t, s, 1, func(e *storage.Event) { e.Previous, e.Reports = e.Previous+"r1\ufffdr2", "" })
	if r := verify(t, l, "acme"); r.OK() {
		t.Error("moved unseen")
	}
}

// The log under attack has 24 entries: retention took 1 to 8, and entry 21 attests that.
const (
	firstKept = 9
	attesting = 21
	lastKept  = 24
)

func attacked(t *testing.T) (storage.Store, *audit.Log) {
	t.Helper()
	s, l := old(t, 20)
	retain(t, l, may1.Add(8*time.Hour))
	record(t, l, 3)
	return s, l
}

func entry(t *testing.T, s storage.Store, n int) storage.Event {
	t.Helper()
	e, err := s.Events.Get(t.Context(), "acme", fmt.Sprintf("%020d", n))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// reason is what attests the removal of entries up to n.
func reason(t *testing.T, s storage.Store, n int) string {
	t.Helper()
	return fmt.Sprintf("through %020d, hash %s", n, entry(t, s, n).Hash)
}

// put forges an attestation behind the end.
func put(t *testing.T, s storage.Store, reason string) {
	t.Helper()
	last := entry(t, s, lastKept)
	e := storage.Event{
		Key: storage.Key{Tenant: "acme", ID: fmt.Sprintf("%020d", lastKept+1)}, Time: last.Time,
		Action: audit.Retention, Outcome: "ok", Actor: "retention", Reason: reason, Previous: last.Hash,
	}
	forge(&e)
	if err := s.Events.Insert(t.Context(), &e); err != nil {
		t.Fatal(err)
	}
}

func TestVerifyOfALogWithoutItsBeginning(t *testing.T) {
	type faults = []audit.Fault
	at := func(n int) string { return fmt.Sprintf("%020d", n) }
	missing := func(n int, count uint64) audit.Fault {
		return audit.Fault{ID: at(n), Kind: audit.Missing, Count: count}
	}
	changed := func(n int) audit.Fault { return audit.Fault{ID: at(n), Kind: audit.Changed, Count: 1} }
	unlinked := func(n int) audit.Fault { return audit.Fault{ID: at(n), Kind: audit.Unlinked, Count: 1} }
	wrong := strings.Repeat("A", 43)
	for name, c := range map[string]struct {
		do   func(t *testing.T, s storage.Store)
		want faults
	}{
		"nothing": {func(*testing.T, storage.Store) {}, nil},
		"one more than attested deleted": {
			func(t *testing.T, s storage.Store) { remove(t, s, firstKept) },
			faults{missing(9, 1)},
		},
		"all before the attestation deleted": {
			func(t *testing.T, s storage.Store) {
				for n := firstKept; n < attesting; n++ {
					remove(t, s, n)
				}
			},
			faults{missing(9, 12)},
		},
		"the attestation deleted": {
			func(t *testing.T, s storage.Store) { remove(t, s, attesting) },
			faults{missing(1, 8), missing(attesting, 1)},
		},
		"cut at the end, with the attestation": {
			func(t *testing.T, s storage.Store) {
				for n := attesting; n <= lastKept; n++ {
					remove(t, s, n)
				}
			},
			faults{missing(1, 8)},
		},
		"the attestation made to attest more": {
			func(t *testing.T, s storage.Store) {
				r := reason(t, s, firstKept)
				tamper(t, s, attesting, func(e *storage.Event) { e.Reason = r })
				remove(t, s, firstKept)
			},
			faults{missing(1, 9), changed(attesting)},
		},
		"and given the hash that fits": {
			func(t *testing.T, s storage.Store) {
				r := reason(t, s, firstKept)
				tamper(t, s, attesting, func(e *storage.Event) { e.Reason = r; forge(e) })
				remove(t, s, firstKept)
			},
			faults{unlinked(attesting + 1)},
		},
		"another entry made an attestation": {
			func(t *testing.T, s storage.Store) {
				r := reason(t, s, firstKept)
				tamper(t, s, 15, func(e *storage.Event) { e.Action, e.Outcome, e.Reason = audit.Retention, "ok", r })
				remove(t, s, firstKept)
			},
			faults{missing(9, 1), changed(15)},
		},
		"an attestation put in the end that follows from nothing": {
			func(t *testing.T, s storage.Store) {
				put(t, s, reason(t, s, firstKept))
				tamper(t, s, lastKept+1, func(e *storage.Event) { e.Previous = wrong; forge(e) })
				remove(t, s, firstKept)
			},
			faults{missing(9, 1), unlinked(lastKept + 1)},
		},
		"one put there with a hash that no entry had": {
			func(t *testing.T, s storage.Store) {
				put(t, s, fmt.Sprintf("through %s, hash %s", at(firstKept), wrong))
				remove(t, s, firstKept)
			},
			faults{missing(9, 1), unlinked(lastKept + 1)},
		},
		"one that will serve later": {
			func(t *testing.T, s storage.Store) { put(t, s, fmt.Sprintf("through %s, hash %s", at(12), wrong)) },
			faults{unlinked(lastKept + 1)},
		},
		"a late one, of what another process removed since": {
			func(t *testing.T, s storage.Store) { put(t, s, fmt.Sprintf("through %s, hash %s", at(5), wrong)) },
			nil,
		},
		"one of itself": {
			func(t *testing.T, s storage.Store) {
				// The hash is the right one for where the chain begins then.
				put(t, s, fmt.Sprintf("through %s, hash %s", at(lastKept+1), entry(t, s, firstKept).Hash))
				remove(t, s, firstKept)
			},
			faults{missing(9, 1), unlinked(lastKept + 1)},
		},
		"one in another form": {
			func(t *testing.T, s storage.Store) {
				put(t, s, strings.TrimPrefix(reason(t, s, firstKept), "through "))
				remove(t, s, firstKept)
			},
			faults{missing(9, 1)},
		},
		"the first that is left exchanged": {
			func(t *testing.T, s storage.Store) {
				tamper(t, s, firstKept, func(e *storage.Event) { e.Previous = wrong; forge(e) })
			},
			faults{missing(1, 8), unlinked(firstKept + 1), unlinked(attesting)},
		},
		"the first that is left changed": {
			func(t *testing.T, s storage.Store) {
				tamper(t, s, firstKept, func(e *storage.Event) { e.User = "eve" })
			},
			faults{changed(firstKept)},
		},
		"one in the middle taken out": {
			func(t *testing.T, s storage.Store) { remove(t, s, 14) },
			faults{missing(14, 1)},
		},
		"two exchanged": {
			func(t *testing.T, s storage.Store) {
				twelve, thirteen := entry(t, s, 12), entry(t, s, 13)
				tamper(t, s, 12, func(e *storage.Event) { k := e.Key; *e = thirteen; e.Key = k })
				tamper(t, s, 13, func(e *storage.Event) { k := e.Key; *e = twelve; e.Key = k })
			},
			faults{changed(12), changed(13)},
		},
		"one that was removed put back, changed": {
			func(t *testing.T, s storage.Store) {
				e := entry(t, s, firstKept)
				e.ID, e.User = at(8), "eve"
				forge(&e)
				if err := s.Events.Insert(t.Context(), &e); err != nil {
					t.Fatal(err)
				}
			},
			faults{unlinked(firstKept)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, l := attacked(t)
			c.do(t, s)
			if r := verify(t, l, "acme"); !reflect.DeepEqual(r.Faults, c.want) {
				t.Errorf("found %+v, want %+v", r.Faults, c.want)
			}
		})
	}
}

// A retention that was broken off is no cover for taking out what it had not come to.
func TestVerifyOfARetentionBrokenOff(t *testing.T) {
	s, l := old(t, 20)
	breaks := audit.New(&brittle{Table: s.Events, left: 3}, audit.Options{})
	if _, err := breaks.Retain(t.Context(), "acme", may1.Add(8*time.Hour)); err == nil {
		t.Fatal("it did not break off")
	}
	whole(t, l, 3)
	remove(t, s, 6)
	if r := verify(t, l, "acme"); !reflect.DeepEqual(r.Faults, []audit.Fault{{ID: fmt.Sprintf("%020d", 6), Kind: audit.Missing, Count: 1}}) {
		t.Errorf("%+v", r)
	}
	// Nor is what it attests to be exchanged before it is removed.
	s, l = old(t, 20)
	breaks = audit.New(&brittle{Table: s.Events}, audit.Options{})
	if _, err := breaks.Retain(t.Context(), "acme", may1.Add(8*time.Hour)); err == nil {
		t.Fatal("it did not break off")
	}
	tamper(t, s, 8, func(e *storage.Event) { e.User = "eve"; forge(e) })
	if r := verify(t, l, "acme"); !reflect.DeepEqual(r.Faults, []audit.Fault{{ID: fmt.Sprintf("%020d", 9), Kind: audit.Unlinked, Count: 1}}) {
		t.Errorf("%+v", r)
	}
}

// The fault at the beginning comes first, however many others there are.
func TestMissingBeginningIsListedFirst(t *testing.T) {
	s, l := old(t, 150)
	for n := range 148 {
		tamper(t, s, n+2, func(e *storage.Event) { e.User = "eve" })
	}
	remove(t, s, 1)
	r := verify(t, l, "acme")
	if len(r.Faults) != audit.MaxFaults || r.Faults[0].Kind != audit.Missing || r.More != 149-audit.MaxFaults {
		t.Errorf("%d faults and %d more, the first %+v", len(r.Faults), r.More, r.Faults[0])
	}
}

// Who may write to the database and knows this code can attest a removal of his own: what shows it is that the chain no
// longer ends as the process's log, or a report kept elsewhere, says.
func TestForgedAttestationShowsInTheHead(t *testing.T) {
	s, l := attacked(t)
	before := verify(t, l, "acme")
	put(t, s, reason(t, s, 15))
	for n := firstKept; n <= 15; n++ {
		remove(t, s, n)
	}
	after := verify(t, l, "acme")
	if !after.OK() || after.Removed != 15 {
		t.Errorf("%+v", after)
	}
	if before.Head == after.Head || before.Last >= after.Last {
		t.Errorf("before %+v, after %+v", before, after)
	}
}
