package transfer

// MaxReported is how many refused lines an Imported holds.
const MaxReported = 1000

// Imported is what came of an import, in little memory however many lines there are.
type Imported struct {
	// DryRun: nothing was changed.
	DryRun bool `json:"dry_run"`
	Totals
	// RefusedLines are the first lines that were refused, 1000 at most.
	RefusedLines []Line `json:"refused_lines"`
}

// Add takes a line that was refused into the report; it is an Options.Line.
func (r *Imported) Add(l Line) error {
	if l.Outcome == Refused && len(r.RefusedLines) < MaxReported {
		r.RefusedLines = append(r.RefusedLines, l)
	}
	return nil
}
