package ui

// EveryType is the ID of the switch that is about all user types together.
const EveryType = "everyone"

// Policy is who of a tenant must use two-factor authentication: the switches, and the rules in their order.
type Policy struct {
	// Switches are one for each user type, and the one for all.
	Switches []Switch `json:"switches"`
	// RecoveryCodeOnly: who must use it and has not set it up gets in by a recovery code only.
	RecoveryCodeOnly bool `json:"recovery_code_only"`
	// Because are the names of connected integrations that force it for all; Asking counts the networks that do.
	Because []string `json:"because,omitempty"`
	Asking  int      `json:"asking,omitempty"`
	// Restricted: users sign in from the account's networks only.
	Restricted bool      `json:"restricted,omitempty"`
	Rules      []RuleRow `json:"rules"`
	// Since is when the sign-ins begin that rules which are only reported were held against, RFC 3339.
	Since string `json:"since,omitempty"`
	// Version is of the policy that is shown; it is posted along.
	Version string `json:"version"`
	// Action is where the switches are posted; New leads to the form of a new rule, Explain to the page that tells why.
	Action  string `json:"action"`
	New     string `json:"new"`
	Explain string `json:"explain"`
	Notice  Text   `json:"notice,omitzero"`
}

// Switch says of a user type that it must use two-factor authentication.
type Switch struct {
	// Type is a user type, or EveryType.
	Type Choice `json:"type"`
	On   bool   `json:"on"`
}

// RuleRow is one rule in words.
type RuleRow struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// BuiltIn: it comes from a switch, or is the last of all.
	BuiltIn bool `json:"built_in,omitempty"`
	// ReportOnly: it is not enforced; SignIns and Users count whom it would have decided on.
	ReportOnly bool     `json:"report_only,omitempty"`
	SignIns    int      `json:"sign_ins,omitempty"`
	Users      int      `json:"users,omitempty"`
	When       RuleWhen `json:"when"`
	Then       RuleThen `json:"then"`
	// Path leads to its form. Up, Down and Delete change the order and remove it, by POST; empty where that can't be.
	Path   string `json:"path"`
	Up     string `json:"up,omitempty"`
	Down   string `json:"down,omitempty"`
	Delete string `json:"delete,omitempty"`
}

// RuleWhen are the conditions of a rule, as people read them.
type RuleWhen struct {
	Types []Choice `json:"types,omitempty"`
	Roles []string `json:"roles,omitempty"`
	// Users are accounts; MoreUsers are those that are not named.
	Users        []string `json:"users,omitempty"`
	MoreUsers    int      `json:"more_users,omitempty"`
	Ticked       bool     `json:"ticked,omitempty"`
	Networks     []string `json:"networks,omitempty"`
	NotNetworks  []string `json:"not_networks,omitempty"`
	Clients      []string `json:"clients,omitempty"`
	Tags         []string `json:"tags,omitempty"`
	Plans        []string `json:"plans,omitempty"`
	Integrations []string `json:"integrations,omitempty"`
	// From and Until are RFC 3339.
	From  string `json:"from,omitempty"`
	Until string `json:"until,omitempty"`
}

// Everybody tells whether a rule has no condition.
func (w RuleWhen) Everybody() bool {
	return len(w.Types)+len(w.Roles)+len(w.Users)+len(w.Networks)+len(w.NotNetworks)+len(w.Clients)+len(w.Tags)+len(w.Plans)+
		len(w.Integrations) == 0 && !w.Ticked && w.From == "" && w.Until == ""
}

// RuleThen is what a rule decides, as people read it.
type RuleThen struct {
	Deny bool `json:"deny,omitempty"`
	// TwoFactor is "required", "optional", "off" or "unavailable".
	TwoFactor string `json:"two_factor"`
	// Resistant: only a factor that resists phishing will do. Factors are those allowed; none means all.
	Resistant bool     `json:"resistant,omitempty"`
	Factors   []Factor `json:"factors,omitempty"`
	// RememberDays is for how long a device may be remembered.
	RememberDays int `json:"remember_days,omitempty"`
	// Enrol: who has not set it up does so at the sign-in, instead of needing a recovery code.
	Enrol bool `json:"enrol,omitempty"`
	// Grace is until when who has not set it up gets in without, RFC 3339.
	Grace string `json:"grace,omitempty"`
}

// Asks tells whether the decision ever asks anybody for a second step.
func (t RuleThen) Asks() bool {
	return !t.Deny && (t.TwoFactor == "required" || t.TwoFactor == "optional")
}

