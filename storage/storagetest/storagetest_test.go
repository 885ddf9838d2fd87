package storagetest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/storage"
)

// recorder is a T that remembers what a check reports.
type recorder struct {
	*testing.T
	reports []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.reports = append(r.reports, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// report puts a table of users through the checks named and returns what each reported.
func report(t *testing.T, names []string, faults ...string) map[string][]string {
	t.Helper()
	c := newClock()
	m := newMemory(c.now, faults...)
	kind := storage.User{}.Kind()
	kind.Expiring = true // so that Sweep is checked as well
	found := make(map[string][]string)
	for _, check := range checks[storage.User]() {
		if !slices.Contains(names, check.name) {
			continue
		}
		r := &recorder{T: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			check.run(&subject[storage.User, *storage.User]{
				T: r, table: m, sweepAll: m.sweep, clock: c, kind: kind, tenant: storage.NewID(),
				o: Options{Records: 40, Parallel: 16},
			})
		}()
		<-done
		if len(r.reports) > 0 {
			found[check.name] = r.reports
		}
	}
	return found
}

// A table that keeps every promise passes.
func TestRightTablePasses(t *testing.T) {
	for check, reports := range report(t, Checks()) {
		t.Errorf("%s: %s", check, strings.Join(reports, "\n"))
	}
}

// Each fault is found, by the check that is there for it; and there is no check without a fault that it finds.
func TestFaultsAreFound(t *testing.T) {
	faults := map[string][]string{
		"a field lost":                        {"RoundTrip"},
		"shared memory":                       {"RoundTrip"},
		"times as they come":                  {"Times"},
		"version as given":                    {"Versions"},
		"version not compared":                {"Versions", "ParallelReplace"},
		"insert overwrites":                   {"Versions", "ParallelInsert", "ParallelMixed"},
		"empty keys taken":                    {"Refused"},
		"any field listed":                    {"Refused"},
		"one tenant for all":                  {"OtherTenant"},
		"other tenants listed":                {"OtherTenant"},
		"keys joined":                         {"KeysAreApart"},
		"delete does not tell":                {"Versions", "Hostile", "ParallelDelete"},
		"insert checks, then writes":          {"ParallelInsert", "ParallelInsertOverExpired"},
		"replace checks, then writes":         {"ParallelReplace"},
		"delete checks, then deletes":         {"ParallelDelete"},
		"reads lag behind":                    {"ReadYourWrites", "RoundTrip"},
		"desc ignored":                        {"Paging", "PagingByField"},
		"after is inclusive":                  {"Paging", "PagingWhileInserting"},
		"a record skipped while others write": {"PagingWhileInserting"},
		"empty value not found":               {"EmptyFieldValue"},
		"expiry left to the sweeper":          {"Expiry"},
		"expired records listed":              {"Expiry"},
		"derived fields as given":             {"Derived"},
		"prefix ignored":                      {"Prefix"},
		"prefix folded":                       {"Prefix"},
		"prefix found anywhere":               {"Prefix"},
		"prefix in the order of IDs":          {"Prefix"},
		"prefix without limit":                {"Prefix"},
		"any prefix taken":                    {"Prefix"},
		"expired records found by prefix":     {"Prefix"},
		"other tenants found by prefix":       {"Prefix"},
		"expired records counted":             {"Count"},
		"other tenants counted":               {"Count"},
		"a page counted":                      {"Count"},
		"expiry fixed at insert":              {"ExpiryMoves"},
		"nothing swept":                       {"Sweep"},
		"all swept":                           {"Sweep"},
		"cancellation ignored":                {"Cancelled"},
		"half done when cancelled":            {"CancelledUnderWay"},
		"stuck after a cancelled write":       {"CancelledUnderWay"},
	}
	finds := make(map[string]bool)
	for fault, want := range faults {
		t.Run(fault, func(t *testing.T) {
			found := report(t, want, fault)
			for _, check := range want {
				finds[check] = true
				if len(found[check]) == 0 {
					t.Errorf("%s does not report it", check)
				}
			}
			for check, reports := range found {
				t.Logf("%s: %s", check, reports[0])
			}
		})
	}
	for _, check := range Checks() {
		if !finds[check] {
			t.Errorf("no fault is there to show that %s finds any", check)
		}
	}
}

// What was acknowledged and is gone, went back or came back after the kill is reported; what is there, or was one write
// further when the kill came, is not.
func TestLostWritesAreFound(t *testing.T) {
	counters := memoryCounters{}
	told := map[string]int64{"kept": 2, "went further": 2, "lost": 1, "back": 3, "undeleted": 0, "deleted": 0}
	for id, version := range map[string]int64{"kept": 2, "went further": 3, "back": 2, "undeleted": 4} {
		counters[id] = storage.Counter{Key: storage.Key{Tenant: "killed", ID: id, Version: version}, Count: int(version)}
	}
	r := &recorder{T: t}
	checkTold(r, counters, "killed", told)
	for _, id := range []string{"lost", "back", "undeleted"} {
		if !slices.ContainsFunc(r.reports, func(s string) bool { return strings.HasPrefix(s, fmt.Sprintf("%q", id)) }) {
			t.Errorf("%q is not reported", id)
		}
	}
	if len(r.reports) != 4 { // those and the sum
		t.Errorf("%d reports, want 4: %q", len(r.reports), r.reports)
	}
}

// memoryCounters answers Get and nothing else.
type memoryCounters map[string]storage.Counter

func (m memoryCounters) Get(_ context.Context, _, id string) (storage.Counter, error) {
	if n, ok := m[id]; ok {
		return n, nil
	}
	return storage.Counter{}, storage.ErrNotFound
}
func (memoryCounters) Insert(context.Context, *storage.Counter) error  { return errMemory }
func (memoryCounters) Replace(context.Context, *storage.Counter) error { return errMemory }
func (memoryCounters) Delete(context.Context, string, string) error    { return errMemory }
func (memoryCounters) List(context.Context, storage.Query) ([]storage.Counter, error) {
	return nil, errMemory
}
