package admin_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

func TestNewTenantLetsEveryoneInAndAsksTwoFactorsOfThoseItNames(t *testing.T) {
	w := newWorld(t)
	w.tenant("northwind", "staff")
	kept, err := w.store.Tenants.Get(t.Context(), storage.Global, "northwind")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		facts policy.Facts
		want  policy.TwoFactor
		rule  string
	}{
		{"staff", policy.Facts{UserType: "staff"}, policy.Required, "Staff must use two-factor authentication"},
		{"client", policy.Facts{UserType: "client"}, policy.Optional, "Everyone may use two-factor authentication"},
		{"no type", policy.Facts{}, policy.Optional, "Everyone may use two-factor authentication"},
		{"ticked client", policy.Facts{UserType: "client", Ticked: true}, policy.Required, "This user must use two-factor authentication"},
	} {
		d := policy.Decide(kept.Rules, c.facts)
		if !d.Allow || d.TwoFactor != c.want || d.Rule != c.rule || !d.AnyStrength || !d.EnrolAtLogin {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
}

func TestSwitchesAreRulesBehindThoseWithConditions(t *testing.T) {
	w := newWorld(t)
	w.tenant("northwind")
	_, err := storage.Change(t.Context(), w.store.Tenants, storage.Global, "northwind", func(t *storage.Tenant) error {
		closed := storage.Rule{Name: "Closed to contractors from outside", When: storage.When{UserTypes: []string{"contractor"}, NotNetworks: []string{"10.0.0.0/8"}}}
		report := storage.Rule{Name: "What if", ReportOnly: true}
		t.Rules = slices.Concat([]storage.Rule{report}, t.Rules[:1], []storage.Rule{closed}, t.Rules[1:])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	names := func(on ...string) []string {
		t.Helper()
		v, err := w.ChangeTenant(t.Context(), web.Operator(), "northwind", admin.TenantFields{Require2FA: &on})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := slices.Sorted(slices.Values(v.Require2FA)), slices.Sorted(slices.Values(on)); !slices.Equal(got, want) {
			t.Errorf("switches %q, want %q", got, want)
		}
		all := make([]string, 0, len(v.Rules))
		for _, r := range v.Rules {
			all = append(all, r.Name)
		}
		return all
	}
	before := []string{
		"What if", "This user must use two-factor authentication", "Closed to contractors from outside",
		"A connected financial integration makes two-factor authentication mandatory",
	}
	last := "Everyone may use two-factor authentication"
	for _, step := range [][]string{{"contractor"}, {"contractor", "staff"}, {"staff", "everyone"}, {"client", "contractor", "everyone", "staff"}, {}} {
		got := names(step...)
		if !slices.Equal(got[:4], before) || got[len(got)-1] != last || len(got) != len(step)+5 {
			t.Errorf("switches %q give rules %q", step, got)
		}
	}
	if got := names("everyone"); !slices.Contains(got, "Everyone must use two-factor authentication") {
		t.Errorf("%q", got)
	}
}

// 002-18: where users get in by a recovery code only who have not set up what they must, a switch that is set as a field of
// the tenant asks the same.
func TestSwitchesOfATenantKeepToRecoveryCodes(t *testing.T) {
	w := newWorld(t)
	w.tenant("northwind")
	yes := true
	if _, err := w.ChangePolicy(t.Context(), web.Operator(), "northwind", admin.PolicyChange{RecoveryCodeOnly: &yes}); err != nil {
		t.Fatal(err)
	}
	v, err := w.ChangeTenant(t.Context(), web.Operator(), "northwind", admin.TenantFields{Require2FA: &[]string{"staff"}})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(v.Rules, func(r storage.Rule) bool { return r.ID == admin.RuleType+"staff" })
	if i < 0 || v.Rules[i].Then.Unenrolled != "" {
		t.Errorf("rules %+v", v.Rules)
	}
	if p, err := w.Policy(t.Context(), web.Operator(), "northwind"); err != nil || !p.RecoveryCodeOnly {
		t.Errorf("policy %+v (%v)", p, err)
	}
}

func TestTenantFieldsAreChecked(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	for _, id := range []string{"", "a", "ab", "-ab", "ab-", "aB1", "a_b", "-", "a b", "ä12", strings.Repeat("a", 41), "abc\n"} {
		_, err := w.CreateTenant(ctx, web.Operator(), id, admin.TenantFields{})
		refused(t, err, web.ErrInvalid, "id")
	}
	for _, id := range []string{"abc", "0-9", strings.Repeat("a", 40)} {
		w.tenant(id)
	}
	_, err := w.CreateTenant(ctx, web.Operator(), "abc", admin.TenantFields{})
	refused(t, err, storage.ErrExists, "id")
	for where, in := range map[string]admin.TenantFields{
		"name":           {Name: ptr("two\nlines")},
		"plan":           {Plan: ptr("a\u202eb")},
		"user_types":     {UserTypes: &[]string{"everyone"}},
		"require_2fa":    {Require2FA: &[]string{"wizard"}},
		"totp_digits":    {TOTPDigits: ptr(7)},
		"totp_algorithm": {TOTPAlgorithm: ptr("MD5")},
		"backup_codes":   {BackupCodes: ptr(0)},
		"session_idle":   {SessionIdle: ptr(admin.Duration(time.Minute))},
		"sms_countries":  {SMSCountries: &[]string{"DE", "Germany"}},
		"sms_budget":     {SMSBudget: ptr(-1)},
		"email_reset":    {EmailReset: ptr("")},
		"support":        {Support: ptr("javascript:alert(1)")},
	} {
		// Nothing of it is done, not even what would have been right.
		if in.Name == nil {
			in.Name = ptr("New name")
		}
		_, err := w.ChangeTenant(ctx, web.Operator(), "abc", in)
		refused(t, err, web.ErrInvalid, where)
	}
	for _, types := range [][]string{{}, {"a", "a"}, {"A"}, {"a b"}, {""}} {
		_, err := w.ChangeTenant(ctx, web.Operator(), "abc", admin.TenantFields{UserTypes: &types})
		refused(t, err, web.ErrInvalid, "user_types")
	}
	v, err := w.Tenant(ctx, web.Operator(), "abc")
	if err != nil || v.Name != "abc" {
		t.Errorf("%+v, %v", v, err)
	}
	w.wantEvents("abc", "tenant.create ok")
	_, err = w.ChangeTenant(ctx, web.Operator(), "nowhere", admin.TenantFields{})
	refused(t, err, storage.ErrNotFound, "tenant")
	v, err = w.ChangeTenant(ctx, web.Operator(), "abc", admin.TenantFields{
		Name: ptr(" Abc & Co. "), Plan: ptr("paid"), TOTPDigits: ptr(8), SessionIdle: ptr(admin.Duration(2 * time.Hour)), Support: ptr("help@abc.example"),
	})
	if err != nil || v.Name != "Abc & Co." || v.Plan != "paid" || v.Settings.TOTPDigits != 8 || v.Settings.SessionIdle != "2h0m0s" ||
		v.Settings.BackupCodes != 10 {
		t.Errorf("%+v, %v", v, err)
	}
	v, err = w.ChangeTenant(ctx, web.Operator(), "abc", admin.TenantFields{
		SMSCountries: &[]string{"de", "AT", "DE"}, SMSBudget: ptr(20), EmailReset: ptr("off"),
	})
	if err != nil || !slices.Equal(v.Settings.SMSCountries, []string{"DE", "AT"}) || v.Settings.SMSBudget != 20 || v.Settings.EmailReset != "off" {
		t.Errorf("%+v, %v", v, err)
	}
	v, err = w.ChangeTenant(ctx, web.Operator(), "abc", admin.TenantFields{SMSCountries: &[]string{}, SMSBudget: ptr(0), EmailReset: ptr("members")})
	if err != nil || len(v.Settings.SMSCountries) > 0 || v.Settings.SMSBudget != 0 || v.Settings.EmailReset != "members" {
		t.Errorf("%+v, %v", v, err)
	}
	if all, err := w.Tenants(ctx, web.Operator(), admin.Page{After: "0-9", Limit: 1}); err != nil || len(all) != 1 || all[0].ID != strings.Repeat("a", 40) {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestUserTypeInUseStays(t *testing.T) {
	w := newWorld(t)
	w.tenant("northwind", "client")
	w.user("northwind", admin.NewUser{Login: "sam", Name: "Sam", Type: "staff"})
	change := func(types ...string) error {
		_, err := w.ChangeTenant(t.Context(), web.Operator(), "northwind", admin.TenantFields{UserTypes: &types})
		return err
	}
	refused(t, change("client", "contractor"), web.ErrInvalid, "user_types")
	refused(t, change("staff", "contractor"), web.ErrInvalid, "user_types") // A rule is about clients.
	if err := change("staff", "client", "sub-account"); err != nil {
		t.Error(err)
	}
}
