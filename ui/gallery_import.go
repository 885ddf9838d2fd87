package ui

func importSamples() []Sample {
	form := Import{
		Action: PathImport, Lines: 5000, Types: []string{"staff", "client", "contractor", "bookkeeping"},
		CSV: PathPeople + "/export?format=csv", JSONLines: PathPeople + "/export?format=jsonl", Back: PathPeople,
	}
	wrong := form
	wrong.Update, wrong.Problem = true, InvalidFile("column", "E-Mail-Adresse der Person, an die alles geht", 5000)
	report := ImportReport{
		Created: 1204, Updated: 31, Skipped: 7, Refused: 112, Action: PathImport + "/run", Ticket: "k7fq2m9xvd4t8wzn", Minutes: 30, Back: PathImport,
		Rows: []ImportRow{
			{3, "nobody@", InvalidLine("syntax", "email", "")},
			{17, "nils.with.a.rather.long.name.that.goes.on.and.on@sub.department.example.com", InvalidLine("taken", "login", "")},
			{18, "=HYPERLINK(\"https://evil.example\",\"Click\")", InvalidLine("charset", "email", "")},
			{204, "", InvalidLine("missing", "email", "")},
			{512, "ida@example.com", InvalidLine("twice", "", "3")},
		},
	}
	clean, nothing := report, report
	clean.Refused, clean.Rows, clean.Updated, clean.Created = 0, nil, 0, 1
	nothing.Created, nothing.Updated, nothing.Skipped, nothing.Action, nothing.Refused = 0, 0, 0, "", len(report.Rows)
	done := report
	done.Done, done.Action, done.Back = true, "", PathPeople
	running := Importing{Done: 1400, Of: 4812, Here: PathImport + "/run?ticket=k7fq2m9xvd4t8wzn", Back: PathPeople}
	stopped := running
	stopped.Problem, stopped.Action, stopped.Ticket = InvalidFile("stopped", "", 5000), PathImport+"/run", report.Ticket
	return []Sample{
		{"importing", inside(), running},
		{"importing-stopped", inside(), stopped},
		{"import-done", inside(), done},
		{"import", inside(), form},
		{"import-problem", inside(), wrong},
		{"import-report", inside(), report},
		{"import-report-clean", inside(), clean},
		{"import-report-nothing", inside(), nothing},
	}
}
