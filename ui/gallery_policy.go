package ui

// policySamples are the pages about who must use two-factor authentication, and from where.
func policySamples() []Sample {
	all := policyListSamples()
	all = append(all, ruleSamples()...)
	all = append(all, networkSamples()...)
	all = append(all, previewSamples()...)
	return append(all, explainSamples()...)
}

func policyTypes() []Choice {
	return []Choice{{ID: "staff"}, {ID: "client"}, {ID: "guest", Name: "Guests of the harbour master, and whoever else comes along"}}
}

func policyListSamples() []Sample {
	rule := func(id, name string, builtIn bool, when RuleWhen, then RuleThen) RuleRow {
		to := PathRules + "/" + id
		return RuleRow{ID: id, Name: name, BuiltIn: builtIn, When: when, Then: then, Path: to, Up: to + "/up", Down: to + "/down", Delete: to + "/delete"}
	}
	required := RuleThen{TwoFactor: "required", RememberDays: 14, Enrol: true}
	trial := rule("r2", "Passkeys at the ledger", false, RuleWhen{
		Roles: []string{"owner", "admin"}, Users: []string{"olga@example.com", "nils.with.a.rather.long.name.that.goes.on@sub.example.com"},
		MoreUsers: 3, Clients: []string{"Ledger"}, Tags: []string{"money"}, Plans: []string{"team"}, Integrations: []string{"financial"},
		From: "2026-03-04T14:03:22Z", Until: "2026-06-01T00:00:00Z",
	}, RuleThen{TwoFactor: "required", Resistant: true, Factors: []Factor{passkeyFactor(), totpFactor(), otherFactor()}, Grace: "2026-04-01T00:00:00Z"})
	trial.ReportOnly, trial.SignIns, trial.Users = true, 1234, 17
	quiet := rule("r3", "Nobody yet", false, RuleWhen{Ticked: true}, RuleThen{TwoFactor: "off"})
	quiet.ReportOnly = true
	first := rule("networks", "Sign-in is possible from the account’s networks only", true, RuleWhen{NotNetworks: []string{"203.0.113.0/24", "2001:db8::/48"}}, RuleThen{Deny: true})
	first.Up, first.Delete = "", ""
	last := rule("default", "Everyone may use two-factor authentication", true, RuleWhen{}, RuleThen{TwoFactor: "optional", RememberDays: 1, Enrol: true})
	last.Down, last.Delete = "", ""
	page := Policy{
		Switches: []Switch{{policyTypes()[0], true}, {policyTypes()[1], false}, {policyTypes()[2], false}, {Choice{ID: EveryType}, false}},
		Rules: []RuleRow{
			first, trial, quiet, rule("type-staff", "Staff must use two-factor authentication", true, RuleWhen{Types: policyTypes()}, required),
			rule("r4", "No second step for kiosks", false, RuleWhen{Networks: []string{"198.51.100.0/28"}}, RuleThen{TwoFactor: "unavailable"}), last,
		},
		Asking: 2, Restricted: true, Since: "2026-02-02T14:03:22Z", Version: "7", Action: PathPolicy, New: PathRules + "/new", Explain: PathExplain,
	}
	forced := page
	forced.Because, forced.RecoveryCodeOnly, forced.Notice, forced.Asking, forced.Restricted = []string{"Xero"}, true, Say(NoticePolicySaved), 1, false
	empty := Policy{Switches: page.Switches[3:], Version: "1", Action: PathPolicy, New: page.New, Explain: PathExplain, Notice: Say(NoticePolicySame)}
	return []Sample{{"policy", inside(), page}, {"policy-forced", inside(), forced}, {"policy-empty", inside(), empty}}
}

