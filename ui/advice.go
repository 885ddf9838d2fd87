package ui

import "slices"

// Advice is the one next step that is recommended. Without a Button there is nothing to do.
type Advice struct {
	Title  Text   `json:"title"`
	Body   Text   `json:"body"`
	Button Text   `json:"button,omitzero"`
	Path   string `json:"path,omitempty"`
	// Post: the path begins something, by POST; else it is a link.
	Post bool `json:"post,omitempty"`
	// Tone is "good", "info" or "warn".
	Tone string `json:"tone"`
}

// The factors, and the word about a credential, that advice is about.
const (
	factorPasskey = "webauthn"
	factorSMS     = "sms"
	noteCopied    = "copied"
)

// Advice picks the next step: what leaves the account weakest comes first.
func (s Security) Advice() Advice {
	copied := slices.IndexFunc(s.Factors, CredentialRow.Copied)
	switch {
	case copied >= 0:
		return s.Factors[copied].copiedAdvice()
	case !s.On:
		if len(s.Addable) == 0 {
			return Advice{}
		}
		return Advice{
			Title: Say("security.turn_on_title"), Body: Say("security.turn_on_text"), Button: Say("security.turn_on"),
			Path: PathTwoFactor, Tone: "warn",
		}
	case s.anyOff():
		return Advice{Title: Say("security.off_title"), Body: Say("security.off_text"), Tone: "warn"}
	case s.ByCode && s.CodesLeft > 0:
		a := Advice{Title: CodesUsed(s.CodesLeft), Body: Say("security.by_code_text"), Button: Say("security.by_code_button"), Path: PathSecurity, Tone: "info"}
		if s.CodesLeft <= few {
			a.Tone = "warn"
		}
		return a
	case s.CodesLeft <= 0:
		return Advice{
			Title: Say("security.codes_title"), Body: Say("security.codes_text"), Button: Say("security.codes_button"),
			Path: PathCodesNew, Tone: "warn",
		}
	// A set of one code is not running out.
	case s.CodesLeft <= few && s.CodesLeft < s.CodesMade:
		return Advice{
			Title: Say("security.codes_few_title", "n", s.CodesLeft), Body: Say("security.codes_few_text"),
			Button: Say("security.codes_new"), Path: PathCodesNew, Tone: "warn",
		}
	}
	if a, ok := s.addAdvice(); ok {
		return a
	}
	return Advice{Title: Say("security.fine_title"), Body: Say("security.fine_text"), Tone: "good"}
}

// copiedAdvice: the last factor can't be removed where one is required, so there is no button then.
func (c CredentialRow) copiedAdvice() Advice {
	a := Advice{Title: Say("security.copied_title"), Body: Say("security.copied_text"), Button: Say("security.remove"), Path: c.Remove, Tone: "warn"}
	if c.Remove == "" {
		a.Body, a.Button = Say("security.copied_last_text"), Text{}
	}
	return a
}

// addAdvice: messages alone are the weakest second step, and one credential alone may be lost. Who has more than that
// is not bothered with what would be safer still.
func (s Security) addAdvice() (Advice, bool) {
	a := Advice{Button: Say("security.set_up"), Post: true, Tone: "info"}
	has := func(id string) bool {
		return slices.ContainsFunc(s.Factors, func(c CredentialRow) bool { return c.Factor.ID == id })
	}
	safer := slices.IndexFunc(s.Addable, func(w Way) bool { return w.Factor.ID != factorSMS })
	passkey := slices.IndexFunc(s.Addable, func(w Way) bool { return w.Factor.ID == factorPasskey })
	messages := !slices.ContainsFunc(s.Factors, func(c CredentialRow) bool { return c.Factor.ID != factorSMS })
	switch {
	case len(s.Factors) == 0 || len(s.Addable) == 0:
		return Advice{}, false
	case messages && safer >= 0:
		a.Title, a.Body, a.Path = Say("security.safer_title"), Say("security.safer_text"), s.Addable[safer].Path
	case len(s.Factors) > 1:
		return Advice{}, false
	case passkey >= 0 && !has(factorPasskey):
		a.Title, a.Body, a.Path = Say("security.passkey_title"), Say("security.passkey_text"), s.Addable[passkey].Path
	default:
		a.Title, a.Body, a.Path = Say("security.another_title"), Say("security.another_text"), s.Addable[0].Path
	}
	return a, true
}

func (s Security) anyOff() bool {
	for _, f := range s.Factors {
		if f.Off {
			return true
		}
	}
	return false
}
