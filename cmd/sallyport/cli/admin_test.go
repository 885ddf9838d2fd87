package cli

import (
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
)

func TestUsersAreShownWithWhatKeepsThemOutAndWhatTheyHave(t *testing.T) {
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.Local)
	for want, u := range map[string]admin.User{
		"enabled":  {},
		"disabled": {Disabled: true},
		"enabled, locked by “this was not me” at 2026-03-01 08:00":  {Locked: at},
		"disabled, locked by “this was not me” at 2026-03-01 08:00": {Disabled: true, Locked: at},
	} {
		if got := userState(u); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for want, f := range map[string]admin.Factor{
		"sms (•••• 156), added 2026-03-01 08:00, last used –":                             {Factor: "sms", Note: "•••• 156", Left: -1, Created: at},
		`webauthn "Laptop" (synced), added 2026-03-01 08:00, last used 2026-03-01 08:00`:  {Factor: "webauthn", Name: "Laptop", Note: "synced", Left: -1, Created: at, LastUsed: at},
		"recovery, 1 left, expires 2026-03-01 09:00, added 2026-03-01 08:00, last used –": {Factor: "recovery", Left: 1, Expires: at.Add(time.Hour), Created: at},
		"totp, off after too many wrong codes, added 2026-03-01 08:00, last used –":       {Factor: "totp", Left: -1, Off: true, Created: at},
	} {
		if got := factorWords(f); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
