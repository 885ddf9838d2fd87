package ui

// Details is what an account says of its user, and how the user is reached. Paths are empty where something can't be
// changed here, because the users are kept by another directory, or by the policy.
type Details struct {
	Account string `json:"account"`
	Name    string `json:"name"`
	Login   string `json:"login,omitempty"`
	// ChangeName leads to where the name is changed; the other paths like it lead to where what they name is.
	ChangeName string `json:"change_name,omitempty"`
	Email      string `json:"email,omitempty"`
	// Verified: somebody confirmed the address. VerifyEmail sends a mail with a link, by POST, where nobody did.
	Verified    bool   `json:"email_verified,omitempty"`
	VerifyEmail string `json:"verify_email,omitempty"`
	ChangeEmail string `json:"change_email,omitempty"`
	// Pending is a change of the address that waits to be confirmed.
	Pending *PendingEmail `json:"pending_email,omitempty"`
	// Password tells whether there is one; PasswordSet is when it was chosen, RFC 3339, where that is known.
	Password       bool       `json:"password,omitempty"`
	PasswordSet    string     `json:"password_set,omitempty"`
	ChangePassword string     `json:"change_password"`
	Phones         []PhoneRow `json:"phones,omitempty"`
	// AddPhone begins to set a number up.
	AddPhone string `json:"add_phone,omitempty"`
	// Languages are those that pages speak, each in its own words; Language is the ID of the one that was chosen, empty
	// for what the browser asks for. SetLanguage takes the choice, by POST.
	Languages   []Choice `json:"languages"`
	Language    string   `json:"language,omitempty"`
	SetLanguage string   `json:"set_language"`
	// Notice says what was just done.
	Notice Text `json:"notice,omitzero"`
}

// PendingEmail is a change of an e-mail address that waits to be confirmed.
type PendingEmail struct {
	To string `json:"to"`
	// NewWaits and OldWaits tell which address is still to be confirmed; Both that the present one was asked, too.
	NewWaits bool `json:"new_waits,omitempty"`
	OldWaits bool `json:"old_waits,omitempty"`
	Both     bool `json:"both,omitempty"`
	// Again has the mails sent again, Cancel ends the change; both by POST.
	Again  string `json:"again"`
	Cancel string `json:"cancel"`
}

// PhoneRow is a phone number that codes go to.
type PhoneRow struct {
	Factor Factor `json:"factor"`
	Name   string `json:"name"`
	// Number is masked.
	Number string `json:"number"`
	// Change is where the number is changed; empty where the policy does not want such factors any more.
	Change string `json:"change,omitempty"`
}

// ChangeName asks for the user's name.
type ChangeName struct {
	Name    string `json:"name"`
	Action  string `json:"action"`
	Cancel  string `json:"cancel"`
	Problem Text   `json:"problem,omitzero"`
}

// ChangeEmail asks for a new e-mail address. The field is called "email".
type ChangeEmail struct {
	// Present is the address of now; empty where there is none. Both: it is asked for its consent, too.
	Present string `json:"present,omitempty"`
	Both    bool   `json:"both,omitempty"`
	Email   string `json:"email,omitempty"`
	Action  string `json:"action"`
	Cancel  string `json:"cancel"`
	Problem Text   `json:"problem,omitzero"`
}

// ChangePassword asks for a new password, and for the one there is. The fields are called "current" and "password".
type ChangePassword struct {
	Account string `json:"account"`
	// Current: there is a password, which is asked for.
	Current bool `json:"current,omitempty"`
	// Least is how many characters the new one has at least.
	Least  int    `json:"least"`
	Action string `json:"action"`
	Cancel string `json:"cancel"`
	// Wrong is what is wrong with the current password, Problem with the new one.
	Wrong   Text `json:"wrong,omitzero"`
	Problem Text `json:"problem,omitzero"`
}

// Template names the page's template.
func (Details) Template() string        { return "details" }
func (ChangeName) Template() string     { return "change_name" }
func (ChangeEmail) Template() string    { return "change_email" }
func (ChangePassword) Template() string { return "change_password" }

func (p ChangeName) problem() Text  { return p.Problem }
func (p ChangeEmail) problem() Text { return p.Problem }
func (p ChangePassword) problem() Text {
	if p.Wrong.Key != "" {
		return p.Wrong
	}
	return p.Problem
}
