package ui

// Forgot asks for the name of an account whose password was forgotten.
type Forgot struct {
	Login string `json:"login,omitempty"`
	// Request is the sealed request of the sign-in that it interrupts; it is posted along.
	Request string `json:"request,omitempty"`
	Action  string `json:"action"`
	Back    string `json:"back"`
	Problem Text   `json:"problem,omitzero"`
}

// NewPassword asks for a new password, after a mailed link. The field is called "password".
type NewPassword struct {
	Account string `json:"account"`
	// Invited is the name of the tenant that invites; empty where a password was forgotten.
	Invited string `json:"invited,omitempty"`
	// Least is how many characters it has at least.
	Least   int    `json:"least"`
	Action  string `json:"action"`
	Problem Text   `json:"problem,omitzero"`
}

// ResetTwoFactor asks, after a mailed link, for the password before all factors are taken off.
type ResetTwoFactor struct {
	Account string `json:"account"`
	// Required: a factor will have to be set up at the next sign-in.
	Required bool   `json:"required,omitempty"`
	Action   string `json:"action"`
	Problem  Text   `json:"problem,omitzero"`
}

// Template names the page's template.
func (Forgot) Template() string         { return "forgot" }
func (NewPassword) Template() string    { return "new_password" }
func (ResetTwoFactor) Template() string { return "reset_two_factor" }

func (p Forgot) problem() Text         { return p.Problem }
func (p NewPassword) problem() Text    { return p.Problem }
func (p ResetTwoFactor) problem() Text { return p.Problem }
