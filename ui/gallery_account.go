package ui

import "slices"

// accountSamples are the pages of what users do for themselves, but for the security page.
func accountSamples() []Sample {
	return slices.Concat(overviewSamples(), deviceSamples(), activitySamples(), connectedAppSamples())
}

func overviewSamples() []Sample {
	whole := wholeSecurity()
	page := Overview{
		Account: "olga@example.com", Name: "Olga Hafen", On: true, CodesLeft: 8, CodesMade: 10, Sessions: 2, Devices: 3, Apps: 4,
		LastSignIn: "2026-03-03T07:15:00Z", Next: whole.Advice(),
	}
	for _, f := range whole.Factors {
		page.Factors = append(page.Factors, Held{f.Factor, f.Name})
	}
	off := Overview{
		Account: "olga@example.com", CodesLeft: -1, Sessions: 1, Unverified: "olga@example.com", VerifyEmail: "/account/email/verify",
		Next: Security{Addable: whole.Addable}.Advice(), Notice: Say(NoticeMailSent, "address", "olga@example.com"),
	}
	few := page
	few.CodesLeft, few.Name = 1, "Ottoline Wilhelmina Freifrau von und zu Hohenlohe-Waldenburg-Schillingsfürst"
	few.Next = Security{On: true, Factors: whole.Factors, CodesLeft: 1, CodesMade: 10}.Advice()
	code := page
	code.CodesLeft, code.Next = 9, Security{On: true, Factors: whole.Factors, CodesLeft: 9, CodesMade: 10, ByCode: true}.Advice()
	last := page
	last.CodesLeft, last.Next = 1, Security{On: true, Factors: whole.Factors, CodesLeft: 1, CodesMade: 10, ByCode: true}.Advice()
	owner := inside()
	owner.Administers = true
	return []Sample{
		{"overview", owner, page},
		{"overview-off", inside(), off},
		{"overview-few-codes", inside(), few},
		{"overview-by-code", inside(), code},
		{"overview-by-last-codes", inside(), last},
		{"overview-plan", inside(), Overview{Account: "olga@example.com", Unavailable: "plan", CodesLeft: -1, Sessions: 1}},
		{"overview-user-type", inside(), Overview{Account: "olga@example.com", Unavailable: "user_type", CodesLeft: -1, Sessions: 1}},
	}
}

// Origins as they come: a place, a long address, a private network, and nothing.
func originSamples() []Origin {
	return []Origin{
		{Browser: "Firefox, Linux", Address: "203.0.113.17", Place: "Cologne, Germany"},
		{Browser: "Chrome, Android", Address: "2001:db8:85a3:8d3:1319:8a2e:370:7348", Place: "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch, United Kingdom"},
		{Browser: "Safari, iOS", Address: "192.168.1.20", Private: true},
		{},
	}
}

func deviceSamples() []Sample {
	from := originSamples()
	session := func(id string, o Origin, used string) SessionRow {
		return SessionRow{ID: id, Origin: o, Created: "2026-03-04T08:00:00Z", LastUsed: used, End: PathDevices + "/sessions/" + id + "/end"}
	}
	device := func(id string, o Origin, used string) DeviceRow {
		return DeviceRow{
			ID: id, Origin: o, Created: "2026-02-20T08:00:00Z", LastUsed: used, Until: "2026-03-22T08:00:00Z",
			Forget: PathDevices + "/" + id + "/forget",
		}
	}
	here, this := session("s1", from[0], "2026-03-04T14:03:22Z"), device("d1", from[0], "2026-03-04T14:03:22Z")
	here.This, here.End, this.This = true, "", true
	away := session("s2", from[1], "2026-03-04T13:10:00Z")
	here.Remembered, away.Remembered = true, true
	full := Devices{
		Sessions: []SessionRow{
			here, away, session("s3", from[2], "2026-03-04T12:00:00Z"), session("s4", from[3], "2026-03-04T09:00:00Z"),
		},
		EndOthers: PathDevices + "/end-others", ForgetAll: PathDevices + "/forget",
		Devices: []DeviceRow{this, device("d2", from[1], "2026-03-01T10:00:00Z"), device("d3", from[3], "")},
	}
	many := full
	many.More, many.Notice = 12, Say(NoticeSessionForgotten)
	return []Sample{
		{"devices", inside(), full},
		{"devices-many", inside(), many},
		{"devices-alone", inside(), Devices{Sessions: []SessionRow{here}, Devices: []DeviceRow{}, Notice: Say(NoticeSessionsEnded)}},
		{"end-others", inside(), AskEndOthers.Page(PathDevices+"/end-others", PathDevices)},
	}
}

func activitySamples() []Sample {
	from := originSamples()
	at := func(action, outcome string, own bool, who string, f Factor, app string, o Origin) ActivityRow {
		return ActivityRow{
			ID: "00000000000000000042", Time: "2026-03-04T14:03:22Z", Action: action, Outcome: outcome, Own: own, Who: who, Factor: f, App: app, Origin: o,
		}
	}
	none := Factor{}
	page := Activity{
		EndOthers: PathDevices + "/end-others", More: PathActivity + "?after=00000000000000000042", Password: PathDetails + "/password",
		Entries: []ActivityRow{
			at("sign_in", "ok", true, "", passkeyFactor(), "Ledger", from[0]),
			at("sign_in", "ok", true, "", otherFactor(), "", from[1]),
			at("sign_in.password", "refused", true, "", none, "", from[3]),
			at("sign_in.factor", "refused", true, "", totpFactor(), "", from[1]),
			at("factor.added", "ok", true, "", totpFactor(), "", from[2]),
			at("two_factor.reset", "ok", false, "Otto Verwalter", none, "", from[0]),
			at("user.change", "ok", false, AuditOperator, none, "", Origin{}),
			at("application.revoked", "ok", true, "", none, "A ledger with a rather long name that goes on and on", from[0]),
			at("kettle.boil", "failed", true, "", none, "", from[0]),
		},
	}
	last := page
	last.Entries, last.More, last.First = page.Entries[5:7], "", PathActivity
	return []Sample{
		{"activity", inside(), page},
		{"activity-last", inside(), last},
		{"activity-empty", inside(), Activity{Entries: []ActivityRow{}, EndOthers: PathDevices + "/end-others"}},
		{"activity-end", inside(), Activity{Entries: []ActivityRow{}, EndOthers: PathDevices + "/end-others", First: PathActivity}},
	}
}

func connectedAppSamples() []Sample {
	app := func(id, name string, offline bool, scopes ...string) ConnectedRow {
		return ConnectedRow{
			ID: id, Name: name, Scopes: scopes, Offline: offline, Since: "2026-02-20T08:00:00Z", LastUsed: "2026-03-04T14:03:22Z",
			Revoke: PathConnected + "/" + id + "/revoke",
		}
	}
	page := Connected{Notice: Say(NoticeRevoked, "name", "Old shop"), Apps: []ConnectedRow{
		app("ledger", "Ledger", true, "profile", "email"),
		app("warehouse", "A warehouse with a rather long name that goes on and on GmbH & Co. KG", false, "profile", "users:read", "stock:write"),
		app("bare", "Bare", false),
	}}
	page.Apps[2].LastUsed = ""
	return []Sample{
		{"connected", inside(), page},
		{"connected-empty", inside(), Connected{Apps: []ConnectedRow{}}},
		{"revoke", inside(), AskRevoke.Page(PathConnected+"/ledger/revoke", PathConnected, "name", "Ledger")},
	}
}
