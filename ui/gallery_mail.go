package ui

import (
	"strings"
	"time"
)

// MailSample is one mail in one state, for the gallery and the tests.
type MailSample struct {
	// Name is lower-case words and hyphens.
	Name   string
	Letter Letter
}

// MailGallery shows every mail, with all that it can say and with as little as it may know.
func MailGallery() []MailSample {
	const issuer = "https://login.example.com"
	full := Letter{
		Lang: "en", Product: "Sallyport", Tenant: "Harbour & Sons", Accent: sampleBrand().Accent,
		Signature: "Harbour & Sons Ltd, 1 Quay Street, Bristol\nQuestions? Call 0117 496 0000, weekdays from 9 to 5.",
		Support:   "support@harbour.example", Account: "olga@example.com", Name: "Work phone", N: 9,
		NotMe: issuer + "/not-me/" + strings.Repeat("sealed", 24), Time: time.Date(2026, 11, 22, 14, 5, 0, 0, time.UTC),
		Place: "Hamburg, Germany", Address: "203.0.113.7", Browser: "Firefox, Windows",
	}
	var all []MailSample
	for _, kind := range Mails() {
		l := full
		l.Kind = kind
		switch kind {
		case MailPasswordForgot, MailTwoFactorLost, MailVerify:
			l.N, l.Link = 30, issuer+"/password/harbour.5f0c.SECRETSECRETSECRETSECRETSECRETSECRETSECRETSECRETSECR"
		case MailEmailNew, MailEmailOld:
			l.Other, l.N, l.Link = "olga.hafen@example.org", 30, issuer+"/email/new/harbour.5f0c.SECRETSECRETSECRETSECRETSECRETSECRETSECRETSECRETSECR"
		case MailEmailReplaced:
			l.Name, l.Other = "Olga Hafen", "ida.sund@example.org"
		case MailEmailGiven:
			l.Name = "Olga Hafen"
		case MailEmailChanged:
			l.Other = "olga.hafen@example.org"
		case MailNumberChanged:
			l.Name = "•••• 567"
		case MailInvitation:
			l.Name, l.N, l.Link = "Olga Hafen (Harbour & Sons)", 7, issuer+"/invitation/harbour.5f0c.SECRETSECRETSECRETSECRETSECRETSECRETSECR"
		case MailReminder:
			l.Name, l.Link = "Olga Hafen", issuer+PathSecurity
		case MailPolicyChanged, MailRecoveryMade:
			l.Name = "Olga Hafen"
		}
		all = append(all, MailSample{strings.ReplaceAll(strings.TrimPrefix(string(kind), "mail."), "_", "-"), l})
	}
	bare := Letter{Kind: MailFactorAdded, Lang: "en", Product: "Sallyport", Account: "olga@example.com", Name: "Work phone"}
	one := full
	one.Kind, one.N, one.Place, one.Accent, one.Signature, one.Support = MailCodeUsed, 1, "", "", "", ""
	owner := full
	owner.Kind, owner.Name, owner.Other, owner.Support = MailEmailReplaced, "Olga Hafen", "ida.sund@example.org", ""
	private := full
	private.Kind, private.Place, private.Address, private.Private = MailRecoveryUsed, "", "192.168.178.20", true
	long := full
	long.Kind, long.Name, long.Accent = MailFactorRemoved, "The phone with the cracked glass that lies in the second drawer", "#ffcc00"
	long.Tenant = "A company with a rather long name that goes on and on and on GmbH & Co. KG"
	long.Account = "a.person.with.a.rather.long.name@department.of.long.names.example.com"
	long.Address, long.Place = "2001:db8:85a3:8d3:1319:8a2e:370:7348", "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch, United Kingdom"
	return append(
		all, MailSample{"bare", bare}, MailSample{"last-code", one}, MailSample{"email-replaced-no-support", owner}, MailSample{"private-network", private}, MailSample{"long", long},
	)
}
