package provider

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/transfer"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

const (
	atImport   = "Import and export"
	atReport   = "Check of the file"
	atImported = "The file is imported"
)

// upload sends a form of the page with a file, and follows where it leads.
func (p *page) upload(suffix, field, file string, pairs ...string) *page {
	p.b.t.Helper()
	action, fields := p.form(suffix)
	for i := 0; i+1 < len(pairs); i += 2 {
		fields.Set(pairs[i], pairs[i+1])
	}
	fields.Del(field)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name := range fields {
		if err := form.WriteField(name, fields.Get(name)); err != nil {
			p.b.t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile(field, "people.csv")
	if err == nil {
		_, err = io.WriteString(part, file)
	}
	if err != nil {
		p.b.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		p.b.t.Fatal(err)
	}
	r := p.b.request(http.MethodPost, action, url.Values{})
	r.Body, r.ContentLength = io.NopCloser(&body), int64(body.Len())
	r.Header.Set("Content-Type", form.FormDataContentType())
	return p.b.follow(r)
}

const someHash = "$2b$04$abcdefghijklmnopqrstuuMlCKfyiGmbTF5HMLtFTC6uvWPvbGAZe"

// An owner brings people in on pages: the file is checked first and told of, kept sealed, and imported with a yes.
func TestImportOnPages(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	second := w.helper("acme", "ole@acme.example", storage.Owner)
	kim := w.user("acme", "kim@acme.example", "client")
	theirs := w.user("birch", "robin@birch.example", "client")
	form := owner.get(owner.get(ui.PathPeople).link("/import")).is(atImport)
	file := "email,name,role,email_verified,password_hash\n" +
		"new@acme.example,New Person,admin,true," + someHash + "\n" +
		"kim@acme.example,Kim Changed,member,true," + someHash + "\n" +
		"robin@birch.example,Not Robin,member,,\n" +
		"ole@acme.example,Lowered,member,,\n" +
		"\"=HYPERLINK(\"\"https://evil.example\"\")\",Formula,,,\n" +
		"<script>alert(1)</script>@x.example,Script,,,\n" +
		"bad\x00@acme.example,NUL,,,\n" + strings.Repeat("x", 70_000) + ",Long,,,\n"
	p := form.upload("/import", "file", file, "update", "yes").is(atReport)
	p.says("Import 3 people", "The person is an owner, of whom a file", "email is no e-mail address.", "=HYPERLINK", "no text in UTF-8", "The line is too long")
	if p.status != http.StatusOK || strings.Contains(p.body, "<script>alert") || strings.Contains(p.body, "invalid.line") {
		t.Errorf("%d:\n%s", p.status, p.body)
	}
	if u := w.get("acme", kim.ID); u.Name == "Kim Changed" || w.knows("acme", "new@acme.example") {
		t.Error("a check changed something")
	}
	kept, err := w.store.Uploads.Get(t.Context(), "acme", owner.ID)
	if err != nil || strings.Contains(strings.Join(kept.Sealed, ""), "acme.example") || kept.Expires.Sub(w.clock.Now()) != 30*time.Minute {
		t.Errorf("kept as %+v, %v", kept, err)
	}
	// What one owner brought is no other's to say yes to.
	_, fields := p.form("/run")
	stolen, err := second.once(second.request(http.MethodPost, "/admin/people/import/run", fields))
	if err != nil || stolen.status != http.StatusGone {
		t.Errorf("another owner's yes: %d, %v", stolen.status, err)
	}
	running := p.submit("/run")
	w.p.console.Wait()
	done := owner.get(running.url.String()).is(atImported).says("Added 2", "Changed 1", "there was nothing to change 0", "Refused 5", "=HYPERLINK", "The line is too long")
	if strings.Contains(done.body, "<form method=\"post\" action=\"/admin") || strings.Contains(done.body, "data-watch") {
		t.Errorf("an import that has ended asks for more:\n%s", done.body)
	}
	if kept, err := w.store.Uploads.Get(t.Context(), "acme", owner.ID); err != nil || len(kept.Sealed) > 0 {
		t.Errorf("the file is still kept: %+v, %v", kept, err)
	}
	if p, err := second.once(second.request(http.MethodGet, running.url.String(), nil)); err != nil || p.status != http.StatusGone {
		t.Errorf("another owner looks: %d, %v", p.status, err)
	}
	made, changed := w.byEmail("acme", "new@acme.example"), w.get("acme", kim.ID)
	if made.Role != storage.Admin || made.Password != someHash || made.EmailVerified {
		t.Errorf("made %+v", made)
	}
	if changed.Name != "Kim Changed" || changed.Password == someHash || changed.EmailVerified != kim.EmailVerified {
		t.Errorf("changed %+v", changed)
	}
	if u := w.get("acme", second.ID); u.Role != storage.Owner || u.Name != second.Name {
		t.Errorf("an owner was lowered: %+v", u)
	}
	if u := w.get("birch", theirs.ID); u.Name != theirs.Name || u.Version != theirs.Version {
		t.Errorf("another tenant's user was changed: %+v", u)
	}
	if e := w.entry("acme", "users.import"); e.Actor != owner.ID || e.Address == "" || e.Request == "" || !strings.HasPrefix(e.Reason, "8 lines: ") {
		t.Errorf("audit log: %+v", e)
	}
	if e := w.entry("acme", "user.create"); e.Actor != owner.ID || e.User == "" || e.Address == "" {
		t.Errorf("audit log: %+v", e)
	}
	// The yes counts once: a second one, as by the back button, shows what came of the first.
	before := w.entry("acme", "users.import")
	owner.follow(owner.request(http.MethodPost, "/admin/people/import/run", fields)).is(atImported).says("Added 2")
	if after := w.entry("acme", "users.import"); after.ID != before.ID {
		t.Errorf("imported again: %+v", after)
	}
}

// Long work shows how far it is, by itself and without JavaScript (ui.md, statement 16). It goes on without the page, and
// what was broken off is begun again where it was.
func TestImportShowsProgress(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	var file strings.Builder
	file.WriteString("email\n")
	for i := range 40 {
		fmt.Fprintf(&file, "p%d@acme.example\n", i)
	}
	// Nobody else gets in between: another import of the account has the turn.
	slow, feed := io.Pipe()
	tenant := w.tenantNow("acme")
	var other sync.WaitGroup
	other.Go(func() {
		_, err := w.p.Transfer().Import(t.Context(), &web.Actor{User: &owner.User, Tenant: &tenant}, "acme", slow, transfer.Options{Format: transfer.CSV})
		if err != nil {
			t.Error(err)
		}
	})
	p := owner.get(ui.PathImport)
	if _, err := feed.Write([]byte("email\n")); err != nil {
		t.Fatal(err)
	}
	p.upload("/import", "file", file.String()).is(atImport).says("Another import into this account is running.")
	if err := feed.Close(); err != nil {
		t.Fatal(err)
	}
	other.Wait()
	p = p.upload("/import", "file", file.String()).is(atReport)

	// What a process says that is at line 17, and then of one that has ended without a word.
	_, fields := p.form("/run")
	at := ui.PathImport + "/run?ticket=" + fields.Get("ticket")
	if gone, err := owner.once(owner.request(http.MethodGet, at, nil)); err != nil || gone.status != http.StatusGone {
		t.Errorf("before the yes: %d, %v", gone.status, err)
	}
	_, err := storage.Change(t.Context(), w.store.Uploads, "acme", owner.ID, func(u *storage.Upload) error {
		u.State, u.Beat, u.Report = storage.UploadRunning, w.clock.Now(), []byte(`{"lines":17}`)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	running := owner.get(at).is("Importing people").says("17 of 40 lines", "also when you close this page")
	for _, part := range []string{`role="status"`, `<progress aria-label="How far the import is" max="40" value="17">`, "data-watch", "How far is it now?"} {
		if !strings.Contains(running.body, part) {
			t.Errorf("no %s in\n%s", part, running.body)
		}
	}
	// A second yes watches the first.
	p.submit("/run").is("Importing people").says("17 of 40 lines")
	w.clock.forward(20 * time.Second)
	stopped := owner.get(at).is("The import was broken off").says("17 of 40 lines", "Something went wrong", "they are skipped")
	if strings.Contains(stopped.body, "data-watch") {
		t.Error("the page waits for what has ended")
	}
	stopped.submit("/run")
	w.p.console.Wait()
	owner.get(at).is(atImported).says("Added 40")
}

// A server that ends breaks imports off between two people, and says so on the page when it is back.
func TestImportEndsWithTheServer(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	p := owner.get(ui.PathImport).upload("/import", "file", "email\nlate@acme.example\n").is(atReport)
	w.p.console.Stop()
	p.submit("/run")
	w.p.console.Wait()
	owner.lang = "de"
	stopped := owner.get(ui.PathImport + "/run?ticket=" + func() string { _, f := p.form("/run"); return f.Get("ticket") }())
	stopped.is("Der Import wurde abgebrochen").says("bevor das Ende der Datei erreicht war")
	if w.knows("acme", "late@acme.example") {
		t.Error("somebody was imported after the end")
	}
}

// knows tells whether a tenant has a user.
func (w *world) knows(tenant, email string) bool {
	w.t.Helper()
	found, err := w.p.local.Lookup(w.t.Context(), tenant, email)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(found) > 0
}

// Files that will not do as a whole are refused beside the field, in either language; a file waits for half an hour.
func TestImportRefusesFiles(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	form := owner.get(ui.PathImport)
	for file, says := range map[string]string{
		"":                                "Choose a file.",
		"\n\n":                            "That file is empty.",
		"email,shoes\n":                   "There is no column “shoes”",
		"email,email\n":                   "names a column twice",
		"name\n":                          "neither a column email nor a column login",
		"email,password\nx@x.example,y\n": "There are plain passwords",
		"email,\"name\n":                  "a quotation mark is not closed",
		"\xff\xfee\x00":                   "That is no text in UTF-8.",
		strings.Repeat("email,", 20_000):  "The first line is too long.",
		"email\n" + strings.Repeat("x@x.example\n", 5001): "more than 5,000 lines",
		strings.Repeat("x", 1<<20+1):                      "larger than 1 MiB",
	} {
		p := form.upload("/import", "file", file).is(atImport).says(says)
		if p.status != http.StatusUnprocessableEntity || strings.Contains(p.body, "invalid.file") {
			t.Errorf("%.20q: %d", file, p.status)
		}
	}
	form.upload("/import", "file", "email\nnobody@\n").is(atReport).says("There is nobody to import")
	owner.lang = "de"
	owner.get(ui.PathImport).upload("/import", "file", "email\nnobody@\n").says("Was unter email steht, ist keine E-Mail-Adresse.")
	owner.lang = "en"
	late := form.upload("/import", "file", `{"email":"late@acme.example"}`+"\n").is(atReport)
	_, fields := late.form("/run")
	owner.phone.w.clock.forward(5 * time.Minute)
	form.upload("/import", "file", "email\nnext@acme.example\n").is(atReport)
	if p, err := owner.once(owner.request(http.MethodPost, "/admin/people/import/run", fields)); err != nil || p.status != http.StatusGone {
		t.Errorf("the file before: %d, %v", p.status, err)
	}
	if w.knows("acme", "late@acme.example") || w.knows("acme", "next@acme.example") {
		t.Error("something was imported")
	}
}

// Programs import and export by the API, within what their tokens are good for.
func TestImportAndExportByAPI(t *testing.T) {
	w := newWorld(t)
	owner := w.user("birch", "olga@birch.example", "client", func(u *storage.User) { u.Role = storage.Owner })
	w.user("acme", "ann@acme.example", "staff")
	robot := w.machine("robot", "birch", admin.ScopeUsersRead, admin.ScopeUsersWrite)
	const path = "/api/v1/tenants/birch/users/"
	file := `{"email":"new@birch.example","email_verified":true,"password_hash":"` + someHash + `"}` + "\n" +
		`{"email":"boss@birch.example","role":"owner"}` + "\n" +
		`{"email":"olga@birch.example","disabled":true,"totp":"otpauth://totp/x?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}` + "\n" +
		`{"email":"ann@acme.example","name":"Ann of Birch"}` + "\n"
	for _, dry := range []string{"&dry_run=true", ""} {
		got := robot.call(http.MethodPost, path+"import?update=true"+dry, file, "Content-Type", "application/jsonl")
		v := got.json(t)
		if got.status != http.StatusOK || v["created"] != 2.0 || v["refused"] != 2.0 || v["lines"] != 4.0 || v["dry_run"] != (dry != "") {
			t.Fatalf("%d %s", got.status, got.body)
		}
		for _, part := range []string{`"line":2,"outcome":"refused","account":"boss@birch.example"`, `"code":"beyond","field":"role"`, `"code":"owner"`} {
			if !strings.Contains(got.body, part) {
				t.Errorf("no %s in %s", part, got.body)
			}
		}
		if w.knows("birch", "new@birch.example") != (dry == "") {
			t.Errorf("dry %q: and the user is there or not", dry)
		}
	}
	if u := w.byEmail("birch", "new@birch.example"); u.EmailVerified || u.Password != someHash {
		t.Errorf("made %+v", u)
	}
	if u := w.get("birch", owner.ID); u.Disabled || len(u.Factors) > 0 {
		t.Errorf("the owner is %+v", u)
	}
	if e := w.entry("birch", "users.import"); e.Actor != "robot" || e.Client != "robot" {
		t.Errorf("audit log: %+v", e)
	}
	for name, q := range map[string]string{"passwords": "import?passwords=true", "hashes": "export?hashes=true"} {
		method, body := http.MethodPost, "email\n"
		if name == "hashes" {
			method, body = http.MethodGet, ""
		}
		got := robot.call(method, path+q, body, "Content-Type", "text/csv")
		got.problem(t, name, http.StatusUnprocessableEntity, "error.invalid")
	}
	robot.call(http.MethodPost, path+"import", "email", "Content-Type", "text/plain").problem(t, "type", http.StatusUnsupportedMediaType, "error.media_type")
	robot.call(http.MethodPost, path+"import", "shoes\n", "Content-Type", "text/csv").problem(t, "header", http.StatusUnprocessableEntity, "error.invalid")
	for _, format := range []string{"csv", "jsonl"} {
		got := robot.call(http.MethodGet, path+"export?format="+format, "")
		if got.status != http.StatusOK || strings.Contains(got.body, someHash) || !strings.Contains(got.body, "Ann of Birch") ||
			!strings.HasPrefix(got.header.Get("Content-Disposition"), `attachment; filename="users-birch-`) {
			t.Errorf("%s: %d %v\n%s", format, got.status, got.header, got.body)
		}
	}
	operator := w.machine("operations", "", "operator", admin.ScopeUsersRead, admin.ScopeUsersWrite)
	if got := operator.call(http.MethodGet, path+"export?hashes=true", ""); got.status != http.StatusOK || !strings.Contains(got.body, someHash) {
		t.Errorf("an operator's: %d %s", got.status, got.body)
	}
	got := operator.call(http.MethodPost, path+"import", "email,role,email_verified\nboss@birch.example,owner,yes\n", "Content-Type", "text/csv")
	if u := w.byEmail("birch", "boss@birch.example"); got.status != http.StatusOK || u.Role != storage.Owner || !u.EmailVerified {
		t.Errorf("an operator's: %d %s: %+v", got.status, got.body, u)
	}
}

// Who is put out while a file comes in slowly brings nobody in from then on; meanwhile there is one import at a time.
func TestSlowImportEndsWithTheRight(t *testing.T) {
	w := newWorld(t)
	robot := w.machine("robot", "birch", admin.ScopeUsersWrite)
	const path = "/api/v1/tenants/birch/users/import"
	r, body := io.Pipe()
	answer := make(chan said, 1)
	go func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.address+path, r)
		if err != nil {
			t.Error(err)
			return
		}
		req.Header.Set("Authorization", "Bearer "+robot.token)
		req.Header.Set("Content-Type", "text/csv")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			close(answer)
			return
		}
		defer res.Body.Close()
		data, err := io.ReadAll(res.Body)
		if err != nil {
			t.Error(err)
		}
		answer <- said{res.StatusCode, res.Header, string(data)}
	}()
	send := func(s string) {
		t.Helper()
		if _, err := io.WriteString(body, s); err != nil {
			t.Fatal(err)
		}
	}
	send("email,role\nfirst@birch.example,member\n")
	for !w.knows("birch", "first@birch.example") {
		if t.Context().Err() != nil {
			t.Fatal(t.Context().Err())
		}
	}
	robot.call(http.MethodPost, path, "email\n", "Content-Type", "text/csv").problem(t, "a second one", http.StatusServiceUnavailable, "error.unavailable")
	change(w, w.store.Clients, "robot", func(c *storage.Client) { c.Disabled = true })
	w.clock.forward(2 * time.Second)
	send("late@birch.example,member\n")
	if err := body.Close(); err != nil {
		t.Fatal(err)
	}
	if got := <-answer; got.status != http.StatusForbidden || w.knows("birch", "late@birch.example") {
		t.Errorf("%d %s, and the late one is there: %t", got.status, got.body, w.knows("birch", "late@birch.example"))
	}
	if e := w.entry("birch", "users.import"); e.Outcome != "failed" || !strings.Contains(e.Reason, "1 created") {
		t.Errorf("audit log: %+v", e)
	}
}

// BenchmarkImportByAPI sends a file of 20,000 users with hashes; ns/user is the time for one.
func BenchmarkImportByAPI(b *testing.B) {
	const n = 20_000
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b)
		robot := w.machine("robot", "birch", admin.ScopeUsersRead, admin.ScopeUsersWrite)
		var file strings.Builder
		file.WriteString("email,name,type,password_hash\n")
		for i := range n {
			fmt.Fprintf(&file, "user-%05d@birch.example,User %d,client,%s\n", i, i, someHash)
		}
		b.StartTimer()
		begun := time.Now()
		got := robot.call(http.MethodPost, "/api/v1/tenants/birch/users/import", file.String(), "Content-Type", "text/csv")
		if v := got.json(b); got.status != http.StatusOK || v["created"] != float64(n) {
			b.Fatalf("%d %s", got.status, got.body)
		}
		b.ReportMetric(float64(time.Since(begun).Nanoseconds())/n, "ns/user")
		out := time.Now()
		if got := robot.call(http.MethodGet, "/api/v1/tenants/birch/users/export", ""); strings.Count(got.body, "\n") < n {
			b.Fatalf("%d lines", strings.Count(got.body, "\n"))
		}
		b.ReportMetric(float64(time.Since(out).Nanoseconds())/n, "ns/exported")
	}
}
