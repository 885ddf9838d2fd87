package ui

import (
	"encoding/json"
	"slices"
	"time"
)

// Sample is one page in one state, for the gallery and the tests.
type Sample struct {
	// Name is lower-case words and hyphens.
	Name  string
	Frame Frame
	Page  Page
}

// GalleryQR is where the sample of the set-up page expects its picture, relative to the issuer.
const GalleryQR = "/dev/gallery/qr.png"

// Group is the samples of pages that belong together.
type Group struct {
	// Name is what developers call them.
	Name    string
	Samples []Sample
}

// GalleryGroups shows every page, empty and full, with its problems.
func GalleryGroups() []Group {
	return []Group{
		{"Signing in", signInSamples()},
		{"The second step", codeSamples()},
		{"Setting up", slices.Concat(setUpSamples(), newFactorSamples())},
		{"The account", slices.Concat(accountSamples(), securitySamples(), moreSecuritySamples(), detailsSamples())},
		{"Links in mails", linkSamples()},
		{"People", slices.Concat(peopleSamples(), importSamples())},
		{"Policy", policySamples()},
		{"Applications and programs", connectedSamples()},
		{"Audit log and adoption", auditSamples()},
		{"Settings and branding", settingsSamples()},
		{"Help", helpSamples()},
		{"Ends and failures", plainSamples()},
	}
}

// Gallery is the samples of all groups.
func Gallery() []Sample {
	var all []Sample
	for _, g := range GalleryGroups() {
		all = append(all, g.Samples...)
	}
	return all
}

func outside() Frame { return Frame{Lang: "en", Product: "Sallyport"} }

func inside() Frame {
	return Frame{Lang: "en", Product: "Sallyport", Tenant: "Harbour & Sons", Account: "olga@example.com"}
}

func totpFactor() Factor     { return Factor{ID: "totp", Name: "Authenticator app"} }
func backupFactor() Factor   { return Factor{ID: "backup", Name: "Backup codes"} }
func smsFactor() Factor      { return Factor{ID: "sms", Name: "Text message"} }
func passkeyFactor() Factor  { return Factor{ID: "webauthn", Name: "Passkey"} }
func recoveryFactor() Factor { return Factor{ID: "recovery", Name: "Recovery code"} }
func otherFactor() Factor    { return Factor{ID: "pigeon", Name: "Carrier pigeon"} }

func signInSamples() []Sample {
	full := SignIn{Request: "sealed", Login: "olga@example.com", App: "Ledger", Passkeys: true, Forgot: PathForgot}
	empty, wrong, tries, fresh, again, passkey, changed := full, full, full, full, full, full, full
	empty.Login, empty.App = "", ""
	wrong.Problem = Say(ProblemPassword)
	tries.Problem = Say(ProblemPasswordTries, "n", 5)
	fresh.Notice, fresh.App = Say(NoticeFresh), ""
	again.Notice = Say(ProblemSignInExpired)
	passkey.Notice = Say(ProblemPasskeySignIn)
	changed.Notice = Say(NoticePasswordNew)
	return []Sample{
		{"sign-in", outside(), SignIn{Request: "sealed"}},
		{"sign-in-passkey", outside(), empty},
		{"sign-in-app", outside(), full},
		{"sign-in-wrong", outside(), wrong},
		{"sign-in-tries", outside(), tries},
		{"sign-in-fresh", inside(), fresh},
		{"sign-in-expired", outside(), again},
		{"sign-in-passkey-wrong", outside(), passkey},
		{"sign-in-new-password", outside(), changed},
		{"choose-tenant", outside(), ChooseTenant{Request: "sealed", Proof: "sealed", Tenants: []Choice{
			{"harbour", "Harbour & Sons"}, {"mill", "The Mill"}, {"long", "A company with a rather long name that goes on and on GmbH & Co. KG"},
		}}},
	}
}

