package ui

// sampleTypes are user types as tenants have them, one of which has a name of the tenant's own.
func sampleTypes() []Choice {
	return []Choice{{ID: "staff"}, {ID: "client"}, {ID: "contractor"}, {ID: "bookkeeping", Name: "Bookkeepers and their assistants"}}
}

func samplePerson(id, account, name, role, kind string, on bool) PersonRow {
	to := PathPeople + "/" + id
	r := PersonRow{
		ID: id, Account: account, Name: name, Role: role, Type: Choice{ID: kind}, TwoFactor: on, Path: to,
		PersonActions: PersonActions{
			HandOut: to + "/recovery-code", Email: to + "/email", End: to + "/end", Forget: to + "/forget", Disable: to + "/disable", Delete: to + "/delete",
		},
	}
	if on {
		r.Reset = to + "/reset"
	} else {
		r.Remind = to + "/remind"
	}
	return r
}

func sampleInvited(expired bool) PersonRow {
	to := PathPeople + "/u5"
	return PersonRow{
		ID: "u5", Account: "nora@example.com", Name: "Nora Berg", Role: "member", Type: sampleTypes()[3], Invited: true, Expired: expired, Path: to,
		PersonActions: PersonActions{Again: to + "/invite", Withdraw: to + "/withdraw", Email: to + "/email"},
	}
}

func peopleSamples() []Sample {
	you := samplePerson("u1", "olga@example.com", "Olga Hafen", "owner", "staff", true)
	you.You, you.PersonActions = true, PersonActions{}
	bare := you
	bare.TwoFactor = false
	peer := samplePerson("u2", "peer@example.com", "Peer Holm", "admin", "staff", false)
	unreachable := samplePerson("u6", "root", "", "owner", "staff", false)
	unreachable.Unreachable, unreachable.Remind = true, ""
	alive := samplePerson("u3", "nils.with.a.rather.long.name.that.goes.on@sub.example.com", "", "member", "contractor", false)
	alive.Revoke, alive.Until, alive.Required = "/admin/people/u3/recovery-code/revoke", "2026-03-04T15:03:22Z", true
	locked := samplePerson("u4", "ida@example.com", "Ida Sund", "member", "client", true)
	locked.Out, locked.Unlock = true, "/admin/people/u4/unlock"
	page := People{
		Action: PathPeople, Types: sampleTypes(), Next: PathPeople + "?after=u4", First: PathPeople, Count: 100_204, All: 100_204, TwoFactor: 81_377,
		People: []PersonRow{you, peer, alive, locked, sampleInvited(false), sampleInvited(true)}, Invite: PathInvite, EditTypes: PathUserTypes, Import: PathImport,
	}
	nudge, sole, found, none, invited, searching, empty := page, page, page, page, page, page, page
	nudge.Unprotected, nudge.RemindAll, nudge.First = []PersonRow{bare, peer, unreachable}, PathPeople+"/remind", ""
	nudge.Notice = Say(NoticeRemindedAll, "n", 2)
	sole.SoleOwner, sole.InviteOwner, sole.First = true, PathInvite+"?role=owner", ""
	found.Filter = Filter{Find: "ida", TwoFactor: "on", Type: "client", Role: "member"}
	found.Count, found.More, found.Next, found.First, found.People = -1, true, "", "", []PersonRow{locked}
	found.Notice = Say(NoticeRecoveryRevoked, "account", "ida@example.com")
	none.Filter, none.Count, none.Next, none.First, none.People = Filter{Find: "nobody@example.com"}, -1, "", "", nil
	invited.Filter, invited.Count, invited.Next, invited.First = Filter{State: "invited"}, -1, "", ""
	invited.People = []PersonRow{sampleInvited(false), sampleInvited(true)}
	searching.Filter, searching.Count, searching.People = Filter{Role: "admin", Type: "client"}, -1, nil
	empty.Count, empty.All, empty.TwoFactor, empty.People, empty.Next, empty.First = 0, 0, 0, nil, "", ""
	code := RecoveryCode{
		Account: "peer@example.com", Name: "Peer Holm", Code: "k7fq-2m9x-vd4t-8wzn", Until: "2026-03-04T15:03:22Z",
		Revoke: "/admin/people/u2/recovery-code/revoke", Back: PathPeople,
	}
	unnamed := code
	unnamed.Name = ""
	return append([]Sample{
		{"people", inside(), page},
		{"people-nudge", inside(), nudge},
		{"people-sole-owner", inside(), sole},
		{"people-found", inside(), found},
		{"people-nobody", inside(), none},
		{"people-invited", inside(), invited},
		{"people-searching", inside(), searching},
		{"people-empty", inside(), empty},
		{"recovery-code", inside(), code},
		{"recovery-code-unnamed", inside(), unnamed},
	}, append(personSamples(you, alive, locked), typeSamples()...)...)
}

