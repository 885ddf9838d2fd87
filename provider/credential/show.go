package credential

import (
	"errors"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/totp"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Page is the page of a set-up, but for who it is for and where it leads.
func (u SettingUp) Page() ui.SetUp {
	i := u.Factor.Info()
	return ui.SetUp{
		Factor: ui.Factor{ID: i.ID, Name: i.Name}, Key: groups(u.Prompt.Secret), URI: u.Prompt.URI,
		Prompt: u.Prompt.Text, Target: u.Prompt.Target, Options: u.Prompt.Options, Digits: u.Input.Digits,
		Replaces: u.Replaces != "",
	}
}

// Refusal finds the words for a question that can't be put, in a language.
func (k *Keeper) Refusal(lang string, r *mfa.Refused) ui.Text {
	switch r.Reason {
	case mfa.Country:
		return ui.Say(ui.ProblemInputCountry, "countries", ui.Countries(lang, r.Allowed))
	case mfa.Often:
		return ui.Say(ui.ProblemSentOften, "n", max(1, web.Minutes(r.Until.Sub(k.Now()))))
	case mfa.Budget:
		return ui.Say(ui.ProblemSentBudget)
	case mfa.Undeliverable:
		return ui.Say(ui.ProblemSentUndeliverable)
	case mfa.Gateway:
		return ui.Say(ui.ProblemSentGateway)
	default:
		return ui.Say(ui.ProblemInputMalformed)
	}
}

// NameOf is what a credential is called: by its user, or after its factor and what tells it from others.
func NameOf(c storage.Credential, f mfa.Factor) string {
	if c.Name != "" {
		return c.Name
	}
	return f.Info().Name
}

// groups puts a space after each fourth character.
func groups(key string) string {
	var b strings.Builder
	for i, r := range key {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// qrSize is the edge of the picture in pixels: sharp on screens of double density at half of it.
const qrSize = 512

// QR draws what an authenticator app scans.
func (u SettingUp) QR() (web.Result, error) {
	if u.Prompt.URI == "" {
		return web.Result{}, web.ErrNotFound
	}
	png, err := totp.QR(u.Prompt.URI, qrSize)
	if err != nil {
		return web.Result{}, err
	}
	return web.Result{File: &web.File{Type: "image/png", Data: png}}, nil
}

// CodesFile is a download of backup codes: one a line, nothing else.
func CodesFile(codes []string) web.Result {
	return web.Result{File: &web.File{
		Type: "text/plain; charset=utf-8", Name: "backup-codes.txt", Data: []byte(strings.Join(codes, "\n") + "\n"),
	}}
}

// Words explain an answer that was not accepted.
type Words struct {
	// Problem says which; without a key the check could not be made, and there is nothing to say of the answer.
	Problem ui.Text
	// Hint helps further.
	Hint ui.Text
	// Wait is how long no more answers are looked at.
	Wait time.Duration
}

// Explain finds the words for an error of Answer or ConfirmEnrolment.
func (k *Keeper) Explain(f mfa.Factor, err error) Words {
	var locked *Locked
	var wrong *mfa.Wrong
	switch {
	case errors.As(err, &locked):
		wait := locked.Until.Sub(k.Now())
		return Words{Problem: ui.Say(ui.ProblemCodeTries, "n", web.Minutes(wait)), Wait: wait}
	case errors.Is(err, ErrOff):
		return Words{Problem: ui.Say(ui.ProblemFactorOff)}
	case errors.Is(err, mfa.ErrWrong) && f.Info().Input.Script:
		// Nobody typed it, so there is nothing to say of its characters.
		return Words{Problem: ui.Say(ui.ProblemPasskey)}
	case errors.As(err, &wrong):
		w := Words{Problem: ui.CodeProblem(string(wrong.Reason), wrong.Want)}
		if f.Info().Clock && wrong.Reason == mfa.Mismatch {
			w.Hint = ui.ClockHint(k.Now(), wrong.Drift)
		}
		return w
	case errors.Is(err, mfa.ErrWrong):
		return Words{Problem: ui.CodeProblem(string(mfa.Mismatch), 0)}
	default:
		return Words{}
	}
}
