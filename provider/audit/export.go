package audit

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// Format is how an export is written.
type Format string

// The formats. Either way an entry takes one line, and has the same fields under the same names, the chain's own among
// them.
const (
	// CSV is RFC 4180, with a header of field names. What a spreadsheet would run as a formula has a quotation mark before
	// it: whoever compares hashes takes JSONLines.
	CSV Format = "csv"
	// JSONLines is one JSON object a line, without the fields that are empty.
	JSONLines Format = "jsonl"
)

// exportPage is how many entries are read, written and flushed at a time.
const exportPage = 1000

// Export writes all entries of a tenant ("" means storage.Global) that meet the filter, the oldest first, and returns how
// many. It takes the memory of a page, however many there are, and hands on what it has written after each: where w has a
// method Flush, it calls it. Entries that come meanwhile are not written, so it ends. What Find says of times holds here
// too; After and Limit are passed over. After an error what was written is not all. *FilterError, then nothing was written;
// or an error of ctx's, w's or the store's.
func (l *Log) Export(ctx context.Context, tenant string, f Filter, w io.Writer, format Format) (int, error) {
	tenant = tenantOf(tenant)
	f.After = ""
	m, err := f.matcher()
	if err != nil {
		return 0, err
	}
	out, err := newExport(w, format)
	if err != nil {
		return 0, err
	}
	n, err := l.export(ctx, tenant, m, out)
	if err = errors.Join(err, out.flush()); err != nil {
		return n, fmt.Errorf("audit: export: %w", err)
	}
	return n, nil
}

func (l *Log) export(ctx context.Context, tenant string, m *matcher, out *export) (n int, _ error) {
	newest, err := l.events.List(ctx, storage.Query{Tenant: tenant, Desc: true, Limit: 1})
	if err != nil || len(newest) == 0 {
		return 0, err
	}
	within, err := l.span(ctx, tenant, m.f)
	if err != nil {
		return 0, err
	}
	q := within.query(tenant, m.f.User)
	q.Limit = exportPage
	if low, err := number(within.low); err == nil {
		q.After = place(low - 1)
	}
	read := 0
	err = storage.Each(ctx, l.events, q, func(e *storage.Event) error {
		if e.ID > newest[0].ID || within.high != "" && e.ID >= within.high {
			return errEnough
		}
		if m.match(e) {
			if err := out.row(e); err != nil {
				return err
			}
			n++
		}
		if read++; read%exportPage == 0 {
			return errors.Join(ctx.Err(), out.flush())
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return n, err
}

// export is a file under way.
type export struct {
	row   func(*storage.Event) error
	flush func() error
}

// newExport writes what comes before the first entry. *FilterError, or w's.
func newExport(w io.Writer, format Format) (*export, error) {
	switch format {
	case CSV:
		c := csv.NewWriter(w)
		out := &export{
			row: func(e *storage.Event) error { return c.Write(cells(e)) },
			flush: func() error {
				c.Flush()
				return errors.Join(c.Error(), flush(w))
			},
		}
		return out, c.Write(columns())
	case JSONLines:
		buffer := bufio.NewWriter(w)
		lines := json.NewEncoder(buffer)
		lines.SetEscapeHTML(false)
		return &export{
			row:   func(e *storage.Event) error { return lines.Encode(lineOf(e)) },
			flush: func() error { return errors.Join(buffer.Flush(), flush(w)) },
		}, nil
	default:
		return nil, &FilterError{"format", "there is no such format", "choose csv or jsonl"}
	}
}

// flush hands on what w holds back, if it does: as bufio.Writer does, or as http.ResponseWriter.
func flush(w io.Writer) error {
	switch w := w.(type) {
	case interface{ Flush() error }:
		return w.Flush()
	case interface{ FlushError() error }:
		return w.FlushError()
	case interface{ Flush() }:
		w.Flush()
	}
	return nil
}

// line is an entry as an export has it.
type line struct {
	Tenant   string    `json:"tenant"`
	ID       string    `json:"id"`
	Time     time.Time `json:"time"`
	Action   string    `json:"action"`
	Outcome  string    `json:"outcome"`
	Actor    string    `json:"actor,omitempty"`
	User     string    `json:"user,omitempty"`
	Client   string    `json:"client,omitempty"`
	Factor   string    `json:"factor,omitempty"`
	Rule     string    `json:"rule,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Address  string    `json:"address,omitempty"`
	Agent    string    `json:"agent,omitempty"`
	Request  string    `json:"request,omitempty"`
	Reports  string    `json:"reports,omitempty"`
	Previous string    `json:"previous"`
	Hash     string    `json:"hash"`
}

func lineOf(e *storage.Event) line {
	return line{
		e.Tenant, e.ID, e.Time, e.Action, e.Outcome, e.Actor, e.User, e.Client, e.Factor, e.Rule, e.Reason, e.Address, e.Agent, e.Request,
		e.Reports, e.Previous, e.Hash,
	}
}

func columns() []string {
	names := []string{"tenant", "id", "time"}
	for _, f := range fields(&storage.Event{}) {
		names = append(names, f.name)
	}
	return append(names, "previous", "hash")
}

func cells(e *storage.Event) []string {
	list := make([]string, 0, 20)
	list = append(list, e.Tenant, e.ID, instant(e.Time))
	for _, f := range fields(e) {
		list = append(list, *f.text)
	}
	list = append(list, e.Previous, e.Hash)
	for i := range list {
		list[i] = storage.SheetCell(list[i])
	}
	return list
}
