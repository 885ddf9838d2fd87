package login

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/storage"
)

// The factors of the model: one that can be phished, one that can't, and a stand-in.
var (
	app      = Enrolled{Factor: "totp"}
	passkey  = Enrolled{Factor: "webauthn", PhishingResistant: true}
	standIn  = Enrolled{Factor: "backup", Backup: true}
	password = storage.Proof{Factor: PasswordProof}
	device   = storage.Proof{Factor: DeviceProof}
	owners   = storage.Proof{Factor: "recovery", Recovery: true}
)

func proofOf(e Enrolled) storage.Proof {
	return storage.Proof{Factor: e.Factor, PhishingResistant: e.PhishingResistant, Whole: e.PhishingResistant}
}

// every calls f with all combinations of what a step depends on.
func every(f func(fl storage.Flow, d policy.Decision, have []Enrolled, w Want)) {
	for bits := range 1 << 17 {
		on := func(i int) bool { return bits>>i&1 == 1 }
		var fl storage.Flow
		if on(0) {
			fl.Proofs = append(fl.Proofs, password)
		}
		if on(1) {
			fl.Proofs = append(fl.Proofs, proofOf(app))
		}
		if on(2) {
			fl.Proofs = append(fl.Proofs, proofOf(passkey))
		}
		if on(3) {
			fl.Codes = []byte("sealed")
		}
		if on(13) {
			fl.Proofs = append(fl.Proofs, device)
		}
		if on(14) {
			fl.Proofs = append(fl.Proofs, owners)
		}
		fl.Later = on(15)
		var have []Enrolled
		if on(4) {
			have = append(have, app, standIn)
		}
		if on(5) {
			have = append(have, passkey)
		}
		if on(6) {
			for i := range have {
				have[i].Off = true
			}
		}
		for _, two := range []policy.TwoFactor{policy.Required, policy.Optional, policy.Off, policy.Unavailable} {
			d := policy.Decision{Allow: on(7), TwoFactor: two, AnyStrength: on(8), EnrolAtLogin: on(9), Grace: on(10)}
			if on(16) {
				d.Remember = time.Hour
			}
			for _, w := range []Want{{}, {TwoFactor: true}, {PhishingResistant: true}} {
				w.Essential = on(11)
				if on(12) {
					d.Factors = []string{"webauthn"}
				}
				f(fl, d, have, w)
			}
		}
	}
}

func TestNextOverAllCombinations(t *testing.T) {
	reached := map[Kind]int{}
	every(func(fl storage.Flow, d policy.Decision, have []Enrolled, w Want) {
		st := Next(fl, d, have, w)
		reached[st.Kind]++
		fail := func(why string) {
			t.Helper()
			t.Fatalf("%s: step %v for proofs %v, codes %t, decision %+v, enrolled %+v, want %+v", why, st, fl.Proofs, fl.Codes != nil, d, have, w)
		}
		has := slices.ContainsFunc(have, func(e Enrolled) bool { return !e.Backup })
		ownersCode := proved(fl.Proofs, owners.Factor)
		second := proved(fl.Proofs, app.Factor) || proved(fl.Proofs, passkey.Factor)
		good := proved(fl.Proofs, app.Factor) && d.Allows(app.Factor, false) || proved(fl.Proofs, passkey.Factor) && d.Allows(passkey.Factor, true)
		remembered := proved(fl.Proofs, DeviceProof) && d.Remember > 0 && !w.TwoFactor && !w.PhishingResistant
		letIn := ownersCode && fl.Later
		if !d.Allow && st.Kind != Deny {
			fail("whom the policy denies gets no further")
		}
		if d.Allow && st.Kind == Deny {
			fail("denied without cause")
		}
		if d.Allow && !proved(fl.Proofs, PasswordProof) && !proved(fl.Proofs, passkey.Factor) && st.Kind != Password {
			fail("nothing comes before the password, or a passkey")
		}
		if st.Kind == Done {
			if d.TwoFactor == policy.Required && !good && !remembered && !letIn && (has || !d.Grace) {
				fail("in without the required second step")
			}
			if d.TwoFactor == policy.Optional && has && !good && !remembered && !letIn {
				fail("in past the user's own second step")
			}
			if fl.Codes != nil {
				fail("in before the backup codes were saved")
			}
			if w.Essential && w.TwoFactor && !second || w.Essential && w.PhishingResistant && !slices.ContainsFunc(fl.Proofs, func(p storage.Proof) bool { return p.PhishingResistant }) {
				fail("in without what is essential")
			}
		}
		if st.Kind == Enrol && has && !second && !ownersCode {
			fail("a password alone, or a remembered device, enrols past an existing factor")
		}
		if st.Kind == Prompt {
			if len(st.Factors) == 0 {
				fail("a prompt for nothing")
			}
			for _, id := range st.Factors {
				i := slices.IndexFunc(have, func(e Enrolled) bool { return e.Factor == id })
				if i < 0 || have[i].Off {
					fail("asks for a factor that the user does not have or that is off: " + id)
				}
			}
		} else if st.Factors != nil {
			fail("factors without a prompt")
		}
		if st.Kind == Enrol && d.TwoFactor == policy.Required && !d.EnrolAtLogin && !ownersCode {
			fail("sets up where only a recovery code lets in")
		}
	})
	for _, k := range []Kind{Deny, Password, Prompt, Enrol, SaveCodes, Recover, Unmet, Done} {
		if reached[k] == 0 {
			t.Errorf("no combination reached step %d", k)
		}
	}
}

