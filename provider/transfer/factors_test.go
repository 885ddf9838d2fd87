package transfer_test

import (
	"slices"
	"testing"

	"github.com/sallyport-id/sallyport/provider/transfer"
)

// Users who bring a second step along have it in their record, without a write more than others cost.
func TestImportedFactorsStandInTheRecord(t *testing.T) {
	w := newWorld(t)
	const key = "otpauth://totp/x?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	w.bring("email,totp\nwith@acme.example,"+key+"\nwithout@acme.example,\n", transfer.Options{})
	users := w.users("acme")
	with, without := users["with@acme.example"], users["without@acme.example"]
	if !slices.Equal(with.Factors, []string{"totp"}) || without.Factors != nil {
		t.Errorf("factors %v and %v, want totp and none", with.Factors, without.Factors)
	}
	if with.Version != without.Version {
		t.Errorf("written %d times, and %d without a second step", with.Version, without.Version)
	}
	w.bring("email,totp\nwithout@acme.example,"+key+"\n", transfer.Options{Update: true})
	if got := w.users("acme")["without@acme.example"].Factors; !slices.Equal(got, []string{"totp"}) {
		t.Errorf("brought along by an update: %v", got)
	}
}
