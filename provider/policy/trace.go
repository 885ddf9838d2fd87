package policy

import "github.com/sallyport-id/sallyport/storage"

// Verdict is what Decide makes of one rule.
type Verdict struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name"`
	// Holds says whether all its conditions do. Of a rule whose conditions can't be read it is Yes.
	Holds Holds `json:"holds"`
	// Failed are the conditions that do not hold, and Untold those that can't be told: user_type, role, user, ticked,
	// network, not_network, client, client_tag, plan, integration, from, until.
	Failed []string `json:"failed,omitempty"`
	Untold []string `json:"untold,omitempty"`
	// ReportOnly: it is not enforced.
	ReportOnly bool `json:"report_only,omitempty"`
	// Decides: it is the rule that the decision names. Where the address is unknown others may have had their say in it.
	Decides bool `json:"decides,omitempty"`
	// Unreadable: a word of it is unknown, or a network does not parse. It denies where it holds.
	Unreadable bool `json:"unreadable,omitempty"`
}

// Trace says what Decide makes of each rule, in their order, those behind the one that decides included.
func Trace(rules []storage.Rule, f Facts) []Verdict {
	_, by := decide(rules, &f)
	verdicts := make([]Verdict, len(rules))
	for i := range rules {
		verdicts[i] = verdict(&rules[i], &f)
		verdicts[i].Decides = i == by
	}
	return verdicts
}

func verdict(r *storage.Rule, f *Facts) Verdict {
	v := Verdict{ID: r.ID, Name: r.Name, Holds: holds(&r.When, f), ReportOnly: r.ReportOnly}
	for i := range conditions {
		switch conditions[i].ask(&r.When, f) {
		case No:
			v.Failed = append(v.Failed, conditions[i].name)
		case Unknown, unreadable:
			v.Untold = append(v.Untold, conditions[i].name)
		}
	}
	_, ok := decision(r, f.Now)
	v.Unreadable = v.Holds == unreadable || !ok
	if v.Holds == unreadable {
		v.Holds = Yes
	}
	return v
}

// Turn says whether the conditions of the rule at a place hold, or may hold where the address is unknown, and which rule
// before it decides first, so that its turn never comes; -1 is none.
func Turn(rules []storage.Rule, place int, f Facts) (holding bool, first int) {
	if holds(&rules[place].When, &f) == No {
		return false, -1
	}
	for i := range place {
		r := &rules[i]
		if r.ReportOnly {
			continue
		}
		if h := holds(&r.When, &f); h == Yes || h == unreadable {
			return true, i
		}
	}
	return true, -1
}