func codeSamples() []Sample {
	frame := Frame{Lang: "en", Product: "Sallyport", Tenant: "Harbour & Sons"}
	totp := Code{
		Factor: totpFactor(), Account: "olga@example.com", Digits: 6, App: "Ledger",
		Action: "/signin/f1/totp", Others: "/signin/f1/ways", Restart: "/signin/f1/restart",
	}
	backup, other := totp, totp
	backup.Factor, backup.Digits, backup.Left = backupFactor(), 0, 3
	backup.Recovery = "/signin/f1/recovery"
	other.Factor, other.Prompt, other.Digits = otherFactor(), "We sent a pigeon with a note.", 0
	totp.Remember = 30
	at := time.Date(2026, time.March, 4, 14, 3, 22, 0, time.UTC)
	again := frame
	again.Account = totp.Account
	all := []Sample{{"code", frame, totp}, {"code-signed-in", again, totp}, {"code-backup", frame, backup}, {"code-other", frame, other}}
	for _, p := range []struct {
		name string
		page Code
		text Text
		hint Text
	}{
		{"code-wrong", totp, CodeProblem("wrong", 6), ClockHint(at, 0)},
		{"code-clock", totp, CodeProblem("wrong", 6), ClockHint(at, -4*time.Minute)},
		{"code-used", totp, CodeProblem("used", 6), Text{}},
		{"code-short", totp, CodeProblem("short", 6), Text{}},
		{"code-format", totp, CodeProblem("format", 6), Text{}},
		{"code-tries", totp, Say(ProblemCodeTries, "n", 15), Text{}},
		{"code-factor-off", totp, Say(ProblemFactorOff), Text{}},
		{"code-backup-used", backup, CodeProblem("used", 0), Text{}},
	} {
		p.page.Problem, p.page.Hint = p.text, p.hint
		all = append(all, Sample{p.name, frame, p.page})
	}
	all = append(all, sentSamples(frame, totp)...)
	return append(all,
		Sample{"ways", frame, Ways{
			Account: "olga@example.com", Back: "/signin/f1", Restart: "/signin/f1/restart", Support: "help@example.com",
			Recovery: "/signin/f1/recovery", Reset: "/signin/f1/reset",
			Ways: []Way{
				{Factor: passkeyFactor(), Name: "Laptop", Left: -1, Path: "/signin/f1/webauthn"},
				{Factor: totpFactor(), Name: "Phone", Left: -1, Path: "/signin/f1/totp"},
				{Factor: smsFactor(), Name: "•••• 321", Left: -1, Path: "/signin/f1/sms"},
				{Factor: otherFactor(), Left: -1, Path: "/signin/f1/pigeon"},
				{Factor: backupFactor(), Left: 7, Path: "/signin/f1/backup"},
			},
		}},
		Sample{"ways-recovery", frame, Ways{
			Account: "olga@example.com", Back: "/signin/f1", Restart: "/signin/f1/restart", Recovery: "/signin/f1/recovery",
		}},
		Sample{"ways-empty", frame, Ways{Account: "olga@example.com", Back: "/signin/f1", Restart: "/signin/f1/restart"}},
	)
}

// sentSamples are the prompts of factors that send something or ask the browser, and of recovery codes.
func sentSamples(frame Frame, totp Code) []Sample {
	sms := totp
	sms.Factor, sms.Target, sms.Action = smsFactor(), "•••• 321", "/signin/f1/sms"
	sms.Again, sms.AgainAt = "/signin/f1/sms/again", "2026-03-04T14:03:52Z"
	again, early, expired := sms, sms, sms
	again.Notice, again.Kept = Say(NoticeSentAgain), true
	early.Notice = Say(ProblemSentOften, "n", 1)
	expired.Problem = CodeProblem("expired", 6)
	passkey := totp
	passkey.Factor, passkey.Digits, passkey.Action = passkeyFactor(), 0, "/signin/f1/webauthn"
	passkey.Options = json.RawMessage(`{"challenge":"c2FtcGxl","rpId":"localhost","allowCredentials":[],"userVerification":"preferred"}`)
	refused := passkey
	refused.Problem = Say(ProblemPasskey)
	recovery := totp
	recovery.Factor, recovery.Digits, recovery.Remember, recovery.Action = recoveryFactor(), 0, 0, "/signin/f1/recovery"
	last := recovery
	last.Others, last.Support = "", "help@example.com"
	last.Problem = CodeProblem("wrong", 0)
	return []Sample{
		{"code-sms", frame, sms},
		{"code-sms-again", frame, again},
		{"code-sms-often", frame, early},
		{"code-sms-expired", frame, expired},
		{"code-passkey", frame, passkey},
		{"code-passkey-wrong", frame, refused},
		{"code-recovery", frame, recovery},
		{"code-recovery-last", frame, last},
	}
}

