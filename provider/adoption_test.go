package provider

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

const atAdoption = "Adoption"

// The chart counts who has a second step, by user type: at once, and for each day what it was when the day began.
func TestAdoptionIsCountedDayByDay(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner) // staff, and has a second step
	for i := range 3 {
		w.user("birch", fmt.Sprintf("client%d@birch.example", i), "client")
	}
	p := owner.get(ui.PathAdoption).is(atAdoption).says(
		"1 of 4 users have set up a second step: 25%.", "Staff", "100% 1 of 1", "Client", "0% 0 of 3", "Contractor –", "The chart begins today.",
	)
	if strings.Contains(p.text(), "Text messages") {
		t.Error("text messages are shown, and none can be sent")
	}
	owner.get(p.link(ui.PathPeople)).is(atPeople).says("client0@birch.example")
	if err := w.work(); err != nil {
		t.Fatal(err)
	}
	// Set up: the numbers of now follow at once, those of the day stay what they were.
	began := date(w.clock.Now())
	c := w.browser()
	c.get("/account/security").signIn("client0@birch.example").is(atSecurity)
	setUp := c.get(c.get("/account/security").link("/account/two-factor")).submit("/account/set-up/totp")
	ph := w.scan(setUp)
	setUp.submit("/account/set-up", "code", ph.code()).submit("/account/codes", "saved", "yes").is(atSecurity)
	owner.get(ui.PathAdoption).says("2 of 4 users have set up a second step: 50%.", "33% 1 of 3")
	w.nextDay()
	if err := w.work(); err != nil {
		t.Fatal(err)
	}
	a := w.adoption("birch")
	if len(a.Days) != 1 || a.Days[0].Date != began || a.Days[0].TwoFactor != 1 || a.Days[0].Types["client"].TwoFactor != 0 || a.Today.Types["client"].TwoFactor != 1 {
		t.Errorf("the day before: %+v, today: %+v", a.Days, a.Today)
	}
	// Removed: a reset counts as well.
	if _, err := w.p.admin.ResetTwoFactor(t.Context(), web.Operator(), "birch", "client0@birch.example"); err != nil {
		t.Fatal(err)
	}
	w.nextDay()
	if err := w.work(); err != nil {
		t.Fatal(err)
	}
	a = w.adoption("birch")
	if len(a.Days) != 2 || a.Days[1].TwoFactor != 2 || a.Today.TwoFactor != 1 || a.Today.Users != 4 {
		t.Errorf("the days before: %+v, today: %+v", a.Days, a.Today)
	}
	// Nobody sees another tenant's.
	if a := w.adoption("acme"); a.Today.Users != 0 || len(a.Days) != 2 || a.Days[0].Users != 0 {
		t.Errorf("acme: %+v", a)
	}
}

