package ui

import "time"

// Audit lists entries of a tenant's audit log, for its owners and admins.
type Audit struct {
	// Action is where the search form leads, by GET, and Filter what it was sent with.
	Action string      `json:"action"`
	Filter AuditFilter `json:"filter"`
	// Groups are the kinds of actions that can be chosen; see AuditGroups.
	Groups []string `json:"groups"`
	// Outcomes are those that can be chosen.
	Outcomes []string `json:"outcomes"`
	// Problem is what is wrong with the filter, and Where the field: "user", "by", "address", "from" or "until"; or "verify",
	// where the log can't be checked.
	Problem Text   `json:"problem,omitzero"`
	Where   string `json:"where,omitempty"`

	Entries []AuditRow `json:"entries"`
	// Searched is how many entries were looked at for this page, Back the time of the last of them, RFC 3339.
	Searched int    `json:"searched"`
	Back     string `json:"back,omitempty"`
	// More leads on to older entries, if there are any; First back to the newest; All takes the filter away.
	More  string `json:"more,omitempty"`
	First string `json:"first,omitempty"`
	All   string `json:"all,omitempty"`
	// CSV and JSONLines are the downloads of all entries that the filter describes.
	CSV       string `json:"csv"`
	JSONLines string `json:"json_lines"`
	// Verify checks the chain, by POST. Checked is what came of it.
	Verify  string       `json:"verify"`
	Checked *AuditReport `json:"checked,omitempty"`
	// Days is for how many days entries are kept, 0 for good; Retention changes it, for owners.
	Days      int    `json:"days"`
	Retention string `json:"retention,omitempty"`
	Notice    Text   `json:"notice,omitzero"`
}

// Meant tells whether the filter could be meant: only then there are entries that fit it, or none.
func (p Audit) Meant() bool { return p.Problem.Key == "" || p.Where == "verify" }

// AuditFilter is what the search form of an audit log holds, as it was typed.
type AuditFilter struct {
	User    string `json:"user,omitempty"`
	By      string `json:"by,omitempty"`
	Action  string `json:"action,omitempty"`
	Outcome string `json:"outcome,omitempty"`
	Address string `json:"address,omitempty"`
	Text    string `json:"text,omitempty"`
	// From and Until are days, as 2006-01-02 in UTC; both are within.
	From  string `json:"from,omitempty"`
	Until string `json:"until,omitempty"`
}

// Any tells whether the filter leaves anything out.
func (f AuditFilter) Any() bool { return f != AuditFilter{} }

// More tells whether one of the conditions is set that are folded away.
func (f AuditFilter) More() bool {
	return f.By+f.Outcome+f.Address+f.From+f.Until != ""
}

// Exact tells whether the action is none of the groups, so that it stands in the list by itself.
func (p Audit) Exact() bool {
	for _, g := range p.Groups {
		if g == p.Filter.Action {
			return false
		}
	}
	return p.Filter.Action != ""
}

// auditGroups are the words of the groups of actions.
var auditGroups = [...]string{
	"audit.group.sign_ins", "audit.group.factors", "audit.group.recovery", "audit.group.users", "audit.group.policy",
	"audit.group.applications", "audit.group.tokens", "audit.group.webhooks", "audit.group.hooks", "audit.group.log",
}

const auditGroupPrefix = "audit.group."

// AuditGroups are the groups of actions that there are words for.
func AuditGroups() []string {
	groups := make([]string, len(auditGroups))
	for i, key := range auditGroups {
		groups[i] = key[len(auditGroupPrefix):]
	}
	return groups
}

// AuditRow is an entry of an audit log in a list.
type AuditRow struct {
	ID string `json:"id"`
	// Time is RFC 3339.
	Time string `json:"time"`
	// Action names what was tried, Outcome is "ok", "refused", "failed" or "sent".
	Action  string `json:"action"`
	Outcome string `json:"outcome"`
	// Who did it and Whom it was done to, by e-mail address or user name, or else by ID; Who may be AuditOperator. Own: they
	// are one.
	Who  string `json:"who,omitempty"`
	Whom string `json:"whom,omitempty"`
	Own  bool   `json:"own,omitempty"`
	// Factor is the second step that it was about, App the application's name.
	Factor Factor `json:"factor,omitzero"`
	App    string `json:"app,omitempty"`
	Rule   string `json:"rule,omitempty"`
	// Reason is a word of the program, or of whoever wrote a hook.
	Reason  string `json:"reason,omitempty"`
	Address string `json:"address,omitempty"`
	Browser string `json:"browser,omitempty"`
	// Path leads to all that is known of it.
	Path string `json:"path"`
}

