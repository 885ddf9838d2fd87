package admin

import (
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/mfa/sms"
	"github.com/sallyport-id/sallyport/storage"
)

// Settings are storage.Settings with the defaults filled in.
type Settings struct {
	TOTPDigits    int    `json:"totp_digits"`
	TOTPAlgorithm string `json:"totp_algorithm"`
	BackupCodes   int    `json:"backup_codes"`
	// SessionIdle is a duration such as "1h0m0s".
	SessionIdle string `json:"session_idle"`
	// SMSCountries are the countries that SMS are sent to, within those of the deployment; none means all of these.
	SMSCountries []string `json:"sms_countries"`
	// SMSBudget is how many SMS are sent a day; 0 is the deployment's.
	SMSBudget int `json:"sms_budget"`
	// EmailReset is "on", "off" or "members".
	EmailReset string `json:"email_reset"`
	Support    string `json:"support,omitempty"`
	// Language is the BCP 47 tag of the language of pages and mails where nobody asks for another; empty is none.
	Language string `json:"language,omitempty"`
	// AuditDays is for how many days the audit log is kept; 0 is for good.
	AuditDays int `json:"audit_days"`
}

const (
	defaultDigits    = 6
	defaultAlgorithm = "SHA1"
	defaultCodes     = 10
	defaultIdle      = time.Hour
	leastIdle        = 5 * time.Minute
	mostIdle         = 24 * time.Hour

	// resetMembers is what an empty storage.Settings.EmailReset means.
	resetMembers = "members"
	// mostBudget is more SMS a day than any tenant pays for: a slip of the finger should not be able to cost more.
	mostBudget = 1_000_000
)

// Duration is a time.Duration that is written as "1h30m".
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// TenantFields are what can be said of a tenant. What is nil stays as it is; in a new tenant it gets its default.
type TenantFields struct {
	Name *string `json:"name,omitempty"`
	// Plan is the deployment's name for the tenant's plan; empty takes it away.
	Plan *string `json:"plan,omitempty"`
	// UserTypes are staff, client and contractor by default.
	UserTypes *[]string `json:"user_types,omitempty"`
	// Require2FA are the user types that must use two-factor authentication from now on, and Everyone; those that
	// are not named need not.
	Require2FA *[]string `json:"require_2fa,omitempty"`
	// TOTPDigits is 6 or 8; keys that are enrolled keep what they were made with.
	TOTPDigits *int `json:"totp_digits,omitempty"`
	// TOTPAlgorithm is SHA1 or SHA256.
	TOTPAlgorithm *string `json:"totp_algorithm,omitempty"`
	// BackupCodes is 10 or 1.
	BackupCodes *int `json:"backup_codes,omitempty"`
	// SessionIdle is 5m to 24h.
	SessionIdle *Duration `json:"session_idle,omitempty"`
	// SMSCountries are ISO 3166-1 alpha-2 codes; empty means all that the deployment sends to.
	SMSCountries *[]string `json:"sms_countries,omitempty"`
	// SMSBudget is how many SMS are sent a day; 0 is the deployment's.
	SMSBudget *int `json:"sms_budget,omitempty"`
	// EmailReset says who may take lost factors off by a mailed link and the password: "on" for all, "off" for nobody,
	// "members" for those who are neither owner nor admin.
	EmailReset *string `json:"email_reset,omitempty"`
	// Support is an e-mail address or an https URL; empty takes it away.
	Support *string `json:"support,omitempty"`
	// Language is the BCP 47 tag of the language of pages and mails where nobody asks for another; empty takes it away.
	Language *string `json:"language,omitempty"`
	// AuditDays is for how many days the audit log is kept, 30 to 3650; 0 is for good. Owners set it.
	AuditDays *int `json:"audit_days,omitempty"`
	// Accent is the colour of buttons and links on the tenant's pages, such as "#0b5d6e"; empty is the deployment's. Where it
	// could not be read, pages show a darker or lighter one of the same hue.
	Accent *string `json:"accent,omitempty"`
	// HelpURL, PrivacyURL and TermsURL are https URLs that the foot of the tenant's pages links to; empty takes one away.
	HelpURL    *string `json:"help_url,omitempty"`
	PrivacyURL *string `json:"privacy_url,omitempty"`
	TermsURL   *string `json:"terms_url,omitempty"`
	// Signature stands at the foot of mails to the tenant's users: plain text of up to 300 characters in up to 6 lines, without
	// addresses of websites or mail; empty takes it away.
	Signature *string `json:"signature,omitempty"`
}

