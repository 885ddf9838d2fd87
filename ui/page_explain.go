package ui

// Explain asks what sign-in is to be explained, and explains it.
type Explain struct {
	// User is an e-mail address or user name, Client a client_id of Clients, Address an IP address, At a time as
	// <input type="datetime-local"> has it, in UTC.
	User    string   `json:"user"`
	Client  string   `json:"client"`
	Clients []Choice `json:"clients"`
	Address string   `json:"address"`
	At      string   `json:"at"`
	Action  string   `json:"action"`
	Back    string   `json:"back"`
	// Wrong is the place of the Problem.
	Wrong   string  `json:"wrong,omitempty"`
	Problem Text    `json:"problem,omitzero"`
	Answer  *Answer `json:"answer,omitempty"`
}

// ProblemAt is the problem of a field, if it is that one's.
func (p Explain) ProblemAt(field string) Text { return at(p.Wrong, field, p.Problem) }

// Elsewhere is a problem of no field.
func (p Explain) Elsewhere() Text {
	switch p.Wrong {
	case "user", "address", "at":
		return Text{}
	}
	return p.Problem
}

// Answer is what would be asked at a sign-in, and why.
type Answer struct {
	Account string `json:"account"`
	// Path leads to the user's page.
	Path string `json:"path"`
	// Out: the account is disabled or locked, whatever the rules say.
	Out bool `json:"out,omitempty"`
	// Asked is a policy.Ask: "denied", "nothing", "prompt", "enrol", "recovery_code" or "unmet"; Then is the same of what
	// comes after a right answer, where there is more.
	Asked string `json:"asked"`
	Then  string `json:"then,omitempty"`
	// Factors are those that can be answered, or set up.
	Factors []Factor `json:"factors,omitempty"`
	// Rule is the name of the rule that decides; empty where none does.
	Rule string `json:"rule,omitempty"`
	// RememberDays and Grace are like those of RuleThen.
	RememberDays int          `json:"remember_days,omitempty"`
	Grace        string       `json:"grace,omitempty"`
	At           string       `json:"at"`
	Rules        []VerdictRow `json:"rules"`
}

// Sentence says what would be asked.
func (a Answer) Sentence() Text {
	keys := map[string]string{
		"denied": "explain.denied", "nothing": "explain.nothing", "prompt": "explain.prompt", "enrol": "explain.enrol",
		"recovery_code": "explain.recovery_code", "unmet": "explain.unmet",
	}
	if a.Out {
		return Say("explain.out", "account", a.Account)
	}
	return Say(keys[a.Asked], "account", a.Account)
}

// After says what comes after a right answer, if there is more.
func (a Answer) After() Text {
	switch a.Then {
	case "enrol":
		return Say("explain.then_enrol")
	case "recovery_code":
		return Say("explain.then_recovery_code")
	case "unmet", "denied":
		return Say("explain.then_unmet")
	}
	return Text{}
}

// Reason says which rule that comes from.
func (a Answer) Reason() Text {
	switch {
	case a.Out:
		return Text{}
	case a.Rule == "":
		return Say("explain.no_rule")
	default:
		return Say("explain.because", "rule", a.Rule)
	}
}

// VerdictRow is what becomes of one rule.
type VerdictRow struct {
	Name string `json:"name"`
	// Path leads to the rule's form.
	Path string `json:"path"`
	// Holds is "yes", "no" or "unknown".
	Holds string `json:"holds"`
	// Failed and Untold are names of conditions, as policy.Verdict has them.
	Failed     []string `json:"failed,omitempty"`
	Untold     []string `json:"untold,omitempty"`
	ReportOnly bool     `json:"report_only,omitempty"`
	Decides    bool     `json:"decides,omitempty"`
	Unreadable bool     `json:"unreadable,omitempty"`
}

// Conditions says which conditions those are.
func (VerdictRow) Conditions(names []string) []Text {
	keys := map[string]string{
		"user_type": "condition.user_type", "role": "condition.role", "user": "condition.user", "ticked": "condition.ticked",
		"network": "condition.network", "not_network": "condition.not_network", "client": "condition.client",
		"client_tag": "condition.client_tag", "plan": "condition.plan", "integration": "condition.integration",
		"from": "condition.from", "until": "condition.until",
	}
	texts := make([]Text, 0, len(names))
	for _, name := range names {
		texts = append(texts, Say(keys[name]))
	}
	return texts
}

// Template names the page's template.
func (Explain) Template() string { return "explain" }

func (Explain) part() string { return "policy" }

func (p Explain) problem() Text { return p.Problem }
