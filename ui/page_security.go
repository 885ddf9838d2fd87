package ui

import "slices"

// Security is the profile's security page.
type Security struct {
	Account string `json:"account"`
	Name    string `json:"name"`
	// On tells whether a second step is asked.
	On bool `json:"on"`
	// Required: policy asks for it, by the rule named; it can't be turned off.
	Required bool   `json:"required,omitempty"`
	Rule     string `json:"rule,omitempty"`
	// Unavailable says why a second step can't be had, where it can't: "plan" or "user_type".
	Unavailable string          `json:"unavailable,omitempty"`
	Factors     []CredentialRow `json:"factors"`
	// Addable are the factors that can be set up.
	Addable []Way `json:"addable"`
	// CodesLeft is how many backup codes are left, of CodesMade; negative: there is no set.
	CodesLeft int `json:"codes_left"`
	CodesMade int `json:"codes_made,omitempty"`
	// ByCode: the last second step of this session was a backup code, and nothing was set up since.
	ByCode bool `json:"by_code,omitempty"`
	// Devices is how many are remembered.
	Devices int `json:"devices"`
	// Password: the user has one, last changed at PasswordSet, RFC 3339, where that is known. ChangePassword is where it is
	// changed, or a first one set.
	Password       bool   `json:"password,omitempty"`
	PasswordSet    string `json:"password_set,omitempty"`
	ChangePassword string `json:"change_password,omitempty"`
	// Notice says what was just done.
	Notice Text `json:"notice,omitzero"`
}

// CredentialRow is one of the user's factors. Times are RFC 3339; LastUsed is empty before the first use.
type CredentialRow struct {
	ID       string `json:"id"`
	Factor   Factor `json:"factor"`
	Name     string `json:"name"`
	Created  string `json:"created"`
	LastUsed string `json:"last_used,omitempty"`
	// Note is a masked number, or a word that the catalogues have under "factor.ID.note.NOTE".
	Note string `json:"note,omitempty"`
	// Off: switched off after too many wrong codes in a row, until another factor was used.
	Off bool `json:"off,omitempty"`
	// Rename and Remove are paths. Remove is empty for the last factor while policy requires one.
	Rename string `json:"rename"`
	Remove string `json:"remove,omitempty"`
}

// Rename asks for a new name of a credential.
type Rename struct {
	Factor Factor `json:"factor"`
	// Name is what it is called now, New what stands in the field.
	Name    string `json:"name"`
	New     string `json:"new"`
	Action  string `json:"action"`
	Cancel  string `json:"cancel"`
	Problem Text   `json:"problem,omitzero"`
}

// Template names the page's template.
func (Security) Template() string { return "security" }
func (Rename) Template() string   { return "rename" }

func (Security) part() string { return "security" }

// Kept tells whether one of the factors can't be removed.
func (s Security) Kept() bool {
	return slices.ContainsFunc(s.Factors, func(c CredentialRow) bool { return c.Remove == "" })
}

// Copied tells whether the credential was used in a way that only a copy explains.
func (c CredentialRow) Copied() bool { return c.Note == noteCopied }

func (p Rename) problem() Text { return p.Problem }
