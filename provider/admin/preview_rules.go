package admin

import (
	"cmp"
	"slices"

	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/storage"
)

// watched is a rule of which it is counted on whom it decides.
type watched struct {
	// change is how it differs, at is its place among the rules of after.
	change string
	at     int
	// decides counts the users on whom it does, first those on whom an earlier rule does.
	decides int
	first   map[int]int
}

// watch finds the rules that are new, say something else, or are asked before others that they stood behind.
func watch(before, after []storage.Rule) []watched {
	was, places := byID(before), map[string]int{}
	for i, r := range before {
		places[r.ID] = i
	}
	var all []watched
	for i, r := range after {
		o, there := was[r.ID]
		var change string
		switch {
		case !there:
			change = RuleAdded
		case !sameRule(o, r):
			change = RuleChanged
		case slices.ContainsFunc(after[i+1:], func(behind storage.Rule) bool {
			at, there := places[behind.ID]
			return there && at < places[r.ID]
		}):
			change = RuleMoved
		default:
			continue
		}
		all = append(all, watched{change: change, at: i, first: map[int]int{}})
	}
	return all
}

// turn is whether a rule decides on a user: by its conditions none of the sign-ins is its, or it decides on one, or else an
// earlier rule does, whose place is turn less the constant.
type turn int

const (
	notMeant turn = iota
	itsTurn
	earlier
)

// turns adds what a sign-in tells of the turns of the rules that are watched.
func (f *foreseer) turns(known []turn, facts policy.Facts) {
	for i := range f.rules {
		r := &f.rules[i]
		if known[i] == itsTurn || f.after.Rules[r.at].ReportOnly {
			continue
		}
		switch holds, first := policy.Turn(f.after.Rules, r.at, facts); {
		case holds && first < 0:
			known[i] = itsTurn
		case holds && known[i] == notMeant:
			known[i] = earlier + turn(first)
		}
	}
}

func (r *watched) count(t turn) {
	switch t {
	case notMeant:
	case itsTurn:
		r.decides++
	default:
		r.first[int(t-earlier)]++
	}
}

// ruleEffects says what becomes of the rules that differ.
func ruleEffects(before, after []storage.Rule, differ []watched) []RuleEffect {
	all := []RuleEffect{}
	for _, w := range differ {
		e := RuleEffect{Change: w.change, Rule: after[w.at], Place: w.at + 1, Of: len(after), Decides: w.decides, Earlier: []Earlier{}}
		for i, n := range w.first {
			e.Earlier = append(e.Earlier, Earlier{ID: after[i].ID, Name: after[i].Name, Users: n})
		}
		slices.SortFunc(e.Earlier, func(a, b Earlier) int {
			return cmp.Or(cmp.Compare(b.Users, a.Users), cmp.Compare(at(after, a.ID), at(after, b.ID)))
		})
		all = append(all, e)
	}
	for _, r := range before {
		if !hasRule(after, r.ID) {
			all = append(all, RuleEffect{Change: RuleRemoved, Rule: r, Earlier: []Earlier{}})
		}
	}
	return all
}