// AuditOperator stands for whoever runs the deployment, where a user's name would stand.
const AuditOperator = "operator"

// AuditReport is what came of checking an audit log.
type AuditReport struct {
	// Entries is how many were read, Removed how many were taken off the beginning by the log's retention.
	Entries int `json:"entries"`
	Removed int `json:"removed"`
	// Head is the hash of the newest entry, and Last its ID: whoever keeps them elsewhere can tell a log that was cut short.
	Last string `json:"last"`
	Head string `json:"head"`
	// Faults are the first of what is wrong; More is how many there are beyond these.
	Faults []AuditFault `json:"faults,omitempty"`
	More   int          `json:"more,omitempty"`
}

// AuditFault is one thing that is wrong with an audit log.
type AuditFault struct {
	ID string `json:"id"`
	// Kind is "changed", "missing" or "unlinked"; Count is how many in a row are missing.
	Kind  string `json:"kind"`
	Count int    `json:"count"`
}

// AuditEntry is one entry of an audit log with all its fields.
type AuditEntry struct {
	Row AuditRow `json:"row"`
	// The fields as the log has them.
	Actor    string `json:"actor,omitempty"`
	User     string `json:"user,omitempty"`
	Client   string `json:"client,omitempty"`
	Agent    string `json:"agent,omitempty"`
	Reports  string `json:"reports,omitempty"`
	Request  string `json:"request,omitempty"`
	Previous string `json:"previous,omitempty"`
	Hash     string `json:"hash"`
	// Person leads to the page of whom it was done to, if the user is still there. The others lead to entries of the same
	// user, by the same actor, of the same action and from the same address.
	Person   string `json:"person,omitempty"`
	OfUser   string `json:"of_user,omitempty"`
	ByActor  string `json:"by_actor,omitempty"`
	OfAction string `json:"of_action"`
	From     string `json:"from,omitempty"`
	// Back leads to the list.
	Back string `json:"back"`
}

// AuditRetention sets for how many days a tenant's audit log is kept.
type AuditRetention struct {
	// Days is what was typed, or what holds; empty is for good. Least and Most bound it.
	Days  string `json:"days"`
	Least int    `json:"least"`
	Most  int    `json:"most"`
	// Action takes it, by POST.
	Action  string `json:"action"`
	Cancel  string `json:"cancel"`
	Problem Text   `json:"problem,omitzero"`
}

// AskRetention asks once before entries of the audit log are removed for good: {n} of them, from before {time}.
const AskRetention Question = "ask.retention"

// ShortenLog is the page that asks it: days is sent along.
func ShortenLog(action, cancel, days string, due int, before time.Time) Confirm {
	page := AskRetention.Page(action, cancel, "n", due)
	page.Body = Say(page.Body.Key, "time", Moment(before))
	page.Fields = []Pair{{"days", days}, {"sure", "yes"}}
	return page
}

// NoticeRetentionSaved: the audit log is kept as was said.
const NoticeRetentionSaved = "notice.retention_saved"

// Template implements Page.
func (Audit) Template() string { return "audit" }

// Template implements Page.
func (AuditEntry) Template() string { return "audit_entry" }

// Template implements Page.
func (AuditRetention) Template() string { return "audit_retention" }

func (Audit) part() string          { return "audit" }
func (AuditEntry) part() string     { return "audit" }
func (AuditRetention) part() string { return "audit" }

func (p AuditRetention) problem() Text { return p.Problem }
func (p Audit) problem() Text          { return p.Problem }

// Whole tells whether no fault was found.
func (r AuditReport) Whole() bool { return len(r.Faults) == 0 }

// At is the problem, if it is one of that field.
func (p Audit) At(field string) Text {
	if p.Where == field {
		return p.Problem
	}
	return Text{}
}
