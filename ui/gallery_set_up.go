package ui

import (
	"encoding/json"
	"slices"
	"time"
)

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

// sentSetUpSamples are the set-ups of factors that send something or ask the browser.
func sentSetUpSamples() []Sample {
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
	refused, only := passkey, passkey
	only.Only = true
	refused.Problem = Say(ProblemPasskey)
	return []Sample{
		{"set-up-intro-all", frame, SetUpIntro{Account: "olga@example.com", Factors: begin, Cancel: PathSecurity}},
		{"set-up-intro-passkey", frame, SetUpIntro{Account: "olga@example.com", Forced: true, Rule: "Admins", Factors: begin[:1], Cancel: "/signin/f1/restart"}},
		{"set-up-intro-sms", frame, SetUpIntro{Account: "olga@example.com", Factors: begin[2:], Cancel: PathSecurity}},
		{"set-up-intro-recovered", frame, recovered},
		{"set-up-phone", frame, phone},
		{"set-up-phone-malformed", frame, malformed},
		{"set-up-phone-country", frame, country},
		{"set-up-text", frame, text},
		{"set-up-sms", frame, sms},
		{"set-up-sms-again", frame, again},
		{"set-up-passkey", frame, passkey},
		{"set-up-passkey-only", frame, only},
		{"set-up-passkey-wrong", frame, refused},
	}
}
