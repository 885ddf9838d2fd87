package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Page is one page's data. The struct is what its template is given, and what the API answers as JSON.
//
// Paths in pages start with a slash and are relative to the issuer; templates put the issuer's own path before them.
type Page interface {
	// Template is the name of the page's template, without its ending.
	Template() string
}

// Text is a sentence from the catalogues: its key, and what is filled in. A Text without a key is nothing to say.
type Text struct {
	Key string `json:"key"`
	// Data is filled into the sentence by name. Values are strings, ints, or further Texts; templates escape them.
	Data map[string]any `json:"data,omitempty"`
}

// Say makes a Text of a key and pairs of a name and a value. A name that is no string fills in nothing, and drawing the
// sentence then says what it lacks.
func Say(key string, pairs ...any) Text {
	t := Text{Key: key}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			continue
		}
		if t.Data == nil {
			t.Data = make(map[string]any, len(pairs)/2)
		}
		t.Data[name] = pairs[i+1]
	}
	return t
}

// UnmarshalJSON reads what a Text is marshalled as, so that one that was kept, or sealed into a link, is said as before:
// whole numbers are ints again, because they decide between singular and plural, and objects are Texts.
func (t *Text) UnmarshalJSON(data []byte) error {
	var raw struct {
		Key  string                     `json:"key"`
		Data map[string]json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*t = Text{Key: raw.Key}
	for name, value := range raw.Data {
		var v any
		var n int
		var inner Text
		switch {
		case json.Unmarshal(value, &n) == nil:
			v = n
		case bytes.HasPrefix(value, []byte("{")) && json.Unmarshal(value, &inner) == nil:
			v = inner
		default:
			var s string
			if err := json.Unmarshal(value, &s); err != nil {
				return fmt.Errorf("ui: text %q: %s: %w", raw.Key, name, err)
			}
			v = s
		}
		if t.Data == nil {
			t.Data = make(map[string]any, len(raw.Data))
		}
		t.Data[name] = v
	}
	return nil
}

// Frame is what surrounds every page.
type Frame struct {
	// Lang is a BCP 47 tag that the catalogues have.
	Lang string
	// Base is the issuer's path, without a slash at its end.
	Base string
	// Product is the deployment's name; Tenant the tenant's, once it is known who is asking.
	Product, Tenant string
	// Brand is how the tenant's pages look, once the tenant is known.
	Brand Brand
	// Account is the signed-in user's e-mail address or user name; empty on sign-in pages.
	Account string
	// Administers: the signed-in user is an owner or admin of the tenant.
	Administers bool
	// Request identifies the request in the log; it is shown with errors.
	Request string
}

// Brand is how a tenant's pages look. The zero Brand is the deployment's own look.
type Brand struct {
	// Logo is the path of the picture beside the name, of LogoWidth×LogoHeight pixels.
	Logo       string `json:"logo,omitempty"`
	LogoWidth  int    `json:"logo_width,omitempty"`
	LogoHeight int    `json:"logo_height,omitempty"`
	// Accent is the colour that was chosen, as Accent.Chosen.
	Accent string `json:"accent,omitempty"`
	// Help, Privacy and Terms are URLs that the foot of pages links to.
	Help    string `json:"help_url,omitempty"`
	Privacy string `json:"privacy_url,omitempty"`
	Terms   string `json:"terms_url,omitempty"`
}

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

// Choice is one of several.
type Choice struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Factor is a factor or credential as it is shown in lists and headings.
type Factor struct {
	// ID is the factor's ("totp"); templates look for its own words under "factor.ID.…".
	ID string `json:"id"`
	// Name is the factor's English name, for factors without words in the catalogues.
	Name string `json:"name"`
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
	// Left is how many backup codes are left, before this one; 0 where that means nothing.
	Left int `json:"left,omitempty"`
	// Recovery leads to where a recovery code is typed in; it is set on the page for backup codes.
	Recovery string `json:"recovery,omitempty"`
	// Support is where to turn without any way in: an e-mail address or an https URL. It is set where there are no Others.
	Support string `json:"support,omitempty"`
	// Action is where the answer is posted, Others where other ways are listed, Restart where the sign-in starts over.
	Action  string `json:"action"`
	Others  string `json:"others,omitempty"`
	Restart string `json:"restart"`
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
	// Support is where to turn when none of the ways works: an e-mail address or an https URL.
	Support string `json:"support,omitempty"`
}

// Way is one way to pass the second step, or one factor to set up.
type Way struct {
	Factor Factor `json:"factor"`
	// Name is the user's own name for the credential, or its masked number.
	Name string `json:"name,omitempty"`
	// Left is how many backup codes are left; negative where that means nothing.
	Left int    `json:"left"`
	Path string `json:"path"`
}

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
	Digits   int    `json:"digits,omitempty"`
	Action   string `json:"action"`
	Cancel   string `json:"cancel"`
	Problem  Text   `json:"problem,omitzero"`
	Hint     Text   `json:"hint,omitzero"`
	Notice   Text   `json:"notice,omitzero"`
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

// Confirm asks once before something that can't be undone, or that a link could have begun.
type Confirm struct {
	Title  Text   `json:"title"`
	Body   Text   `json:"body"`
	Button Text   `json:"button"`
	Action string `json:"action"`
	// Fields are sent along, hidden.
	Fields []Pair `json:"fields,omitempty"`
	Cancel string `json:"cancel"`
	Danger bool   `json:"danger,omitempty"`
}

// Pair is a name and its value.
type Pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Note says that something is done or how things stand, and where to go on.
type Note struct {
	Title Text `json:"title"`
	Body  Text `json:"body,omitzero"`
	// Next is where its button leads; empty: no button. It may be an absolute URL.
	Next   string `json:"next,omitempty"`
	Button Text   `json:"button,omitzero"`
}

// Error says what went wrong, in words for people, and what to do.
type Error struct {
	Title Text `json:"title"`
	Body  Text `json:"body,omitzero"`
	// Request identifies the request in the log.
	Request string `json:"request,omitempty"`
	// Next is where to go on, if there is such a place.
	Next   string `json:"next,omitempty"`
	Button Text   `json:"button,omitzero"`
}

// FormPost carries an authorization response to an application by POST (OAuth 2.0 Form Post Response Mode).
type FormPost struct {
	App    string `json:"app"`
	Action string `json:"action"`
	Fields []Pair `json:"fields"`
}

// Template names the page's template.
func (SignIn) Template() string         { return "sign_in" }
func (ChooseTenant) Template() string   { return "choose_tenant" }
func (Code) Template() string           { return "code" }
func (Ways) Template() string           { return "ways" }
func (SetUpIntro) Template() string     { return "set_up_intro" }
func (SetUp) Template() string          { return "set_up" }
func (SetUpInput) Template() string     { return "set_up_input" }
func (Forgot) Template() string         { return "forgot" }
func (NewPassword) Template() string    { return "new_password" }
func (ResetTwoFactor) Template() string { return "reset_two_factor" }
func (RecoveryCode) Template() string   { return "recovery_code" }
func (Person) Template() string         { return "person" }
func (People) Template() string         { return "people" }
func (BackupCodes) Template() string    { return "backup_codes" }
func (Security) Template() string       { return "security" }
func (Rename) Template() string         { return "rename" }
func (Confirm) Template() string        { return "confirm" }
func (Note) Template() string           { return "note" }
func (Error) Template() string          { return "error" }
func (FormPost) Template() string       { return "form_post" }
