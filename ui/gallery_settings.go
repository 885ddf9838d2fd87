package ui

// GalleryLogo is where the samples expect a tenant's logo, relative to the issuer.
const GalleryLogo = "/dev/gallery/logo.png"

func sampleBrand() Brand {
	return Brand{
		Logo: GalleryLogo, LogoWidth: 320, LogoHeight: 96, Accent: "#8e24aa",
		Help: "https://harbour.example/help", Privacy: "https://harbour.example/privacy", Terms: "https://harbour.example/terms",
	}
}

// branded is a frame with a tenant's look.
func branded(f Frame) Frame {
	f.Tenant, f.Brand = "Harbour & Sons", sampleBrand()
	return f
}

// settingsSamples are the pages of settings and look, and others that have a tenant's look.
func settingsSamples() []Sample {
	page := Settings{
		Digits: 6, Algorithm: "SHA1", Codes: 10, Idle: 60, Idles: []int{5, 15, 30, 60, 120, 240, 480, 720, 1440}, Reset: "members",
		Support: "support@harbour.example", Language: "de", Languages: []Choice{{"en", "English"}, {"de", "Deutsch"}}, Plan: "Business", Budget: 200, AuditDays: 365, Retention: PathAudit + "/retention",
		Countries: []Country{{"AT", true}, {"CH", false}, {"DE", true}}, Only: true,
		Action: PathSettings, Notice: Say(NoticeSettingsSaved),
	}
	bare, world, wrong := page, page, page
	bare.Plan, bare.Budget, bare.AuditDays, bare.Retention, bare.Support = "", 0, 0, "", ""
	bare.Countries, bare.Only, bare.Notice = nil, false, Text{}
	world.Digits, world.Algorithm, world.Codes, world.Idle, world.Reset = 8, "SHA256", 1, 5, "on"
	world.Countries, world.Only, world.Budget, world.Notice = nil, false, 0, Text{}
	for _, code := range []string{"AR", "AT", "AU", "BE", "BR", "CA", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "US"} {
		world.Countries = append(world.Countries, Country{Code: code})
	}
	wrong.Support, wrong.Notice = "call us", Text{}
	wrong.Problems = map[string]Text{
		"support": Invalid("support", ""), "sms_countries": Invalid("sms_countries", "none"), "totp_digits": Invalid("totp_digits", ""),
		"totp_algorithm": Invalid("totp_algorithm", ""), "backup_codes": Invalid("backup_codes", ""),
		"session_idle": Invalid("session_idle", ""), "language": Invalid("language", ""), "email_reset": Invalid("email_reset", ""), "": Invalid("other", ""),
	}
	code := Code{Factor: totpFactor(), Account: "olga@example.com", Digits: 6, App: "Ledger", Action: "/a", Others: "/o", Restart: "/r"}
	all := []Sample{
		{"settings", inside(), page},
		{"settings-bare", inside(), bare},
		{"settings-many-countries", inside(), world},
		{"settings-problems", inside(), wrong},
		{"sign-in-branded", branded(outside()), SignIn{Request: "sealed", App: "Ledger", Passkeys: true, Forgot: PathForgot}},
		{"code-branded", branded(outside()), code},
		{"security-branded", branded(inside()), Security{Account: "olga@example.com", Name: "Olga Hafen", CodesLeft: -1}},
	}
	return append(all, brandingSamples()...)
}

func brandingSamples() []Sample {
	page := Branding{
		Name: "Harbour & Sons", Title: "Harbour & Sons", Accent: "#8e24aa", Picked: "#8e24aa", Look: sampleBrand(),
		Help: sampleBrand().Help, Privacy: sampleBrand().Privacy, Terms: sampleBrand().Terms,
		Signature: "Harbour & Sons Ltd\n1 Quay Street, Bristol", Signed: []string{"Harbour & Sons Ltd", "1 Quay Street, Bristol"},
		Action: PathBranding, SetLogo: PathBranding + "/logo", RemoveLogo: PathBranding + "/logo/remove", Notice: Say(NoticeLogoSaved),
	}
	show := func(p *Branding) {
		if a, ok := NewAccent(p.Look.Accent); ok {
			p.Show(a)
		}
	}
	show(&page)
	bare, light, wrong := page, page, page
	bare.Accent, bare.Picked, bare.Look, bare.Help, bare.Privacy, bare.Terms = "", OurAccent, Brand{}, "", "", ""
	bare.Signature, bare.Signed = "", nil
	bare.RemoveLogo, bare.Notice, bare.Light, bare.Dark = "", Text{}, "", ""
	light.Accent, light.Picked, light.Look.Accent, light.Notice, light.Tried = "#ffcc00", "#ffcc00", "#ffcc00", Text{}, true
	light.Name = "A company with a rather long name that goes on and on GmbH & Co. KG"
	light.Title = light.Name
	show(&light)
	wrong.Accent, wrong.Help, wrong.Notice = "red", "javascript:alert(1)", Text{}
	wrong.Signature = "Win at https://evil.example"
	wrong.Problems = map[string]Text{
		"name": Invalid("name", ""), "accent": Invalid("accent", ""), "help_url": Invalid("help_url", ""), "privacy_url": Invalid("privacy_url", ""),
		"terms_url": Invalid("terms_url", ""), "signature": Invalid("signature", "address"), "logo": Invalid("logo", "type"), "": Invalid("other", ""),
	}
	return []Sample{
		{"branding", branded(inside()), page},
		{"branding-bare", inside(), bare},
		{"branding-tried", inside(), light},
		{"branding-problems", inside(), wrong},
	}
}