func (in TenantFields) apply(t *storage.Tenant) (err error) {
	if in.Name != nil {
		if t.Name, err = line("name", *in.Name, maxTenantName); err != nil {
			return err
		}
	}
	if in.Plan != nil {
		t.Plan = *in.Plan
		if t.Plan != "" {
			if t.Plan, err = line("plan", t.Plan, maxPlan); err != nil {
				return err
			}
		}
	}
	if in.UserTypes != nil {
		if err := checkTypes(*in.UserTypes); err != nil {
			return err
		}
		for _, gone := range t.UserTypes {
			if !slices.Contains(*in.UserTypes, gone) {
				nameType(t, gone, "")
			}
		}
		t.UserTypes = slices.Clone(*in.UserTypes)
	}
	if in.Require2FA != nil {
		if err := setSwitches(t, *in.Require2FA); err != nil {
			return err
		}
	}
	if err := in.brand(&t.Brand); err != nil {
		return err
	}
	return in.settings(&t.Settings)
}

func checkTypes(types []string) error {
	if len(types) == 0 || len(types) > maxUserTypes {
		return invalid("user_types", fmt.Sprintf("there are %d user types", len(types)), fmt.Sprintf("give 1 to %d", maxUserTypes))
	}
	for i, name := range types {
		switch {
		case !typeName.MatchString(name):
			return invalid("user_types", fmt.Sprintf("%q can't be a user type", name),
				"use 1 to 32 lower-case letters, digits, hyphens and underscores, beginning with a letter or digit")
		case name == Everyone:
			return invalid("user_types", fmt.Sprintf("%q means all user types together", name), "choose another name")
		case slices.Contains(types[:i], name):
			return invalid("user_types", fmt.Sprintf("%q is there twice", name), "leave one out")
		}
	}
	return nil
}

func (in TenantFields) settings(to *storage.Settings) error {
	if n := in.TOTPDigits; n != nil {
		if *n != 6 && *n != 8 {
			return invalid("totp_digits", fmt.Sprintf("codes of %d digits are not offered", *n), "choose 6 or 8")
		}
		to.TOTPDigits = *n
	}
	if a := in.TOTPAlgorithm; a != nil {
		if *a != "SHA1" && *a != "SHA256" {
			return invalid("totp_algorithm", fmt.Sprintf("%q is not offered", *a), "choose SHA1, which every app has, or SHA256")
		}
		to.TOTPAlgorithm = *a
	}
	if n := in.BackupCodes; n != nil {
		if *n != 1 && *n != 10 {
			return invalid("backup_codes", fmt.Sprintf("sets of %d codes are not offered", *n), "choose 10 or 1")
		}
		to.BackupCodes = *n
	}
	if in.SessionIdle != nil {
		d := time.Duration(*in.SessionIdle)
		if d < leastIdle || d > mostIdle {
			return invalid("session_idle", fmt.Sprintf("%s is too short or too long", d), "choose 5m to 24h")
		}
		to.SessionIdle = d
	}
	if err := in.ways(to); err != nil {
		return err
	}
	if support := in.Support; support != nil {
		if *support != "" && !reachable(*support) {
			return invalid("support", fmt.Sprintf("%q is no place to turn to", *support), "give an e-mail address or an https URL")
		}
		to.Support = *support
	}
	if in.Language != nil {
		to.Language = *in.Language
	}
	return nil
}

// ways are the settings of SMS and mail.
func (in TenantFields) ways(to *storage.Settings) error {
	if codes := in.SMSCountries; codes != nil {
		to.SMSCountries = nil
		for _, code := range *codes {
			upper := strings.ToUpper(code)
			if !sms.Country(upper) {
				return invalid("sms_countries", fmt.Sprintf("%q is no country's code", code),
					"write ISO 3166-1 codes of two letters, such as DE and AT")
			}
			if !slices.Contains(to.SMSCountries, upper) {
				to.SMSCountries = append(to.SMSCountries, upper)
			}
		}
	}
	if n := in.AuditDays; n != nil {
		if err := checkAuditDays(*n); err != nil {
			return err
		}
		to.AuditDays = *n
	}
	if n := in.SMSBudget; n != nil {
		if *n < 0 || *n > mostBudget {
			return invalid("sms_budget", fmt.Sprintf("%d SMS a day can't be a budget", *n), "give 1 or more; 0 is the deployment's")
		}
		to.SMSBudget = *n
	}
	if who := in.EmailReset; who != nil {
		if !slices.Contains([]string{"on", "off", resetMembers}, *who) {
			return invalid("email_reset", fmt.Sprintf("%q is no choice", *who), "choose on, off or members")
		}
		to.EmailReset = *who
		if *who == resetMembers {
			to.EmailReset = ""
		}
	}
	return nil
}

func reachable(support string) bool {
	if website(support) {
		return true
	}
	a, err := mail.ParseAddress(support)
	return err == nil && a.Address == support
}

// website tells whether s is the address of a page that browsers may be sent to. Other schemes than https are refused by
// there being none, "javascript" before all.
func website(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil && !strings.ContainsFunc(s, storage.Unprintable)
}