func ruleSamples() []Sample {
	boxes := func(on int, of []Choice) []Box {
		all := make([]Box, len(of))
		for i, c := range of {
			all[i] = Box{c, i == on}
		}
		return all
	}
	roles := []Choice{{ID: "owner"}, {ID: "admin"}, {ID: "member"}}
	apps := []Choice{{"ledger", "Ledger"}, {"long", "An application with a name that takes up a whole line, and then some more of the next one"}}
	fresh := RuleForm{
		New: true, Types: boxes(-1, policyTypes()), Roles: boxes(-1, roles), Clients: boxes(-1, apps), Access: "allow", TwoFactor: "required",
		Strength: "any", Factors: []FactorBox{{passkeyFactor(), false}, {totpFactor(), false}, {otherFactor(), false}}, Remember: "14", Unenrolled: "enrol",
		Places: []Choice{{ID: PlaceByConditions}, {"default", "Everyone may use two-factor authentication"}, {}}, Place: PlaceByConditions,
		Version: "7", Action: PathRules + "/new", Back: PathPolicy,
	}
	full := fresh
	full.New, full.Places, full.Name, full.Types, full.Roles = false, nil, "Passkeys at the ledger", boxes(0, policyTypes()), boxes(1, roles)
	full.Clients, full.Ticked = boxes(0, apps), true
	full.Users, full.Networks, full.NotNetworks = "olga@example.com\npeer@example.com", "203.0.113.0/24", "2001:db8::/48"
	full.Tags, full.Plans, full.Integrations, full.From, full.Until = "money, books", "team", "financial", "2026-03-04T14:03", "2026-06-01T00:00"
	full.Access, full.TwoFactor, full.Strength, full.Remember, full.Unenrolled, full.Grace = "deny", "optional", "resistant", "0", "recovery", "2026-04-01T00:00"
	full.Factors, full.ReportOnly = []FactorBox{{passkeyFactor(), true}, {totpFactor(), false}}, true
	wrong, elsewhere, value, days := full, full, full, full
	wrong.Name, wrong.Wrong, wrong.Problem = "", "rules.name", Invalid("rules.name", "missing")
	elsewhere.Wrong, elsewhere.Problem = "rules", Invalid("rules", "many")
	value.Networks, value.Wrong, value.Problem = "203.0.113.7/24", "rules.when.networks", Invalid("rules.when.networks", "host_bits")
	value.Hint = AboutValue("203.0.113.7/24")
	days.Remember, days.Wrong, days.Problem = "31", "rules.then.remember_days", Invalid("rules.then.remember_days", "range")
	builtIn := full
	builtIn.BuiltIn, builtIn.When = true, RuleWhen{Types: policyTypes()[:1]}
	last, out := builtIn, builtIn
	last.Last, last.When = true, RuleWhen{}
	out.KeepsOut, out.When = true, RuleWhen{NotNetworks: []string{"203.0.113.0/24"}}
	return []Sample{
		{"rule-new", inside(), fresh},
		{"rule", inside(), full},
		{"rule-without-name", inside(), wrong},
		{"rule-too-many", inside(), elsewhere},
		{"rule-host-bits", inside(), value},
		{"rule-days", inside(), days},
		{"rule-built-in", inside(), builtIn},
		{"rule-last", inside(), last},
		{"rule-networks", inside(), out},
	}
}

func networkSamples() []Sample {
	page := Networks{
		Rows: []NetworkRow{
			{"203.0.113.0/24", "Office", true}, {"2001:db8:85a3:8d3:1319:8a2e:370:7348/128", "The harbour master’s house by the sea", false}, {},
		},
		Restricted: true, You: "203.0.113.7", Listed: true, Version: "7", Action: PathNetworks, Wrong: -1, Notice: Say(NoticePolicySaved),
	}
	empty := Networks{Rows: []NetworkRow{{}}, You: "2001:db8:85a3:8d3:1319:8a2e:370:7348", Version: "7", Action: PathNetworks, Wrong: -1}
	nowhere := empty
	nowhere.You, nowhere.Everyone = "", true
	wrong, none := page, empty
	wrong.Notice, wrong.Wrong, wrong.Problem = Text{}, 1, Invalid("networks", "host_bits")
	none.Restricted, none.Problem = true, Invalid("networks", "none")
	return []Sample{
		{"networks", inside(), page},
		{"networks-empty", inside(), empty},
		{"networks-nowhere", inside(), nowhere},
		{"networks-wrong", inside(), wrong},
		{"networks-none", inside(), none},
	}
}

