package audit

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// Filter says which entries of a tenant's log are wanted: those that meet all that it names. The zero Filter wants all.
type Filter struct {
	// User is the ID of whom it was done to. It is the one condition with an index: with it, no entries of other users are
	// read.
	User string
	// Actor is who did it: a user ID, a client ID, "operator" or "retention".
	Actor string
	// Action is an action ("sign_in.factor"), or the beginning of several with ".*" behind it ("sign_in.*"). There may be
	// several, with commas between.
	Action string
	// Outcome is "ok", "refused" or "failed".
	Outcome string
	// Client is a client ID.
	Client string
	// Factor is the ID of a factor.
	Factor string
	// Rule is the name of the rule that decided, or the ID of a report-only rule that would have.
	Rule string
	// Address is an IP address or a prefix in CIDR notation. However an address is written, it is the same; and
	// ::ffff:192.0.2.1 is 192.0.2.1.
	Address string
	// Text is looked for in all texts of the entry, upper and lower case being the same.
	Text string
	// From and Until bound the entries' times; From is within, Until is not. The zero time is no bound.
	From, Until time.Time
	// After is where to go on: the ID of the last entry seen, which Found.Next was. Export passes it over.
	After string
	// Limit is how many entries are found at most: DefaultLimit if it is 0 or less, and never more than MaxLimit. Export
	// passes it over.
	Limit int
}

// How many entries Find returns at most, if it is not told, and whatever it is told.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// FilterError is what is wrong with a Filter or Format, in words for people.
type FilterError struct {
	// Where is the field: "address", "after" or "format".
	Where string
	// What is wrong, and what to Do about it.
	What, Do string
}

// Error implements error.
func (e *FilterError) Error() string { return "audit: " + e.Where + ": " + e.What + "; " + e.Do }

// Check tells what is wrong with the filter before it is used: *FilterError.
func (f Filter) Check() error {
	_, err := f.matcher()
	return err
}

// matcher is a Filter made ready to be asked often. Time and place are not its business.
type matcher struct {
	f       Filter
	actions []string
	groups  []string
	network netip.Prefix
	text    string
}

// matcher checks the filter. *FilterError.
func (f Filter) matcher() (*matcher, error) {
	m := &matcher{f: f, text: strings.ToLower(f.Text)}
	for action := range strings.SplitSeq(f.Action, ",") {
		if group, ok := strings.CutSuffix(action, ".*"); ok {
			m.groups = append(m.groups, group+".")
			continue
		}
		m.actions = append(m.actions, action)
	}
	if f.After != "" {
		if _, err := number(f.After); err != nil {
			return nil, &FilterError{"after", "it is not the ID of an entry", "begin again from the newest entry"}
		}
	}
	if f.Address != "" {
		var err error
		if m.network, err = network(f.Address); err != nil {
			return nil, &FilterError{"address", "it is not an IP address or network", "write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32"}
		}
	}
	return m, nil
}

// network reads an address or prefix. What came through a socket of both families is IPv4.
func network(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, err
		}
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

// bare tells that every entry of the time and user matches.
func (m *matcher) bare() bool {
	f := m.f
	return f.Actor+f.Action+f.Outcome+f.Client+f.Factor+f.Rule+f.Address+f.Text == ""
}

func (m *matcher) match(e *storage.Event) bool {
	f := &m.f
	return (f.From.IsZero() || !e.Time.Before(f.From)) &&
		(f.Until.IsZero() || e.Time.Before(f.Until)) &&
		is(f.User, e.User) &&
		is(f.Actor, e.Actor) &&
		m.names(e.Action) &&
		is(f.Outcome, e.Outcome) &&
		is(f.Client, e.Client) &&
		is(f.Factor, e.Factor) &&
		(is(f.Rule, e.Rule) || listed(e.Reports, f.Rule)) &&
		m.from(e.Address) &&
		m.says(e)
}

// names tells whether the action is one of those wanted.
func (m *matcher) names(action string) bool {
	return m.f.Action == "" || slices.Contains(m.actions, action) ||
		slices.ContainsFunc(m.groups, func(group string) bool { return strings.HasPrefix(action, group) })
}

func is(wanted, text string) bool { return wanted == "" || wanted == text }

// listed tells whether word is one of those in list, which have spaces between.
func listed(list, word string) bool {
	for one := range strings.SplitSeq(list, " ") {
		if one == word {
			return true
		}
	}
	return false
}

func (m *matcher) from(address string) bool {
	if !m.network.IsValid() {
		return true
	}
	a, err := netip.ParseAddr(address)
	return err == nil && m.network.Contains(a.Unmap().WithZone(""))
}

func (m *matcher) says(e *storage.Event) bool {
	if m.text == "" {
		return true
	}
	for _, f := range fields(e) {
		if strings.Contains(strings.ToLower(*f.text), m.text) {
			return true
		}
	}
	return false
}
