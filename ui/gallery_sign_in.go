package ui

import (
	"encoding/json"
	"time"
)

func signInSamples() []Sample {
	full := SignIn{Request: "sealed", Login: "olga@example.com", App: "Ledger", Passkeys: true, Forgot: PathForgot}
	empty, wrong, tries, fresh, ended, again, passkey, changed := full, full, full, full, full, full, full, full
	empty.Login, empty.App = "", ""
	wrong.Problem = Say(ProblemPassword)
	tries.Problem = Say(ProblemPasswordTries, "n", 5)
	fresh.Notice, fresh.App = Say(NoticeFresh), ""
	ended.Notice = Say(NoticeAppEnded, "app", "Ledger")
	again.Notice = Say(ProblemSignInExpired)
	passkey.Notice = Say(ProblemPasskeySignIn)
	changed.Notice = Say(NoticePasswordNew)
	harbour := outside()
	harbour.Tenant = "Harbour & Sons"
	return []Sample{
		{"sign-in", outside(), SignIn{Request: "sealed"}},
		{"sign-in-passkey", outside(), empty},
		{"sign-in-app", outside(), full},
		{"sign-in-wrong", outside(), wrong},
		{"sign-in-tries", outside(), tries},
		{"sign-in-fresh", inside(), fresh},
		{"sign-in-ended", inside(), ended},
		{"sign-in-expired", outside(), again},
		{"sign-in-passkey-wrong", outside(), passkey},
		{"sign-in-new-password", harbour, changed},
		{"sign-in-welcome", harbour, SignIn{Request: "sealed", Login: full.Login, Passkeys: true, Forgot: PathForgot, Notice: Say(NoticeWelcome)}},
		{"choose-tenant", outside(), ChooseTenant{Request: "sealed", Proof: "sealed", Tenants: []Choice{
			{"harbour", "Harbour & Sons"}, {"mill", "The Mill"}, {"long", "A company with a rather long name that goes on and on GmbH & Co. KG"},
		}}},
	}
}

func codeSamples() []Sample {
	frame := Frame{Lang: "en", Product: "Sallyport", Tenant: "Harbour & Sons", Anew: "/signin/f1"}
	totp := Code{
		Factor: totpFactor(), Account: "olga@example.com", Digits: 6, App: "Ledger",
		Action: "/signin/f1/totp", Others: "/signin/f1/ways", Restart: "/signin/f1/restart",
	}
	backup, other := totp, totp
	backup.Factor, backup.Digits = backupFactor(), 0
	backup.Recovery = "/signin/f1/recovery"
	left := backup
	left.Left = 3
	other.Factor, other.Prompt, other.Digits = otherFactor(), "We sent a pigeon with a note.", 0
	step := totp
	step.App, step.Reason, step.Cancel = "", Say(NoticeStepUp, "n", 10), PathSecurity
	totp.Remember = 30
	at := time.Date(2026, time.March, 4, 14, 3, 22, 0, time.UTC)
	again := frame
	again.Account = totp.Account
	all := []Sample{{"code", frame, totp}, {"code-signed-in", again, totp}, {"code-step-up", again, step}, {"code-backup", frame, backup}, {"code-other", frame, other}}
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
				{Factor: backupFactor(), Left: -1, Path: "/signin/f1/backup"},
			},
		}},
		Sample{"code-backup-signed-in", again, left},
		Sample{"ways-recovery", frame, Ways{
			Account: "olga@example.com", Back: "/signin/f1", Restart: "/signin/f1/restart", Recovery: "/signin/f1/recovery",
		}},
		Sample{"ways-step-up", again, Ways{
			Account: "olga@example.com", Back: "/signin/f1", Restart: "/signin/f1/restart", Cancel: PathSecurity,
			Ways: []Way{{Factor: totpFactor(), Name: "Phone", Left: -1, Path: "/signin/f1/totp"}},
		}},
		Sample{"ways-owner", frame, Ways{
			Account: "olga@example.com", Back: "/signin/f1", Restart: "/signin/f1/restart", Recovery: "/signin/f1/recovery", Owner: true,
		}},
		Sample{"ways-empty", frame, Ways{Account: "olga@example.com", Back: "/signin/f1", Restart: "/signin/f1/restart"}},
	)
}

// sentSamples are the prompts of factors that send something or ask the browser, and of recovery codes.
func sentSamples(frame Frame, totp Code) []Sample {
	sms := totp
	sms.Factor, sms.Target, sms.Action = smsFactor(), "•••• 321", "/signin/f1/sms"
	sms.Again, sms.AgainAt = "/signin/f1/sms/again", "2026-03-04T14:03:52Z"
	again, early, none, expired := sms, sms, sms, sms
	again.Notice, again.Kept = Say(NoticeSentAgain), true
	early.Notice = Say(ProblemSentOften, "n", 1)
	none.Notice, none.Target = Say(NoticeSentNone, "n", 5), ""
	expired.Problem = CodeProblem("expired", 6)
	passkey := totp
	passkey.Factor, passkey.Digits, passkey.Action = passkeyFactor(), 0, "/signin/f1/webauthn"
	passkey.Options = json.RawMessage(`{"challenge":"c2FtcGxl","rpId":"localhost","allowCredentials":[],"userVerification":"preferred"}`)
	step, refused := passkey, passkey
	step.App, step.Remember, step.Reason, step.Cancel = "", 0, Say(NoticeStepUp, "n", 10), PathPeople
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
		{"code-sms-none", frame, none},
		{"code-sms-expired", frame, expired},
		{"code-passkey", frame, passkey},
		{"code-passkey-wrong", frame, refused},
		{"code-passkey-step-up", inside(), step},
		{"code-recovery", frame, recovery},
		{"code-recovery-last", frame, last},
	}
}
