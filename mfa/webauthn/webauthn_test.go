package webauthn

import (
	"testing"
	"time"

	virtual "github.com/descope/virtualwebauthn"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/mfatest"
)

func TestContract(t *testing.T) {
	for name, options := range map[string]virtual.AuthenticatorOptions{
		"device": {},
		"synced": {BackupEligible: true, BackupState: true},
	} {
		t.Run(name, func(t *testing.T) {
			browsers := map[string]*browser{} // by set-up
			mfatest.Run(t, mfatest.Case{
				New:      func(testing.TB, func() time.Time) mfa.Factor { return Factor{} },
				Hosted:   true,
				Lifetime: Life,
				Wrong:    func(right string) string { return spoil(t, right) },
				Answer: func(t testing.TB, q mfatest.Question) string {
					b := browsers[string(q.Setup.State)]
					if b == nil {
						b = newBrowser(options)
						browsers[string(q.Setup.State)] = b
					}
					if q.Nth == 0 {
						return b.create(t, q.Asked)
					}
					if !options.BackupEligible { // passkeys that are synced always say 0
						b.passkey.Counter++
					}
					return b.get(t, q.Asked)
				},
			})
		})
	}
}
