package storage

import "time"

// Rule is one line of a tenant's policy: where all its conditions hold, its decision is taken. A condition that is
// empty always holds; within one condition any of the values does.
type Rule struct {
	// ID names the rule within its tenant, whatever it is called and wherever it stands; the built-in rules have IDs that
	// everybody knows.
	ID string `json:"id,omitempty"`
	// Name is what users and admins read when the rule is given as the reason.
	Name string `json:"name"`
	When When   `json:"when"`
	Then Then   `json:"then"`
	// ReportOnly rules are evaluated and recorded, never enforced.
	ReportOnly bool `json:"report_only,omitempty"`
}

// When are the conditions of a rule.
type When struct {
	UserTypes []string `json:"user_types,omitempty"`
	Roles     []Role   `json:"roles,omitempty"`
	// Users are user IDs.
	Users []string `json:"users,omitempty"`
	// Ticked holds for users an admin ticked "require 2FA" for.
	Ticked bool `json:"ticked,omitempty"`
	// Networks and NotNetworks are CIDR prefixes. Whether an unknown address meets them nobody can tell, and so the
	// stricter of both is taken.
	Networks    []string `json:"networks,omitempty"`
	NotNetworks []string `json:"not_networks,omitempty"`
	// Clients are client IDs, ClientTags the tags of clients.
	Clients    []string `json:"clients,omitempty"`
	ClientTags []string `json:"client_tags,omitempty"`
	Plans      []string `json:"plans,omitempty"`
	// Integrations are kinds of connected integrations.
	Integrations []string `json:"integrations,omitempty"`
	// From and Until bound the time in which the rule holds; From is inside, Until is not.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// Then is what a rule decides. Every field's zero value is its strictest.
type Then struct {
	// Access is "" (deny) or "allow".
	Access string `json:"access,omitempty"`
	// TwoFactor is "" (required), "optional", "off" (not asked even of those who have a factor) or "unavailable"
	// (nobody can set it up: a plan or user type without 2FA).
	TwoFactor string `json:"two_factor,omitempty"`
	// Strength is "" (phishing-resistant) or "any".
	Strength string `json:"strength,omitempty"`
	// Factors are the IDs of the factors allowed; none means all.
	Factors []string `json:"factors,omitempty"`
	// RememberDays is for how many days a device may be remembered: 0 never, 30 at most.
	RememberDays int `json:"remember_days,omitempty"`
	// Unenrolled is "" (in by recovery code only) or "enrol_at_login".
	Unenrolled string `json:"unenrolled,omitempty"`
	// GraceUntil lets users without a factor in by password until then.
	GraceUntil time.Time `json:"grace_until,omitzero"`
}
