package ui

// Overview is the first page of the account: how it stands, and the one next step.
type Overview struct {
	Account string `json:"account"`
	Name    string `json:"name,omitempty"`
	// On tells whether a second step is asked. Unavailable says why none can be had, where none can: "plan" or "user_type".
	On          bool   `json:"on"`
	Unavailable string `json:"unavailable,omitempty"`
	Factors     []Held `json:"factors"`
	// CodesLeft is how many backup codes are left, of CodesMade; negative: there is no set.
	CodesLeft int `json:"codes_left"`
	CodesMade int `json:"codes_made,omitempty"`
	// Sessions is on how many browsers the user is signed in, Devices how many are remembered, and Apps how many applications
	// are connected.
	Sessions int `json:"sessions"`
	Devices  int `json:"devices"`
	Apps     int `json:"applications"`
	// LastSignIn is the time of the sign-in before this one, RFC 3339; empty if there was none.
	LastSignIn string `json:"last_sign_in,omitempty"`
	// Next is what to do next.
	Next Advice `json:"next,omitzero"`
	// Unverified is an e-mail address that nobody has confirmed yet; VerifyEmail sends a mail with a link, by POST.
	Unverified  string `json:"unverified,omitempty"`
	VerifyEmail string `json:"verify_email,omitempty"`
	// Notice says what was just done.
	Notice Text `json:"notice,omitzero"`
}

// Held is one of a user's factors, by its own name.
type Held struct {
	Factor Factor `json:"factor"`
	Name   string `json:"name"`
}

// Origin is where something came from, as far as that is known.
type Origin struct {
	// Browser is its name and that of its system, in a few words.
	Browser string `json:"browser,omitempty"`
	Address string `json:"address,omitempty"`
	// Place is where the address is thought to be, in the reader's language. Private: it is one of a private network.
	Place   string `json:"place,omitempty"`
	Private bool   `json:"private_network,omitempty"`
}

// Devices lists where the user is signed in, and which browsers are remembered.
type Devices struct {
	// Sessions are the browsers that are signed in: this one, and then the one used last first. More is how many there are
	// beyond those.
	Sessions []SessionRow `json:"sessions"`
	More     int          `json:"more,omitempty"`
	// EndOthers asks before all others are signed out; empty where there are none.
	EndOthers string `json:"end_others,omitempty"`
	// Devices are the remembered ones, the one used last first.
	Devices []DeviceRow `json:"devices"`
	// ForgetAll forgets all of them, by POST; empty where there are none.
	ForgetAll string `json:"forget_all,omitempty"`
	// Notice says what was just done.
	Notice Text `json:"notice,omitzero"`
}

// SessionRow is a browser that is signed in. Times are RFC 3339.
type SessionRow struct {
	ID string `json:"id"`
	Origin
	Created  string `json:"created"`
	LastUsed string `json:"last_used"`
	// Remembered: the second step is not asked for in its browser. It is forgotten when the session is ended.
	Remembered bool `json:"remembered,omitempty"`
	// This: the page is looked at in it.
	This bool `json:"this,omitempty"`
	// End signs it out, by POST; empty for this one.
	End string `json:"end,omitempty"`
}

// DeviceRow is a remembered device. Times are RFC 3339.
type DeviceRow struct {
	ID string `json:"id"`
	Origin
	Created  string `json:"created"`
	LastUsed string `json:"last_used,omitempty"`
	// Until is when it is forgotten.
	Until string `json:"until"`
	// This: the page is looked at on it.
	This bool `json:"this,omitempty"`
	// Forget forgets it, by POST.
	Forget string `json:"forget"`
}

// Activity lists what happened with the user's account, the newest first.
type Activity struct {
	Entries []ActivityRow `json:"entries"`
	// More leads to what was before, and First back to the newest; empty where there is nothing.
	More  string `json:"more,omitempty"`
	First string `json:"first,omitempty"`
	// EndOthers and Password lead to what helps where somebody else was in: signing out everywhere else, and a new password.
	EndOthers string `json:"end_others"`
	Password  string `json:"password,omitempty"`
}

// ActivityRow is one thing that happened.
type ActivityRow struct {
	ID string `json:"id"`
	// Time is RFC 3339.
	Time string `json:"time"`
	// Action names what was tried, Outcome is "ok", "refused", "failed" or "sent".
	Action  string `json:"action"`
	Outcome string `json:"outcome"`
	// Own: the user did it, or somebody who was taken for the user. Else Who is the name of who did; it may be AuditOperator.
	Own bool   `json:"own"`
	Who string `json:"who,omitempty"`
	// Factor is what was used or changed, App the application that it was about.
	Factor Factor `json:"factor,omitzero"`
	App    string `json:"app,omitempty"`
	Origin
}

// Connected lists the applications that have access to the user's account.
type Connected struct {
	Apps []ConnectedRow `json:"applications"`
	// Notice says what was just done.
	Notice Text `json:"notice,omitzero"`
}

// ConnectedRow is an application that the user signed in to. Times are RFC 3339.
type ConnectedRow struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Scopes are what it may see and do.
	Scopes []string `json:"scopes"`
	// Offline: it has access also while the user is not there.
	Offline bool `json:"offline,omitempty"`
	// Since is when the access that there is began.
	Since    string `json:"since"`
	LastUsed string `json:"last_used,omitempty"`
	// Revoke asks before its access is ended.
	Revoke string `json:"revoke"`
}

// What users ask and are told about what is theirs.
const (
	// AskEndOthers: all other sessions are to end. AskRevoke: the access of the application {name} is to end.
	AskEndOthers Question = "ask.end_others"
	AskRevoke    Question = "ask.revoke"

	// NoticeSessionEnded and NoticeSessionsEnded: a browser was signed out, or all others; NoticeSessionForgotten: and is no
	// longer remembered. NoticeRevoked: {name} has no access any more.
	NoticeSessionEnded     = "notice.session_ended"
	NoticeSessionForgotten = "notice.session_forgotten"
	NoticeSessionsEnded    = "notice.sessions_ended"
	NoticeRevoked          = "notice.revoked"
)

// Template names the page's template.
func (Overview) Template() string  { return "overview" }
func (Devices) Template() string   { return "devices" }
func (Activity) Template() string  { return "activity" }
func (Connected) Template() string { return "connected" }

func (Overview) part() string  { return "overview" }
func (Devices) part() string   { return "devices" }
func (Activity) part() string  { return "activity" }
func (Connected) part() string { return "connected" }
