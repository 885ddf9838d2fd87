package transfer

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport-id/sallyport/provider/web"
)

// table reads the lines of a CSV file after its header. It is not safe for concurrent use.
type table struct {
	columns []string
	comma   rune
	buffer  *bufio.Reader
}

// listed names the columns there are.
func listed() string {
	var r record
	names := slices.Collect(maps.Keys(r.texts()))
	names = slices.AppendSeq(names, maps.Keys(r.flags()))
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// newTable reads the header. *web.Invalid.
func newTable(header string, passwords bool) (*table, error) {
	t := &table{comma: ',', buffer: bufio.NewReaderSize(nil, 4096)}
	if i := strings.IndexAny(header, ",;\t"); i >= 0 {
		t.comma = rune(header[i])
	}
	cells, err := t.cells(header)
	if err != nil {
		return nil, badHeader("quote", err.Error(), "write the names of the columns into the first line")
	}
	var r record
	known := slices.Concat(slices.Collect(maps.Keys(r.texts())), slices.Collect(maps.Keys(r.flags())), passedOver[:])
	for _, c := range cells {
		c = strings.ToLower(strings.TrimSpace(c))
		switch {
		case !slices.Contains(known, c):
			return nil, &web.Invalid{
				Where: headerLine, Code: "column", What: fmt.Sprintf("there is no column “%s”", shown(c)), Value: shown(c),
				Do: "the first line names the columns: " + listed(), Err: web.ErrInvalid,
			}
		case slices.Contains(t.columns, c):
			return nil, badHeader("twice", fmt.Sprintf("the column %s is there twice", c), "take one of them out")
		case c == "password" && !passwords:
			return nil, badHeader("plain", "there are plain passwords in the file", "bring password_hash instead, or allow plain passwords; hashing them takes long")
		}
		t.columns = append(t.columns, c)
	}
	if !slices.Contains(t.columns, "email") && !slices.Contains(t.columns, "login") {
		return nil, badHeader("nobody", "there is neither a column email nor a column login", "a user needs one of them to sign in with")
	}
	return t, nil
}

// headerLine is where the header of a CSV file stands.
const headerLine = "line 1"

func badHeader(code, what, do string) error { return web.Refuse(headerLine, code, what, do) }

// cells parts a line.
func (t *table) cells(line string) ([]string, error) {
	t.buffer.Reset(strings.NewReader(line))
	r := csv.NewReader(t.buffer)
	r.Comma = t.comma
	r.FieldsPerRecord = -1
	cells, err := r.Read()
	if err != nil {
		return nil, refuse(Fault{Code: "quote"}, "a quotation mark is not closed on the line, or stands where none may")
	}
	return cells, nil
}

// read reads one line.
func (t *table) read(line string) (*record, error) {
	cells, err := t.cells(line)
	if err != nil {
		return nil, err
	}
	if len(cells) != len(t.columns) {
		return nil, refuse(Fault{Code: "cells"}, "it has %d cells, and the header %d", len(cells), len(t.columns))
	}
	var r record
	texts, flags := r.texts(), r.flags()
	for i, c := range cells {
		if err := r.cell(texts, flags, t.columns[i], c); err != nil {
			return &r, err
		}
	}
	return &r, nil
}
