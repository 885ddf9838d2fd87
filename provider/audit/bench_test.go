package audit_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

// year is a log of so many entries, spread over a year, as sign-ins fill them.
func year(b *testing.B, n int) *audit.Log {
	b.Helper()
	l := audit.New(sqlitetest.Open(b, sqlite.Options{}).Events, audit.Options{})
	step := 365 * 24 * time.Hour / time.Duration(n)
	events := make([]storage.Event, n)
	for i := range events {
		events[i] = storage.Event{
			Time: may1.Add(time.Duration(i) * step), Action: "sign_in.factor", Outcome: "ok", Actor: fmt.Sprint("user", i%5000), User: fmt.Sprint("user", i%5000),
			Client: "app", Factor: "totp", Rule: "Everyone", Address: fmt.Sprintf("192.0.2.%d", i%256), Request: storage.NewID(),
			Agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
		}
	}
	write(b, l, events...)
	return l
}

func BenchmarkFind(b *testing.B) {
	l := year(b, 200_000)
	week := audit.Filter{From: may1.AddDate(0, 1, 0), Until: may1.AddDate(0, 1, 7)}
	with := func(change func(*audit.Filter)) audit.Filter { f := week; change(&f); return f }
	for _, c := range []struct {
		name string
		f    audit.Filter
	}{
		{"newest", audit.Filter{}},
		{"week", week},
		{"text-in-week", with(func(f *audit.Filter) { f.Text = "not there" })},
		{"user-in-week", with(func(f *audit.Filter) { f.User = "user7" })},
		{"text-in-all", audit.Filter{Text: "not there"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			searched := 0
			for b.Loop() {
				searched = find(b, l, c.f).Searched
			}
			b.ReportMetric(float64(searched), "searched/op")
		})
	}
}

func BenchmarkExport(b *testing.B) {
	const n = 100_000
	l := year(b, n)
	for _, format := range []audit.Format{audit.CSV, audit.JSONLines} {
		b.Run(string(format), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got, err := l.Export(b.Context(), "acme", audit.Filter{}, io.Discard, format); err != nil || got != n {
					b.Fatal(got, err)
				}
			}
		})
	}
}

func BenchmarkRetain(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		b.StopTimer()
		l := year(b, n)
		b.StartTimer()
		if got, err := l.Retain(b.Context(), "acme", may1.AddDate(1, 0, 0)); err != nil || got != n {
			b.Fatal(got, err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	const n = 100_000
	l := year(b, n)
	for b.Loop() {
		if r, err := l.Verify(b.Context(), "acme"); err != nil || !r.OK() || r.Entries != n {
			b.Fatal(r, err)
		}
	}
}