func setUpSamples() []Sample {
	frame := Frame{Lang: "en", Product: "Sallyport", Tenant: "Harbour & Sons"}
	begin := []Way{{Factor: totpFactor(), Left: -1, Path: "/account/factors/totp/set-up"}}
	several := slices.Concat(begin, []Way{{Factor: otherFactor(), Left: -1, Path: "/account/factors/pigeon/set-up"}})
	totp := SetUp{
		Factor: totpFactor(), Account: "olga@example.com", QR: GalleryQR, Digits: 6,
		Key:    "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP",
		URI:    "otpauth://totp/Harbour:olga@example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Harbour",
		Action: "/account/factors/totp/confirm", Cancel: PathSecurity,
	}
	wrong := totp
	wrong.Problem = CodeProblem("wrong", 6)
	wrong.Hint = ClockHint(time.Date(2026, time.March, 4, 14, 3, 22, 0, time.UTC), 95*time.Second)
	codes := BackupCodes{
		Account: "olga@example.com", Date: "2026-03-04", First: true, App: "Ledger",
		Action: "/account/codes/saved", Download: "/account/codes/download",
		Codes: []string{
			"k7fq-2m9x-vd4t-8wzn-p3hc-6rys", "b5gj-qx72-nm8d-4ktw-z9vh-c3fp", "t8wz-n6rk-p2yc-9hdm-x4vq-7jgb",
			"m3hp-7dvx-9kqz-c5tn-2wjr-8fgy", "z6yn-4rcb-t8gk-2pxm-7qhd-v9wj", "q9dt-w3mk-5hzv-x7pc-n4gb-2rfy",
			"c4xr-8jpn-2ykw-m6dq-9tgz-h5vb", "w2vk-h9tf-6cgx-r3yz-8npm-4jqd", "g7zm-3qwd-x5rb-9vkh-t6cy-p8nf",
			"n8bc-5ygp-d4mz-7hrx-k2wv-q6tj",
		},
	}
	plain, unticked := codes, codes
	plain.First, plain.App = false, ""
	unticked.Problem = Say(ProblemTick)
	return []Sample{
		{"set-up-intro", frame, SetUpIntro{Account: "olga@example.com", Factors: begin, Cancel: PathSecurity}},
		{"set-up-intro-forced", frame, SetUpIntro{
			Account: "olga@example.com", Forced: true, Rule: "Staff use a second step", App: "Ledger", Factors: several, Cancel: "/signin/f1/restart",
		}},
		{"set-up-intro-empty", frame, SetUpIntro{Account: "olga@example.com", Forced: true}},
		{"set-up", frame, totp},
		{"set-up-wrong", frame, wrong},
		{"set-up-other", frame, SetUp{
			Factor: otherFactor(), Account: "olga@example.com", Prompt: "Your pigeon is on its way.", Action: "/x", Cancel: PathSecurity,
		}},
		{"set-up-new-number", inside(), SetUp{
			Factor: smsFactor(), Account: "olga@example.com", Target: "•••• 004", Digits: 6, Replaces: true,
			Edit: PathDetails + "/phones/c2", Action: "/account/set-up", Cancel: PathDetails,
		}},
		{"backup-codes", frame, codes},
		{"backup-codes-unticked", frame, unticked},
		{"backup-codes-new", inside(), plain},
	}
}

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

func plainSamples() []Sample {
	signOut := AskSignOut.Page(PathSignOut, PathAccount)
	signOut.Fields = []Pair{{"state", "x"}}
	all := []Sample{
		{"sign-out", inside(), signOut},
		{"signed-out", outside(), SignedOut(PathSignIn)},
		{"signed-out-end", outside(), SignedOut("")},
		{"form-post", outside(), FormPost{App: "Ledger", Action: "https://ledger.example/callback", Fields: []Pair{{"code", "c"}, {"state", "s"}}}},
		{"form-post-plain", outside(), FormPost{Action: "https://ledger.example/callback"}},
	}
	for _, f := range []struct {
		name string
		page Error
	}{
		{"error-unknown-client", FailUnknownClient.Page("")},
		{"error-redirect-uri", FailRedirectURI.Page("")},
		{"error-bad-request", FailBadRequest.Page("")},
		{"error-not-found", FailNotFound.Page(PathAccount)},
		{"error-wrong-browser", FailWrongBrowser.Page("")},
		{"error-expired", FailExpired.Page(PathAccount)},
		{"error-too-many-requests", FailTooManyRequests.Page(PathSignIn, "n", 1)},
		{"error-internal", FailInternal.Page("")},
		{"error-unavailable", FailUnavailable.Page(PathSignIn)},
		{"error-forbidden", FailForbidden.Page(PathAccount)},
		{"error-denied", FailDenied.Page("", "rule", "Office networks only")},
		{"error-required", Required("Staff use a second step", PathAccount)},
		{"error-required-no-rule", Required("", PathAccount)},
		{"error-recovery-needed", FailRecoveryNeeded.Page("")},
		{"error-link", FailLink.Page(PathAccount)},
		{"error-changed", FailChanged.Page(PathAccount)},
		{"error-hook", Hooked("The office is closed on Sundays.", "")},
		{"error-hook-no-reason", Hooked("", PathAccount)},
	} {
		f.page.Request = "01JNZ8QK7V"
		all = append(all, Sample{f.name, outside(), f.page})
	}
	return all
}
