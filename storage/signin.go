package storage

import "time"

// Proof is one thing a user has proven, and when.
type Proof struct {
	// Factor is "password" or a factor's ID.
	Factor string `json:"factor"`
	// Credential is the ID of the credential that was used, empty for a password.
	Credential string `json:"credential,omitempty"`
	// AMR are the RFC 8176 values that this proof earns.
	AMR []string `json:"amr"`
	// PhishingResistant and Hardware tell how strong the proof is.
	PhishingResistant bool `json:"phishing_resistant,omitempty"`
	Hardware          bool `json:"hardware,omitempty"`
	// Whole: it is a sign-in by itself, without a password.
	Whole bool `json:"whole,omitempty"`
	// Recovery: a code that an owner handed out. It lets in, and is no second factor.
	Recovery bool      `json:"recovery,omitempty"`
	At       time.Time `json:"at"`
	// Stands is, of a remembered device, the ID of the factor that it was remembered with, and Since when that was.
	Stands string    `json:"stands,omitempty"`
	Since  time.Time `json:"since,omitzero"`
}

// Flow is a sign-in under way. It begins with its first proof, can be finished for 15 minutes, and its ID is known
// only to the browser it began in; the step it stands at is computed from it, never stored.
type Flow struct {
	Key  `bson:",inline"`
	User string `json:"user"`
	// Browser is the hash of the cookie of the browser that began it.
	Browser string `json:"browser"`
	// Request is the sealed request of what the sign-in is for.
	Request string  `json:"request"`
	Proofs  []Proof `json:"proofs"`
	// Session is the session that is to be carried on, when one is re-authenticating.
	Session string `json:"session,omitempty"`
	// Pending are the challenges that wait for an answer, by factor ID, at sign-in.
	Pending map[string]Pending `json:"pending,omitempty"`
	// Refused is the answer that was wrong last and why, sealed under the tenant's key: the page that says so may be
	// loaded again, and that is no further try.
	Refused []byte `json:"refused,omitempty"`
	// Enrolling is the set-up under way, if any.
	Enrolling *Enrolling `json:"enrolling,omitempty"`
	// Later: the user goes on without the set-up that a recovery code leads to.
	Later bool `json:"later,omitempty"`
	// Remember: the user wants this browser to be remembered.
	Remember bool `json:"remember,omitempty"`
	// Codes are backup codes made and not yet confirmed as saved, sealed under the tenant's key.
	Codes   []byte    `json:"codes,omitempty"`
	Created time.Time `json:"created"`
	// Until ends the time to finish it; the last step ends it at once. The record outlives that, to start over with the
	// same request.
	Until time.Time `json:"until"`
	// Opened is the session that the last step opens, or carries on.
	Opened string `json:"opened,omitempty"`
	// Done is set once, when the last step passed; a flow that is done does nothing more, but to hand out the session's
	// cookie again where it got lost on its way.
	Done bool `json:"done,omitempty"`
}

// Kind says how flows are kept.
func (Flow) Kind() Kind { return Kind{Name: "flows", Indexes: []string{"user"}, Expiring: true} }

// Pending is a challenge that was put and not answered yet.
type Pending struct {
	// State is the factor's own, sealed under the tenant's key.
	State []byte    `json:"state"`
	At    time.Time `json:"at"`
}

// Enrolling is a factor that is being set up.
type Enrolling struct {
	Factor string `json:"factor"`
	// Challenge is the whole challenge, prompt and state, sealed under the tenant's key: the secret waits on the
	// server until it is confirmed.
	Challenge []byte    `json:"challenge"`
	At        time.Time `json:"at"`
	// Refused is like that of a Flow.
	Refused []byte `json:"refused,omitempty"`
}

// Session is a browser that is signed in.
type Session struct {
	// ID is the `sid` that applications see; it is no secret.
	Key  `bson:",inline"`
	User string `json:"user"`
	// Secret is the hash of what the cookie holds. It changes at every re-authentication.
	Secret string  `json:"secret"`
	Proofs []Proof `json:"proofs"`
	// Enrolling is a set-up under way on the security page.
	Enrolling *Enrolling `json:"enrolling,omitempty"`
	// Codes are backup codes made and not yet confirmed as saved, sealed under the tenant's key.
	Codes []byte `json:"codes,omitempty"`
	// Clients are the IDs of the applications signed in to with it.
	Clients []string `json:"clients,omitempty"`
	// Ended are the IDs of the applications whose access the user has ended since. None gets any through this session again
	// before the user has signed in to it.
	Ended   []string `json:"ended,omitempty"`
	Address string   `json:"address,omitempty"`
	Agent   string   `json:"agent,omitempty"`
	// Browser is the hash of the cookie of the browser that it was last signed in with; see Device. Sessions of before there
	// was such a field have none.
	Browser string    `json:"browser,omitempty"`
	Created time.Time `json:"created"`
	// Before is when the user had signed in last before; zero where this is the first time.
	Before time.Time `json:"before,omitzero"`
	// Seen is when it was last used, to the minute.
	Seen time.Time `json:"seen"`
}

