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
	// Filter is what was asked for. Action is where its form leads, by GET.
	Filter Filter `json:"filter"`
	Action string `json:"action"`
	// Types are the tenant's user types.
	Types  []Choice    `json:"types"`
	People []PersonRow `json:"people"`
	// Count is how many the filter describes, where an index tells; negative: it does not. All and TwoFactor count all users,
	// and those of them who have a second step.
	Count     int `json:"count"`
	All       int `json:"all"`
	TwoFactor int `json:"two_factor"`
	// More: so many were found that not all are shown; typing more finds fewer.
	More bool `json:"more,omitempty"`
	// Next leads to the next page, if there is one; First back to the first.
	Next  string `json:"next,omitempty"`
	First string `json:"first,omitempty"`
	// Unprotected are owners and admins without a second step; they are set where nothing is asked for.
	Unprotected []PersonRow `json:"unprotected,omitempty"`
	// RemindAll asks all of them to set one up, by POST; empty where there is nobody who can be asked.
	RemindAll string `json:"remind_all,omitempty"`
	// SoleOwner: whoever looks at it is the only owner who can sign in. InviteOwner leads to the invitation of another.
	SoleOwner   bool   `json:"sole_owner,omitempty"`
	InviteOwner string `json:"invite_owner,omitempty"`
	// Invite leads to the form for an invitation, EditTypes to the user types, and Import, for owners, to files of users.
	Invite    string `json:"invite"`
	EditTypes string `json:"edit_types"`
	Import    string `json:"import,omitempty"`
	// Notice says what was just done.
	Notice Text `json:"notice,omitzero"`
}

// Filter is what is asked for in a list of users. What is empty does not matter.
type Filter struct {
	// Find is what an e-mail address, user name, name or surname begins with.
	Find string `json:"find,omitempty"`
	// TwoFactor is "on" or "off", Type one of the tenant's user types, Role a role, State "invited".
	TwoFactor string `json:"two_factor,omitempty"`
	Type      string `json:"type,omitempty"`
	Role      string `json:"role,omitempty"`
	State     string `json:"state,omitempty"`
}

// Set tells whether anything is asked for.
func (f Filter) Set() bool { return f != Filter{} }

// PersonRow is one user in a list.
type PersonRow struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	Name    string `json:"name"`
	// Role is "owner", "admin" or "member"; Type the tenant's kind of user.
	Role string `json:"role"`
	Type Choice `json:"type"`
	// TwoFactor tells whether a second step is set up.
	TwoFactor bool `json:"two_factor"`
	// Out: disabled or locked; nobody gets in.
	Out bool `json:"out,omitempty"`
	// Invited: an invitation has not been taken up; Expired: its link works no longer.
	Invited bool `json:"invited,omitempty"`
	Expired bool `json:"expired,omitempty"`
	// You: the user who looks at the page.
	You bool `json:"you,omitempty"`
	// Required: an admin ticked "must use 2FA" for this one user.
	Required bool `json:"required,omitempty"`
	// Unreachable: there is no e-mail address that is known to be the user's.
	Unreachable bool `json:"unreachable,omitempty"`
	// Path leads to the page of this user.
	Path string `json:"path"`
	// Until is when the recovery code that is alive expires, RFC 3339.
	Until string `json:"until,omitempty"`
	PersonActions
}

// PersonActions are what can be done to a user: by POST, but Email, Reset, Disable, Delete and Withdraw, which ask before.
// Those that can't be done are empty.
type PersonActions struct {
	// HandOut makes a recovery code, and Revoke takes back the one that is alive.
	HandOut string `json:"hand_out,omitempty"`
	Revoke  string `json:"revoke,omitempty"`
	// Unlock lets a locked user in again.
	Unlock string `json:"unlock,omitempty"`
	// Remind asks the user by mail to set up a second step.
	Remind string `json:"remind,omitempty"`
	// Invite mails an invitation to a user who has no password. Again mails another, and Withdraw takes it back.
	Invite   string `json:"invite,omitempty"`
	Again    string `json:"again,omitempty"`
	Withdraw string `json:"withdraw,omitempty"`
	// Email leads to where the e-mail address is changed.
	Email string `json:"email,omitempty"`
	// End ends all sessions, and Forget all remembered devices.
	End    string `json:"end,omitempty"`
	Forget string `json:"forget,omitempty"`
	// Reset takes all factors off.
	Reset string `json:"reset,omitempty"`
	// Disable takes the access away, and Enable gives it back.
	Disable string `json:"disable,omitempty"`
	Enable  string `json:"enable,omitempty"`
	// Delete removes the user for good.
	Delete string `json:"delete,omitempty"`
}

// Any tells whether anything can be done.
func (a PersonActions) Any() bool { return a != PersonActions{} }

// Ends tells whether anything can be done that takes access or account away, or gives the access back.
func (a PersonActions) Ends() bool { return a.ends() != PersonActions{} }

// Helps tells whether anything else can be done, which is for the user's sake.
func (a PersonActions) Helps() bool { return a != a.ends() }

func (a PersonActions) ends() PersonActions {
	return PersonActions{Enable: a.Enable, Disable: a.Disable, Withdraw: a.Withdraw, Delete: a.Delete}
}

