package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/transfer"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// said holds what was told of the lines against what is wanted: outcome and a part of the reason.
func said(t *testing.T, told []transfer.Line, want ...[2]string) {
	t.Helper()
	if len(told) != len(want) {
		t.Fatalf("%d lines were told of, want %d: %+v", len(told), len(want), told)
	}
	for i, l := range told {
		if i > 0 && l.Line <= told[i-1].Line {
			t.Errorf("line %d is told of after line %d", l.Line, told[i-1].Line)
		}
		if string(l.Outcome) != want[i][0] || !strings.Contains(l.Reason, want[i][1]) || want[i][1] == "" && l.Reason != "" {
			t.Errorf("line %d: %s, %q; want %s, %q", l.Line, l.Outcome, l.Reason, want[i][0], want[i][1])
		}
	}
}

func TestImportTakesEveryFieldOver(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		format transfer.Format
		file   string
	}{
		{transfer.CSV, "\ufeffEmail;login;name;email_verified;role;type;require_2fa;locale;disabled;locked;created;password_hash;id\r\n" +
			"\r\nAda@Acme.example;ada;\"Ada \"\"Countess\"\" Lovelace\";yes;owner;contractor;1;de-AT;true;2026-01-31T09:00:00Z;2026-01-31T09:00:00Z;" + hash + ";old-1\r\n"},
		{transfer.JSONLines, `{"email":"ben@acme.example","login":"ben","name":"Ada \"Countess\" Lovelace","email_verified":true,"role":"owner",` +
			`"type":"contractor","require_2fa":true,"locale":"de-at","disabled":true,"locked":"2026-01-31T10:00:00+01:00",` +
			`"created":"2026-01-31T09:00:00Z","password_hash":"` + hash + `","id":"old-1","two_factor":["totp"]}`},
	} {
		totals, told := w.bring(c.file, transfer.Options{Format: c.format})
		said(t, told, [2]string{"created", ""})
		if totals.Created != 1 || totals.Lines != 1 || totals.Bytes != int64(len(c.file)) {
			t.Errorf("%s: %+v", c.format, totals)
		}
	}
	users := w.users("acme")
	for _, name := range []string{"ada", "ben"} {
		u := users[name+"@acme.example"]
		id := u.ID
		if id == "" || id == "old-1" || u.Version != 2 {
			t.Errorf("%s: ID %q, version %d", name, id, u.Version)
		}
		u.Key = storage.Key{}
		want := storage.User{
			Login: name, Email: name + "@acme.example", EmailVerified: true, Name: `Ada "Countess" Lovelace`, Role: storage.Owner, Type: "contractor",
			Password: hash, Require2FA: true, Locale: "de-AT", Disabled: true, Locked: day, Created: day,
		}
		want.Factors = u.Factors // of the key that the file brings
		want.Derive()
		if !reflect.DeepEqual(u, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, u, want)
		}
	}
	if events := w.events("acme"); len(events) != 4 || events[0].Action != "user.create" || events[0].User == "" ||
		events[0].Actor != "operator" || events[0].Reason != "import, line 3" || events[1].Action != "users.import" ||
		events[1].Reason != "1 lines: 1 created, 0 updated, 0 skipped, 0 refused" {
		t.Errorf("%+v", events)
	}
}

