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
	// Devices is how many are remembered.
	Devices int `json:"devices"`
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

// Template names the page's template.
func (Overview) Template() string { return "overview" }
