package ui

import "slices"

// securitySamples are the security page, and what is asked before its changes.
func securitySamples() []Sample {
	add := []Way{{Factor: totpFactor(), Left: -1, Path: "/account/factors/totp/set-up"}}
	phone := CredentialRow{
		ID: "c1", Factor: totpFactor(), Name: "Phone", Created: "2025-11-22T09:00:00Z", LastUsed: "2026-03-04T14:03:22Z",
		Rename: "/account/credentials/c1/rename", Remove: "/account/credentials/c1/remove",
	}
	laptop := CredentialRow{
		ID: "c2", Factor: totpFactor(), Name: "Work laptop", Created: "2026-01-02T09:00:00Z",
		Rename: "/account/credentials/c2/rename", Remove: "/account/credentials/c2/remove",
	}
	unnamed := laptop
	unnamed.Name = totpFactor().Name
	off := laptop
	off.Off, off.LastUsed = true, "2026-02-03T10:00:00Z"
	page := Security{
		Account: "olga@example.com", Name: "Olga Hafen", On: true, Factors: []CredentialRow{phone, laptop}, Addable: add,
		CodesLeft: 8, CodesMade: 10, Password: true, PasswordSet: "2026-01-12T10:00:00Z", ChangePassword: PathPassword,
	}
	few, one, none, locked := page, page, page, page
	few.CodesLeft, few.Notice, few.Factors = 2, CodesUsed(2), []CredentialRow{phone, unnamed}
	one.Factors, one.Notice = []CredentialRow{phone}, Say(NoticeFactorAdded, "name", "Phone")
	kept := phone
	kept.Remove = ""
	none.Factors = []CredentialRow{kept}
	none.CodesLeft, none.CodesMade, none.Required, none.Rule = -1, 0, true, "Staff use a second step"
	locked.Factors = []CredentialRow{phone, off}
	return []Sample{
		{"security", inside(), page},
		{"security-off", inside(), Security{Account: "olga@example.com", Name: "Olga Hafen", Addable: add, CodesLeft: -1, Password: true, ChangePassword: PathPassword}},
		{"security-one", inside(), one},
		{"security-few-codes", inside(), few},
		{"security-required", inside(), none},
		{"security-locked", inside(), locked},
		{"security-plan", inside(), Security{Account: "olga@example.com", Unavailable: "plan", CodesLeft: -1, ChangePassword: PathPassword}},
		{"security-user-type", inside(), Security{Account: "olga@example.com", Unavailable: "user_type", CodesLeft: -1}},
		{"rename", inside(), Rename{Factor: totpFactor(), Name: "Phone", New: "Phone", Action: "/account/credentials/c1/rename", Cancel: PathSecurity}},
		{"rename-problem", inside(), Rename{
			Factor: totpFactor(), Name: "Phone", Action: "/account/credentials/c1/rename", Cancel: PathSecurity, Problem: Say(ProblemNameEmpty),
		}},
		{"remove", inside(), AskRemoveFactor.Page("/account/credentials/c1/remove", PathSecurity, "name", "Phone")},
		{"remove-last", inside(), AskRemoveLastFactor.Page("/account/credentials/c1/remove", PathSecurity, "name", "Phone")},
		{"two-factor-off", inside(), AskTwoFactorOff.Page(PathTwoFactorOff, PathSecurity)},
		{"codes-new", inside(), AskCodesNew.Page(PathCodesNew, PathSecurity)},
	}
}

// wholeSecuritySamples are the page with everything on it, and with parts of that.
func wholeSecuritySamples() []Sample {
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
