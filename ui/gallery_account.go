package ui

// accountSamples are the pages of what users do for themselves, but for the security page.
func accountSamples() []Sample {
	whole := wholeSecurity()
	page := Overview{
		Account: "olga@example.com", Name: "Olga Hafen", On: true, CodesLeft: 8, CodesMade: 10, Devices: 3,
		LastSignIn: "2026-03-03T07:15:00Z", Next: whole.Advice(),
	}
	for _, f := range whole.Factors {
		page.Factors = append(page.Factors, Held{f.Factor, f.Name})
	}
	off := Overview{
		Account: "olga@example.com", CodesLeft: -1, Unverified: "olga@example.com", VerifyEmail: "/account/email/verify",
		Next: Security{Addable: whole.Addable}.Advice(), Notice: Say(NoticeMailSent, "address", "olga@example.com"),
	}
	owner := inside()
	owner.Administers = true
	return []Sample{
		{"overview", owner, page},
		{"overview-off", inside(), off},
		{"overview-plan", inside(), Overview{Account: "olga@example.com", Unavailable: "plan", CodesLeft: -1}},
		{"overview-user-type", inside(), Overview{Account: "olga@example.com", Unavailable: "user_type", CodesLeft: -1}},
	}
}
