package policy

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/storage"
)

// Fault is what is wrong with a rule.
type Fault struct {
	// Field is where, as JSON names it, such as "when.networks".
	Field string
	// Code says what is wrong.
	Code string
	// Value is what was given; empty where nothing was, or where it is the whole field.
	Value string
}

// Error implements error.
func (f *Fault) Error() string { return "policy: " + f.Field + ": " + f.Code + ": " + f.Value }

// The codes of faults.
const (
	// FaultMissing: it is empty.
	FaultMissing = "missing"
	// FaultTooLong: it has too many characters.
	FaultTooLong = "too_long"
	// FaultCharset: it is not UTF-8, or holds characters that must not be in a line that people read.
	FaultCharset = "charset"
	// FaultSyntax: it is not written as it must be.
	FaultSyntax = "syntax"
	// FaultUnknown: it is none of the words that there are.
	FaultUnknown = "unknown"
	// FaultTwice: it stands there twice.
	FaultTwice = "twice"
	// FaultHostBits: the prefix has bits set behind its length: it is an address in a network, and which of the two was
	// meant nobody knows.
	FaultHostBits = "host_bits"
	// FaultMapped: it is a network of IPv4 written as IPv6.
	FaultMapped = "mapped"
	// FaultRange: it is too small or too large a number.
	FaultRange = "range"
	// FaultOrder: it ends before it begins.
	FaultOrder = "order"
)

// Bounds of a rule.
const (
	// MaxName is how many characters a rule's name has at most.
	MaxName = 100
	// MaxID is how many characters an ID has at most.
	MaxID = 100
	// maxValue is how many bytes a value has at most that a condition names.
	maxValue        = 200
	maxRememberDays = 30
)

// The shapes of IDs: they stand in records with spaces between. Factors have those that a sign-in accepts.
var (
	idShape     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]*$`)
	factorShape = regexp.MustCompile(`^[a-z][a-z0-9]{0,31}$`)
)

// Check tells whether a rule may be saved: whether it has a name, and Decide can read all of it. What it names may not
// exist, which the rule alone does not tell. It fails with *Fault.
func Check(r storage.Rule) error {
	for _, f := range []*Fault{checkName(r.Name), checkID(r.ID), checkWhen(r.When), checkThen(r.Then)} {
		if f != nil {
			return f
		}
	}
	return nil
}

func checkName(name string) *Fault {
	switch {
	case strings.TrimSpace(name) == "":
		return &Fault{Field: "name", Code: FaultMissing}
	case !utf8.ValidString(name) || strings.ContainsFunc(name, storage.Unprintable):
		return &Fault{Field: "name", Code: FaultCharset, Value: name}
	case utf8.RuneCountInString(name) > MaxName:
		return &Fault{Field: "name", Code: FaultTooLong, Value: name}
	}
	return nil
}

// checkID is content without an ID: who saves the rule gives it one.
func checkID(id string) *Fault {
	switch {
	case id == "":
		return nil
	case !idShape.MatchString(id):
		return &Fault{Field: "id", Code: FaultSyntax, Value: id}
	case len(id) > MaxID:
		return &Fault{Field: "id", Code: FaultTooLong, Value: id}
	}
	return nil
}

func checkWhen(w storage.When) *Fault {
	for _, f := range []*Fault{
		each("when.user_types", w.UserTypes, nil),
		each("when.roles", w.Roles, func(r storage.Role) string {
			return unless(slices.Contains([]storage.Role{storage.Owner, storage.Admin, storage.Member}, r), FaultUnknown)
		}),
		each("when.users", w.Users, nil),
		each("when.networks", w.Networks, CheckNetwork),
		each("when.not_networks", w.NotNetworks, CheckNetwork),
		each("when.clients", w.Clients, nil),
		each("when.client_tags", w.ClientTags, nil),
		each("when.plans", w.Plans, nil),
		each("when.integrations", w.Integrations, nil),
	} {
		if f != nil {
			return f
		}
	}
	if !w.From.IsZero() && !w.Until.IsZero() && !w.From.Before(w.Until) {
		return &Fault{Field: "when.until", Code: FaultOrder}
	}
	return nil
}

func checkThen(t storage.Then) *Fault {
	switch {
	case !slices.Contains([]string{"", "allow"}, t.Access):
		return &Fault{Field: "then.access", Code: FaultUnknown, Value: t.Access}
	case !slices.Contains([]string{"", "optional", "off", "unavailable"}, t.TwoFactor):
		return &Fault{Field: "then.two_factor", Code: FaultUnknown, Value: t.TwoFactor}
	case !slices.Contains([]string{"", "any"}, t.Strength):
		return &Fault{Field: "then.strength", Code: FaultUnknown, Value: t.Strength}
	case !slices.Contains([]string{"", "enrol_at_login"}, t.Unenrolled):
		return &Fault{Field: "then.unenrolled", Code: FaultUnknown, Value: t.Unenrolled}
	case t.RememberDays < 0 || t.RememberDays > maxRememberDays:
		return &Fault{Field: "then.remember_days", Code: FaultRange}
	}
	return each("then.factors", t.Factors, func(id string) string { return unless(factorShape.MatchString(id), FaultSyntax) })
}

// each checks the values of one field: none is empty, or stands there twice.
func each[T ~string](field string, values []T, check func(T) string) *Fault {
	seen := make(map[T]bool, len(values))
	for _, v := range values {
		code := ""
		switch {
		case v == "":
			code = FaultMissing
		case !utf8.ValidString(string(v)) || strings.ContainsFunc(string(v), storage.Unprintable):
			code = FaultCharset
		case len(v) > maxValue:
			code = FaultTooLong
		case seen[v]:
			code = FaultTwice
		case check != nil:
			code = check(v)
		}
		if code != "" {
			return &Fault{Field: field, Code: code, Value: string(v)}
		}
		seen[v] = true
	}
	return nil
}

func unless(good bool, code string) string {
	if good {
		return ""
	}
	return code
}

// CheckNetwork tells what is wrong with a network in CIDR notation (RFC 4632, section 3.1; RFC 4291, section 2.3): the
// code of a Fault, or nothing.
func CheckNetwork(prefix string) string {
	p, err := netip.ParsePrefix(prefix)
	switch {
	case err != nil:
		return FaultSyntax
	case p.Addr().Is4In6():
		return FaultMapped
	case p != p.Masked():
		return FaultHostBits
	}
	return ""
}