// adoption is what operators are told of a tenant.
func (w *world) adoption(tenant string) admin.Adoption {
	w.t.Helper()
	a, err := w.p.admin.Adoption(w.t.Context(), web.Operator(), tenant)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// work does what is due of a day's work.
func (w *world) work() error {
	all, err := w.p.day(w.t.Context())
	if err == nil && !all {
		err = errors.New("it is left to others")
	}
	return err
}

// nextDay moves the clock to the middle of the next day, UTC.
func (w *world) nextDay() {
	now := w.clock.Now().UTC()
	w.clock.forward(now.Truncate(24 * time.Hour).Add(36 * time.Hour).Sub(now))
}

// Tenants with a name of their own for a user type read it here too, and there is a page before there are users.
func TestAdoptionOfTenantsOfAllSizes(t *testing.T) {
	w := newWorld(t)
	_, err := storage.Change(t.Context(), w.store.Tenants, storage.Global, "birch", func(t *storage.Tenant) error {
		t.TypeNames = map[string]string{"client": "<b>Customers</b> & \"friends\""}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if a := w.adoption("birch"); a.Today.Users != 0 || a.Today.TwoFactor != 0 || a.SMS.Offered || len(a.Types) != 3 {
		t.Errorf("a tenant without users: %+v", a)
	}
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	// A hundred days of numbers, of which ninety are shown, with a day that nobody counted.
	for i := 1; i <= 100; i++ {
		day := storage.Tally{
			Key: storage.Key{Tenant: "birch", ID: date(w.clock.Now().AddDate(0, 0, -i))}, SMS: i,
			Types: map[string]storage.TypeTally{"staff": {Users: 10, TwoFactor: 10 - i/10}, "gone": {Users: 5}},
		}
		if i == 50 {
			day.Types = nil
		}
		if err := w.store.Tallies.Insert(t.Context(), &day); err != nil {
			t.Fatal(err)
		}
	}
	a := w.adoption("birch")
	if len(a.Days) != 90 || a.Days[0].SMS != 90 || a.Days[89].SMS != 1 || a.Days[40].Counted || a.Days[89].Users != 15 {
		t.Errorf("%d days, %+v", len(a.Days), a.Days)
	}
	p := owner.get(ui.PathAdoption).is(atAdoption).says(`<b>Customers</b> & "friends"`, "90% 9 of 10", "66% 10 of 15")
	if strings.Contains(p.body, "<b>Customers") || strings.Contains(p.body, " style=") || strings.Contains(p.body, "gone") {
		t.Error("the page holds what it must not")
	}
}

// 002-4: what was sent is counted, by day and month, and what was not is not.
func TestTextMessagesAreCounted(t *testing.T) {
	w := newTexting(t)
	// In the middle of a month, so that a day later is in the same.
	now := w.clock.Now().UTC()
	w.clock.forward(time.Date(now.Year(), now.Month()+1, 14, 12, 0, 0, 0, time.UTC).Sub(now))
	w.texted("robin@acme.example", german, germanE)
	if a := w.adoption("acme"); !a.SMS.Offered || a.SMS.Budget != 500 || a.Today.SMS != 1 || a.SMS.Month != 1 {
		t.Errorf("after a set-up: %+v, %+v", a.SMS, a.Today)
	}
	w.nextDay()
	w.browser().get("/account/security").signIn("robin@acme.example").is(atMessage)
	w.gateway.fail(errors.New("it burns"))
	w.clock.forward(time.Hour)
	w.browser().get("/account/security").signIn("robin@acme.example").is(atMessage).says("couldn’t be sent just now")
	a := w.adoption("acme")
	if a.Today.SMS != 1 || a.SMS.Month != 2 || len(a.Days) != 1 || a.Days[0].SMS != 1 || a.Days[0].Counted {
		t.Errorf("the day after: %+v, %+v, %+v", a.SMS, a.Today, a.Days)
	}
	// Counting the users leaves the messages of the day alone, and the other way round.
	if err := w.work(); err != nil {
		t.Fatal(err)
	}
	if a := w.adoption("acme"); a.Today.SMS != 1 {
		t.Errorf("counting users lost the messages: %+v", a.Today)
	}
	if err := w.p.admin.CountSMS(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	k, err := w.store.Tallies.Get(t.Context(), "acme", date(w.clock.Now()))
	if err != nil || k.SMS != 2 || k.Types["staff"].Users != 1 || k.Types["staff"].TwoFactor != 1 {
		t.Errorf("%+v, %v", k, err)
	}
	if left := k.Expires.Sub(w.clock.Now()); left < 399*24*time.Hour || left > 401*24*time.Hour {
		t.Errorf("it is kept for %v", left)
	}
	// The month begins anew, and a budget of the tenant's own is shown.
	_, err = storage.Change(t.Context(), w.store.Tenants, storage.Global, "acme", func(t *storage.Tenant) error {
		t.Settings.SMSBudget = 20
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.clock.forward(25 * 24 * time.Hour)
	if a := w.adoption("acme"); a.SMS.Month != 0 || a.SMS.Budget != 20 || len(a.Days) != 2 {
		t.Errorf("in the next month: %+v, %+v", a.SMS, a.Days)
	}
	owner := w.browser()
	w.gateway.fail(nil)
	o, _ := w.texted("olga@acme.example", british, britE)
	_, err = storage.Change(t.Context(), w.store.Users, "acme", o.ID, func(u *storage.User) error { u.Role = storage.Owner; return nil })
	if err != nil {
		t.Fatal(err)
	}
	owner.get("/account/security").signIn("olga@acme.example").is(atMessage).submit("/with/sms", "code", w.codes(britE)[0])
	owner.get(ui.PathAdoption).is(atAdoption).says("2 were sent today.", "This month it is 2.", "The budget is 20 a day.")
}
