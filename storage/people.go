package storage

import (
	"cmp"
	"strings"
	"time"
)

// Tenant is one customer account. It is kept under Global, by its own ID.
type Tenant struct {
	Key  `bson:",inline"`
	Name string `json:"name"`
	// Plan is the name the deployment gives the tenant's plan; rules can ask for it.
	Plan string `json:"plan,omitempty"`
	// UserTypes are the types its users can have, in the order they are shown: words that rules and programs use.
	UserTypes []string `json:"user_types"`
	// TypeNames are what people read for some of the types, by type.
	TypeNames map[string]string `json:"type_names,omitempty"`
	// Rules decide who must use 2FA; the first that matches wins.
	Rules []Rule `json:"rules"`
	// Networks are the account's own, which its IP rules list.
	Networks []Network `json:"networks,omitempty"`
	// Integrations are what applications have connected to the account.
	Integrations []Integration `json:"integrations,omitempty"`
	Settings     Settings      `json:"settings"`
	Brand        Brand         `json:"brand,omitzero"`
	// DataKey seals the tenant's factor data; it is itself sealed under the master key.
	DataKey  []byte    `json:"data_key"`
	Disabled bool      `json:"disabled,omitempty"`
	Created  time.Time `json:"created"`
}

// Kind says how tenants are kept.
func (Tenant) Kind() Kind { return Kind{Name: "tenants"} }

// Network is a range of addresses that belongs to a tenant's account.
type Network struct {
	// Prefix is in CIDR notation (RFC 4632, section 3.1; RFC 4291, section 2.3), without host bits.
	Prefix string `json:"prefix"`
	// Name is what the tenant calls it.
	Name string `json:"name,omitempty"`
	// Require2FA: whoever signs in from there must use 2FA.
	Require2FA bool `json:"require_2fa,omitempty"`
}

// Integration is something an application connected to a tenant's account, such as a bookkeeping service.
type Integration struct {
	// ID is the application's own name for the connection, such as "xero".
	ID   string `json:"id"`
	Name string `json:"name"`
	// Kind is what rules ask for; "financial" is the one the built-in rules know.
	Kind string `json:"kind"`
	// Client is the client_id of the application that connected it, or empty where an operator did.
	Client    string    `json:"client,omitempty"`
	Connected time.Time `json:"connected"`
}

// Settings are what a tenant chose. Zero values mean the deployment's defaults.
type Settings struct {
	// TOTPDigits is 6 (also when 0) or 8.
	TOTPDigits int `json:"totp_digits,omitempty"`
	// TOTPAlgorithm is "SHA1" (also when empty) or "SHA256".
	TOTPAlgorithm string `json:"totp_algorithm,omitempty"`
	// BackupCodes is how many are made in a set: 10 (also when 0) or 1.
	BackupCodes int `json:"backup_codes,omitempty"`
	// SessionIdle ends a session that was not used for so long: 1 h when 0, else 5 min to 24 h.
	SessionIdle time.Duration `json:"session_idle,omitempty"`
	// SMSCountries are the countries whose numbers are sent to, as ISO 3166-1 alpha-2 codes, within those of the
	// deployment; none means all of these.
	SMSCountries []string `json:"sms_countries,omitempty"`
	// SMSBudget is how many SMS are sent a day: the deployment's default when 0.
	SMSBudget int `json:"sms_budget,omitempty"`
	// EmailReset lets users who lost their factors take them off by a mailed link and their password: "on" for all,
	// "off" for nobody, and for members only when empty.
	EmailReset string `json:"email_reset,omitempty"`
	// Support is where a user who is stuck may turn: an e-mail address or an https URL.
	Support string `json:"support,omitempty"`
	// Language is the BCP 47 tag of the language of pages and mails where nobody asks for another; empty where the tenant
	// chose none.
	Language string `json:"language,omitempty"`
	// AuditDays is for how many days entries of the audit log are kept; 0 keeps them for good.
	AuditDays int `json:"audit_days,omitempty"`
}

// Brand is how a tenant's pages look. The zero Brand is the deployment's own look.
type Brand struct {
	// Logo is the ID of the Logo; empty where there is none.
	Logo string `json:"logo,omitempty"`
	// LogoWidth and LogoHeight are its size in pixels.
	LogoWidth  int `json:"logo_width,omitempty"`
	LogoHeight int `json:"logo_height,omitempty"`
	// Accent is the colour that the tenant chose, as "#" and six lower-case hexadecimal digits. Pages show a colour of the
	// same hue that can be read.
	Accent string `json:"accent,omitempty"`
	// Help, Privacy and Terms are https URLs that pages link to.
	Help    string `json:"help,omitempty"`
	Privacy string `json:"privacy,omitempty"`
	Terms   string `json:"terms,omitempty"`
	// Signature stands at the foot of mails: plain text of a few lines, which end with LF, and without links.
	Signature string `json:"signature,omitempty"`
}

// Logo is the picture that stands beside a tenant's name. It never changes: another picture is another Logo, so that
// browsers may keep it. Its ID is random, for it stands in an address that everybody can ask for; the hash of the picture
// would let a stranger who has the picture find out whose it is.
type Logo struct {
	Key `bson:",inline"`
	// Type is the media type of Data.
	Type    string    `json:"type"`
	Data    []byte    `json:"data"`
	Created time.Time `json:"created"`
}

// Kind says how logos are kept. One that was replaced expires, for pages that were drawn before.
func (Logo) Kind() Kind { return Kind{Name: "logos", Expiring: true} }

