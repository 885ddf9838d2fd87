package ui

// Advice is the one next step that the security page recommends. Without a Button there is nothing to do.
type Advice struct {
	Title, Body, Button Text
	Path                string
	// Post: the path begins something, by POST; else it is a link.
	Post bool
	// Tone is "good", "info" or "warn".
	Tone string
}

// Advice picks the next step: what leaves the account weakest comes first.
func (s Security) Advice() Advice {
	switch {
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
	case len(s.Factors) == 1 && len(s.Addable) > 0:
		return Advice{
			Title: Say("security.another_title"), Body: Say("security.another_text"),
			Button: Say("security.set_up"), Path: s.Addable[0].Path, Post: true, Tone: "info",
		}
	default:
		return Advice{Title: Say("security.fine_title"), Body: Say("security.fine_text"), Tone: "good"}
	}
}

func (s Security) anyOff() bool {
	for _, f := range s.Factors {
		if f.Off {
			return true
		}
	}
	return false
}