func personSamples(you, alive, locked PersonRow) []Sample {
	whole := personSample(samplePerson("u2", "peer@example.com", "Peer Holm", "admin", "staff", true))
	refused := whole
	refused.Notice, refused.Row.Name, refused.Where, refused.Problem = Text{}, "", "name", Invalid("name", "")
	gone := alive
	gone.Out, gone.Disable, gone.Enable = true, "", alive.Path+"/enable"
	invited := Person{
		Row: sampleInvited(false), Roles: []string{"member"}, Types: sampleTypes(), Action: PathPeople + "/u5", CodesLeft: -1,
		Invited: "2026-03-02T09:00:00Z", Expires: "2026-03-09T09:00:00Z", Back: PathPeople, Notice: Say(NoticeInvited, "account", "nora@example.com"),
	}
	expired := invited
	expired.Row, expired.Notice = sampleInvited(true), Say(NoticeInvitedOften, "account", "nora@example.com", "n", 42)
	imported := samplePerson("u7", "ines@example.com", "Ines Lund", "member", "client", false)
	imported.Invite, imported.Unreachable, imported.HandOut, imported.Remind, imported.End, imported.Forget = imported.Path+"/invite", true, "", "", "", ""
	unconfirmed := alive
	unconfirmed.Unreachable, unconfirmed.Remind = true, ""
	return append([]Sample{
		{"person", inside(), whole},
		{"person-refused", inside(), refused},
		{"person-own", inside(), Person{
			Row: you, Own: true, Types: sampleTypes()[:2], Action: you.Path, CodesLeft: 1, Sessions: 1, Back: PathPeople,
			LastSignIn: "2026-03-03T07:15:00Z",
		}},
		{"person-locked", inside(), Person{Row: locked, Locked: true, CodesLeft: -1, Back: PathPeople}},
		{"person-disabled", inside(), Person{
			Row: gone, Roles: []string{"owner", "admin", "member"}, Types: sampleTypes()[2:3], Action: alive.Path, Disabled: true,
			CodesLeft: -1, Back: PathPeople, Notice: Say(NoticePersonDisabled, "account", alive.Account),
		}},
		{"person-no-password", inside(), Person{
			Row: imported, Roles: []string{"owner", "admin", "member"}, Types: sampleTypes(), Action: imported.Path, NoPassword: true, CodesLeft: -1, Back: PathPeople,
		}},
		{"person-unconfirmed", inside(), Person{
			Row: unconfirmed, Roles: []string{"owner", "admin", "member"}, Types: sampleTypes(), Action: alive.Path, Unconfirmed: true, CodesLeft: -1,
			Sessions: 1, LastSignIn: "2026-03-03T07:15:00Z", Back: PathPeople, Notice: Say(NoticePersonEmail, "account", alive.Account),
		}},
		{"person-invited", inside(), invited},
		{"person-invitation-expired", inside(), expired},
		{"person-reset", inside(), AskResetPerson.Page("/admin/people/u2/reset", "/admin/people/u2", "account", "peer@example.com")},
		{"person-disable", inside(), AskDisablePerson.Page("/admin/people/u2/disable", "/admin/people/u2", "account", "peer@example.com")},
		{"person-delete", inside(), AskDeletePerson.Page("/admin/people/u2/delete", "/admin/people/u2", "account", "peer@example.com")},
		{"person-withdraw", inside(), AskWithdraw.Page("/admin/people/u5/withdraw", "/admin/people/u5", "account", "nora@example.com")},
		{"person-withdraw-kept", inside(), AskWithdrawKept.Page("/admin/people/u7/withdraw", "/admin/people/u7", "account", "ines@example.com")},
	}, personEmailSamples()...)
}