func TestBadLinesAreRefusedInWordsAndTheOthersGoOn(t *testing.T) {
	w := newWorld(t)
	rows := [][2]string{
		{`{"email":"first@acme.example"}`, ""},
		{`{"email":"nobody@"}`, "not an e-mail address"},
		{`{"name":"Nameless"}`, "neither an e-mail address nor a user name"},
		{`{"email":"a@acme.example","role":"king"}`, "role is none of"},
		{`{"email":"a@acme.example","type":"wizard"}`, "it has staff, client, contractor"},
		{`{"email":"a@acme.example","name":"turned ` + "\u202e" + `round"}`, "name holds characters"},
		{`{"email":"a@acme.example","password_hash":"5f4dcc3b5aa765d61d8327deb882cf99"}`, "password_hash: it is of no kind"},
		{`{"email":"a@acme.example","password_hash":"$pbkdf2-sha256$i=99999999,l=32$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`, "iterations"},
		{`{"email":"a@acme.example","password":"tangled-hedgehog-9"}`, "plain password"},
		{`{"email":"a@acme.example","totp":"otpauth://totp/x?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&period=60"}`, "period is not 30"},
		{`{"email":"a@acme.example","totp":"otpauth://hotp/x?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}`, "only otpauth://totp/"},
		{`{"email":"a@acme.example","totp":"otpauth://totp/x?secret=JBSWY3DPEHPK3PXP"}`, "shorter than 128 bits"},
		{`{"email":"a@acme.example","locked":"yesterday"}`, "locked is no time"},
		{`{"email":"a@acme.example","created":"2999-01-01"}`, "in the future"},
		{`{"email":"a@acme.example","locale":"klingonese!"}`, "language tag"},
		{`{"email":["a@acme.example"]}`, "email can't be a array"},
		{`{"email":{"$ne":""}}`, "email can't be a object"},
		{`{"email":"a@acme.example","shoes":44}`, "there is no field"},
		{`{"email":"a@acme.example"} {}`, "behind the JSON object"},
		{`{"email":"a@acme.example"`, "not well-formed"},
		{`["a@acme.example"]`, "no JSON object"},
		{`null`, "no JSON object"},
		{"{\"email\":\"a\x00@acme.example\"}", "NUL"},
		{"{\"email\":\"a@acme.example\",\"name\":\"\xff\xfe\"}", "not text in UTF-8"},
		{`{"email":"a@acme.example","name":"` + strings.Repeat("x", 1<<20) + `"}`, "longer than 64 KiB"},
		{`{"email":"First@acme.example","login":"first"}`, "there already"},
		{`{"email":"last@acme.example","login":"last"}`, ""},
	}
	var file strings.Builder
	var want [][2]string
	for _, r := range rows {
		file.WriteString(r[0] + "\n")
		outcome := "refused"
		switch r[1] {
		case "":
			outcome = "created"
		case "there already":
			outcome = "skipped"
		}
		want = append(want, [2]string{outcome, r[1]})
	}
	_, told := w.bring(file.String(), transfer.Options{Format: transfer.JSONLines})
	said(t, told, want...)
	_, taken := w.bring(`{"email":"other@acme.example","login":"last"}`, transfer.Options{Format: transfer.JSONLines})
	said(t, taken, [2]string{"refused", "the user name is another user's"})
	if users := w.users("acme"); len(users) != 2 {
		t.Errorf("%d users", len(users))
	}
	for _, l := range told {
		if strings.Contains(fmt.Sprint(l), "JBSWY3DP") || strings.Contains(fmt.Sprint(l), "5f4dcc3b") {
			t.Errorf("a secret is told of: %+v", l)
		}
	}
	for _, e := range w.events("acme") {
		if e.Outcome != "ok" {
			t.Errorf("a line that was refused left the event %+v", e)
		}
	}
}

