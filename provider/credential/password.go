package credential

import (
	"context"
	"errors"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/ui"
)

// leastAlone is how many characters a password has at least where nothing stands behind it.
const leastAlone = 15

// LeastPassword is how many characters a new password of the person has at least, under a decision of the policy.
func (k *Keeper) LeastPassword(ctx context.Context, p Person, d policy.Decision) (int, error) {
	held, err := k.List(ctx, p)
	if err != nil {
		return 0, web.Unavailable("factors", err)
	}
	if d.TwoFactor != policy.Required && len(k.Primary(held)) == 0 {
		return leastAlone, nil
	}
	return directory.MinPassword, nil
}

// ErrPassword: the password is wrong.
var ErrPassword = errors.New("credential: wrong password")

// CheckNewPassword finds what can be told of a new password before it is set: it has at least so many characters, and is
// neither a common one nor made of what is known of the person or the product. *directory.PasswordError.
func (p Person) CheckNewPassword(password string, least int, product string) error {
	err := directory.CheckNew(password, p.User.Email, p.User.Login, p.User.Name, p.Tenant.Name, product)
	if err == nil && utf8.RuneCountInString(password) < least {
		err = &directory.PasswordError{Reason: directory.TooShort}
	}
	return err
}

// PasswordProblem says why a new password was refused. Without a key err is no such refusal.
func PasswordProblem(err error, least int) ui.Text {
	var bad *directory.PasswordError
	if !errors.As(err, &bad) {
		return ui.Text{}
	}
	switch bad.Reason {
	case directory.TooShort:
		return ui.Say(ui.ProblemPasswordShort, "n", least)
	case directory.TooLong:
		return ui.Say(ui.ProblemPasswordLong, "n", directory.MaxPassword)
	case directory.Common:
		return ui.Say(ui.ProblemPasswordCommon)
	case directory.Personal:
		return ui.Say(ui.ProblemPasswordPersonal)
	default:
		return ui.Say(ui.ProblemPasswordText)
	}
}