func previewSamples() []Sample {
	one := PersonRow{Account: "peer@example.com", Name: "Peer Holm", Role: "admin", Path: PathPeople + "/u2"}
	long := PersonRow{Account: "nils.with.a.rather.long.name.that.goes.on@sub.example.com", Role: "member", Path: PathPeople + "/u3"}
	must := RuleThen{TwoFactor: "required", RememberDays: 14, Enrol: true}
	rules := []RuleChange{
		{
			What: Say(ChangeRuleAdded, "rule", "Workbench needs a passkey"), When: RuleWhen{Clients: []string{"Workbench"}},
			Then: RuleThen{TwoFactor: "required", Resistant: true, Enrol: true}, Place: 5, Of: 7,
			Earlier: []Earlier{{"Staff must use two-factor authentication", 4}, {"Only from the office", 1}},
		},
		{What: Say(ChangeRuleChanged, "rule", "Staff"), When: RuleWhen{Types: policyTypes()}, Then: must, ReportOnly: true, Place: 6, Of: 7},
		{What: Say(ChangeRuleMoved, "rule", "Guests"), When: RuleWhen{Networks: []string{"198.51.100.0/28"}}, Then: RuleThen{TwoFactor: "off"}, Place: 2, Of: 7},
		{What: Say(ChangeRuleRemoved, "rule", "Kiosks"), When: RuleWhen{Ticked: true}, Then: RuleThen{Deny: true}},
	}
	page := PolicyPreview{
		Changes: []Text{
			Say(ChangeNetworkAdded, "network", "203.0.113.0/24"), Say(ChangeNetworkRemoved, "network", "198.51.100.0/28"),
			Say(ChangeNetworkChanged, "network", "2001:db8::/48"),
		},
		Rules: rules, Users: 100_000, NoFactor: 1103, Everywhere: Effects{More: 1200, Less: 1, Enrol: 1100, Another: 3, LockedOut: 12_344},
		At: []EffectsAt{
			{Names: []string{"Workbench"}, Effects: Effects{More: 1, Enrol: 1}},
			{Names: []string{"An application with a name that takes up a whole line, and then some more of the next one", "Ledger"}, Others: 198, Effects: Effects{Less: 12, Another: 1, LockedOut: 1}},
		},
		Unlooked: true, LockedOut: 12_345, Named: []PersonRow{one, long}, MoreNamed: 12_343,
		Clients: []CutOffRow{
			{"robot", "Nightly bookings", []string{"198.51.100.7", "2001:db8:85a3:8d3:1319:8a2e:370:7348"}, "2026-03-04T14:03:22Z"},
			{"print", "Printer", nil, "2026-03-01T14:03:22Z"},
		},
		Partial: true, Draft: "sealed", Save: PathPolicy + "/save", Add: PathPolicy + "/preview", Reportable: true, Back: PathPolicy,
	}
	calm := PolicyPreview{Rules: rules[:1], Users: 1, NoFactor: 1, Draft: "sealed", Save: page.Save, Back: PathPolicy}
	app, idle, never := calm, calm, calm
	app.Users, app.At, app.Rules = 6, page.At[:1], []RuleChange{rules[0]}
	app.Rules[0].Earlier, app.Rules[0].Place = nil, 1
	idle.NoFactor, idle.Rules = 0, []RuleChange{app.Rules[0]}
	idle.Rules[0].Idle = true
	never.Rules = []RuleChange{rules[0]}
	never.Rules[0].Never = true
	all := []Sample{
		{"policy-preview", inside(), page},
		{"policy-preview-calm", inside(), calm},
		{"policy-preview-application", inside(), app},
		{"policy-preview-idle", inside(), idle},
		{"policy-preview-never", inside(), never},
	}
	yours, owners := page, page
	yours.Refusal = LocksYouOut("Only from the office", "198.51.100.7")
	owners.Refusal = LocksOwnerOut("Only from the office", "olga@example.com")
	freed := page
	freed.Refusal = FreesOwner("Nothing more in the office", "olga@example.com")
	lifted, removed := page, page
	lifted.Refusal, removed.Refusal = LiftsFinancial("Nothing more in the office"), LiftsFinancial("")
	return append(
		all, Sample{"policy-preview-you", inside(), yours}, Sample{"policy-preview-owner", inside(), owners},
		Sample{"policy-preview-freed", inside(), freed}, Sample{"policy-preview-lifted", inside(), lifted},
		Sample{"policy-preview-removed", inside(), removed},
	)
}

func explainSamples() []Sample {
	form := Explain{
		Clients: []Choice{{"ledger", "Ledger"}, {"long", "An application with a name that takes up a whole line, and then some more of the next one"}},
		Action:  PathExplain, Back: PathPolicy,
	}
	asked, wrong, nobody, away := form, form, form, form
	asked.User, asked.Client, asked.Address, asked.At = "olga@example.com", "ledger", "203.0.113.7", "2026-03-04T14:03"
	asked.Answer = &Answer{
		Account: "olga@example.com", Path: PathPeople + "/u1", Asked: "prompt", Then: "enrol", Factors: []Factor{totpFactor(), smsFactor(), otherFactor()},
		Rule: "Staff must use two-factor authentication", RememberDays: 14, Grace: "2026-04-01T00:00:00Z", At: "2026-03-04T14:03:22Z",
		Rules: []VerdictRow{
			{Name: "Only from the office", Path: PathRules + "/r1", Holds: "unknown", Untold: []string{"not_network"}},
			{Name: "Passkeys at the ledger", Path: PathRules + "/r2", Holds: "no", Failed: []string{"role", "client", "client_tag", "plan"}, ReportOnly: true},
			{Name: "Staff must use two-factor authentication", Path: PathRules + "/r3", Holds: "yes", Decides: true},
			{Name: "A rule that was written by a future version", Path: PathRules + "/r4", Holds: "yes", Unreadable: true},
		},
	}
	away.User = "peer@example.com"
	away.Answer = &Answer{Account: "peer@example.com", Path: PathPeople + "/u2", Asked: "denied", Out: true, At: "2026-03-04T14:03:22Z"}
	wrong.User, wrong.Wrong, wrong.Problem = "nobody@example.com", "user", Invalid("user", "missing")
	nobody.User, nobody.Client, nobody.Wrong, nobody.Problem = "olga@example.com", "gone", "client", Invalid("client", "missing")
	all := []Sample{{"explain", inside(), form}, {"explain-answer", inside(), asked}, {"explain-out", inside(), away}, {"explain-wrong", inside(), wrong}, {"explain-no-client", inside(), nobody}}
	for _, kind := range []string{"denied", "nothing", "enrol", "recovery_code", "unmet"} {
		one := away
		one.Answer = &Answer{Account: "peer@example.com", Path: PathPeople + "/u2", Asked: kind, At: "2026-03-04T14:03:22Z"}
		all = append(all, Sample{"explain-" + kind, inside(), one})
	}
	return all
}