func TestBadLinesOfCSV(t *testing.T) {
	w := newWorld(t)
	_, told := w.bring("email\tname\trequire_2fa\nopen@acme.example\t\"never closed\t\nfew@acme.example\n"+
		"maybe@acme.example\tM\tmaybe\n\x1b[2J@acme.example\tM\t\n"+
		strings.Repeat("y", 200_000)+"\nwell@acme.example\tW\t\n", transfer.Options{})
	said(t, told, [2]string{"refused", "quotation mark"}, [2]string{"refused", "1 cells, and the header 3"},
		[2]string{"refused", "neither true nor false"}, [2]string{"refused", "email holds"}, [2]string{"refused", "longer"}, [2]string{"created", ""})
	if strings.Contains(told[3].Account, "\x1b") {
		t.Errorf("%q would move the cursor of a terminal", told[3].Account)
	}
	for header, what := range map[string]string{
		"": "empty", "email,shoes": "no column", "email,email": "twice", "name,role": "neither", "email,password": "plain passwords",
		"\xff\xfee\x00m\x00": "UTF-16", strings.Repeat("email,", 20_000): "longer", "email,\"name": "quotation",
	} {
		_, _, err := w.try(t.Context(), header, transfer.Options{})
		var refused *web.Invalid
		if !errors.As(err, &refused) || !strings.Contains(refused.What, what) || refused.Do == "" {
			t.Errorf("%.20q: %v, want %q", header, err, what)
		}
	}
	for _, o := range []transfer.Options{{Format: "xml"}, {}} {
		tenant := "acme"
		if o.Format == "" {
			tenant = "nowhere"
			o.Format = transfer.CSV
		}
		if _, err := w.Import(t.Context(), web.Operator(), tenant, strings.NewReader("email\n"), o); !errors.As(err, new(*web.Invalid)) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestDryRunFindsTheSameAndChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.bring("email\nthere@acme.example\n", transfer.Options{})
	before := len(w.events("acme"))
	const file = "email,login,role,totp\nnew@acme.example,,,otpauth://totp/x?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP\n" +
		"there@acme.example,,admin,\nNEW@acme.example,,,\nbad@acme.example,,king,\n"
	for _, update := range []bool{false, true} {
		third := [2]string{"skipped", "there already"}
		if update {
			third = [2]string{"updated", ""}
		}
		_, told := w.bring(file, transfer.Options{DryRun: true, Update: update})
		said(t, told, [2]string{"created", ""}, third, [2]string{"refused", "stands in line 2 too"}, [2]string{"refused", "role"})
	}
	if users := w.users("acme"); len(users) != 1 || users["there@acme.example"].Role != storage.Member || users["there@acme.example"].Version != 2 {
		t.Errorf("a dry run changed %+v", users)
	}
	if after := len(w.events("acme")); after != before {
		t.Errorf("a dry run left %d events", after-before)
	}
}

func TestUpdateChangesWhatTheFileSaysAndNothingThatIsTheUsers(t *testing.T) {
	w := newWorld(t)
	const key = "otpauth://totp/x?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	const other = "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	w.bring("email,login,name,password_hash,totp,locked\nfull@acme.example,full,Full,"+hash+","+key+",2026-01-31\nbare@acme.example,,Bare,,,\n", transfer.Options{})
	before := w.users("acme")
	// Somebody invited the one without a password meanwhile.
	invited := before["bare@acme.example"]
	if _, err := storage.Change(t.Context(), w.store.Users, "acme", invited.ID, func(u *storage.User) error {
		u.Invited = time.Date(2026, time.March, 4, 12, 0, 0, 0, time.UTC)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	file := "email,login,name,role,password_hash,totp\nfull@acme.example,fool,,admin,$2y$" + hash[4:] + "," + other +
		"\nbare@acme.example,bear,,,$2y$" + hash[4:] + "," + other + "\n"
	_, told := w.bring(file, transfer.Options{Update: true})
	said(t, told, [2]string{"updated", "the password and the second step and the user name that the user has was left as it is"},
		[2]string{"updated", "the user has no user name, and an update gives none"})
	users := w.users("acme")
	full, bare := users["full@acme.example"], users["bare@acme.example"]
	if full.Name != "Full" || full.Role != storage.Admin || full.Password != hash || full.Login != "full" || full.Locked.IsZero() ||
		full.ID != before["full@acme.example"].ID {
		t.Errorf("%+v", full)
	}
	if bare.Name != "Bare" || bare.Login != "" || bare.Password != "$2y$"+hash[4:] || !bare.Invited.IsZero() {
		t.Errorf("%+v", bare)
	}
	for _, name := range []string{"full@acme.example", "bare@acme.example"} {
		if u, err := w.admin.User(t.Context(), web.Operator(), "acme", name); err != nil || len(u.Factors) != 1 {
			t.Errorf("%s has the factors %+v, %v", name, u.Factors, err)
		}
	}
	// Once more: there is nothing left to do.
	totals, _ := w.bring(file, transfer.Options{Update: true})
	if totals.Skipped != 2 {
		t.Errorf("the second time: %+v", totals)
	}
	if again := w.users("acme"); !reflect.DeepEqual(again["full@acme.example"], full) || !reflect.DeepEqual(again["bare@acme.example"], bare) {
		t.Error("the second time changed something")
	}
}

func TestOtherTenantsUsersAreLeftAlone(t *testing.T) {
	w := newWorld(t)
	if _, _, err := w.admin.CreateUser(t.Context(), web.Operator(), "birch", admin.NewUser{Email: "kim@shared.example", Login: "kim", Name: "Kim"}); err != nil {
		t.Fatal(err)
	}
	before := w.users("birch")["kim@shared.example"]
	_, told := w.bring("email,login,name,role\nkim@shared.example,kim,Other Kim,owner\n", transfer.Options{Update: true})
	said(t, told, [2]string{"created", ""})
	if after := w.users("birch"); len(after) != 1 || !reflect.DeepEqual(after["kim@shared.example"], before) {
		t.Errorf("birch has %+v", after)
	}
	for _, tenant := range []string{"acme", "birch"} {
		if u, err := w.admin.User(t.Context(), web.Operator(), tenant, "kim"); err != nil || u.Tenant != tenant {
			t.Errorf("%s: %+v, %v", tenant, u, err)
		}
	}
}

func TestImportBrokenOffLeavesWholeUsersAndGoesOn(t *testing.T) {
	w := newWorld(t)
	const n = 300
	file := string(fileOf(n))
	ctx, cancel := context.WithCancel(t.Context())
	lines := 0
	totals, err := w.Import(ctx, web.Operator(), "acme", strings.NewReader(file), transfer.Options{Format: transfer.CSV, Workers: 8, Line: func(transfer.Line) error {
		if lines++; lines == 50 {
			cancel()
		}
		return nil
	}})
	if !errors.Is(err, context.Canceled) || totals.Created < 50 || totals.Created >= n {
		t.Fatalf("%+v, %v", totals, err)
	}
	users := w.users("acme")
	if len(users) != totals.Created {
		t.Errorf("%d users are there, %d were told of", len(users), totals.Created)
	}
	for name, u := range users {
		if found, err := w.admin.User(t.Context(), web.Operator(), "acme", name); err != nil || found.ID != u.ID || !u.Expires.IsZero() {
			t.Errorf("%s is no whole user: %+v, %v", name, u, err)
		}
	}
	if e := w.events("acme"); e[len(e)-1].Action != "users.import" || e[len(e)-1].Outcome != "failed" {
		t.Errorf("the last event is %+v", e[len(e)-1])
	}
	again, _ := w.bring(file, transfer.Options{})
	if again.Skipped != totals.Created || again.Created != n-totals.Created {
		t.Errorf("the second time: %+v", again)
	}
	// A file that ends in the middle, and a report that can't be written.
	broken := errors.New("the disk is full")
	if _, err := w.Import(t.Context(), web.Operator(), "acme", io.MultiReader(strings.NewReader("email\na@acme.example\n"), failing{broken}),
		transfer.Options{Format: transfer.CSV}); !errors.Is(err, broken) {
		t.Errorf("a file that can't be read: %v", err)
	}
	if _, err := w.Import(t.Context(), web.Operator(), "acme", strings.NewReader(file),
		transfer.Options{Format: transfer.CSV, Line: func(transfer.Line) error { return broken }}); !errors.Is(err, broken) {
		t.Errorf("a report that can't be written: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestExportComesBackAsItWas(t *testing.T) {
	w := newWorld(t)
	w.bring("email,login,name,role,type,require_2fa,email_verified,locale,disabled,locked,password_hash,totp\n"+
		"=cmd@acme.example,,=1+1,admin,client,true,true,de,true,2026-01-31T09:00:00Z,"+hash+",otpauth://totp/x?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP\n"+
		"plain@acme.example,plain,''t Hooft,,,,,,,,,\n,loner,-Loner; =1+1,,,,,,,,,\n", transfer.Options{})
	before := w.users("acme")
	if u := before["=cmd@acme.example"]; u.Name != "=1+1" {
		t.Fatalf("%+v", before)
	}
	for _, format := range []transfer.Format{transfer.CSV, transfer.JSONLines} {
		var out strings.Builder
		if n, err := w.Export(t.Context(), web.Operator(), "acme", &out, transfer.ExportOptions{Format: format}); err != nil || n != 3 {
			t.Fatal(n, err)
		}
		if strings.Contains(out.String(), "$2b$") || strings.Contains(out.String(), "JBSWY") || !strings.Contains(out.String(), "totp") {
			t.Errorf("%s without hashes: %s", format, out.String())
		}
		if format == transfer.CSV && (strings.Contains(out.String(), ",=") || strings.Contains(out.String(), ",-") || strings.Contains(out.String(), "; =")) {
			t.Errorf("a spreadsheet would run a cell of\n%s", out.String())
		}
		out.Reset()
		if _, err := w.Export(t.Context(), web.Operator(), "acme", &out, transfer.ExportOptions{Format: format, Hashes: true}); err != nil {
			t.Fatal(err)
		}
		tenant := "birch"
		if format == transfer.JSONLines {
			tenant = "cedar"
			if _, err := w.admin.CreateTenant(t.Context(), web.Operator(), tenant, admin.TenantFields{}); err != nil {
				t.Fatal(err)
			}
		}
		totals, err := w.Import(t.Context(), web.Operator(), tenant, strings.NewReader(out.String()), transfer.Options{Format: format})
		if err != nil || totals.Created != 3 {
			t.Fatalf("%s: %+v, %v\n%s", format, totals, err, out.String())
		}
		after := w.users(tenant)
		for name, was := range before {
			is := after[name]
			is.Key = was.Key
			// A file names the second steps, and does not hold their keys: they have to be set up again.
			if is.Factors != nil {
				t.Errorf("%s: %s has %v without a key", format, name, is.Factors)
			}
			was.Factors = nil
			was.Derive()
			if !reflect.DeepEqual(is, was) {
				t.Errorf("%s: %s\n got %+v\nwant %+v", format, name, is, was)
			}
		}
	}
	if _, err := w.Export(t.Context(), web.Operator(), "acme", failingWriter{}, transfer.ExportOptions{Format: transfer.CSV}); err == nil {
		t.Error("a file that can't be written is no error")
	}
	if e := w.events("acme"); e[len(e)-1].Action != "users.export" || e[len(e)-2].Reason != "with password hashes" {
		t.Errorf("%+v", e)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

func TestPlainPasswordsAreHashedWhereAllowed(t *testing.T) {
	w := newWorld(t)
	_, told := w.bring("email,password\na@acme.example,tangled-hedgehog-9\nb@acme.example,password\n", transfer.Options{Passwords: true})
	said(t, told, [2]string{"created", ""}, [2]string{"refused", "many people use"})
	if u := w.users("acme")["a@acme.example"]; !strings.HasPrefix(u.Password, "$argon2id$") {
		t.Errorf("kept as %q", u.Password)
	}
}
