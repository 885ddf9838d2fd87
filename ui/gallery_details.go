package ui

// detailsSamples are the pages of what an account says of its user, and of what waits for mailed links.
func detailsSamples() []Sample {
	languages := []Choice{{ID: "en", Name: "English"}, {ID: "de", Name: "Deutsch"}}
	page := Details{
		Account: "olga@example.com", Name: "Olga Hafen", Login: "olga", ChangeName: PathDetails + "/name",
		Email: "olga@example.com", Verified: true, ChangeEmail: PathDetails + "/email",
		Password: true, PasswordSet: "2026-01-12T10:00:00Z", ChangePassword: PathPassword,
		Phones: []PhoneRow{
			{Factor: smsFactor(), Name: smsFactor().Name, Number: "•••• 321", Change: PathDetails + "/phones/c2"},
			{Factor: smsFactor(), Name: "The phone at the harbour office", Number: "•••• 004"},
		},
		Languages: languages, Language: "de", SetLanguage: PathDetails + "/language",
	}
	pending := page
	pending.Pending = &PendingEmail{
		To: "olga.hafen.with.a.rather.long.name@mail.harbour-and-sons.example", NewWaits: true, Both: true,
		Again: PathDetails + "/email", Cancel: PathDetails + "/email/cancel",
	}
	pending.Notice = Say(NoticeEmailChange)
	bare := Details{
		Account: "olga@example.com", Email: "olga@example.com", VerifyEmail: "/account/email/verify", ChangeName: PathDetails + "/name",
		ChangeEmail: PathDetails + "/email", ChangePassword: PathPassword, AddPhone: "/account/set-up/sms",
		Languages: languages, SetLanguage: PathDetails + "/language",
		Pending: &PendingEmail{To: "hafen@example.com", NewWaits: true, Again: PathDetails + "/email", Cancel: PathDetails + "/email/cancel"},
	}
	elsewhere := Details{
		Account: "olga", Name: "Olga Hafen", Login: "olga", Password: true, ChangePassword: PathPassword, Languages: languages,
		SetLanguage: PathDetails + "/language", Notice: Say(NoticePasswordChanged),
	}
	return append([]Sample{
		{"details", inside(), page},
		{"details-pending", inside(), pending},
		{"details-bare", inside(), bare},
		{"details-elsewhere", inside(), elsewhere},
	}, changeSamples()...)
}

// changeSamples are the questions that the details lead to.
func changeSamples() []Sample {
	name := ChangeName{Name: "Olga Hafen", Action: PathDetails + "/name", Cancel: PathDetails}
	noName := name
	noName.Name, noName.Problem = "", Invalid("name", "missing")
	email := ChangeEmail{Present: "olga@example.com", Both: true, Action: PathDetails + "/email", Cancel: PathDetails}
	one, bad, often := email, email, email
	one.Both = false
	bad.Email, bad.Problem = "olga at example", Invalid("email", "syntax")
	often.Email, often.Problem = "hafen@example.com", Say(ProblemMailsOften, "n", 42)
	password := ChangePassword{Account: "olga@example.com", Current: true, Least: 8, Action: PathPassword, Cancel: PathDetails}
	first, wrong, same, tries := password, password, password, password
	first.Current = false
	wrong.Wrong = Say(ProblemPasswordWrong)
	same.Problem, same.Least = Say(ProblemPasswordSame), 15
	tries.Wrong = Say(ProblemPasswordTries, "n", 15)
	number := SetUpInput{
		Factor: smsFactor(), Account: "olga@example.com", Ask: AskPhone, Replaces: "•••• 321", Countries: []string{"DE", "AT"},
		Action: PathDetails + "/phones/c2", Cancel: PathDetails,
	}
	return []Sample{
		{"change-name", inside(), name},
		{"change-name-empty", inside(), noName},
		{"change-email", inside(), email},
		{"change-email-unverified", inside(), one},
		{"change-email-none", inside(), ChangeEmail{Action: PathDetails + "/email", Cancel: PathDetails}},
		{"change-email-wrong", inside(), bad},
		{"change-email-often", inside(), often},
		{"change-password", inside(), password},
		{"change-password-first", inside(), first},
		{"change-password-wrong", inside(), wrong},
		{"change-password-same", inside(), same},
		{"change-password-tries", inside(), tries},
		{"change-number", inside(), number},
		{"email-new-ask", outside(), AskEmailNew.Page("/email/new/x", "", "address", "hafen@example.com")},
		{"email-old-ask", outside(), AskEmailOld.Page("/email/old/x", "", "address", "hafen@example.com")},
		{"email-new-confirmed", outside(), ToldEmailNew.Page("")},
		{"email-old-confirmed", outside(), ToldEmailOld.Page("", "address", "hafen@example.com")},
		{"email-taken", outside(), ToldEmailTaken.Page("")},
		{"email-changed", outside(), ToldEmailChanged.Page(PathAccount, "address", "hafen@example.com")},
	}
}
