package audit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

// may1 is when the logs of these tests begin.
var may1 = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)

// write puts events behind acme's chain, many at a time.
func write(tb testing.TB, l *audit.Log, events ...storage.Event) {
	tb.Helper()
	for part := range slices.Chunk(events, 1000) {
		if err := l.RecordSeries(tb.Context(), "acme", part); err != nil {
			tb.Fatal(err)
		}
	}
}

// every returns n events, one in each step from may1 on.
func every(step time.Duration, n int) []storage.Event {
	events := make([]storage.Event, n)
	for i := range events {
		events[i] = event("acme", "sign_in.password")
		events[i].Time = may1.Add(time.Duration(i) * step)
		events[i].User = fmt.Sprint("u", i%7)
	}
	return events
}

func find(tb testing.TB, l *audit.Log, f audit.Filter) audit.Found {
	tb.Helper()
	found, err := l.Find(tb.Context(), "acme", f)
	if err != nil {
		tb.Fatal(err)
	}
	return found
}

// all goes on until the end, and returns the IDs and how many calls it took.
func all(tb testing.TB, l *audit.Log, f audit.Filter) (ids []string, calls int) {
	tb.Helper()
	for {
		found := find(tb, l, f)
		calls++
		for i := range found.Events {
			ids = append(ids, found.Events[i].ID)
		}
		if found.Next == "" {
			return ids, calls
		}
		if f.After != "" && found.Next >= f.After {
			tb.Fatalf("after %s it goes on at %s", f.After, found.Next)
		}
		f.After = found.Next
	}
}

