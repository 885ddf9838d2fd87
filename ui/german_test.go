package ui

import (
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// germanTexts are all that we say in German: the sentences of the catalogue, and the guides, by where they stand.
func germanTexts(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for key, m := range messages(t, "de") {
		texts[key], texts[key+" (one)"] = m.Other, m.One
	}
	names, err := fs.Glob(builtIn, "help/de/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(builtIn, name)
		if err != nil {
			t.Fatal(err)
		}
		texts[path.Base(name)] = string(raw)
	}
	return texts
}

// TestGermanGlossary: one thing has one word, everywhere. To the left is what else it is called.
func TestGermanGlossary(t *testing.T) {
	glossary := []struct{ never, say string }{
		{`(?i)authentifi`, "Authentisierung"},
		{`(?i)zwei.faktor-(anmeldung|verfahren|auth\b|überprüfung)|zwei-stufig|zweistufig|bestätigung in zwei`, "Zwei-Faktor-Authentisierung"},
		{`Zwei[^-]Faktor-`, "Zwei-Faktor-Authentisierung"},
		{`(?i)zweite[nrs]? faktor`, "zweiter Schritt"},
		{`(?i)(verifizierungs|verifikations|einmal|sicherheits|authentisierungs)-?codes?\b`, "Code"},
		{`(?i)(ersatz|notfall|sicherungs|reserve)-?codes?\b|backupcode|backup code`, "Backup-Code"},
		{`(?i)recovery|wiederherstellungsschlüssel|wiederherstellungs-code`, "Wiederherstellungscode"},
		{`(?i)zugangsschlüssel|hauptschlüssel|pass-key`, "Passkey"},
		{`(?i)kennwort`, "Passwort"},
		{`\b(Log-?[Ii]n|Logout|[Ee]in-?[Ll]oggen|eingeloggt|[Aa]us-?[Ll]oggen|[Ss]ignin|[Ss]ign-in)\b`, "Anmeldung, anmelden, abmelden"},
		{`\b(E-mail|e-mail|Email|eMail|Mailadresse|Emailadresse)\b`, "E-Mail, E-Mail-Adresse"},
		{`(?i)\b(handy|mobiltelefon|smartphone)`, "Telefon"},
		{`(?i)authenticator.?app|authentifizierungs-?app`, "Authenticator-App"},
		{`\b(User|Nutzer)(s|n|in|innen)?\b`, "Benutzer"},
		{`\b(Nutzername|Anmeldename|[Uu]sername)`, "Benutzername"},
		{`(?i)\b(mandant|tenant)`, "Konto, Organisation"},
		{`(?i)\bpolicy|\bpolicies`, "Regeln"},
		{`(?i)\bsession`, "Sitzung"},
		{`(?i)\b(device|gadget)`, "Gerät"},
		{`(?i)\bbackend|\bdownloaden|\bupload`, "hochladen, herunterladen"},
		{`\b([Dd]u|[Dd]ich|[Dd]ir|[Dd]ein(e[nmrs]?)?|[Ee]uch|[Ee]uer|[Ee]ure[nmrs]?)\b`, "Sie"},
		{`[“][^“”„]*”`, "„…“"},
		{`"|''`, "„…“"},
		{`\w'\w`, "’"},
		{`\.\.\.`, "…"},
		{` - `, "–"},
	}
	quoted := regexp.MustCompile("(?s)`[^`]*`|\\[[^]]*\\]\\([^)]*\\)|https?://\\S+|\\{\\{[^}]*\\}\\}")
	texts := germanTexts(t)
	for _, term := range glossary {
		never := regexp.MustCompile(term.never)
		for _, where := range slices.Sorted(maps.Keys(texts)) {
			text := quoted.ReplaceAllString(texts[where], "")
			if term.say == "Authenticator-App" {
				text = strings.ReplaceAll(strings.ReplaceAll(text, "Authenticator-Apps", ""), "Authenticator-App", "")
			}
			if found := never.FindString(text); found != "" {
				t.Errorf("%s: say %s, not %q", where, term.say, found)
			}
		}
	}
}

// TestGermanIsGerman: what reads the same in both languages does so for a reason.
func TestGermanIsGerman(t *testing.T) {
	same := map[string]string{
		"App": "a German word too", "Passkey": "its name", "Code": "a German word too", "Text": "a German word too", "Name": "a German word too",
		"Webhooks": "their name", "Browser": "a German word too", "Hash": "its name", "Budget": "a German word too", "Scopes": "their name",
		"Logo": "a German word too", "2FA": "short for both", "In UTC.": "of German words too", "Version": "a German word too",
		"April": "a month", "August": "a month", "September": "a month", "November": "a month",
	}
	onlyFilled := regexp.MustCompile(`^\W*$`)
	english, german := messages(t, "en"), messages(t, "de")
	for key, m := range english {
		d := german[key]
		if d == nil || d.Other != m.Other {
			continue
		}
		if words := placeholder.ReplaceAllString(m.Other, ""); !onlyFilled.MatchString(words) && same[m.Other] == "" {
			t.Errorf("%s: %q in both languages", key, m.Other)
		}
	}
}