// A sign-in that answers every prompt comes to an end: no step leads back to itself.
func TestNextComesToAnEnd(t *testing.T) {
	every(func(fl storage.Flow, d policy.Decision, have []Enrolled, w Want) {
		fl.Proofs = slices.Clone(fl.Proofs)
		have = slices.Clone(have)
		for range 6 {
			switch st := Next(fl, d, have, w); st.Kind {
			case Password:
				fl.Proofs = append(fl.Proofs, password)
			case SaveCodes:
				fl.Codes = nil
			case Prompt:
				i := slices.IndexFunc(have, func(e Enrolled) bool { return e.Factor == st.Factors[0] })
				fl.Proofs = append(fl.Proofs, proofOf(have[i]))
			case Enrol:
				e := app
				if !d.Allows(app.Factor, false) {
					e = passkey
				}
				have = append(have, e)
				fl.Proofs = append(fl.Proofs, proofOf(e))
			default:
				return
			}
		}
		t.Fatalf("no end for decision %+v, enrolled %+v, want %+v, proofs %v", d, have, w, fl.Proofs)
	})
}

func TestNextExamples(t *testing.T) {
	staff := policy.Decision{Allow: true, AnyStrength: true, EnrolAtLogin: true}
	recovery := staff
	recovery.EnrolAtLogin = false
	optional := staff
	optional.TwoFactor = policy.Optional
	off := staff
	off.TwoFactor = policy.Off
	grace := staff
	grace.Grace = true
	strong := policy.Decision{Allow: true, EnrolAtLogin: true}
	pw := storage.Flow{Proofs: []storage.Proof{password}}
	both := storage.Flow{Proofs: []storage.Proof{password, proofOf(app)}}
	back := storage.Flow{Proofs: []storage.Proof{password, owners}}
	later := back
	later.Later = true
	known := storage.Flow{Proofs: []storage.Proof{password, device}}
	whole := storage.Flow{Proofs: []storage.Proof{proofOf(passkey)}}
	remembering := staff
	remembering.Remember = time.Hour
	offApp := app
	offApp.Off = true
	for _, c := range []struct {
		name string
		flow storage.Flow
		d    policy.Decision
		have []Enrolled
		want Want
		step string
	}{
		{"000-5 password first", storage.Flow{}, staff, nil, Want{}, "{1 []}"},
		{"000-6 required, none: set up", pw, staff, nil, Want{}, "{3 []}"},
		{"000-8 required, has one: the code only", pw, staff, []Enrolled{app, standIn}, Want{}, "{2 [totp backup]}"},
		{"002-18 recovery code only", pw, recovery, nil, Want{}, "{5 []}"},
		{"both passed", both, staff, []Enrolled{app}, Want{}, "{7 []}"},
		{"optional, none", pw, optional, nil, Want{}, "{7 []}"},
		{"optional, has one", pw, optional, []Enrolled{app}, Want{}, "{2 [totp]}"},
		{"off, has one", pw, off, []Enrolled{app}, Want{}, "{7 []}"},
		{"off, but the application asks", pw, off, []Enrolled{app}, Want{TwoFactor: true}, "{2 [totp]}"},
		{"the application asks in vain", pw, optional, nil, Want{TwoFactor: true}, "{7 []}"},
		{"the application asks for more than is there, and the policy for a set-up", pw, staff, nil, Want{PhishingResistant: true}, "{3 []}"},
		{"the application insists: set up", pw, optional, nil, Want{TwoFactor: true, Essential: true}, "{3 []}"},
		{"the application insists on what can't be had", both, optional, []Enrolled{app}, Want{PhishingResistant: true, Essential: true}, "{6 []}"},
		{"grace", pw, grace, nil, Want{}, "{7 []}"},
		{"grace is for those without a factor", pw, grace, []Enrolled{app}, Want{}, "{2 [totp]}"},
		{"too weak a factor is proven before a better one is added", pw, strong, []Enrolled{app}, Want{}, "{2 [totp]}"},
		{"and then the better one is added", both, strong, []Enrolled{app}, Want{}, "{3 []}"},
		{"the only factor is off", pw, staff, []Enrolled{offApp}, Want{}, "{5 []}"},
		{"002-15 a recovery code leads to set-up", back, recovery, nil, Want{}, "{3 []}"},
		{"002-15 also past a factor that is lost", back, staff, []Enrolled{app, standIn}, Want{}, "{3 []}"},
		{"002-16 which can be put off", later, recovery, nil, Want{}, "{7 []}"},
		{"but not where an application insists", later, recovery, nil, Want{TwoFactor: true, Essential: true}, "{3 []}"},
		{"004-6 a remembered device", known, remembering, []Enrolled{app}, Want{}, "{7 []}"},
		{"004-7 which the policy no longer has", known, staff, []Enrolled{app}, Want{}, "{2 [totp]}"},
		{"a remembered device is no second factor", known, remembering, []Enrolled{app}, Want{TwoFactor: true}, "{2 [totp]}"},
		{"a remembered device is not fresh", known, remembering, []Enrolled{app}, Want{Fresh: true}, "{2 [totp]}"},
		{"a passkey is the whole sign-in", whole, strong, []Enrolled{passkey}, Want{}, "{7 []}"},
		{"the factor is off, backup codes are not", pw, staff, []Enrolled{offApp, standIn}, Want{}, "{2 [backup]}"},
	} {
		if got := fmt.Sprint(Next(c.flow, c.d, c.have, c.want)); got != c.step {
			t.Errorf("%s: step %s, want %s", c.name, got, c.step)
		}
	}
}
