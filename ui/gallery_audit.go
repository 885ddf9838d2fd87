package ui

import (
	"fmt"
	"time"
)

func auditSamples() []Sample {
	row := func(n int, action, outcome, who, whom string) AuditRow {
		id := fmt.Sprintf("%020d", n)
		return AuditRow{
			ID: id, Time: "2026-03-04T14:03:22Z", Action: action, Outcome: outcome, Who: who, Whom: whom, Own: who == whom,
			Address: "192.0.2.17", Browser: "Firefox, Linux", Path: PathAudit + "/entries/" + id,
		}
	}
	factor := row(8123, "sign_in.factor", "refused", "peer@example.com", "peer@example.com")
	factor.Factor, factor.App, factor.Rule, factor.Reason = totpFactor(), "Ledger", "Staff use a second step", "problem.code_wrong"
	stranger := row(8122, "sign_in.password", "refused", "", "nils.with.a.rather.long.name.that.goes.on@sub.example.com")
	stranger.Address, stranger.Browser = "2001:db8:85a3:8d3:1319:8a2e:370:7348", ""
	deleted := row(8120, "user.delete", "ok", "olga@example.com", "k7fq2m9xvd4t8wznp3hck7fq2m")
	page := Audit{
		Action: PathAudit, Groups: AuditGroups(), Outcomes: Outcomes(), Searched: 50, Back: "2026-03-03T09:00:00Z",
		Entries: []AuditRow{
			factor, stranger, row(8121, "two_factor.reset", "ok", "olga@example.com", "ida@example.com"), deleted,
			row(8119, "webhook.test", "ok", AuditOperator, ""), row(8118, "two_factor.lost", "sent", "ida@example.com", "ida@example.com"),
			row(8117, "key.reseal", "failed", AuditOperator, ""),
		},
		More: PathAudit + "?after=x", First: PathAudit, CSV: PathAudit + "/export?format=csv", JSONLines: PathAudit + "/export?format=jsonl",
		Verify: PathAudit + "/verify", Days: 365, Retention: PathAudit + "/retention",
	}
	filtered, none, wrong, empty, whole, broken, long := page, page, page, page, page, page, page
	filtered.Filter = AuditFilter{User: "peer@example.com", Action: "sign_in.factor", Outcome: "refused", From: "2026-03-01", Until: "2026-03-04"}
	filtered.All, filtered.Entries, filtered.More, filtered.Notice = PathAudit, page.Entries[:1], "", Say(NoticeRetentionSaved)
	none.Filter, none.All, none.Entries, none.Searched = AuditFilter{Text: "pigeon"}, PathAudit, nil, 5000
	wrong.Filter, wrong.Where, wrong.Problem, wrong.Entries = AuditFilter{Address: "192.0.2"}, "address", Invalid("address", "filter"), nil
	wrong.More = ""
	empty.Entries, empty.More, empty.First, empty.Back, empty.Searched, empty.Days, empty.Retention = nil, "", "", "", 0, 0, ""
	whole.Checked = &AuditReport{Entries: 8123, Removed: 12, Last: factor.ID, Head: "q2v7mXl0c6n1r9s3t5u8w0y2a4b6d8f0h1j3k5l7n9p"}
	broken.Checked = &AuditReport{Entries: 8120, Last: factor.ID, Head: whole.Checked.Head, More: 3, Faults: []AuditFault{
		{stranger.ID, "changed", 1}, {deleted.ID, "missing", 3}, {factor.ID, "unlinked", 1},
	}}
	long.Where, long.Problem = "verify", Invalid("audit", "long")
	entry := AuditEntry{
		Row: factor, Actor: "k7fq", User: "k7fq", Client: "ledger", Agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
		Reports: "r1 r2", Request: "J2KX7Q", Previous: whole.Checked.Head, Hash: whole.Checked.Head, Person: PathPeople + "/k7fq",
		OfUser: PathAudit + "?user=k7fq", ByActor: PathAudit + "?by=k7fq", OfAction: PathAudit + "?action=sign_in.factor",
		From: PathAudit + "?address=192.0.2.17", Back: PathAudit,
	}
	retention := AuditRetention{Days: "365", Least: 30, Most: 3650, Action: PathAudit + "/retention", Cancel: PathAudit}
	refused := retention
	refused.Days, refused.Problem = "7", Invalid("audit_days", "")
	return append([]Sample{
		{"audit", inside(), page},
		{"audit-filtered", inside(), filtered},
		{"audit-none", inside(), none},
		{"audit-wrong", inside(), wrong},
		{"audit-empty", inside(), empty},
		{"audit-whole", inside(), whole},
		{"audit-broken", inside(), broken},
		{"audit-long", inside(), long},
		{"audit-entry", inside(), entry},
		{"audit-entry-bare", inside(), AuditEntry{
			Row: row(1, "tenant.create", "ok", AuditOperator, ""), Actor: AuditOperator, Hash: whole.Checked.Head,
			OfAction: PathAudit + "?action=tenant.create", Back: PathAudit,
		}},
		{"audit-retention", inside(), retention},
		{"audit-retention-wrong", inside(), refused},
		{"audit-retention-ask", inside(), ShortenLog(PathAudit+"/retention", PathAudit, "30", 1234, time.Date(2026, time.February, 2, 14, 3, 0, 0, time.UTC))},
	}, adoptionSamples()...)
}

func adoptionSamples() []Sample {
	types := []Choice{{ID: "staff"}, {ID: "client", Name: "Customers"}, {ID: "contractor"}}
	today := time.Date(2026, time.March, 4, 0, 0, 0, 0, time.UTC)
	var days []AdoptionDay
	for i := range chartDays + 1 {
		d := AdoptionDay{Date: today.AddDate(0, 0, i-chartDays).Format(time.DateOnly), Messages: i * 7 % 23}
		if i < 40 || i > 43 { // the server was down
			d.Types = []Share{{min(40, 4+i), 42}, {i * 3, 1200}, {i / 15, 7}}
		}
		for _, s := range d.Types {
			d.All.Some += s.Some
			d.All.Of += s.Of
		}
		days = append(days, d)
	}
	full := Adoption{Types: types, Days: days, Messages: true, Budget: 30, Month: 48, People: PathPeople + "?two_factor=off"}
	first, nobody, many, unused := full, full, full, full
	first.Days, first.Messages = days[chartDays:], false
	nobody.Days = []AdoptionDay{{Date: "2026-03-04", Types: make([]Share, 3)}}
	nobody.People, nobody.Budget, nobody.Month = "", 500, 0
	for i := range 5 {
		many.Types = append(many.Types[:len(many.Types):len(many.Types)], Choice{ID: fmt.Sprintf("a-rather-long-name-of-a-type-%d", i)})
	}
	unused.Budget = 500
	return []Sample{
		{"adoption", inside(), full},
		{"adoption-first-day", inside(), first},
		{"adoption-nobody", inside(), nobody},
		{"adoption-many-types", inside(), many},
		{"adoption-far-budget", inside(), unused},
	}
}