// Kind says how sessions are kept.
func (Session) Kind() Kind { return Kind{Name: "sessions", Indexes: []string{"user"}, Expiring: true} }

// Device is a remembered browser.
type Device struct {
	Key  `bson:",inline"`
	User string `json:"user"`
	// Secret is the hash of the cookie's value, Previous that of the value before; one that is shown again ends
	// the family.
	Secret   string `json:"secret"`
	Previous string `json:"previous,omitempty"`
	// Browser is the hash of the cookie of the browser that it is, Policy that of the rules it was remembered under.
	Browser string `json:"browser"`
	Policy  string `json:"policy"`
	// Factor is the ID of the factor that was proven when it was remembered, and PhishingResistant how strong that was.
	Factor            string    `json:"factor,omitempty"`
	PhishingResistant bool      `json:"phishing_resistant,omitempty"`
	Agent             string    `json:"agent,omitempty"`
	Address           string    `json:"address,omitempty"`
	Created           time.Time `json:"created"`
	LastUsed          time.Time `json:"last_used,omitzero"`
}

// Kind says how devices are kept.
func (Device) Kind() Kind { return Kind{Name: "devices", Indexes: []string{"user"}, Expiring: true} }

// Counter counts attempts, and says until when more are refused.
type Counter struct {
	Key   `bson:",inline"`
	Count int `json:"count"`
	// Rows count, by factor, the wrong answers in a row; a pause does not clear them.
	Rows  map[string]int `json:"rows,omitempty"`
	Until time.Time      `json:"until,omitzero"`
	// Times are when the last few uses were, oldest first, where uses in a time are bounded.
	Times []time.Time `json:"times,omitempty"`
}

// Kind says how counters are kept.
func (Counter) Kind() Kind { return Kind{Name: "counters", Expiring: true} }

// Link is a link that was mailed to a user: one of a purpose at a time, so that a newer one ends the older.
type Link struct {
	// ID is the purpose and the user's ID, with a slash between.
	Key  `bson:",inline"`
	User string `json:"user"`
	// Secret is the hash of what the link holds.
	Secret  string    `json:"secret"`
	Created time.Time `json:"created"`
	// Request is the sealed request of the sign-in at which the link was asked for, which goes on after it; empty for none.
	Request string `json:"request,omitempty"`
	// Email is the change that a link of purpose LinkEmailChange is about; nil for others.
	Email *EmailChange `json:"email,omitempty"`
}

// EmailChange is a change of an e-mail address that waits to be confirmed: by the link to the new address, which is the
// Link's own, and by another to the present one.
type EmailChange struct {
	// From is the present address, To the new one.
	From string `json:"from"`
	To   string `json:"to"`
	// Old is the hash of what the link to the present address holds. It is empty where nobody ever confirmed that address:
	// nothing is mailed there then, and the new one is enough.
	Old string `json:"old,omitempty"`
	// NewConfirmed and OldConfirmed tell which of the two links was followed, and confirmed.
	NewConfirmed bool `json:"new_confirmed,omitempty"`
	OldConfirmed bool `json:"old_confirmed,omitempty"`
	// Session is the ID of the session that asked for it.
	Session string `json:"session"`
}

// OldWaits tells whether the link to the present address has still to be confirmed.
func (e EmailChange) OldWaits() bool { return e.Old != "" && !e.OldConfirmed }

// The purposes of links.
const (
	LinkPassword  = "password"
	LinkTwoFactor = "two-factor"
	LinkEmail     = "email"
	// LinkInvitation leads somebody who has been made a user to choosing a password. Its record does not expire, but stays
	// for as long as the invitation has not been taken up: the open invitations of a tenant are listed from these records.
	LinkInvitation = "invitation"
	// LinkEmailChange confirms a new e-mail address, at the new one and at the present one.
	LinkEmailChange = "email-change"
)

// InvitationLife is for how long after User.Invited the link of an invitation is good.
const InvitationLife = 7 * 24 * time.Hour

// Purposes are all of them.
func Purposes() []string {
	return []string{LinkPassword, LinkTwoFactor, LinkEmail, LinkInvitation, LinkEmailChange}
}

// LinkID is the ID of a user's link.
func LinkID(purpose, user string) string { return purpose + "/" + user }

// Kind says how links are kept.
func (Link) Kind() Kind { return Kind{Name: "links", Expiring: true} }
