package ui

// RecoveryCode shows, once, a code that an owner hands to a user.
type RecoveryCode struct {
	// Account and Name are the user's.
	Account string `json:"account"`
	Name    string `json:"name,omitempty"`
	Code    string `json:"code"`
	// Until is when it expires, RFC 3339.
	Until string `json:"until"`
	// Revoke takes it back, by POST; Back leads on.
	Revoke string `json:"revoke"`
	Back   string `json:"back"`
}

// People lists a tenant's users, for its owners and admins.
type People struct {
	// Find is what was looked for: an e-mail address or user name. Action is where the search form leads, by GET.
	Find   string      `json:"find,omitempty"`
	Action string      `json:"action"`
	People []PersonRow `json:"people"`
	// Next leads to the next page, if there is one; First back to the first.
	Next  string `json:"next,omitempty"`
	First string `json:"first,omitempty"`
	// Notice says what was just done.
	Notice Text `json:"notice,omitzero"`
}

// PersonRow is one user in a list.
type PersonRow struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	Name    string `json:"name"`
	// Role is "owner", "admin" or "member"; Type the tenant's word for the kind of user.
	Role string `json:"role"`
	Type string `json:"type"`
	// TwoFactor tells whether a second step is set up.
	TwoFactor bool `json:"two_factor"`
	// Out: disabled or locked; nobody gets in.
	Out bool `json:"out,omitempty"`
	// You: the user who looks at the page.
	You bool `json:"you,omitempty"`
	// Required: an admin ticked "must use 2FA" for this one user.
	Required bool `json:"required,omitempty"`
	// Path leads to the page of this user.
	Path string `json:"path"`
	// HandOut makes a recovery code, by POST, and Revoke takes back the one that is alive; empty where that can't be had.
	HandOut string `json:"hand_out,omitempty"`
	Revoke  string `json:"revoke,omitempty"`
	// Until is when the code that is alive expires, RFC 3339.
	Until string `json:"until,omitempty"`
	// Unlock lets a locked user in again, by POST.
	Unlock string `json:"unlock,omitempty"`
}

// Person is one user, for the tenant's owners and admins.
type Person struct {
	Row PersonRow `json:"row"`
	// Roles are those that may be chosen, Types the tenant's user types; where Action is empty nothing may be changed.
	Roles  []string `json:"roles"`
	Types  []string `json:"types"`
	Action string   `json:"action,omitempty"`
	// Own: it is the page of the user who looks at it, whose role somebody else has to change.
	Own bool `json:"own,omitempty"`
	// Factors are what the user has set up; they can't be changed one by one.
	Factors []CredentialRow `json:"factors"`
	// CodesLeft is how many backup codes are left; negative: there is no set.
	CodesLeft int `json:"codes_left"`
	// Devices and Sessions count the remembered devices and the browsers that are signed in.
	Devices  int `json:"devices"`
	Sessions int `json:"sessions"`
	// LastSignIn is RFC 3339, empty before the first.
	LastSignIn string `json:"last_sign_in,omitempty"`
	// Disabled and Locked tell why nobody gets in: an admin took the access away, or "this was not me" was said.
	Disabled bool `json:"disabled,omitempty"`
	Locked   bool `json:"locked,omitempty"`
	// What can be done, by POST; empty where it can't: Reset takes all factors off, End ends all sessions, Forget all
	// remembered devices, Disable takes the access away and Enable gives it back.
	Reset   string `json:"reset,omitempty"`
	End     string `json:"end,omitempty"`
	Forget  string `json:"forget,omitempty"`
	Disable string `json:"disable,omitempty"`
	Enable  string `json:"enable,omitempty"`
	// Back leads to the list.
	Back   string `json:"back"`
	Notice Text   `json:"notice,omitzero"`
}