// PolicyPreview says what a change of the policy would do, before it is saved.
type PolicyPreview struct {
	// Changes are what would be changed besides rules.
	Changes []Text `json:"changes"`
	// Rules are the rules that differ, in words.
	Rules []RuleChange `json:"rules"`
	// Users is how many there are; NoFactor must use two-factor authentication somewhere and have not set it up.
	Users    int `json:"users"`
	NoFactor int `json:"no_factor"`
	// Everywhere is what it means to them on our own pages and at most applications, At what it means besides at some.
	Everywhere Effects     `json:"everywhere"`
	At         []EffectsAt `json:"at,omitempty"`
	// Unlooked: not every user was looked at at each application.
	Unlooked bool `json:"unlooked,omitempty"`
	// LockedOut would get in no more somewhere without somebody's help. Named are some of those; MoreNamed is how many are not
	// named.
	LockedOut int         `json:"locked_out"`
	Named     []PersonRow `json:"named"`
	MoreNamed int         `json:"more_named,omitempty"`
	// Clients are the API clients that would get no more tokens. Partial: there were too many tokens to look at them all.
	Clients []CutOffRow `json:"clients"`
	Partial bool        `json:"partial,omitempty"`
	// Refusal is why it can't be saved, if it can't.
	Refusal Text `json:"refusal,omitzero"`
	// Draft is the change, sealed; it is posted along to Save, which saves it, or to Add, which lists the addresses of the
	// clients as networks and shows the preview of that. Add is empty where that would not help.
	Draft string `json:"draft"`
	Save  string `json:"save"`
	Add   string `json:"add,omitempty"`
	// Reportable: it is about one rule, which can be saved only to be reported.
	Reportable bool   `json:"reportable,omitempty"`
	Back       string `json:"back"`
}

// Nobody tells whether the change means nothing to any user as they are now, wherever they sign in.
func (p PolicyPreview) Nobody() bool {
	return !p.Everywhere.Any() && len(p.At)+p.LockedOut == 0 && !p.Unlooked
}

// Effects is what a change means, in numbers of users: More and Less are asked for more, or less, than now; Enrol have to set
// up two-factor authentication, and Another another second step than they have; LockedOut get in no more without help.
type Effects struct {
	More      int `json:"more"`
	Less      int `json:"less"`
	Enrol     int `json:"enrol"`
	Another   int `json:"another"`
	LockedOut int `json:"locked_out"`
}

// Any tells whether it means anything to anybody.
func (e Effects) Any() bool { return e != Effects{} }

// EffectsAt is what a change means at applications only.
type EffectsAt struct {
	// Names are those of some, Others is how many there are besides.
	Names  []string `json:"names"`
	Others int      `json:"others,omitempty"`
	Effects
}

// RuleChange is a rule that is added, removed, changed or moved.
type RuleChange struct {
	// What says what is done to it.
	What Text     `json:"what"`
	When RuleWhen `json:"when"`
	Then RuleThen `json:"then"`
	// ReportOnly: it is not enforced.
	ReportOnly bool `json:"report_only,omitempty"`
	// Place is where it stands then, from 1 on, Of all; 0 where it is removed.
	Place int `json:"place,omitempty"`
	Of    int `json:"of,omitempty"`
	// Idle: no user meets its conditions. Never: it decides on nobody. Earlier are the rules that decide first on users who do.
	Idle    bool      `json:"idle,omitempty"`
	Never   bool      `json:"never,omitempty"`
	Earlier []Earlier `json:"earlier,omitempty"`
}

// Earlier is a rule that decides first on Users.
type Earlier struct {
	Rule  string `json:"rule"`
	Users int    `json:"users"`
}

// CutOffRow is an API client that would get no more tokens.
type CutOffRow struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
	// Last is when it last got a token, RFC 3339.
	Last string `json:"last"`
}

// What a change of policy changes, of a {rule} or a {network}.
const (
	ChangeRuleAdded      = "change.rule_added"
	ChangeRuleRemoved    = "change.rule_removed"
	ChangeRuleChanged    = "change.rule_changed"
	ChangeRuleMoved      = "change.rule_moved"
	ChangeNetworkAdded   = "change.network_added"
	ChangeNetworkRemoved = "change.network_removed"
	ChangeNetworkChanged = "change.network_changed"
)

// LocksYouOut and LocksOwnerOut say whom a rule would keep out from an address; both the rule and the address may be empty.
func LocksYouOut(rule, address string) Text {
	switch {
	case rule == "" && address == "":
		return Say("preview.you_no_rule_nowhere")
	case rule == "":
		return Say("preview.you_no_rule", "address", address)
	case address == "":
		return Say("preview.you_nowhere", "rule", rule)
	default:
		return Say("preview.you", "rule", rule, "address", address)
	}
}

// LocksOwnerOut is LocksYouOut for an owner, whom an administrator can't lock out.
func LocksOwnerOut(rule, account string) Text {
	if rule == "" {
		return Say("preview.owner_no_rule", "account", account)
	}
	return Say("preview.owner", "rule", rule, "account", account)
}

// FreesOwner says by which rule an owner would not be asked for a second step, which an administrator can't take away.
func FreesOwner(rule, account string) Text {
	return Say("preview.frees_owner", "rule", rule, "account", account)
}

// LiftsFinancial says by which rule users would get in without the second step that a financial integration makes mandatory;
// without one, that the rule which makes it so has to stay.
func LiftsFinancial(rule string) Text {
	if rule == "" {
		return Say("preview.removes_financial")
	}
	return Say("preview.lifts_financial", "rule", rule)
}

// AboutValue says which of several values a problem is about.
func AboutValue(value string) Text {
	if value == "" {
		return Text{}
	}
	return Say("rule.about_value", "value", value)
}

// Template names the page's template.
func (Policy) Template() string        { return "policy" }
func (PolicyPreview) Template() string { return "policy_preview" }

func (Policy) part() string        { return "policy" }
func (PolicyPreview) part() string { return "policy" }

func (p PolicyPreview) problem() Text { return p.Refusal }
