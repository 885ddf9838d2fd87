package ui

import (
	"encoding/json"
)

// SetUpIntro says what setting up means, before it begins.
type SetUpIntro struct {
	Account string `json:"account"`
	// Forced: the sign-in can't go on without it. Rule names the policy rule that asks.
	Forced bool   `json:"forced,omitempty"`
	Rule   string `json:"rule,omitempty"`
	App    string `json:"app,omitempty"`
	// Recovered: a recovery code led here. Who goes on without needs another one the next time.
	Recovered bool `json:"recovered,omitempty"`
	// Factors are those that can be set up, the best first; each way's path is where its set-up begins (by POST).
	Factors []Way `json:"factors"`
	// Later, if set, goes on without, by POST.
	Later string `json:"later,omitempty"`
	// Cancel leads away from here.
	Cancel string `json:"cancel,omitempty"`
}

// What a SetUpInput asks for; they are values of mfa.Ask.
const (
	AskPhone = "phone"
	AskText  = "text"
)

// SetUpInput asks for what a factor has to know before its set-up begins, such as a phone number.
type SetUpInput struct {
	Factor  Factor `json:"factor"`
	Account string `json:"account"`
	Forced  bool   `json:"forced,omitempty"`
	// Ask is an mfa.Ask: AskPhone or AskText. The field is called "input".
	Ask string `json:"ask"`
	// Replaces is the masked number whose place the new one takes; empty where it is one more.
	Replaces string `json:"replaces,omitempty"`
	// Value is what was typed in before.
	Value string `json:"value,omitempty"`
	// Countries are those whose numbers are accepted, as ISO 3166-1 alpha-2 codes; none means all.
	Countries []string `json:"countries,omitempty"`
	Action    string   `json:"action"`
	Cancel    string   `json:"cancel"`
	Problem   Text     `json:"problem,omitzero"`
}

// SetUp shows what a factor needs to be set up, and asks for the first answer.
type SetUp struct {
	Factor  Factor `json:"factor"`
	Account string `json:"account"`
	Forced  bool   `json:"forced,omitempty"`
	// QR is the path of the picture; Key the same as text, in groups of four; URI the same as a link for phones.
	QR  string `json:"qr,omitempty"`
	Key string `json:"key,omitempty"`
	URI string `json:"uri,omitempty"`
	// Prompt is a sentence of the factor's own, Target where a code was sent, masked.
	Prompt string `json:"prompt,omitempty"`
	Target string `json:"target,omitempty"`
	// Options, Again and AgainAt are like those of Code.
	Options json.RawMessage `json:"options,omitempty"`
	Again   string          `json:"again,omitempty"`
	AgainAt string          `json:"again_at,omitempty"`
	// Edit leads back to the SetUpInput. Replaces: what is set up takes the place of another, as there.
	Edit     string `json:"edit,omitempty"`
	Replaces bool   `json:"replaces,omitempty"`
	// Only: there is nothing else that could be set up instead.
	Only    bool   `json:"only,omitempty"`
	Digits  int    `json:"digits,omitempty"`
	Action  string `json:"action"`
	Cancel  string `json:"cancel"`
	Problem Text   `json:"problem,omitzero"`
	Hint    Text   `json:"hint,omitzero"`
	Notice  Text   `json:"notice,omitzero"`
}

// BackupCodes shows a new set of codes, once.
type BackupCodes struct {
	Account string   `json:"account"`
	Codes   []string `json:"codes"`
	// First: they came with the first factor, which has just been turned on.
	First bool `json:"first,omitempty"`
	// Date is when they were made, as ISO 8601.
	Date string `json:"date"`
	// Action confirms that they are saved; Download is where the same codes come as a text file.
	Action   string `json:"action"`
	Download string `json:"download"`
	App      string `json:"app,omitempty"`
	Problem  Text   `json:"problem,omitzero"`
}

// Template names the page's template.
func (SetUpIntro) Template() string  { return "set_up_intro" }
func (SetUpInput) Template() string  { return "set_up_input" }
func (SetUp) Template() string       { return "set_up" }
func (BackupCodes) Template() string { return "backup_codes" }

// Only is the ID of the one factor that can be set up; empty where there is a choice.
func (p SetUpIntro) Only() string {
	if len(p.Factors) != 1 {
		return ""
	}
	return p.Factors[0].Factor.ID
}

// Few tells whether the countries are few enough to be named before somebody asks.
func (p SetUpInput) Few() bool { return len(p.Countries) > 0 && len(p.Countries) <= 8 }

func (p SetUpInput) problem() Text  { return p.Problem }
func (p SetUp) problem() Text       { return p.Problem }
func (p BackupCodes) problem() Text { return p.Problem }
