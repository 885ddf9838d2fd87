package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/sallyport-id/sallyport/provider/transfer"
	"github.com/sallyport-id/sallyport/provider/web"
)

type usersImport struct {
	tenantFlag
	File      string `arg:"" help:"The file, or “-” for standard input."`
	Format    string `enum:"csv,jsonl," default:"" help:"csv or jsonl (default: by the file's name)."`
	DryRun    bool   `help:"Check everything and change nothing."`
	Update    bool   `help:"Change users who are there already; else they are skipped."`
	Passwords bool   `help:"Allow a column of passwords in plain text. Hashing them takes long."`
}

// Run imports users. Each line's outcome goes to standard output, the progress and totals to standard error.
func (c *usersImport) Run(w *world, a *adminCommand) (err error) {
	format, err := formatOf(c.Format, c.File)
	if err != nil {
		return err
	}
	in, err := w.input(c.File, "FILE")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	size := int64(0)
	if f, ok := in.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			size = info.Size()
		}
	}
	out := bufio.NewWriter(w.out)
	return a.transfer(w, func(s *transfer.Service) error {
		totals, err := s.Import(w.ctx, web.Operator(), c.Tenant, in, transfer.Options{
			Format: format, DryRun: c.DryRun, Update: c.Update, Passwords: c.Passwords,
			Line:     lineReport(out, a.JSON),
			Progress: func(t transfer.Totals) { fmt.Fprintln(w.err, importProgress(t, size)) },
		})
		if err := errors.Join(err, out.Flush()); err != nil {
			return brokenOff(err)
		}
		if c.DryRun {
			fmt.Fprintln(w.err, "dry run: nothing was changed")
		}
		if totals.Refused > 0 {
			return finding{
				What: fmt.Sprintf("%d of %d lines were refused", totals.Refused, totals.Lines), Where: c.File,
				Do: "set right what the report says of them, and give the file again: who is there is skipped",
			}
		}
		return nil
	})
}

// brokenOff tells how to go on after an import that was broken off; one that never began says so itself.
func brokenOff(err error) error {
	if _, never := errors.AsType[*web.Invalid](err); never {
		return err
	}
	what := err.Error()
	if errors.Is(err, context.Canceled) {
		what = "the import was broken off"
	}
	return finding{What: what, Where: "users import", Do: "give the same file again: who is there is skipped"}
}

// lineReport writes what became of each line.
func lineReport(out io.Writer, asJSON bool) func(transfer.Line) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		return func(l transfer.Line) error { return e.Encode(l) }
	}
	return func(l transfer.Line) error {
		words := fmt.Sprintf("line %d\t%s\t%s", l.Line, l.Outcome, l.Account)
		if l.Reason != "" {
			words += "\t" + l.Reason
		}
		_, err := fmt.Fprintln(out, words)
		return err
	}
}

func importProgress(t transfer.Totals, size int64) string {
	words := t.String()
	if size > 0 {
		words += fmt.Sprintf(" (%d %% of the file)", min(100, t.Bytes*100/size))
	}
	return words
}

// formatOf is the format that was named, or that of the file's name.
func formatOf(named, file string) (transfer.Format, error) {
	if named != "" {
		return transfer.Format(named), nil
	}
	switch strings.ToLower(filepath.Ext(file)) {
	case ".csv", ".tsv", ".txt":
		return transfer.CSV, nil
	case ".jsonl", ".ndjson", ".json":
		return transfer.JSONLines, nil
	default:
		return "", finding{What: fmt.Sprintf("%q does not tell its format", file), Where: "--format", Do: "choose csv or jsonl"}
	}
}

type usersExport struct {
	tenantFlag
	Format string `enum:"csv,jsonl" default:"csv" help:"csv or jsonl."`
	Output string `short:"o" placeholder:"FILE" help:"Write to this file, which only you can read, instead of standard output. It must not exist."`
	Hashes bool   `help:"Take the password hashes along. Keep the file as you keep the database."`
}

// exportPermissions are the file's: there are names in it, and hashes may be.
const exportPermissions = 0o600

// Run exports users.
func (c *usersExport) Run(w *world, a *adminCommand) error {
	return a.transfer(w, func(s *transfer.Service) (err error) {
		out := w.out
		if c.Output != "" {
			f, err := os.OpenFile(c.Output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, exportPermissions)
			if err != nil {
				return finding{What: err.Error(), Where: "--output", Do: "name a file that is not there yet"}
			}
			defer func() { err = errors.Join(err, f.Close()) }()
			out = f
		}
		buffered := bufio.NewWriter(out)
		n, err := s.Export(w.ctx, web.Operator(), c.Tenant, buffered, transfer.ExportOptions{Format: transfer.Format(c.Format), Hashes: c.Hashes})
		if err := errors.Join(err, buffered.Flush()); err != nil {
			return err
		}
		fmt.Fprintf(w.err, "%d users exported\n", n)
		return nil
	})
}

// transfer runs an import or export on the database that the settings name.
func (a *adminCommand) transfer(w *world, op func(s *transfer.Service) error) error {
	return a.with(w, func(o opened) error { return op(o.Transfer()) })
}