func personEmailSamples() []Sample {
	page := PersonEmail{
		Account: "ida@example.com", Name: "Ida Sund", Present: "ida@example.com", Told: true, Action: PathPeople + "/u4/email", Cancel: PathPeople + "/u4",
	}
	unconfirmed, none, invited, taken, often := page, page, page, page, page
	unconfirmed.Told = false
	none.Account, none.Name, none.Present, none.Told = "nils.with.a.rather.long.name.that.goes.on.and.on", "", "", false
	invited.Told, invited.Invited = false, true
	taken.Email, taken.Problem = "olga@example.com", Invalid("email", "taken")
	often.Invited, often.Email, often.Problem = true, "ida.sund@example.org", Say(NoticeInvitedOften, "account", "ida@example.com", "n", 42)
	return []Sample{
		{"person-email", inside(), page},
		{"person-email-unconfirmed", inside(), unconfirmed},
		{"person-email-none", inside(), none},
		{"person-email-invited", inside(), invited},
		{"person-email-taken", inside(), taken},
		{"person-email-often", inside(), often},
	}
}

// personSample is somebody with everything.
func personSample(row PersonRow) Person {
	row.Required = true
	phone := CredentialRow{ID: "c1", Factor: totpFactor(), Name: "Phone", Created: "2025-11-22T09:00:00Z", LastUsed: "2026-03-04T14:03:22Z"}
	key := CredentialRow{ID: "c2", Factor: Factor{ID: "webauthn", Name: "Passkey"}, Name: "Passkey", Created: "2026-01-02T09:00:00Z", Off: true}
	return Person{
		Row: row, Roles: []string{"owner", "admin", "member"}, Types: sampleTypes(), Action: row.Path,
		RequiredBy: "Staff must use two-factor authentication",
		Factors:    []CredentialRow{phone, key}, CodesLeft: 7, Devices: 2, Sessions: 3, LastSignIn: "2026-03-03T07:15:00Z",
		Activity: PathAudit + "?user=" + row.ID, Why: PathExplain + "?user=" + row.ID, Back: PathPeople, Notice: Say(NoticePersonSaved, "account", row.Account),
	}
}

func typeSamples() []Sample {
	types := UserTypes{Action: PathUserTypes, Back: PathPeople}
	for i, t := range sampleTypes() {
		to := PathUserTypes + "/" + t.ID
		row := UserTypeRow{
			Type: t, Users: 40_000 * i, TwoFactor: 30_000 * i, People: PathPeople + "?type=" + t.ID,
			Rename: to, Up: to + "/up", Down: to + "/down", Remove: to + "/remove",
		}
		types.Types = append(types.Types, row)
	}
	types.Types[0].Up, types.Types[3].Down = "", ""
	one, refused := types, types
	only := types.Types[1]
	only.Users, only.TwoFactor, only.Up, only.Down, only.Remove = 1, 1, "", "", ""
	one.Types, one.Notice = []UserTypeRow{only}, Say(NoticeTypeSaved, "name", "Client")
	refused.New, refused.Problem = "Staff", Invalid("name", "taken")
	invite := Invite{
		Role: "member", Type: "staff", Roles: []string{"owner", "admin", "member"}, Types: sampleTypes(), Days: 7, Action: PathInvite, Cancel: PathPeople,
	}
	wrong, often := invite, invite
	wrong.Email, wrong.Name, wrong.Role, wrong.Type, wrong.Required = "nora", "Nora Berg", "admin", "client", true
	wrong.Where, wrong.Problem = "email", Invalid("email", "syntax")
	often.Problem = Say(NoticeInvitedOften, "account", "nora@example.com", "n", 2)
	rename := UserType{Type: sampleTypes()[3], New: "Bookkeepers and their assistants", Action: PathUserTypes + "/bookkeeping", Cancel: PathUserTypes}
	long := rename
	long.Problem = Invalid("name", "")
	return []Sample{
		{"invite", inside(), invite},
		{"invite-wrong", inside(), wrong},
		{"invite-often", inside(), often},
		{"user-types", inside(), types},
		{"user-types-one", inside(), one},
		{"user-types-refused", inside(), refused},
		{"user-type", inside(), rename},
		{"user-type-wrong", inside(), long},
		{"user-type-remove", inside(), AskRemoveType.Page(PathUserTypes+"/client/remove", PathUserTypes, "name", "Client")},
	}
}