func TestFindFiltersByEveryField(t *testing.T) {
	s := sqlitetest.Open(t, sqlite.Options{})
	l := audit.New(s.Events, audit.Options{})
	at := func(hour int, e storage.Event) storage.Event {
		e.Time = may1.Add(time.Duration(hour) * time.Hour)
		return e
	}
	write(t, l,
		at(1, storage.Event{Action: "sign_in", Outcome: "ok", Actor: "ada", User: "ada", Address: "192.0.2.7", Agent: "Firefox", Client: "app"}),
		at(2, storage.Event{Action: "sign_in.factor", Outcome: "refused", Actor: "bob", User: "bob", Factor: "totp", Rule: "Staff", Reason: "mismatch", Address: "::ffff:192.0.2.8"}),
		at(3, storage.Event{Action: "sign_in.password", Outcome: "failed", User: "ada", Address: "2001:db8::1", Reports: "r1 r22", Request: "Request-3"}),
		at(4, storage.Event{Action: "user.change", Outcome: "ok", Actor: "bob", User: "ada", Reason: "ÉTÉ"}),
		at(5, storage.Event{Action: "sign_inwards", Outcome: "ok", Actor: "operator", Rule: "r22", Address: "fe80::1%eth0"}),
	)
	for name, c := range map[string]struct {
		f    audit.Filter
		want string
	}{
		"nothing":                    {audit.Filter{}, "54321"},
		"user":                       {audit.Filter{User: "ada"}, "431"},
		"user nobody knows":          {audit.Filter{User: "eve"}, ""},
		"actor":                      {audit.Filter{Actor: "bob"}, "42"},
		"action":                     {audit.Filter{Action: "sign_in"}, "1"},
		"group of actions":           {audit.Filter{Action: "sign_in.*"}, "32"},
		"several actions":            {audit.Filter{Action: "user.change,sign_in"}, "41"},
		"groups and actions":         {audit.Filter{Action: "sign_in.*,sign_in,user.*"}, "4321"},
		"no action between commas":   {audit.Filter{Action: "user.change,,"}, "4"},
		"half a name":                {audit.Filter{Action: "sign*"}, ""},
		"outcome":                    {audit.Filter{Outcome: "ok"}, "541"},
		"client":                     {audit.Filter{Client: "app"}, "1"},
		"factor":                     {audit.Filter{Factor: "totp"}, "2"},
		"rule that decided":          {audit.Filter{Rule: "Staff"}, "2"},
		"rule that would have":       {audit.Filter{Rule: "r22"}, "53"},
		"beginning of a rule":        {audit.Filter{Rule: "r2"}, ""},
		"address":                    {audit.Filter{Address: "192.0.2.7"}, "1"},
		"address in the other form":  {audit.Filter{Address: "::ffff:192.0.2.7"}, "1"},
		"address kept in that form":  {audit.Filter{Address: " 192.0.2.8 "}, "2"},
		"address written otherwise":  {audit.Filter{Address: "2001:DB8:0::1"}, "3"},
		"network":                    {audit.Filter{Address: "192.0.2.200/24"}, "21"},
		"network in the other form":  {audit.Filter{Address: "::ffff:192.0.2.0/120"}, "21"},
		"network of all in IPv6":     {audit.Filter{Address: "::/0"}, "53"},
		"address with a zone":        {audit.Filter{Address: "fe80::/10"}, "5"},
		"address with a zone, whole": {audit.Filter{Address: "fe80::1%eth1"}, "5"},
		"text":                       {audit.Filter{Text: "fireFOX"}, "1"},
		"text beyond ASCII":          {audit.Filter{Text: "été"}, "4"},
		"text in an action":          {audit.Filter{Text: "SIGN_IN"}, "5321"},
		"text in a request":          {audit.Filter{Text: "request-3"}, "3"},
		"text in the reports":        {audit.Filter{Text: "R1 R"}, "3"},
		"from is within":             {audit.Filter{From: may1.Add(4 * time.Hour)}, "54"},
		"until is not":               {audit.Filter{Until: may1.Add(2 * time.Hour)}, "1"},
		"both":                       {audit.Filter{From: may1.Add(2 * time.Hour), Until: may1.Add(4 * time.Hour)}, "32"},
		"from after until":           {audit.Filter{From: may1.Add(4 * time.Hour), Until: may1.Add(2 * time.Hour)}, ""},
		"from in the future":         {audit.Filter{From: may1.AddDate(1, 0, 0)}, ""},
		"until before all":           {audit.Filter{Until: may1.AddDate(-1, 0, 0)}, ""},
		"after":                      {audit.Filter{After: "00000000000000000003"}, "21"},
		"after what is past until":   {audit.Filter{After: "00000000000000000005", Until: may1.Add(3 * time.Hour)}, "21"},
		"several":                    {audit.Filter{User: "ada", Outcome: "ok", Text: "bob"}, "4"},
	} {
		t.Run(name, func(t *testing.T) {
			found := find(t, l, c.f)
			got := ""
			for _, e := range found.Events {
				got += e.ID[len(e.ID)-1:]
			}
			if got != c.want || found.Next != "" {
				t.Errorf("found %q and then %q, want %q", got, found.Next, c.want)
			}
		})
	}
}

func TestFindRefusesWhatItCannotMean(t *testing.T) {
	l := audit.New(sqlitetest.Open(t, sqlite.Options{}).Events, audit.Options{})
	for _, c := range []struct {
		f     audit.Filter
		where string
	}{
		{audit.Filter{Address: "192.0.2"}, "address"},
		{audit.Filter{Address: "192.0.2.0/33"}, "address"},
		{audit.Filter{Address: " "}, "address"},
		{audit.Filter{After: "3"}, "after"},
		{audit.Filter{After: "0000000000000000000a"}, "after"},
	} {
		_, err := l.Find(t.Context(), "acme", c.f)
		var bad *audit.FilterError
		if !errors.As(err, &bad) || bad.Where != c.where || bad.What == "" || bad.Do == "" {
			t.Errorf("%+v: %v", c.f, err)
		}
	}
}

