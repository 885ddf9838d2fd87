package ui

// Networks are the ranges of addresses that belong to a tenant's account.
type Networks struct {
	Rows []NetworkRow `json:"rows"`
	// Restricted: users sign in from these only. Everyone: all must use two-factor authentication, wherever they are.
	Restricted bool `json:"restricted"`
	Everyone   bool `json:"everyone"`
	// You is the address of whoever looks at the page, empty where it can't be told; Listed: it is in one of the networks.
	You    string `json:"you,omitempty"`
	Listed bool   `json:"listed,omitempty"`
	// Version is of the policy that it is part of; it is posted along.
	Version string `json:"version"`
	Action  string `json:"action"`
	// Wrong is the number of the row that the Problem is about, from 0; it is about none of them where there is no such row.
	Wrong   int  `json:"wrong"`
	Problem Text `json:"problem,omitzero"`
	Notice  Text `json:"notice,omitzero"`
}

// NetworkRow is one network as it is typed.
type NetworkRow struct {
	Prefix     string `json:"prefix"`
	Name       string `json:"name"`
	Require2FA bool   `json:"require_2fa"`
}

// ProblemAt is what is wrong with a row.
func (p Networks) ProblemAt(row int) Text {
	if row != p.Wrong {
		return Text{}
	}
	return p.Problem
}

// Elsewhere is a problem that no row has.
func (p Networks) Elsewhere() Text {
	if p.Wrong >= 0 && p.Wrong < len(p.Rows) {
		return Text{}
	}
	return p.Problem
}

// Template names the page's template.
func (Networks) Template() string { return "networks" }

func (Networks) part() string { return "networks" }

func (p Networks) problem() Text { return p.Problem }
