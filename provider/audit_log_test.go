package provider

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

const atAudit = "Audit log"

// date is a day as forms have it.
func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// tenantNow is a tenant as it is kept.
func (w *world) tenantNow(id string) storage.Tenant {
	w.t.Helper()
	t, err := w.store.Tenants.Get(w.t.Context(), storage.Global, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

// entry is the first entry of an action in a tenant's log.
func (w *world) entry(tenant, action string) storage.Event {
	w.t.Helper()
	all := w.events(tenant)
	i := slices.IndexFunc(all, func(e storage.Event) bool { return e.Action == action })
	if i < 0 {
		w.t.Fatalf("%s's log has no %s", tenant, action)
	}
	return all[i]
}

// fetch gets a path without following it anywhere.
func (b *browser) fetch(path string) *page {
	b.t.Helper()
	p, err := b.once(b.request(http.MethodGet, path, nil))
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// lines are the entries of a list, as they read.
func (p *page) lines() []string {
	p.b.t.Helper()
	var list []string
	for line := range strings.SplitSeq(p.text(), "\n") {
		list = append(list, line)
	}
	return list
}

// Owners and admins read what happened in sentences, the newest first, and find it by user, kind, outcome, address, day and
// text; each entry has a page with all that the log holds of it.
func TestAuditLogIsReadInSentences(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	robin := w.user("birch", "robin@birch.example", "client")
	w.browser().get("/account/security").signIn("robin@birch.example").is(atSecurity)
	w.browser().get("/account/security").is(atSignIn).submit("/signin", "login", "robin@birch.example", "password", "wrong")
	gone := w.user("birch", "gone@birch.example", "client")
	owner.get(ui.PathPeople+"/"+robin.ID).submit("/"+robin.ID, "role", "admin", "type", "client")
	if err := w.p.admin.DeleteUser(t.Context(), web.Operator(), "birch", gone.ID); err != nil {
		t.Fatal(err)
	}
	p := owner.get(ui.PathAudit).is(atAudit).says(
		"olga@birch.example changed robin@birch.example", "robin@birch.example signed in", "The password for robin@birch.example was refused",
		"Refused", "Firefox, Linux", "127.0.0.1", "An operator deleted the user "+gone.ID,
	)
	list := p.lines()
	if slices.Index(list, "The password for robin@birch.example was refused") < slices.Index(list, "olga@birch.example changed robin@birch.example") {
		t.Error("the newest does not come first")
	}
	for name, c := range map[string]struct {
		q        url.Values
		has, not string
	}{
		"user":              {url.Values{"user": {"Robin@birch.example"}}, "robin@birch.example signed in", "olga@birch.example signed in"},
		"deleted user":      {url.Values{"user": {gone.ID}}, "deleted the user", "signed in"},
		"by":                {url.Values{"by": {"olga@birch.example"}}, "changed robin", "robin@birch.example signed in"},
		"group":             {url.Values{"action": {"users"}}, "changed robin", "robin@birch.example signed in"},
		"exact action":      {url.Values{"action": {"sign_in"}}, "robin@birch.example signed in", "The password for"},
		"outcome":           {url.Values{"outcome": {"refused"}}, "The password for robin", "robin@birch.example signed in"},
		"network":           {url.Values{"address": {"127.0.0.0/8"}, "action": {"sign_in"}}, "robin@birch.example signed in", "changed robin"},
		"another network":   {url.Values{"address": {"192.0.2.0/24"}}, "No entry fits these conditions", "signed in"},
		"text":              {url.Values{"text": {"MEMBER TO ADMIN"}}, "changed robin", "signed in"},
		"these days":        {url.Values{"from": {date(w.clock.now.AddDate(0, 0, -1))}, "until": {date(w.clock.now)}}, "robin@birch.example signed in", "No entry fits"},
		"until days ago":    {url.Values{"until": {date(w.clock.now.AddDate(0, 0, -2))}}, "No entry fits these conditions", "signed in"},
		"from tomorrow":     {url.Values{"from": {date(w.clock.now.AddDate(0, 0, 1))}}, "No entry fits these conditions", "signed in"},
		"nobody's ID":       {url.Values{"user": {"nobody"}}, "No entry fits these conditions", "signed in"},
		"conditions add up": {url.Values{"user": {"robin@birch.example"}, "outcome": {"refused"}, "action": {"sign_ins"}}, "The password for robin", "robin@birch.example signed in"},
	} {
		p := owner.get(ui.PathAudit + "?" + c.q.Encode()).is(atAudit).says(c.has)
		if text := strings.Join(p.lines(), "\n"); strings.Contains(text, c.not) {
			t.Errorf("%s: the page says %q", name, c.not)
		}
		// What was typed stays, also for the way on.
		for field, v := range c.q {
			if field != "action" && field != "outcome" && !strings.Contains(p.body, `value="`+v[0]+`"`) {
				t.Errorf("%s: the form forgot %s", name, v[0])
			}
			if !strings.Contains(p.link("/export"), url.QueryEscape(v[0])) {
				t.Errorf("%s: the download forgot %s", name, v[0])
			}
		}
	}
	e := owner.get(owner.get(ui.PathAudit+"?action=user.change").link("/entries/"+w.entry("birch", "user.change").ID)).says(
		"olga@birch.example changed robin@birch.example", "user.change", owner.ID, robin.ID, "role member to admin", "Mozilla/5.0 (X11; Linux x86_64",
		"Hash of the entry before",
	)
	if to := e.link(ui.PathPeople + "/" + robin.ID); to != ui.PathPeople+"/"+robin.ID {
		t.Errorf("the user's page: %s", to)
	}
	// The user's page leads to what happened with the user.
	owner.get(owner.get(ui.PathPeople + "/" + robin.ID).link(ui.PathAudit)).is(atAudit).says("robin@birch.example signed in")
}

// What can't be meant is said beside its field, and finds nothing.
func TestAuditFilterIsRefusedInWords(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	for q, want := range map[string]string{
		"user=nobody@birch.example": "Nobody has that e-mail address",
		"by=nobody@birch.example":   "Nobody has that e-mail address",
		"address=192.0.2":           "Write an address such as",
		"from=yesterday":            "Write a day as",
		"until=2026-13-01":          "Write a day as",
	} {
		p := owner.get(ui.PathAudit + "?" + q).is(atAudit).says(want)
		if p.status != http.StatusUnprocessableEntity || !strings.Contains(p.body, `aria-invalid="true"`) || strings.Contains(p.text(), "signed in") {
			t.Errorf("%s: %d", q, p.status)
		}
		if p := owner.fetch("/admin/audit/export?format=csv&" + q); p.status != http.StatusUnprocessableEntity || p.header.Get("Content-Disposition") != "" {
			t.Errorf("export with %s: %d", q, p.status)
		}
	}
	for _, path := range []string{
		ui.PathAudit + "?after=x", "/admin/audit/export", "/admin/audit/export?format=xlsx", ui.PathAudit + "?user=a&user=b",
	} {
		if p := owner.fetch(path); p.status != http.StatusUnprocessableEntity && p.status != http.StatusBadRequest {
			t.Errorf("%s: %d", path, p.status)
		}
	}
	if slices.ContainsFunc(w.events("birch"), func(e storage.Event) bool { return e.Action == "audit.export" }) {
		t.Error("an export that was refused stands in the log")
	}
}

// Who may read, download, verify and shorten a tenant's log: and nobody that of another.
func TestWhoReadsTheAuditLog(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	adm := w.helper("acme", "adam@acme.example", storage.Admin)
	member := w.helper("acme", "mia@acme.example", storage.Member)
	other := w.helper("birch", "otto@birch.example", storage.Owner)
	newest := w.events("acme")
	entry := "/admin/audit/entries/" + newest[len(newest)-1].ID
	const see, forbidden, missing, signIn = http.StatusOK, http.StatusForbidden, http.StatusNotFound, http.StatusSeeOther
	for _, c := range []struct {
		method, path string
		// for the owner, an admin, a member, another tenant's owner, and a stranger
		want [5]int
	}{
		{http.MethodGet, ui.PathAudit, [5]int{see, see, forbidden, see, signIn}},
		{http.MethodGet, entry, [5]int{see, see, forbidden, missing, signIn}},
		{http.MethodGet, "/admin/audit/export?format=jsonl", [5]int{see, see, forbidden, see, signIn}},
		{http.MethodPost, "/admin/audit/verify", [5]int{see, see, forbidden, see, signIn}},
		{http.MethodGet, "/admin/audit/retention", [5]int{see, forbidden, forbidden, see, signIn}},
		{http.MethodPost, "/admin/audit/retention", [5]int{http.StatusSeeOther, forbidden, forbidden, http.StatusSeeOther, signIn}},
		{http.MethodGet, ui.PathAdoption, [5]int{see, see, forbidden, see, signIn}},
	} {
		for i, b := range []*browser{owner.browser, adm.browser, member.browser, other.browser, w.browser()} {
			var form url.Values
			if c.method == http.MethodPost {
				form = url.Values{"days": {"365"}}
			}
			p, err := b.once(b.request(c.method, c.path, form))
			if err != nil {
				t.Fatal(err)
			}
			toSignIn := strings.HasPrefix(p.header.Get("Location"), "/signin")
			if p.status != c.want[i] || p.status == http.StatusSeeOther && toSignIn != (i == 4) {
				t.Errorf("%s %s for number %d: %d to %q, want %d", c.method, c.path, i, p.status, p.header.Get("Location"), c.want[i])
			}
			if i > 1 && strings.Contains(p.body, "acme.example") && i != 2 {
				t.Errorf("%s %s tells number %d of acme's people", c.method, c.path, i)
			}
		}
	}
	// A user of another tenant is no condition either.
	if p := other.fetch(ui.PathAudit + "?user=olga@acme.example"); p.status != http.StatusUnprocessableEntity {
		t.Errorf("another tenant's address: %d", p.status)
	}
	if p := other.fetch(ui.PathAudit + "?user=" + owner.ID); p.status != see || strings.Contains(p.text(), "signed in") {
		t.Errorf("another tenant's ID: %d %s", p.status, p.text())
	}
	if w.tenantNow("acme").Settings.AuditDays != 365 {
		t.Error("the owner could not set it")
	}
}

// A spreadsheet runs nothing that a user, or a browser, put into the log.
func TestAuditExportRunsNothing(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	robin := w.user("birch", "robin@birch.example", "client")
	const formula = `=HYPERLINK("https://evil.example","a")`
	b := w.browser()
	for _, agent := range []string{formula, "+1", "-1", "@SUM(A1)", "\t=1", `a;"=1+1`} {
		r := b.request(http.MethodPost, "/signin", url.Values{"login": {"robin@birch.example"}, "password": {"wrong"}, "request": {""}})
		r.Header.Set("User-Agent", agent)
		if _, err := b.once(r); err != nil {
			t.Fatal(err)
		}
		e := storage.Event{Key: storage.Key{Tenant: "birch"}, Action: "user.change", Outcome: "ok", User: robin.ID, Agent: agent, Reason: "name Robin to " + agent, Rule: agent}
		if err := w.p.audit.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	p := owner.fetch("/admin/audit/export?format=csv")
	if p.status != http.StatusOK || p.header.Get("Content-Type") != "text/csv; charset=utf-8; header=present" ||
		!strings.HasPrefix(p.header.Get("Content-Disposition"), `attachment; filename="audit-birch-20`) || p.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", p.status, p.header)
	}
	rows, err := csv.NewReader(strings.NewReader(p.body)).ReadAll()
	if err != nil || len(rows) != len(w.events("birch"))+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	found := 0
	for _, row := range rows[1:] {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") || strings.Contains(cell, `;"=`) {
				t.Errorf("a spreadsheet runs %q", cell)
			}
			if cell == "'"+formula {
				found++
			}
		}
	}
	if found < 2 {
		t.Errorf("what was called so is not there: %d", found)
	}
	last := w.events("birch")
	if e := last[len(last)-1]; e.Action != "audit.export" || e.Actor != owner.ID || e.Reason != "csv" {
		t.Errorf("the download is not audited: %+v", e)
	}
	// The page itself shows it as text.
	if p := owner.get(ui.PathAudit); strings.Contains(p.body, "<a href=\"https://evil") || !strings.Contains(p.text(), "HYPERLINK") {
		t.Errorf("the page: %s", p.text())
	}
}

// fill puts n entries into a tenant's log, one a minute up to now.
func (w *world) fill(tenant string, n int) {
	w.t.Helper()
	begin := w.clock.Now().Add(-time.Duration(n) * time.Minute)
	events := make([]storage.Event, 0, 1000)
	for i := range n {
		events = append(events, storage.Event{
			Time: begin.Add(time.Duration(i) * time.Minute), Action: "sign_in.factor", Outcome: "ok", Actor: fmt.Sprint("u", i%500), User: fmt.Sprint("u", i%500),
			Factor: "totp", Address: "192.0.2.7", Agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
		})
		if len(events) == cap(events) || i == n-1 {
			if err := w.p.audit.RecordSeries(w.t.Context(), tenant, events); err != nil {
				w.t.Fatal(err)
			}
			events = events[:0]
		}
	}
}

// download reads an export as it comes, and returns how many lines it had and the largest heap meanwhile, in bytes.
func (b *browser) download(path string) (lines int, heap uint64) {
	b.t.Helper()
	res, err := b.client.Do(b.request(http.MethodGet, path, nil))
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.ContentLength != -1 {
		b.t.Fatalf("%d with a length of %d: it is not streamed", res.StatusCode, res.ContentLength)
	}
	in := bufio.NewReader(res.Body)
	for {
		line, err := in.ReadString('\n')
		if err == io.EOF && line == "" {
			return lines, heap
		}
		if err != nil {
			b.t.Fatal(err)
		}
		if lines++; lines%10_000 == 1 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			heap = max(heap, m.HeapAlloc)
		}
	}
}

// A long log is downloaded line by line, and its first lines are there before the last are read.
func TestAuditExportIsStreamed(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	w.fill("birch", 12_000)
	res, err := owner.client.Do(owner.request(http.MethodGet, "/admin/audit/export?format=jsonl&action=sign_in.factor&user=u7", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	entries := 0
	for d := json.NewDecoder(res.Body); ; entries++ {
		var e struct{ User, Hash string }
		if err := d.Decode(&e); err == io.EOF {
			break
		} else if err != nil || e.User != "u7" || e.Hash == "" {
			t.Fatal(e, err)
		}
	}
	if entries != 24 || res.ContentLength != -1 {
		t.Errorf("%d entries, length %d", entries, res.ContentLength)
	}
	before := len(w.everyEvent("birch"))
	if lines, _ := owner.download("/admin/audit/export?format=csv"); lines != before+2 {
		t.Errorf("%d lines of %d entries", lines, before)
	}
	// A search that meets nothing says how far it looked, and goes on.
	p := owner.get(ui.PathAudit+"?text=pigeon").is(atAudit).says("Nothing was found so far", "Searched 5,000 entries, back to", "Older entries")
	owner.get(owner.get(p.link(ui.PathAudit)).link(ui.PathAudit)).is(atAudit).says("No entry fits these conditions", "Newest entries")
}

// everyEvent is a tenant's whole log, however long.
func (w *world) everyEvent(tenant string) []storage.Event {
	w.t.Helper()
	var all []storage.Event
	err := storage.Each(w.t.Context(), w.store.Events, storage.Query{Tenant: tenant, Limit: 1000}, func(e *storage.Event) error {
		all = append(all, *e)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// BenchmarkAuditExport downloads a log of 100,000 entries over HTTP.
func BenchmarkAuditExport(b *testing.B) {
	w := newWorld(b)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	const n = 100_000
	w.fill("birch", n)
	w.log.b.Reset()
	for _, format := range []audit.Format{audit.CSV, audit.JSONLines} {
		b.Run(string(format), func(b *testing.B) {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			before, most := m.HeapAlloc, uint64(0)
			for b.Loop() {
				lines, heap := owner.download("/admin/audit/export?format=" + string(format))
				if lines < n {
					b.Fatal(lines)
				}
				most = max(most, heap)
			}
			b.ReportMetric(float64(most-min(most, before))/(1<<20), "MiB-heap-above")
		})
	}
}

// The button tells whether the chain is whole, and what was done to it; that it was asked stands in the log.
func TestVerifyAuditLogOnThePage(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	n := len(w.events("birch"))
	owner.get(ui.PathAudit).submit("/verify").is(atAudit).says("The log is whole", fmt.Sprintf("%d entries read", n), w.events("birch")[n-1].Hash)
	owner.get(ui.PathAudit).says("olga@birch.example verified the audit log, and it was whole")
	e := w.events("birch")[1]
	e.Reason = "nothing to see"
	if err := w.store.Events.Replace(t.Context(), &e); err != nil {
		t.Fatal(err)
	}
	owner.get(ui.PathAudit).submit("/verify").is(atAudit).says("The log is not as it was written", "This entry was changed.", e.ID)
	owner.get(ui.PathAudit + "?outcome=failed").says("verified the audit log, and it was not whole")
}

// How long the log is kept is the owner's to say, who is told before what is removed; a day's work removes it, in one process
// and once, and what was removed is attested.
func TestAuditLogIsKeptAsLongAsOwnersSay(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	w.clock.forward(40 * 24 * time.Hour)
	old := len(w.events("birch"))
	in := w.browser()
	in.get("/account/security").signIn("olga@birch.example").submit("/with/totp", "code", owner.phone.next()).is(atSecurity)
	owner.browser = in
	p := owner.get(owner.get(ui.PathAudit).says("Entries are kept for good.").link("/retention")).is("Keep the audit log")
	for _, bad := range []string{"7", "29", "3651", "-30", "many", "1e3"} {
		if p := p.submit("/retention", "days", bad).says("Give 30 to 3650 days"); p.status != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", bad, p.status)
		}
	}
	asked := p.submit("/retention", "days", "30").says(fmt.Sprintf("Remove %d entries of the audit log?", old), "can’t be brought back")
	if w.tenantNow("birch").Settings.AuditDays != 0 {
		t.Fatal("it was not asked first")
	}
	asked.submit("/retention").is(atAudit).says("How long entries are kept is saved.", "Entries are kept for 30 days.")
	kept := len(w.events("birch"))
	if e := w.entry("birch", "tenant.change"); e.Reason != "audit log kept for 30 days, 0 before" || e.Actor != owner.ID {
		t.Errorf("the change is not audited in words: %+v", e)
	}
	second, err := New(t.Context(), w.p.config)
	if err != nil {
		t.Fatal(err)
	}
	together(t, 2, func(i int) error {
		_, err := []*Provider{w.p, second}[i].day(t.Context())
		return err
	})
	left := w.events("birch")
	if len(left) != kept-old+1 || left[len(left)-1].Action != audit.Retention {
		t.Fatalf("%d entries are left of %d, %d were old: %+v", len(left), kept, old, left)
	}
	owner.get(ui.PathAudit).says("Old entries were removed from the audit log").
		submit("/verify").says("The log is whole", fmt.Sprintf("%d older entries were removed", old))
	// All is done for today, in each process; tomorrow there is nothing more, and a month later the rest goes.
	for _, p := range []*Provider{w.p, second} {
		if all, err := p.day(t.Context()); !all || err != nil {
			t.Errorf("not done: %v", err)
		}
	}
	n := len(w.events("birch"))
	w.clock.forward(24 * time.Hour)
	if all, err := w.p.day(t.Context()); !all || err != nil || len(w.events("birch")) != n {
		t.Errorf("the day after: %d of %d entries (%v)", len(w.events("birch")), n, err)
	}
	w.clock.forward(30 * 24 * time.Hour)
	if _, err := w.p.day(t.Context()); err != nil || len(w.events("birch")) > 2 {
		t.Errorf("a month later: %d entries (%v)", len(w.events("birch")), err)
	}
	// Another tenant keeps all of it.
	if len(w.events("acme")) > 0 && w.events("acme")[0].ID != "00000000000000000001" {
		t.Error("another tenant's log was shortened")
	}
}

// A day's work that a process left undone is done by another, within the hour.
func TestADaysWorkIsDoneAfterAll(t *testing.T) {
	w := newWorld(t)
	today := date(w.clock.Now())
	taken := storage.Counter{Key: storage.Key{Tenant: "birch", ID: "day/" + today, Expires: w.clock.Now().Add(dayTries)}}
	if err := w.store.Counters.Insert(t.Context(), &taken); err != nil {
		t.Fatal(err)
	}
	if all, err := w.p.day(t.Context()); all || err != nil {
		t.Fatalf("another process is at it: %t, %v", all, err)
	}
	if _, err := w.store.Tallies.Get(t.Context(), "acme", today); err != nil {
		t.Errorf("what was free is not done: %v", err)
	}
	w.clock.forward(dayTries)
	if all, err := w.p.day(t.Context()); !all || err != nil {
		t.Fatalf("nobody is at it any more: %t, %v", all, err)
	}
	if _, err := w.store.Tallies.Get(t.Context(), "birch", date(w.clock.Now())); err != nil {
		t.Error(err)
	}
}

// Programs find, read, download, verify and shorten the log by the API, with a token that is good for it.
func TestAuditLogByTheAPI(t *testing.T) {
	w := newWorld(t)
	robin := w.user("birch", "robin@birch.example", "client")
	w.browser().get("/account/security").signIn("robin@birch.example").is(atSecurity)
	w.user("acme", "sam@acme.example", "client")
	const log = "/api/v1/tenants/birch/audit"
	p := w.machine("reader", "birch", "audit:read")
	found := p.call(http.MethodGet, log+"/entries?user=robin@birch.example&action=sign_in&limit=1", "").json(t)
	items, ok := found["items"].([]any)
	if !ok || len(items) != 1 {
		t.Fatalf("found %v", found)
	}
	first, ok := items[0].(map[string]any)
	if !ok || first["actor"] != robin.ID || first["actor_name"] != "robin@birch.example" || first["action"] != "sign_in" {
		t.Errorf("the entry is %v", first)
	}
	one := p.call(http.MethodGet, fmt.Sprint(log, "/entries/", first["id"]), "").json(t)
	if one["hash"] != first["hash"] || one["hash"] == "" {
		t.Errorf("the entry by its ID is %v", one)
	}
	page := p.call(http.MethodGet, log+"/entries?limit=1", "").json(t)
	next := p.call(http.MethodGet, log+"/entries?limit=200&after="+fmt.Sprint(page["next"]), "").json(t)
	if a, b := len(page["items"].([]any)), len(next["items"].([]any)); a != 1 || a+b != len(w.events("birch")) || next["next"] != nil {
		t.Errorf("pages of %d and %d of %d entries", a, b, len(w.events("birch")))
	}
	file := p.call(http.MethodGet, log+"/export?format=jsonl", "")
	if n := strings.Count(file.body, "\n"); file.status != http.StatusOK || n != len(w.events("birch")) || file.header.Get("Content-Type") != "application/jsonl" {
		t.Errorf("download: %d with %d lines", file.status, n)
	}
	if r := p.call(http.MethodPost, log+"/verify", "").json(t); r["faults"] != nil || r["entries"] != float64(len(w.events("birch"))-1) || r["head"] == "" {
		t.Errorf("verified: %v", r)
	}
	for path, status := range map[string]int{
		log + "/entries?address=10.0.0": http.StatusUnprocessableEntity, log + "/entries?user=nobody@birch.example": http.StatusUnprocessableEntity,
		log + "/entries/nothing": http.StatusNotFound, log + "/export?format=xlsx": http.StatusBadRequest,
		log + "/entries?from=yesterday": http.StatusBadRequest, "/api/v1/tenants/acme/audit/entries": http.StatusNotFound,
		"/api/v1/tenants/acme/audit/export?format=csv": http.StatusNotFound, "/api/v1/tenants/birch/adoption": http.StatusForbidden,
	} {
		if got := p.call(http.MethodGet, path, ""); got.status != status {
			t.Errorf("%s: %d %s, want %d", path, got.status, got.body, status)
		}
	}
	p.call(http.MethodPut, log+"/retention", `{"days":90}`).problem(t, "shortening with a token for reading", http.StatusForbidden, "error.insufficient_scope")
	q := w.machine("keeper", "birch", "tenant:write", "users:read")
	if r := q.call(http.MethodPut, log+"/retention", `{"days":90}`).json(t); r["days"] != float64(90) || r["due"] != float64(0) {
		t.Errorf("kept for %v", r)
	}
	if got := q.call(http.MethodPut, log+"/retention", `{"days":7}`); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "audit_days") {
		t.Errorf("7 days: %d %s", got.status, got.body)
	}
	a := q.call(http.MethodGet, "/api/v1/tenants/birch/adoption", "").json(t)
	if today, ok := a["today"].(map[string]any); !ok || today["users"] != float64(1) || today["two_factor"] != float64(0) {
		t.Errorf("adoption: %v", a)
	}
}

// A log that takes longer than anybody waits is not read for a page; operators read it all the same.
func TestLongAuditLogIsVerifiedByCommand(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	far := storage.Event{Key: storage.Key{Tenant: "birch", ID: fmt.Sprintf("%020d", admin.MostVerified+1)}, Action: "sign_in", Outcome: "ok", Time: w.clock.Now()}
	if err := w.store.Events.Insert(t.Context(), &far); err != nil {
		t.Fatal(err)
	}
	p := owner.get(ui.PathAudit).submit("/verify").is(atAudit).says("This log is too long to be verified while you wait")
	if p.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", p.status)
	}
	reader := w.machine("reader", "birch", "audit:read")
	if got := reader.call(http.MethodPost, "/api/v1/tenants/birch/audit/verify", ""); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "admin audit verify birch") {
		t.Errorf("by the API: %d %s", got.status, got.body)
	}
	r, err := w.p.admin.VerifyAudit(t.Context(), web.Operator(), "birch")
	if err != nil || r.OK() || r.Faults[0].Kind != audit.Missing {
		t.Errorf("by an operator: %+v, %v", r, err)
	}
}

// Several who ask at once wait for one another: each reads the whole log.
func TestAuditLogIsVerifiedOneAtATime(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	together(t, 4, func(int) error {
		p, err := owner.once(owner.request(http.MethodPost, "/admin/audit/verify", url.Values{}))
		if err == nil && (p.status != http.StatusOK || !strings.Contains(p.body, "The log is whole")) {
			err = fmt.Errorf("%d %s", p.status, p.body)
		}
		return err
	})
}

// The work of the day is done by those who run the background, without being asked.
func TestRunDoesTheDaysWork(t *testing.T) {
	w := newWorld(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.p.Run(ctx) }()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		_, err := w.store.Tallies.Get(t.Context(), "acme", date(w.clock.Now()))
		if err == nil {
			break
		}
		if !errors.Is(err, storage.ErrNotFound) {
			t.Fatal(err)
		}
		select {
		case <-look.C:
		case <-t.Context().Done():
			t.Fatal("nobody counted")
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