// Role is what a user may administer.
type Role string

// The roles, from most to least.
const (
	Owner  Role = "owner"
	Admin  Role = "admin"
	Member Role = "member"
)

// User belongs to one tenant.
type User struct {
	Key `bson:",inline"`
	// Login is the user name, lower-cased; it may be empty where Email is set.
	Login string `json:"login,omitempty"`
	// Email is lower-cased.
	Email         string `json:"email,omitempty"`
	EmailVerified bool   `json:"email_verified,omitempty"`
	Name          string `json:"name"`
	Role          Role   `json:"role"`
	// Type is one of the tenant's UserTypes.
	Type string `json:"type"`
	// Password is a PHC string; empty means that no password fits.
	Password    string    `json:"password,omitempty"`
	PasswordSet time.Time `json:"password_set,omitzero"`
	// PasswordMailed: the password was set by a mailed link, and no second step has stood beside it yet. Till then it
	// proves no more than the mailbox does.
	PasswordMailed bool `json:"password_mailed,omitempty"`
	// Require2FA is the tick an admin sets for this one user.
	Require2FA bool `json:"require_2fa,omitempty"`
	// LastFactor is the ID of the factor used last, shown first the next time.
	LastFactor string `json:"last_factor,omitempty"`
	Locale     string `json:"locale,omitempty"`
	Disabled   bool   `json:"disabled,omitempty"`
	// Locked is when the user, or somebody with the user's mail, said "this was not me"; nobody gets in until an
	// administrator unlocks the account, and Unlocked is when one did so last.
	Locked     time.Time `json:"locked,omitzero"`
	Unlocked   time.Time `json:"unlocked,omitzero"`
	Created    time.Time `json:"created"`
	LastSignIn time.Time `json:"last_sign_in,omitzero"`
	// LastAddress is where the last sign-in came from, empty before the first.
	LastAddress string `json:"last_address,omitempty"`
	// Invited is when the user was last mailed an invitation that has not been taken up.
	Invited time.Time `json:"invited,omitzero"`
	// ByInvitation: the invitation that is open made the user, and takes it along when it is withdrawn. Others, who were
	// brought in from a file, say, stay.
	ByInvitation bool `json:"by_invitation,omitempty"`
	// Factors are the IDs of the second steps that are set up, without backup and recovery codes, in order. They are kept
	// here for lists and counts; what a sign-in asks hangs on the credentials alone.
	Factors []string `json:"factors,omitempty"`

	// What follows is derived from the fields above whenever the record is written, for lists and searches.

	// Segment is the type and whether a second step is set up; see Segment.
	Segment string `json:"segment,omitempty"`
	// Account is what the user is known by: Email, or else Login.
	Account string `json:"account,omitempty"`
	// NameKey is the name in lower case, and SurnameKey the same with its last word first.
	NameKey    string `json:"name_key,omitempty"`
	SurnameKey string `json:"surname_key,omitempty"`
}

// Segment is the value of User.Segment for users of a type with, or without, a second step.
func Segment(userType string, twoFactor bool) string {
	if twoFactor {
		return userType + "/on"
	}
	return userType + "/off"
}

// Derive implements Deriver.
func (u *User) Derive() {
	u.Segment = Segment(u.Type, len(u.Factors) > 0)
	u.Account = cmp.Or(u.Email, u.Login)
	words := strings.Fields(strings.ToLower(u.Name))
	u.NameKey = strings.Join(words, " ")
	if n := len(words); n > 0 {
		words = append(words[n-1:n:n], words[:n-1]...)
	}
	u.SurnameKey = strings.Join(words, " ")
}

// Out tells whether the user is kept out.
func (u User) Out() bool { return u.Disabled || !u.Locked.IsZero() }

// Kind says how users are kept.
func (User) Kind() Kind {
	return Kind{Name: "users", Indexes: []string{"type", "role", "segment", "account", "name_key", "surname_key"}}
}

// Login claims an e-mail address or user name for users: one record for each name, kept under Global with the
// lower-cased name as ID, so that a sign-in that does not know its tenant needs one read. A tenant stands in it
// at most once per name; Replace by version keeps that so.
type Login struct {
	Key   `bson:",inline"`
	Users []LoginUser `json:"users"`
}

// LoginUser is a user who answers to a login.
type LoginUser struct {
	Tenant string `json:"tenant"`
	User   string `json:"user"`
	// Since is set while the user does not have the name yet, but is about to: since when.
	Since time.Time `json:"since,omitzero"`
}

// Kind says how logins are kept.
func (Login) Kind() Kind { return Kind{Name: "logins", Expiring: true} }

// Credential is one enrolled instance of a factor: this phone, that set of codes.
type Credential struct {
	Key  `bson:",inline"`
	User string `json:"user"`
	// Factor is the factor's ID.
	Factor string `json:"factor"`
	// Name is the user's own name for it.
	Name string `json:"name,omitempty"`
	// Note is the factor's word about it: a masked number, or a word of the catalogues.
	Note string `json:"note,omitempty"`
	// Data is the factor's own, sealed under the tenant's key.
	Data []byte `json:"data"`
	// Left is how many more times it can be used, Made how many there were; negative means without end.
	Left     int       `json:"left"`
	Made     int       `json:"made"`
	Created  time.Time `json:"created"`
	LastUsed time.Time `json:"last_used,omitzero"`
}

// Kind says how credentials are kept.
func (Credential) Kind() Kind {
	return Kind{Name: "credentials", Indexes: []string{"user"}, Expiring: true}
}
