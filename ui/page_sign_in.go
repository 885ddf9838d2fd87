package ui

import "encoding/json"

// SignIn asks for the name and password.
type SignIn struct {
	// Request is the sealed request that the sign-in is for.
	Request string `json:"request"`
	Login   string `json:"login,omitempty"`
	// App is the name of the application that asks.
	App string `json:"app,omitempty"`
	// Passkeys: a passkey alone signs in. Without a script there is nothing to show for it.
	Passkeys bool `json:"passkeys,omitempty"`
	// Forgot leads to where a forgotten password is put right; empty where that can't be had.
	Forgot string `json:"forgot,omitempty"`
	// Problem is what was wrong with the last try.
	Problem Text `json:"problem,omitzero"`
	// Notice is why the user is here again.
	Notice Text `json:"notice,omitzero"`
}

// ChooseTenant asks which of several accounts the user means, where name and password fit more than one.
type ChooseTenant struct {
	Request string `json:"request"`
	// Proof says, sealed, for which accounts the password was right.
	Proof   string   `json:"proof"`
	Tenants []Choice `json:"tenants"`
}

// Code asks for the answer to a factor's challenge at sign-in.
type Code struct {
	Factor  Factor `json:"factor"`
	Account string `json:"account"`
	// Digits is the length of the code; 0 where it is other text.
	Digits int `json:"digits,omitempty"`
	// Prompt is a sentence of the factor's own, Target where a code was sent, masked.
	Prompt string `json:"prompt,omitempty"`
	Target string `json:"target,omitempty"`
	// Options is what the page's script hands to the browser, where the script makes the answer; see mfa.Prompt. The page
	// then has no field, and says that it needs JavaScript where there is none.
	Options json.RawMessage `json:"options,omitempty"`
	// Again is where a POST has the code sent once more; AgainAt is from when on that works, RFC 3339.
	Again   string `json:"again,omitempty"`
	AgainAt string `json:"again_at,omitempty"`
	// Remember is for how many days the device can be remembered with this answer; 0: not offered. Kept tells that the
	// box was ticked before.
	Remember int  `json:"remember,omitempty"`
	Kept     bool `json:"kept,omitempty"`
	// Left is how many backup codes are left, before this one; 0 where that means nothing, or is not told.
	Left int `json:"left,omitempty"`
	// Recovery leads to where a recovery code is typed in; it is set on the page for backup codes.
	Recovery string `json:"recovery,omitempty"`
	// Support is where to turn without any way in: an e-mail address or an https URL. It is set where there are no Others.
	Support string `json:"support,omitempty"`
	// Action is where the answer is posted, Others where other ways are listed, Restart where the sign-in starts over.
	Action  string `json:"action"`
	Others  string `json:"others,omitempty"`
	Restart string `json:"restart"`
	// Reason is why somebody who is signed in is asked again, and Cancel leads away from there; both are empty at a sign-in.
	Reason  Text   `json:"reason,omitzero"`
	Cancel  string `json:"cancel,omitempty"`
	App     string `json:"app,omitempty"`
	Problem Text   `json:"problem,omitzero"`
	// Notice says what was just done, such as that another code is on its way.
	Notice Text `json:"notice,omitzero"`
	// Hint helps further with the problem, such as setting the phone's clock.
	Hint Text `json:"hint,omitzero"`
}

// Ways lists the ways to pass the second step.
type Ways struct {
	Account string `json:"account"`
	Ways    []Way  `json:"ways"`
	// Recovery leads to where a recovery code is typed in.
	Recovery string `json:"recovery,omitempty"`
	// Reset leads to where a user who lost everything asks for a mail; empty where that can't be had.
	Reset string `json:"reset,omitempty"`
	// Back leads to the prompt the user came from.
	Back    string `json:"back"`
	Restart string `json:"restart"`
	// Cancel is like that of Code.
	Cancel string `json:"cancel,omitempty"`
	// Owner: the user is one, whom another owner can help.
	Owner bool `json:"owner,omitempty"`
	// Support is where to turn when none of the ways works: an e-mail address or an https URL.
	Support string `json:"support,omitempty"`
}

// Way is one way to pass the second step, or one factor to set up.
type Way struct {
	Factor Factor `json:"factor"`
	// Name is the user's own name for the credential, or its masked number.
	Name string `json:"name,omitempty"`
	// Left is how many backup codes are left; negative where that means nothing, or is not told.
	Left int    `json:"left"`
	Path string `json:"path"`
}

// Template names the page's template.
func (SignIn) Template() string       { return "sign_in" }
func (ChooseTenant) Template() string { return "choose_tenant" }
func (Code) Template() string         { return "code" }
func (Ways) Template() string         { return "ways" }

func (p SignIn) problem() Text { return p.Problem }
func (p Code) problem() Text   { return p.Problem }
