package ui

import "strings"

// RuleForm is a rule as it is changed. Its texts are as they were typed, lists with one value a line.
type RuleForm struct {
	Name string `json:"name"`
	// New: there is no such rule yet. BuiltIn: whom it is about, and whether it lets in, comes from a switch.
	New     bool `json:"new,omitempty"`
	BuiltIn bool `json:"built_in,omitempty"`
	// Last: it is the rule for everybody whom no other is about. KeepsOut: it keeps out, and there is no more to say of it.
	Last         bool     `json:"last,omitempty"`
	KeepsOut     bool     `json:"keeps_out,omitempty"`
	When         RuleWhen `json:"when"`
	Types        []Box    `json:"types"`
	Roles        []Box    `json:"roles"`
	Ticked       bool     `json:"ticked"`
	Users        string   `json:"users"`
	Networks     string   `json:"networks"`
	NotNetworks  string   `json:"not_networks"`
	Clients      []Box    `json:"clients"`
	Tags         string   `json:"tags"`
	Plans        string   `json:"plans"`
	Integrations string   `json:"integrations"`
	// From, Until and Grace are as <input type="datetime-local"> has them, in UTC.
	From  string `json:"from"`
	Until string `json:"until"`
	// Access is "allow" or "deny".
	Access string `json:"access"`
	// TwoFactor is "required", "optional", "off" or "unavailable"; Strength is "any" or "resistant"; Unenrolled is "enrol" or
	// "recovery".
	TwoFactor  string      `json:"two_factor"`
	Strength   string      `json:"strength"`
	Factors    []FactorBox `json:"factors"`
	Remember   string      `json:"remember"`
	Unenrolled string      `json:"unenrolled"`
	Grace      string      `json:"grace"`
	ReportOnly bool        `json:"report_only"`
	// Place is the ID of the rule that a new one goes before, PlaceByConditions, or empty for the end; Places are those that
	// there are.
	Place  string   `json:"place,omitempty"`
	Places []Choice `json:"places,omitempty"`
	// Version is of the policy that it is part of; it is posted along.
	Version string `json:"version"`
	Action  string `json:"action"`
	Back    string `json:"back"`
	// Wrong is the place of the Problem, such as "rules.when.networks"; Hint says which of several values it is about.
	Wrong   string `json:"wrong,omitempty"`
	Problem Text   `json:"problem,omitzero"`
	Hint    Text   `json:"hint,omitzero"`
}

// PlaceByConditions stands for the place that the conditions of a new rule ask for. No rule has it as its ID.
const PlaceByConditions = "*"

// At is the problem of a field, if it is that one's.
func (p RuleForm) At(field string) Text { return at(p.Wrong, field, p.Problem) }

// Elsewhere is a problem of a field that the form does not have.
func (p RuleForm) Elsewhere() Text {
	switch p.field() {
	case "name", "users", "networks", "not_networks", "client_tags", "plans", "integrations", "from", "until", "factors",
		"remember_days", "grace_until":
		return Text{}
	}
	return p.Problem
}

// field is the last part of the place of the Problem.
func (p RuleForm) field() string { return p.Wrong[strings.LastIndexByte(p.Wrong, '.')+1:] }

// Rare tells whether one of the conditions that few rules have is filled in, or is what the problem is about.
func (p RuleForm) Rare() bool {
	switch p.field() {
	case "plans", "integrations", "from", "until":
		return true
	}
	return p.Plans+p.Integrations+p.From+p.Until != ""
}

func at(where, field string, problem Text) Text {
	if where != field {
		return Text{}
	}
	return problem
}

// Box is something that can be ticked.
type Box struct {
	Choice Choice `json:"choice"`
	On     bool   `json:"on,omitempty"`
}

// FactorBox is a factor that can be ticked.
type FactorBox struct {
	Factor Factor `json:"factor"`
	On     bool   `json:"on,omitempty"`
}

// Template names the page's template.
func (RuleForm) Template() string { return "rule" }

func (RuleForm) part() string { return "policy" }

func (p RuleForm) problem() Text { return p.Problem }
