package admin

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"

	"github.com/sallyport-id/sallyport/storage"
)

// changedTenant says in the audit log what was changed of a tenant: in full what decides who gets in and what is kept, and
// of the rest which it was.
func changedTenant(was, now *storage.Tenant) string {
	var said []string
	add := func(what string, from, to any) {
		if !reflect.DeepEqual(from, to) {
			said = append(said, fmt.Sprintf("%s %v to %v", what, from, to))
		}
	}
	name := func(what string, from, to any) {
		if !reflect.DeepEqual(from, to) {
			said = append(said, what)
		}
	}
	a, b := viewTenant(was), viewTenant(now)
	name("name", a.Name, b.Name)
	add("plan", cmp.Or(a.Plan, none), cmp.Or(b.Plan, none))
	add("user_types", words(a.UserTypes), words(b.UserTypes))
	if c := compare(was, now); c.Any() {
		said = append(said, c.String())
	}
	add("email_reset", a.Settings.EmailReset, b.Settings.EmailReset)
	add("session_idle", a.Settings.SessionIdle, b.Settings.SessionIdle)
	add("backup_codes", a.Settings.BackupCodes, b.Settings.BackupCodes)
	add("totp_digits", a.Settings.TOTPDigits, b.Settings.TOTPDigits)
	add("totp_algorithm", a.Settings.TOTPAlgorithm, b.Settings.TOTPAlgorithm)
	add("sms_countries", words(a.Settings.SMSCountries), words(b.Settings.SMSCountries))
	add("sms_budget", a.Settings.SMSBudget, b.Settings.SMSBudget)
	if a.Settings.AuditDays != b.Settings.AuditDays {
		said = append(said, fmt.Sprintf("audit log kept for %d days, %d before", b.Settings.AuditDays, a.Settings.AuditDays))
	}
	name("support", a.Settings.Support, b.Settings.Support)
	add("language", cmp.Or(a.Settings.Language, none), cmp.Or(b.Settings.Language, none))
	name("branding", a.Branding, b.Branding)
	return strings.Join(said, "; ")
}
