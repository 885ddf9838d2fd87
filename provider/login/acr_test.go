package login

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/storage"
)

func TestAtLeast(t *testing.T) {
	open := policy.Decision{Allow: true, AnyStrength: true}
	appOnly := open
	appOnly.Factors = []string{"totp"}
	mfa, phr := leastOf(&storage.Client{Strength: "mfa"}), leastOf(&storage.Client{Strength: "phr"})
	resistant := Want{PhishingResistant: true}
	insisting := Want{PhishingResistant: true, Essential: true}
	both := []Enrolled{app, passkey}
	for name, c := range map[string]struct {
		want, least Want
		d           policy.Decision
		have        []Enrolled
		proofs      []storage.Proof
		is          Want
	}{
		"no strength":                             {resistant, leastOf(&storage.Client{}), open, both, nil, resistant},
		"our own pages":                           {Want{Fresh: true}, leastOf(nil), open, both, nil, Want{Fresh: true}},
		"nothing wanted":                          {Want{}, mfa, open, both, nil, mfa},
		"less wanted":                             {Want{TwoFactor: true}, phr, open, both, nil, phr},
		"the same, without insisting":             {Want{TwoFactor: true}, mfa, open, both, nil, mfa},
		"more, and the user has it":               {resistant, mfa, open, both, nil, insisting},
		"more, and the user has shown it":         {resistant, mfa, open, nil, []storage.Proof{proofOf(passkey)}, insisting},
		"more, and the user has it not":           {resistant, mfa, open, []Enrolled{app}, nil, mfa},
		"more, and the rule does not accept it":   {resistant, mfa, appOnly, both, nil, mfa},
		"more, and it was lost":                   {resistant, mfa, open, both, []storage.Proof{owners}, mfa},
		"more, insisting":                         {insisting, mfa, open, []Enrolled{app}, nil, insisting},
		"a word that nobody can read":             {Want{}, leastOf(&storage.Client{Strength: "MFA"}), open, both, nil, Want{PhishingResistant: true, Hardware: true, Essential: true}},
		"the request's wish to be fresh is there": {Want{Fresh: true}, mfa, open, both, nil, Want{TwoFactor: true, Essential: true, Fresh: true}},
	} {
		if got := atLeast(c.want, c.least, storage.Flow{Proofs: c.proofs}, c.d, c.have); got != c.is {
			t.Errorf("%s: %+v, want %+v", name, got, c.is)
		}
	}
}

// Whatever a request asks for, nobody is in without what the application asks of all; and a request that asks for more
// without insisting shuts nobody out.
func TestNextHoldsTheApplicationsStrength(t *testing.T) {
	for _, least := range []Want{{TwoFactor: true, Essential: true}, {PhishingResistant: true, Essential: true}} {
		done := 0
		every(func(fl storage.Flow, d policy.Decision, have []Enrolled, w Want) {
			if fl.Codes != nil {
				return
			}
			st := Next(fl, d, have, atLeast(w, least, fl, d, have))
			second := proved(fl.Proofs, app.Factor) || proved(fl.Proofs, passkey.Factor)
			resistant := proved(fl.Proofs, passkey.Factor)
			if st.Kind == Done {
				done++
				if !second || least.PhishingResistant && !resistant || w.Essential && w.PhishingResistant && !resistant {
					t.Fatalf("in with proofs %v, where the application asks for %+v and the request for %+v", fl.Proofs, least, w)
				}
			}
			if alone := Next(fl, d, have, least).Kind; !w.Essential && alone != st.Kind && (st.Kind == Unmet || st.Kind == Recover) {
				t.Fatalf("step %d in place of %d, because the request wished for %+v: proofs %v, decision %+v, enrolled %+v", st.Kind, alone, w, fl.Proofs, d, have)
			}
		})
		if done == 0 {
			t.Errorf("nobody is in, where the application asks for %+v", least)
		}
	}
}

// The stricter of two decisions lets nobody in whom one of the two would not.
func TestNextUnderTheStricterDecision(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	yes := func() bool { return random.IntN(2) == 0 }
	decide := func() policy.Decision {
		d := policy.Decision{
			Allow: random.IntN(8) > 0, TwoFactor: policy.TwoFactor(random.IntN(4)), AnyStrength: yes(), EnrolAtLogin: yes(), Grace: yes(),
			Factors: [][]string{nil, {"totp"}, {"webauthn"}, {"totp", "webauthn", "backup"}}[random.IntN(4)],
		}
		if yes() {
			d.Remember = time.Hour
		}
		return d
	}
	reached := map[Kind]int{}
	for range 300_000 {
		fl := storage.Flow{Proofs: []storage.Proof{password}, Later: yes()}
		for _, p := range []storage.Proof{proofOf(app), proofOf(passkey), device, owners, {Factor: DeviceProof, Stands: "webauthn", PhishingResistant: true}} {
			if random.IntN(3) == 0 {
				fl.Proofs = append(fl.Proofs, p)
			}
		}
		have := [][]Enrolled{nil, {app, standIn}, {passkey}, {app, passkey, standIn}}[random.IntN(4)]
		w := []Want{{}, {TwoFactor: true, Essential: true}, {PhishingResistant: true, Essential: true}, {Fresh: true}}[random.IntN(4)]
		a, b := decide(), decide()
		strict := policy.Strictest(a, b)
		step := Next(fl, strict, have, w)
		reached[step.Kind]++
		if step.Kind != Done {
			continue
		}
		for _, d := range []policy.Decision{a, b} {
			if got := Next(fl, d, have, w); got.Kind != Done {
				t.Fatalf("in under %+v, but step %v under %+v: proofs %v, enrolled %v, want %+v", strict, got, d, fl.Proofs, have, w)
			}
		}
	}
	for _, k := range []Kind{Deny, Prompt, Enrol, Recover, Unmet, Done} {
		if reached[k] == 0 {
			t.Errorf("step %d was never reached", k)
		}
	}
	if n := reached[Done]; n < 10_000 {
		t.Errorf("only %d were let in", n)
	}
}
