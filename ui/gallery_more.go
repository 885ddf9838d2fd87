package ui

import (
	"encoding/json"
	"slices"
)

// newFactorSamples are the set-ups of factors that send something or ask the browser.
func newFactorSamples() []Sample {
	frame := Frame{Lang: "en", Product: "Sallyport", Tenant: "Harbour & Sons"}
	begin := []Way{
		{Factor: passkeyFactor(), Left: -1, Path: "/account/factors/webauthn/set-up"},
		{Factor: totpFactor(), Left: -1, Path: "/account/factors/totp/set-up"},
		{Factor: smsFactor(), Left: -1, Path: "/account/factors/sms/set-up"},
	}
	recovered := SetUpIntro{
		Account: "olga@example.com", Forced: true, Rule: "Staff use a second step", App: "Ledger", Recovered: true,
		Factors: begin, Later: "/signin/f1/later", Cancel: "/signin/f1/restart",
	}
	phone := SetUpInput{
		Factor: smsFactor(), Account: "olga@example.com", Ask: AskPhone, Countries: []string{"AU", "NZ", "DE"},
		Action: "/account/set-up/input", Cancel: PathSecurity,
	}
	text := phone
	text.Factor, text.Ask, text.Countries = otherFactor(), AskText, nil
	malformed, country := phone, phone
	malformed.Value, malformed.Problem = "12", Say(ProblemInputMalformed)
	country.Value, country.Problem = "+44 7700 900123", Say(ProblemInputCountry, "countries", Countries("en", phone.Countries))
	sms := SetUp{
		Factor: smsFactor(), Account: "olga@example.com", Digits: 6, Target: "•••• 321", Action: "/account/set-up", Cancel: PathSecurity,
		Again: "/account/set-up/again", AgainAt: "2026-03-04T14:03:52Z", Edit: "/account/set-up/input",
	}
	again := sms
	again.Notice = Say(NoticeSentAgain)
	passkey := SetUp{
		Factor: passkeyFactor(), Account: "olga@example.com", Action: "/account/set-up", Cancel: PathSecurity,
		Options: json.RawMessage(`{"challenge":"c2FtcGxl","rp":{"name":"Sallyport"},"user":{"id":"b2xnYQ","name":"olga","displayName":"Olga"},"pubKeyCredParams":[{"type":"public-key","alg":-7}]}`),
	}
	refused := passkey
	refused.Problem = Say(ProblemPasskey)
	return []Sample{
		{"set-up-intro-all", frame, SetUpIntro{Account: "olga@example.com", Factors: begin, Cancel: PathSecurity}},
		{"set-up-intro-recovered", frame, recovered},
		{"set-up-phone", frame, phone},
		{"set-up-phone-malformed", frame, malformed},
		{"set-up-phone-country", frame, country},
		{"set-up-text", frame, text},
		{"set-up-sms", frame, sms},
		{"set-up-sms-again", frame, again},
		{"set-up-passkey", frame, passkey},
		{"set-up-passkey-wrong", frame, refused},
	}
}

// wholeSecurity is the security page with everything on it.
func wholeSecurity() Security {
	row := func(id string, f Factor, name, note, used string) CredentialRow {
		return CredentialRow{
			ID: id, Factor: f, Name: name, Note: note, Created: "2025-11-22T09:00:00Z", LastUsed: used,
			Rename: "/account/credentials/" + id + "/rename", Remove: "/account/credentials/" + id + "/remove",
		}
	}
	return Security{
		Account: "olga@example.com", Name: "Olga Hafen", On: true, CodesLeft: 8, CodesMade: 10,
		Factors: []CredentialRow{
			row("c1", passkeyFactor(), "Laptop", "synced", "2026-03-04T14:03:22Z"),
			row("c2", passkeyFactor(), "Security key", "device", ""),
			row("c3", totpFactor(), "Phone", "", "2026-02-04T14:03:22Z"),
			row("c4", smsFactor(), smsFactor().Name, "•••• 321", ""),
		},
		Addable: []Way{
			{Factor: passkeyFactor(), Left: -1, Path: "/account/factors/webauthn/set-up"},
			{Factor: totpFactor(), Left: -1, Path: "/account/factors/totp/set-up"},
		},
		Devices: 3,
	}
}

func moreSecuritySamples() []Sample {
	whole := wholeSecurity()
	copied, last, sms, app := whole, whole, whole, whole
	copied.Factors = slices.Clone(whole.Factors)
	copied.Factors[1].Note = noteCopied
	last.Factors = slices.Clone(copied.Factors[1:2])
	last.Factors[0].Remove, last.Required, last.Devices = "", true, 0
	sms.Factors = whole.Factors[3:]
	app.Factors = whole.Factors[2:3]
	return []Sample{
		{"security-whole", inside(), whole},
		{"security-copied", inside(), copied},
		{"security-copied-last", inside(), last},
		{"security-sms-only", inside(), sms},
		{"security-app-only", inside(), app},
		{"verify-email", outside(), AskVerifyEmail.Page("/link/x", PathAccount, "account", "olga@example.com")},
		{"not-me", outside(), AskNotMe.Page("/link/x", PathAccount, "account", "olga@example.com")},
		{"reset-mail", outside(), AskResetMail.Page("/signin/f1/reset", "/signin/f1/ways")},
	}
}

// linkSamples are the ways back in by mail.
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
		{"told-forgot", outside(), ToldForgot.Page(PathSignIn)},
		{"told-reset-mail", outside(), ToldResetMail.Page("")},
		{"told-two-factor-reset", outside(), ToldTwoFactorReset.Page(PathSignIn)},
		{"told-locked", outside(), ToldLocked.Page("")},
		{"told-verified", outside(), ToldVerified.Page(PathAccount)},
	}
}