// Person is one user, for the tenant's owners and admins.
type Person struct {
	Row PersonRow `json:"row"`
	// Roles are those that may be chosen, Types the tenant's user types; where Action is empty nothing may be changed.
	Roles  []string `json:"roles"`
	Types  []Choice `json:"types"`
	Action string   `json:"action,omitempty"`
	// RequiredBy is the rule that demands two-factor authentication of the user already, ticked or not; empty: none does.
	RequiredBy string `json:"required_by,omitempty"`
	// Where is the field whose value was refused, and Problem why.
	Where   string `json:"where,omitempty"`
	Problem Text   `json:"problem,omitzero"`
	// Own: it is the page of the user who looks at it, whose role somebody else has to change.
	Own bool `json:"own,omitempty"`
	// Factors are what the user has set up; they can't be changed one by one.
	Factors []CredentialRow `json:"factors"`
	// CodesLeft is how many backup codes are left; negative: there is no set.
	CodesLeft int `json:"codes_left"`
	// Devices and Sessions count the remembered devices and the browsers that are signed in.
	Devices  int `json:"devices"`
	Sessions int `json:"sessions"`
	// LastSignIn is RFC 3339, empty before the first. Invited is when the user was mailed an invitation that has not been
	// taken up, and Expires when its link stops working.
	LastSignIn string `json:"last_sign_in,omitempty"`
	Invited    string `json:"invited,omitempty"`
	Expires    string `json:"expires,omitempty"`
	// Disabled and Locked tell why nobody gets in: an admin took the access away, or "this was not me" was said.
	Disabled bool `json:"disabled,omitempty"`
	Locked   bool `json:"locked,omitempty"`
	// NoPassword: there is none, and no invitation to choose one is open. Unconfirmed: nobody has confirmed the
	// e-mail address, which the user can once signed in.
	NoPassword  bool `json:"no_password,omitempty"`
	Unconfirmed bool `json:"unconfirmed,omitempty"`
	// Activity leads to what the audit log has about the user.
	Activity string `json:"activity,omitempty"`
	// Why leads to what a sign-in of the user would be asked for, and because of which rule.
	Why string `json:"why,omitempty"`
	// Back leads to the list.
	Back   string `json:"back"`
	Notice Text   `json:"notice,omitzero"`
}

// PersonEmail asks for another e-mail address of a user, and tells what comes of it. The field is called "email".
type PersonEmail struct {
	// Account and Name are the user's.
	Account string `json:"account"`
	Name    string `json:"name,omitempty"`
	// Present is the address of now, empty where there is none. Told: it is known to be the user's, and told of the change.
	Present string `json:"present,omitempty"`
	Told    bool   `json:"told,omitempty"`
	// Invited: an invitation is open, and goes to the new address.
	Invited bool   `json:"invited,omitempty"`
	Email   string `json:"email,omitempty"`
	Action  string `json:"action"`
	Cancel  string `json:"cancel"`
	Problem Text   `json:"problem,omitzero"`
}

// Invite asks who is to be invited by mail.
type Invite struct {
	Email string `json:"email,omitempty"`
	Name  string `json:"name,omitempty"`
	Role  string `json:"role"`
	Type  string `json:"type"`
	// Required: the user must use two-factor authentication.
	Required bool `json:"required,omitempty"`
	// Roles are those that may be given, Types the tenant's user types.
	Roles []string `json:"roles"`
	Types []Choice `json:"types"`
	// Days is for how many days the invitation is good.
	Days   int    `json:"days"`
	Action string `json:"action"`
	Cancel string `json:"cancel"`
	// Where is the field whose value was refused, and Problem why.
	Where   string `json:"where,omitempty"`
	Problem Text   `json:"problem,omitzero"`
}

// UserTypes lists a tenant's user types, for its owners and admins.
type UserTypes struct {
	Types []UserTypeRow `json:"types"`
	// Action adds one, by POST; New is the name that was typed in.
	Action string `json:"action"`
	New    string `json:"new,omitempty"`
	// Problem is why it was refused.
	Problem Text   `json:"problem,omitzero"`
	Back    string `json:"back"`
	Notice  Text   `json:"notice,omitzero"`
}

// UserTypeRow is one user type in a list. Its actions are empty where there is nothing to be done.
type UserTypeRow struct {
	Type Choice `json:"type"`
	// Users counts its users, TwoFactor those of them who have a second step; People leads to them.
	Users     int    `json:"users"`
	TwoFactor int    `json:"two_factor"`
	People    string `json:"people"`
	// Rename leads to where it is renamed, Remove to where that is asked; Up and Down put it elsewhere, by POST.
	Rename string `json:"rename"`
	Up     string `json:"up,omitempty"`
	Down   string `json:"down,omitempty"`
	Remove string `json:"remove,omitempty"`
}

// UserType asks for a new name of a user type.
type UserType struct {
	Type Choice `json:"type"`
	// New is what stands in the field; empty stands for the words that there are without a name of the tenant's own.
	New     string `json:"new"`
	Action  string `json:"action"`
	Cancel  string `json:"cancel"`
	Problem Text   `json:"problem,omitzero"`
}

// Template names the page's template.
func (RecoveryCode) Template() string { return "recovery_code" }
func (Person) Template() string       { return "person" }
func (People) Template() string       { return "people" }
func (Invite) Template() string       { return "invite" }
func (PersonEmail) Template() string  { return "person_email" }
func (UserTypes) Template() string    { return "user_types" }
func (UserType) Template() string     { return "user_type" }

func (p Person) problem() Text      { return p.Problem }
func (p Invite) problem() Text      { return p.Problem }
func (p PersonEmail) problem() Text { return p.Problem }
func (p UserTypes) problem() Text   { return p.Problem }
func (p UserType) problem() Text    { return p.Problem }
