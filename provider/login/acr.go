package login

import (
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/storage"
)

// ACRs are the classes that a deployment with these factors can give, for discovery.
func (s *Service) ACRs() []string {
	acrs := []string{ACRPassword}
	var two, resistant, hardware bool
	for _, f := range s.Credentials.Factors {
		i := f.Info()
		two = two || !i.Backup
		resistant = resistant || i.PhishingResistant
		hardware = hardware || i.PhishingResistant && i.Hardware
	}
	if two {
		acrs = append(acrs, ACRTwoFactor)
	}
	if resistant {
		acrs = append(acrs, ACRPhishingResistant)
	}
	if hardware {
		acrs = append(acrs, ACRPhishingResistantHardware)
	}
	return acrs
}

// leastOf is what every sign-in to an application has to show. A word that can't be read asks for the most there is.
func leastOf(c *storage.Client) Want {
	switch {
	case c == nil || c.Strength == "":
		return Want{}
	case c.Strength == storage.StrengthTwoFactor:
		return Want{TwoFactor: true, Essential: true}
	case c.Strength == storage.StrengthPhishingResistant:
		return Want{PhishingResistant: true, Essential: true}
	default:
		return Want{PhishingResistant: true, Hardware: true, Essential: true}
	}
}

// level orders what second steps are wanted: each is met by what meets a higher one.
func (w Want) level() int {
	switch {
	case w.Hardware:
		return 3
	case w.PhishingResistant:
		return 2
	case w.TwoFactor:
		return 1
	default:
		return 0
	}
}

// atLeast is what a request wants, and no less than its application asks of all. What the request wants beyond that
// without insisting is wanted where the user has it, and done without elsewhere.
func atLeast(w, least Want, f storage.Flow, d policy.Decision, enrolled []Enrolled) Want {
	if least == (Want{}) {
		return w
	}
	least.Fresh = w.Fresh
	if w.level() <= least.level() {
		return least
	}
	if !w.Essential && !fits(f.Proofs, d, w) && (recovered(f.Proofs) || len(answerable(enrolled, d, w)) == 0) {
		return least
	}
	w.Essential = true
	return w
}

// want reads what a request asks for beyond the policy, as far as this user can give it: the first class in the
// list that the enrolled factors meet, else the first. Classes that nobody here can give are passed over; ok is false
// where that leaves nothing of an essential list.
func want(r Request, given []string, enrolled []Enrolled) (w Want, ok bool) {
	known := slices.DeleteFunc(slices.Clone(r.ACR), func(acr string) bool { return !slices.Contains(given, acr) })
	if len(known) == 0 {
		return Want{}, !r.Essential || len(r.ACR) == 0
	}
	chosen := known[0]
	for _, a := range known {
		if meets(enrolled, a) {
			chosen = a
			break
		}
	}
	w = Want{Essential: r.Essential}
	switch chosen {
	case ACRTwoFactor:
		w.TwoFactor = true
	case ACRPhishingResistant:
		w.PhishingResistant = true
	case ACRPhishingResistantHardware:
		w.PhishingResistant, w.Hardware = true, true
	}
	return w, true
}

func meets(enrolled []Enrolled, acr string) bool {
	switch acr {
	case ACRPassword:
		return true
	case ACRTwoFactor:
		return slices.ContainsFunc(enrolled, func(e Enrolled) bool { return !e.Backup && !e.Off })
	case ACRPhishingResistant:
		return slices.ContainsFunc(enrolled, func(e Enrolled) bool { return e.PhishingResistant && !e.Off })
	default:
		return slices.ContainsFunc(enrolled, func(e Enrolled) bool { return e.PhishingResistant && e.Hardware && !e.Off })
	}
}

// levels are the classes that proofs meet, the strongest first.
func levels(proofs []storage.Proof) []string {
	var password, second, resistant, hardware bool
	for _, p := range proofs {
		if p.Factor == PasswordProof {
			password = true
		}
		// Neither a remembered device nor an owner's code is a second factor.
		if !isSecond(p) || p.Recovery {
			continue
		}
		second = true
		password = password || p.Whole
		resistant = resistant || p.PhishingResistant
		hardware = hardware || p.PhishingResistant && p.Hardware
	}
	var met []string
	if hardware {
		met = append(met, ACRPhishingResistantHardware)
	}
	if resistant {
		met = append(met, ACRPhishingResistant)
	}
	if password && second {
		met = append(met, ACRTwoFactor)
	}
	return append(met, ACRPassword)
}

// acr is the class that was asked for and met, else the strongest met.
func acr(asked []string, proofs []storage.Proof) string {
	met := levels(proofs)
	for _, a := range asked {
		if slices.Contains(met, a) {
			return a
		}
	}
	return met[0]
}

// amr are the RFC 8176 values of what was used, in the order of use, and "mfa" where it was more than one kind.
func amr(proofs []storage.Proof) []string {
	var values []string
	for _, p := range proofs {
		for _, v := range p.AMR {
			if !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
	}
	if slices.Contains(levels(proofs), ACRTwoFactor) {
		values = append(values, "mfa")
	}
	return values
}

// authTime is when the user was last actively authenticated: the latest proof.
func authTime(proofs []storage.Proof) time.Time {
	var last time.Time
	for _, p := range proofs {
		if p.At.After(last) {
			last = p.At
		}
	}
	return last
}

// merge puts newer proofs in the place of older ones of the same kind.
func merge(older, newer []storage.Proof) []storage.Proof {
	kept := slices.DeleteFunc(slices.Clone(older), func(o storage.Proof) bool { return proved(newer, o.Factor) })
	return append(kept, newer...)
}
