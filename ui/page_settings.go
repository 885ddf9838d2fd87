package ui

// Settings are what a tenant's owners and admins choose for all of its users. Fields are named as in the API.
type Settings struct {
	Digits int `json:"totp_digits"`
	// Algorithm is "SHA1" or "SHA256".
	Algorithm string `json:"totp_algorithm"`
	Codes     int    `json:"backup_codes"`
	// Idle is in minutes, and Idles are those that can be chosen.
	Idle  int   `json:"session_idle_minutes"`
	Idles []int `json:"-"`
	// Reset is "on", "off" or "members".
	Reset   string `json:"email_reset"`
	Support string `json:"support,omitempty"`
	// Language is the ID of the language of those who ask for none, empty where there is none, and Languages are those that
	// there are, each in its own words.
	Language  string   `json:"language,omitempty"`
	Languages []Choice `json:"-"`
	// Countries are those that the deployment sends text messages to; none where it sends none at all. Only: they go to those
	// alone that are ticked.
	Countries []Country `json:"countries,omitempty"`
	Only      bool      `json:"only,omitempty"`
	// What the deployment has set: the plan, how many text messages are sent a day (0: its own number), and for how many days
	// the audit log is kept (0: for good), which Retention leads to where the actor may set that.
	Plan      string `json:"plan,omitempty"`
	Budget    int    `json:"sms_budget"`
	AuditDays int    `json:"audit_days"`
	Retention string `json:"retention,omitempty"`

	Action string `json:"action"`
	// Problems are by field, and under the empty name that of the whole.
	Problems map[string]Text `json:"problems,omitempty"`
	Notice   Text            `json:"notice,omitzero"`
}

// Country is one that can be ticked.
type Country struct {
	// Code is ISO 3166-1 alpha-2.
	Code string `json:"code"`
	On   bool   `json:"on,omitempty"`
}

// Template names the page's template.
func (Settings) Template() string { return "settings" }

func (Settings) part() string { return "settings" }

// Few tells whether the countries are few enough to stand there before anybody asks.
func (p Settings) Few() bool { return len(p.Countries) <= 12 }

// Span is a time of so many minutes, in words.
func (Settings) Span(minutes int) Text {
	if minutes%60 == 0 {
		return Say("settings.hours", "n", minutes/60)
	}
	return Say("settings.minutes", "n", minutes)
}

// Branding is where a tenant's look is changed. The page itself looks as it says.
type Branding struct {
	// Name, Accent, Help, Privacy, Terms and Signature are what stands in the fields.
	Name      string `json:"name"`
	Accent    string `json:"accent"`
	Help      string `json:"help_url"`
	Privacy   string `json:"privacy_url"`
	Terms     string `json:"terms_url"`
	Signature string `json:"signature"`
	// Signed are the lines at the foot of mails with it.
	Signed []string `json:"-"`
	// Picked is what the field for picking a colour holds: the accent, or ours where there is none.
	Picked string `json:"picked"`
	// Look is how pages look with it, and Title the name on them; Tried: it is not saved yet.
	Look  Brand  `json:"look"`
	Title string `json:"title"`
	Tried bool   `json:"tried,omitempty"`
	// Light and Dark are what pages show for the accent, empty where there is none; Adjusted: the light one is another.
	Light    string `json:"light,omitempty"`
	Dark     string `json:"dark,omitempty"`
	Adjusted bool   `json:"adjusted,omitempty"`

	Action string `json:"action"`
	// SetLogo takes a file, RemoveLogo takes the logo away and is empty where there is none, both by POST.
	SetLogo    string `json:"set_logo"`
	RemoveLogo string `json:"remove_logo,omitempty"`
	// Problems are by field, and under the empty name that of the whole.
	Problems map[string]Text `json:"problems,omitempty"`
	Notice   Text            `json:"notice,omitzero"`
}

// OurAccent is the accent of pages whose tenant has chosen none: that of app.css.
const OurAccent = "#0b5d6e"

// Template names the page's template.
func (Branding) Template() string { return "branding" }

func (Branding) part() string { return "branding" }

// Show fills in what pages show for the accent that they are to have.
func (p *Branding) Show(accent Accent) {
	p.Light, p.Dark, p.Adjusted = accent.Light, accent.Dark, accent.Adjusted()
}

func (p Settings) problem() Text { return oneOf(p.Problems) }
func (p Branding) problem() Text { return oneOf(p.Problems) }

func (p Branding) brand() Brand { return p.Look }

// What was done to settings and look.
const (
	NoticeSettingsSaved = "notice.settings_saved"
	NoticeBrandingSaved = "notice.branding_saved"
	NoticeLogoSaved     = "notice.logo_saved"
	NoticeLogoRemoved   = "notice.logo_removed"
)
