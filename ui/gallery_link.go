package ui

// linkSamples are the ways back in by mail, and what else mailed links lead to.
func linkSamples() []Sample {
	forgot := Forgot{Request: "sealed", Action: PathForgot, Back: PathSignIn}
	unsaid := forgot
	unsaid.Problem = Say(ProblemInputEmpty)
	password := NewPassword{Account: "olga@example.com", Least: 10, Action: "/link/x"}
	short, common := password, password
	short.Problem = Say(ProblemPasswordShort, "n", 10)
	invited := password
	invited.Invited, invited.Action = "Harbour & Sons", "/invitation/x"
	common.Problem = Say(ProblemPasswordCommon)
	reset := ResetTwoFactor{Account: "olga@example.com", Action: "/link/x"}
	required, wrong := reset, reset
	required.Required = true
	wrong.Problem = Say(ProblemPassword)
	return []Sample{
		{"forgot", outside(), forgot},
		{"forgot-empty", outside(), unsaid},
		{"new-password", outside(), password},
		{"new-password-short", outside(), short},
		{"new-password-common", outside(), common},
		{"new-password-invited", outside(), invited},
		{"reset-two-factor", outside(), reset},
		{"reset-two-factor-required", outside(), required},
		{"reset-two-factor-wrong", outside(), wrong},
		{"verify-email", outside(), AskVerifyEmail.Page("/link/x", PathAccount, "account", "olga@example.com")},
		{"not-me", outside(), AskNotMe.Page("/link/x", PathAccount, "account", "olga@example.com")},
		{"reset-mail", outside(), AskResetMail.Page("/signin/f1/reset", "/signin/f1/ways")},
		{"told-forgot", outside(), ToldForgot.Page(PathSignIn)},
		{"told-reset-mail", outside(), ToldResetMail.Page(PathSignIn)},
		{"told-two-factor-reset", outside(), ToldTwoFactorReset.Page(PathSignIn)},
		{"told-locked", outside(), ToldLocked.Page("")},
		{"told-verified", outside(), ToldVerified.Page(PathAccount)},
	}
}