func TestFindPages(t *testing.T) {
	s := sqlitetest.Open(t, sqlite.Options{})
	l := audit.New(s.Events, audit.Options{})
	if found := find(t, l, audit.Filter{From: may1, Until: may1.AddDate(1, 0, 0)}); found.Events == nil || len(found.Events) > 0 || found.Next != "" || !found.Until.IsZero() {
		t.Errorf("in an empty log: %+v", found)
	}
	write(t, l, every(time.Minute, 600)...)
	for limit, want := range map[int]struct{ first, calls int }{
		-1: {audit.DefaultLimit, 12}, 0: {audit.DefaultLimit, 12}, 7: {7, 86}, 200: {200, 3}, 100_000: {audit.MaxLimit, 3},
	} {
		if found := find(t, l, audit.Filter{Limit: limit}); len(found.Events) != want.first || found.Searched != want.first {
			t.Errorf("limit %d: the first page has %d of %d", limit, len(found.Events), found.Searched)
		}
		// There is no empty page at the end.
		if ids, calls := all(t, l, audit.Filter{Limit: limit}); len(ids) != 600 || len(slices.Compact(ids)) != 600 || calls != want.calls {
			t.Errorf("limit %d: %d entries in %d pages, want %d", limit, len(ids), calls, want.calls)
		}
	}
	// What comes meanwhile does not move the pages.
	first := find(t, l, audit.Filter{Limit: 5})
	write(t, l, event("acme", "later"))
	if second := find(t, l, audit.Filter{Limit: 1, After: first.Next}); second.Events[0].ID != fmt.Sprintf("%020d", 595) {
		t.Errorf("the second page begins with %+v", second.Events[0])
	}
}

// reads counts what is read of a table.
type reads struct {
	storage.Table[storage.Event]
	records int
}

func (r *reads) List(ctx context.Context, q storage.Query) ([]storage.Event, error) {
	page, err := r.Table.List(ctx, q)
	r.records += len(page)
	return page, err
}

// A call ends after so much, found or not, and says how far it came; and a time or a user is found without reading the rest.
func TestFindReadsLittle(t *testing.T) {
	const n = 12_000
	s := sqlitetest.Open(t, sqlite.Options{})
	table := &reads{Table: s.Events}
	l := audit.New(table, audit.Options{})
	events := every(time.Hour, n)
	events[10].Reason = "needle"
	write(t, audit.New(s.Events, audit.Options{}), events...)

	found := find(t, l, audit.Filter{Text: "needle"})
	if len(found.Events) != 0 || found.Searched != 5000 || found.Next != fmt.Sprintf("%020d", n-5000+1) || !found.Until.Equal(may1.Add((n-5000)*time.Hour)) {
		t.Errorf("the first call found %d, searched %d back to %v, and goes on at %s", len(found.Events), found.Searched, found.Until, found.Next)
	}
	if ids, calls := all(t, l, audit.Filter{Text: "needle"}); !slices.Equal(ids, []string{fmt.Sprintf("%020d", 11)}) || calls != 3 {
		t.Errorf("found %v in %d calls", ids, calls)
	}

	// bound is what it takes to find one end of a time: the newest entry, and one for each binary digit of 12,000.
	const bound = 1 + 14
	for name, c := range map[string]struct {
		f           audit.Filter
		found, most int
	}{
		"a week":           {audit.Filter{From: may1.AddDate(0, 0, 30), Until: may1.AddDate(0, 0, 37), Limit: 200}, 7 * 24, 201 + 2*bound},
		"a text in a week": {audit.Filter{Text: "needle", Until: may1.AddDate(0, 0, 7)}, 1, 7*24 + 1 + bound},
		"a user in a week": {audit.Filter{User: "u3", From: may1, Until: may1.AddDate(0, 0, 7)}, 24, 24 + 2*bound},
		"nothing in time":  {audit.Filter{Text: "needle", From: may1.AddDate(9, 0, 0)}, 0, 500 + bound},
	} {
		table.records = 0
		if found := find(t, l, c.f); len(found.Events) != c.found || found.Next != "" || table.records > c.most {
			t.Errorf("%s: found %d, then %q, and read %d; want %d by reading %d at most", name, len(found.Events), found.Next, table.records, c.found, c.most)
		}
	}
}

