package login

import (
	"slices"

	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/storage"
)

// What is proven without a factor, as the Factor of its proof.
const (
	PasswordProof = "password"
	// DeviceProof is that of a remembered device. It answers the policy's question, and nobody else's.
	DeviceProof = "device"
)

// Enrolled is one factor that the user has, as far as the next step depends on it.
type Enrolled struct {
	Factor            string
	PhishingResistant bool
	Hardware          bool
	// Backup factors stand in for others, and are no second step by themselves.
	Backup bool
	// Off: switched off after too many wrong answers in a row.
	Off bool
}

// Want is what a request asks for beyond the policy.
type Want struct {
	// TwoFactor: a second step although the policy asks for none.
	TwoFactor bool
	// PhishingResistant: a second step that resists phishing; Hardware: one whose key lives in hardware besides.
	PhishingResistant bool
	Hardware          bool
	// Fresh: a second step, if the user has one, although neither policy nor application asks for it.
	Fresh bool
	// Essential: without it the sign-in fails; else it is done without.
	Essential bool
}

// Kind says what a step is.
type Kind int

const (
	// Deny: the policy does not let the user in.
	Deny Kind = iota
	// Password: the password is to be proven.
	Password
	// Prompt: one of Factors is to be answered.
	Prompt
	// Enrol: a factor is to be set up.
	Enrol
	// SaveCodes: new backup codes are to be saved.
	SaveCodes
	// Recover: nothing that the user has will do; an owner of the tenant must help.
	Recover
	// Unmet: what the application insists on can't be had.
	Unmet
	// Done: nothing is left to do.
	Done
)

// Step is where a sign-in stands.
type Step struct {
	Kind Kind
	// Factors are the IDs of the factors that can be answered, for Prompt.
	Factors []string
}

// Next computes the step from what is on record: what was proven, what the policy decides, what the user has
// enrolled, and what the request wants. It is pure, and nothing stores its result.
func Next(f storage.Flow, d policy.Decision, enrolled []Enrolled, w Want) Step {
	switch {
	case !d.Allow:
		return Step{Kind: Deny}
	case !begun(f.Proofs):
		return Step{Kind: Password}
	case len(f.Codes) > 0:
		return Step{Kind: SaveCodes}
	}
	return second(f, d, enrolled, w)
}

// second decides on the second step.
func second(f storage.Flow, d policy.Decision, enrolled []Enrolled, w Want) Step {
	proofs := f.Proofs
	has := slices.ContainsFunc(enrolled, func(e Enrolled) bool { return !e.Backup })
	if w.Fresh && has && !showsSecond(proofs) {
		if usable := answerable(enrolled, d, w); len(usable) > 0 {
			return Step{Kind: Prompt, Factors: usable}
		}
		return anyFactor(enrolled)
	}
	required := d.TwoFactor == policy.Required && !(d.Grace && !has)
	asked := required || d.TwoFactor == policy.Optional && has
	wanted := w.TwoFactor || w.PhishingResistant
	if !asked && !wanted {
		return Step{Kind: Done}
	}
	switch {
	case fits(proofs, d, w):
		return Step{Kind: Done}
	case !wanted && slices.ContainsFunc(proofs, func(p storage.Proof) bool { return stands(p, d) }):
		return Step{Kind: Done}
	case recovered(proofs):
		return afterRecovery(f, d, w)
	}
	if usable := answerable(enrolled, d, w); has && len(usable) > 0 {
		return Step{Kind: Prompt, Factors: usable}
	}
	// From here on the user has nothing that would do.
	if !asked && !w.Essential {
		return Step{Kind: Done}
	}
	if asked && !w.Essential && fits(proofs, d, Want{}) {
		return Step{Kind: Done}
	}
	return without(proofs, d, enrolled, has, w)
}

// afterRecovery leads whoever came in by an owner's code to set up a factor. It can be put off, and then the next sign-in
// needs another code; but not where an application insists on what the code is not.
func afterRecovery(f storage.Flow, d policy.Decision, w Want) Step {
	switch {
	case w.Essential && w.PhishingResistant:
		return Step{Kind: Unmet}
	case fits(f.Proofs, d, Want{}): // set up by now
		return Step{Kind: Done}
	case f.Later && !(w.Essential && w.TwoFactor):
		return Step{Kind: Done}
	default:
		return Step{Kind: Enrol}
	}
}

// anyFactor asks for any factor that the user has, accepted by the policy or not.
func anyFactor(enrolled []Enrolled) Step {
	if usable := on(enrolled); len(usable) > 0 {
		return Step{Kind: Prompt, Factors: usable}
	}
	return Step{Kind: Recover}
}

// without finds the way on for somebody who has no factor that would do.
func without(proofs []storage.Proof, d policy.Decision, enrolled []Enrolled, has bool, w Want) Step {
	// Who has a factor proves it before another is added, whatever its strength: a password alone never enrols past
	// an existing factor.
	if has && !showsSecond(proofs) {
		return anyFactor(enrolled)
	}
	switch {
	case w.PhishingResistant && w.Essential, d.TwoFactor == policy.Unavailable:
		return Step{Kind: Unmet}
	case d.EnrolAtLogin || d.TwoFactor != policy.Required:
		return Step{Kind: Enrol}
	default:
		return Step{Kind: Recover}
	}
}

// begun tells whether the first proof is in: a password, or what is a sign-in by itself.
func begun(proofs []storage.Proof) bool {
	return slices.ContainsFunc(proofs, func(p storage.Proof) bool { return p.Factor == PasswordProof || p.Whole })
}

// isSecond tells whether a proof was given with something that the user has. A remembered device is only what is left
// of one that was given before.
func isSecond(p storage.Proof) bool { return p.Factor != PasswordProof && p.Factor != DeviceProof }

func showsSecond(proofs []storage.Proof) bool { return slices.ContainsFunc(proofs, isSecond) }

// provesOwner tells whether the password was shown together with a second step of the user's own.
func provesOwner(proofs []storage.Proof) bool {
	return proved(proofs, PasswordProof) && slices.ContainsFunc(proofs, func(p storage.Proof) bool { return isSecond(p) && !p.Recovery })
}

func recovered(proofs []storage.Proof) bool {
	return slices.ContainsFunc(proofs, func(p storage.Proof) bool { return p.Recovery })
}

// stands tells whether a proof is of a remembered device that answers for the second step: rules differ by application
// and network, and one that asks for more, or remembers for less, is not answered by what another was content with.
func stands(p storage.Proof, d policy.Decision) bool {
	return p.Factor == DeviceProof && p.At.Sub(p.Since) < d.Remember && d.Allows(p.Stands, p.PhishingResistant)
}

// fits tells whether one of the proofs is the second step that is asked for.
func fits(proofs []storage.Proof, d policy.Decision, w Want) bool {
	return slices.ContainsFunc(proofs, func(p storage.Proof) bool {
		return isSecond(p) && !p.Recovery && d.Allows(p.Factor, p.PhishingResistant) && (!w.PhishingResistant || p.PhishingResistant) && (!w.Hardware || p.Hardware)
	})
}

// answerable are the enrolled factors whose right answer would be enough.
func answerable(enrolled []Enrolled, d policy.Decision, w Want) []string {
	return on(slices.DeleteFunc(slices.Clone(enrolled), func(e Enrolled) bool {
		return !d.Allows(e.Factor, e.PhishingResistant) || w.PhishingResistant && !e.PhishingResistant || w.Hardware && !e.Hardware
	}))
}

// on are the factors that are not switched off, each once.
func on(enrolled []Enrolled) []string {
	var ids []string
	for _, e := range enrolled {
		if !e.Off && !slices.Contains(ids, e.Factor) {
			ids = append(ids, e.Factor)
		}
	}
	return ids
}

func proved(proofs []storage.Proof, factor string) bool {
	return slices.ContainsFunc(proofs, func(p storage.Proof) bool { return p.Factor == factor })
}