// uneven are n events of several processes whose clocks differ, with bursts and quiet days between.
func uneven(r *rand.Rand, n int) []storage.Event {
	events := every(0, n)
	now := may1
	for i := range events {
		switch r.IntN(12) {
		case 0:
			now = now.Add(time.Duration(r.Int64N(int64(48 * time.Hour))))
		case 1, 2, 3:
			now = now.Add(time.Duration(r.Int64N(int64(time.Minute))))
		default:
		}
		events[i].Time = now.Add(time.Duration(r.Int64N(int64(2*time.Minute))) - time.Minute).Truncate(time.Millisecond)
		events[i].Outcome = []string{"ok", "refused"}[r.IntN(2)]
	}
	return events
}

// Whatever the times asked for, what is found is what a look at every entry finds, with and without the beginning of the log.
func TestFindInTimeIsWhatLookingAtAllFinds(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 4))
			s := sqlitetest.Open(t, sqlite.Options{})
			l := audit.New(s.Events, audit.Options{})
			events := uneven(r, 1+r.IntN(400))
			now := events[len(events)-1].Time
			write(t, l, events...)
			if seed%2 == 1 {
				for i := range r.IntN(len(events)) {
					remove(t, s, i+1)
				}
			}
			kept, err := s.Events.List(t.Context(), storage.Query{Tenant: "acme", Limit: 1000, Desc: true})
			if err != nil {
				t.Fatal(err)
			}
			// bound is a time within the log or near it, often that of an entry, or none.
			bound := func() time.Time {
				switch r.IntN(4) {
				case 0:
					return time.Time{}
				case 1:
					return kept[r.IntN(len(kept))].Time
				default:
					return may1.Add(time.Duration(r.Int64N(int64(now.Sub(may1)+2*time.Hour))) - time.Hour)
				}
			}
			for range 60 {
				f := audit.Filter{From: bound(), Until: bound(), Limit: 1 + r.IntN(60)}
				if r.IntN(3) == 0 {
					f.User = "u3"
				}
				if r.IntN(3) == 0 {
					f.Outcome = "ok"
				}
				var want []string
				for i := range kept {
					e := &kept[i]
					if (f.From.IsZero() || !e.Time.Before(f.From)) && (f.Until.IsZero() || e.Time.Before(f.Until)) &&
						(f.User == "" || e.User == f.User) && (f.Outcome == "" || e.Outcome == f.Outcome) {
						want = append(want, e.ID)
					}
				}
				if got, _ := all(t, l, f); !slices.Equal(got, want) {
					t.Fatalf("%+v: found %d, want %d:\n%v\n%v", f, len(got), len(want), got, want)
				}
			}
		})
	}
}

// An entry put in by somebody else, under no number of ours, hides nothing.
func TestFindSeesWhatIsNotOurs(t *testing.T) {
	s := sqlitetest.Open(t, sqlite.Options{})
	l := audit.New(s.Events, audit.Options{})
	write(t, l, every(time.Hour, 40)...)
	for _, id := range []string{"!", fmt.Sprintf("%020d", 0), fmt.Sprintf("%020da", 20), "zz"} {
		e := event("acme", "x")
		e.ID, e.Time = id, may1.Add(20*time.Hour)
		if err := s.Events.Insert(t.Context(), &e); err != nil {
			t.Fatal(err)
		}
	}
	if ids, _ := all(t, l, audit.Filter{}); len(ids) != 44 {
		t.Errorf("%d entries without bounds", len(ids))
	}
	ids, _ := all(t, l, audit.Filter{From: may1.Add(19 * time.Hour), Until: may1.Add(22 * time.Hour)})
	for _, n := range []int{20, 21, 22} {
		if !slices.Contains(ids, fmt.Sprintf("%020d", n)) {
			t.Errorf("entry %d is not among %v", n, ids)
		}
	}
}
