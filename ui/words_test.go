package ui

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
)

func messages(t *testing.T, lang string) map[string]*i18n.Message {
	t.Helper()
	raw, err := fs.ReadFile(builtIn, "i18n/"+lang+".json")
	if err != nil {
		t.Fatal(err)
	}
	list, err := i18n.ParseMessageBytes(raw, json.Unmarshal)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]*i18n.Message{}
	for _, msg := range list {
		m[msg.ID] = msg
	}
	return m
}

// usedKeys are the keys in the string literals of the package's code and in its templates. Families, such as
// Failure, stand for the keys that are made of them.
func usedKeys(t *testing.T) map[string]bool {
	t.Helper()
	used := map[string]bool{}
	key := regexp.MustCompile(`^[a-z]\w*(\.[a-z]\w*)+$`)
	for _, name := range glob(t, "*.go") {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "gallery") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if _, isImport := n.(*ast.ImportSpec); isImport {
				return false
			}
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && key.MatchString(s) && !strings.HasSuffix(s, ".html") && !strings.HasSuffix(s, ".txt") && !strings.HasSuffix(s, ".json") {
					for _, k := range family(s) {
						used[k] = true
					}
				}
			}
			return true
		})
	}
	call := regexp.MustCompile(`\bt "([a-z_.]+)"`)
	word := regexp.MustCompile(`\bword \S+ "([a-z_]+)"`)
	for _, name := range glob(t, "templates/*.html") {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(raw), -1) {
			used[m[1]] = true
		}
		for _, m := range word.FindAllStringSubmatch(string(raw), -1) {
			for _, factor := range wordsOf(m[1]) {
				used["factor."+factor+"."+m[1]] = true
			}
		}
	}
	// What the templates make keys of, see "advice", "note" and "role" in the functions that they call; and what a factor
	// says of itself, see mfa/sms.
	for _, key := range []string{
		"sms.code",
		"factor.totp.advice", "factor.sms.advice", "factor.webauthn.advice",
		"factor.webauthn.note.synced", "factor.webauthn.note.device", "factor.webauthn.note.copied",
		"role.owner", "role.admin", "role.member", "type.staff", "type.client", "type.contractor",
	} {
		used[key] = true
	}
	for _, a := range areas() {
		used[a.Label] = true
		for _, p := range slices.Concat(a.groups...) {
			used[a.words+p.ID] = true
		}
	}
	return used
}

// wordsOf are the factors that have a word of that kind; a code is sent, and something asked before the set-up, by few.
func wordsOf(kind string) []string {
	switch kind {
	case "sent", "ask":
		return []string{"sms", "other"}
	default:
		return []string{"totp", "sms", "webauthn", "backup", "recovery", "other"}
	}
}

func family(s string) []string {
	switch {
	case strings.HasPrefix(s, "ask.") && strings.Count(s, ".") == 1:
		return []string{s + ".title", s + ".body", s + ".button"}
	case s == string(ToldLocked), s == string(ToldEmailNew), s == string(ToldEmailOld), s == string(ToldEmailTaken):
		return []string{s + ".title", s + ".body"}
	case strings.HasPrefix(s, "note.") && strings.Count(s, ".") == 1:
		return []string{s + ".title", s + ".body", s + ".button"}
	case slices.Contains(Mails(), Mail(s)):
		m := Mail(s)
		f := m.form()
		keys := []string{m.key("subject"), m.key("heading"), m.key("body"), f.why}
		if f.link {
			keys = append(keys, m.key("action"))
		}
		if f.after {
			keys = append(keys, m.key("after"))
		}
		if f.end != "" {
			keys = append(keys, f.end)
		}
		if f.alone != "" {
			keys = append(keys, f.alone)
		}
		return keys
	case strings.HasPrefix(s, "error.") && strings.Count(s, ".") == 1 && s != "error.button":
		return []string{s + ".title", s + ".body"}
	default:
		return []string{s}
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v", pattern, err)
	}
	return names
}

func TestCataloguesAreComplete(t *testing.T) {
	used := usedKeys(t)
	if len(used) < 150 {
		t.Fatalf("only %d keys found: the search is broken", len(used))
	}
	english := messages(t, "en")
	for _, lang := range []string{"en", "de"} {
		have := messages(t, lang)
		for key := range used {
			if have[key] == nil {
				t.Errorf("%s has no %q", lang, key)
			}
		}
		for key, m := range have {
			// Places of refusals are named by those who refuse; see Invalid.
			if !used[key] && !strings.HasPrefix(key, invalidPrefix) {
				t.Errorf("%s has %q, which nothing uses", lang, key)
			}
			got, err := placeholders(m)
			if err != nil {
				t.Error(err)
			}
			if want, _ := placeholders(english[key]); !slices.Equal(got, want) {
				t.Errorf("%s %q fills in %v, English %v", lang, key, got, want)
			}
			if (m.One != "") != slices.Contains(got, "n") {
				t.Errorf("%s %q: a text needs a singular exactly where it counts", lang, key)
			}
		}
	}
}

func TestPlural(t *testing.T) {
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, time.March, 4, 14, 3, 22, 0, time.FixedZone("", 3600))
	for _, c := range []struct {
		lang string
		text Text
		want string
	}{
		{"en", Say(ProblemCodeTries, "n", 1), "Too many wrong codes. Please wait 1 minute, then sign in again."},
		{"en", Say(ProblemCodeTries, "n", 15), "Too many wrong codes. Please wait 15 minutes, then sign in again."},
		{"de", Say(ProblemCodeTries, "n", 1), "Zu viele falsche Codes. Bitte warten Sie 1 Minute und melden Sie sich dann neu an."},
		{"en", CodeProblem("short", 6), "That code is too short. The right one has 6 digits."},
		{"en", CodeProblem("long", 6), "That code is too long. The right one has 6 digits."},
		{"de", CodeProblem("short", 6), "Dieser Code ist zu kurz. Der richtige hat 6 Ziffern."},
		{"de", CodeProblem("long", 8), "Dieser Code ist zu lang. Der richtige hat 8 Ziffern."},
		{"en", Moment(at), "4 March 2026 at 13:03 UTC"},
		{"de", Moment(at), "4. März 2026, 13:03 Uhr (UTC)"},
		{"en", ClockHint(at, 0), "Is your phone’s clock right? Set its date and time to automatic. Our clock shows 13:03:22 (UTC)."},
		{"en", ClockHint(at, 60*time.Second), "Your phone’s clock is about 60 seconds ahead. Set its date and time to automatic. Our clock shows 13:03:22 (UTC)."},
		{"en", ClockHint(at, -4*time.Minute), "Your phone’s clock is about 4 minutes behind. Set its date and time to automatic. Our clock shows 13:03:22 (UTC)."},
		{"de", ClockHint(at, 90*time.Second), "Die Uhr Ihres Telefons geht etwa 2 Minuten vor. Stellen Sie Datum und Uhrzeit auf automatisch. Unsere Uhr zeigt 13:03:22 Uhr (UTC)."},
		{"de", Say(ProblemNameLong, "n", 1000), "Dieser Name ist zu lang: höchstens 1.000 Zeichen."},
		{"en", CodesUsed(0), "You used your last backup code. Make a new set now."},
		{"en", CodesUsed(3), "You used a backup code, and only 3 are left. Make a new set soon."},
		{"en", CodesUsed(4), "You used a backup code. 4 are left."},
		{"en", Text{}, ""},
		{"en", Say("no.such.key"), "no.such.key"},
		{"fr", Say(ProblemTick), "Save the codes first, then tick the box."},
	} {
		if got := r.Text(c.lang, c.text); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.lang, c.text.Key, got, c.want)
		}
	}
}

// TestWordsAreFilled says each text that other packages take from here, with what its comment promises to fill in.
func TestWordsAreFilled(t *testing.T) {
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	var texts []Text
	for told, next := range map[Told]string{ToldForgot: "/next", ToldResetMail: "/next", ToldTwoFactorReset: "/next", ToldLocked: "", ToldVerified: "/next"} {
		p := told.Page(next)
		texts = append(texts, p.Title, p.Body)
		if next != "" {
			texts = append(texts, p.Button)
		}
	}
	for _, reason := range []string{"wrong", "used", "expired", "empty", "short", "long", "format", "new"} {
		texts = append(texts, CodeProblem(reason, 6), CodeProblem(reason, 0))
	}
	for _, key := range []string{
		ProblemPassword, ProblemPasswordTries, ProblemSignInExpired, ProblemCodeTries, ProblemFactorOff,
		ProblemTick, ProblemNameEmpty, ProblemNameLong, ProblemNameCharacters, NoticeFactorAdded, NoticeFactorRemoved,
		NoticeFactorRenamed, NoticeTwoFactorOn, NoticeTwoFactorOff, NoticeFresh, NoticeUndone, NoticeStepUp, NoticeSentNone, NoticeAppAsks, NoticeAppEnded,
		ProblemInputEmpty, ProblemInputMalformed, ProblemInputCountry, ProblemSentOften, ProblemSentBudget, ProblemSentUndeliverable,
		ProblemSentGateway, ProblemPasskey, ProblemPasskeySignIn, ProblemPasskeyKnown, ProblemPasswordShort, ProblemPasswordLong, ProblemPasswordCommon,
		ProblemPasswordPersonal, ProblemPasswordText, NoticeSentAgain, NoticePasswordNew, NoticeWelcome,
		NoticeDeviceForgotten, NoticeDevicesForgotten, NoticeMailSent, NoticeRecoveryRevoked, NoticeUnlocked,
		NoticePersonDeleted, NoticePersonEmail, NoticePersonEmailInvited, NoticeInvited, NoticeWithdrawn, NoticeInvitedOften, NoticeReminded, NoticeRemindedLately, NoticeRemindedAll,
		NoticeRemindedNone, NoticeTypeAdded, NoticeTypeSaved, NoticeTypeRemoved, NoticeTypeUsers, NoticeTypeRules,
		SMSTwoFactorReset,
	} {
		texts = append(texts, Say(
			key, "n", 2, "name", "N", "rule", "R", "app", "A", "countries", "C", "reason", "R.", "address", "a@example.com",
			"account", "a@example.com", "code", "123456", "product", "P",
		))
	}
	for _, lang := range r.Languages() {
		for _, text := range texts {
			if words, err := r.words.say(lang, text); err != nil || words == "" {
				t.Errorf("%s %s: %q, %v", lang, text.Key, words, err)
			}
		}
	}
}

func TestAdvice(t *testing.T) {
	add := []Way{{Path: "/add"}}
	one, two := []CredentialRow{{}}, []CredentialRow{{}, {}}
	sms, app, passkey := CredentialRow{Factor: smsFactor()}, CredentialRow{Factor: totpFactor()}, CredentialRow{Factor: passkeyFactor()}
	copied := passkey
	copied.Note = "copied"
	all := []Way{{Factor: smsFactor(), Path: "/sms"}, {Factor: totpFactor(), Path: "/totp"}, {Factor: passkeyFactor(), Path: "/webauthn"}}
	for name, c := range map[string]struct {
		page Security
		want string
	}{
		"off":            {Security{Addable: add}, "security.turn_on_title"},
		"nothing to add": {Security{}, ""},
		"switched off":   {Security{On: true, Factors: []CredentialRow{{}, {Off: true}}, CodesLeft: -1}, "security.off_title"},
		"no codes":       {Security{On: true, Factors: two, CodesLeft: -1}, "security.codes_title"},
		"codes spent":    {Security{On: true, Factors: two, CodesLeft: 0, CodesMade: 10}, "security.codes_title"},
		"few codes":      {Security{On: true, Factors: two, CodesLeft: 3, CodesMade: 10}, "security.codes_few_title"},
		"a set of one":   {Security{On: true, Factors: two, CodesLeft: 1, CodesMade: 1}, "security.fine_title"},
		"one factor":     {Security{On: true, Factors: one, Addable: add, CodesLeft: 9, CodesMade: 10}, "security.another_title"},
		"fine":           {Security{On: true, Factors: two, Addable: add, CodesLeft: 9, CodesMade: 10}, "security.fine_title"},
		"copied":         {Security{On: true, Factors: []CredentialRow{{Off: true}, copied}, CodesLeft: -1}, "security.copied_title"},
		"messages":       {Security{On: true, Factors: []CredentialRow{sms}, Addable: all, CodesLeft: 9, CodesMade: 10}, "security.safer_title"},
		"two numbers":    {Security{On: true, Factors: []CredentialRow{sms, sms}, Addable: all, CodesLeft: 9, CodesMade: 10}, "security.safer_title"},
		"nothing safer":  {Security{On: true, Factors: []CredentialRow{sms}, Addable: all[:1], CodesLeft: 9, CodesMade: 10}, "security.another_title"},
		"one app":        {Security{On: true, Factors: []CredentialRow{app}, Addable: all, CodesLeft: 9, CodesMade: 10}, "security.passkey_title"},
		"one passkey":    {Security{On: true, Factors: []CredentialRow{passkey}, Addable: all, CodesLeft: 9, CodesMade: 10}, "security.another_title"},
		"app and number": {Security{On: true, Factors: []CredentialRow{app, sms}, Addable: all, CodesLeft: 9, CodesMade: 10}, "security.fine_title"},
	} {
		if got := c.page.Advice().Title.Key; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestAdviceLeadsThere: the button does what the advice says.
func TestAdviceLeadsThere(t *testing.T) {
	page := Security{
		On: true, CodesLeft: 9, CodesMade: 10, Factors: []CredentialRow{{Factor: totpFactor()}},
		Addable: []Way{{Factor: totpFactor(), Path: "/totp"}, {Factor: passkeyFactor(), Path: "/webauthn"}},
	}
	if a := page.Advice(); a.Path != "/webauthn" || !a.Post {
		t.Errorf("to a passkey: %+v", a)
	}
	page.Factors = []CredentialRow{{Factor: passkeyFactor(), Note: "copied", Remove: "/remove"}}
	if a := page.Advice(); a.Path != "/remove" || a.Post {
		t.Errorf("away from a copied passkey: %+v", a)
	}
	page.Factors[0].Remove = ""
	if a := page.Advice(); a.Path != "" || a.Body.Key != "security.copied_last_text" {
		t.Errorf("away from the last one: %+v", a)
	}
}

// gsm7 are the characters that take one of the 160 places of a text message (3GPP TS 23.038, 6.2.1).
const gsm7 = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿" +
	"abcdefghijklmnopqrstuvwxyzäöñüà"

// TestTextMessagesFit: each is one message, also with a long name and the line that browsers read the code from.
func TestTextMessagesFit(t *testing.T) {
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"en", "de"} {
		code := r.Text(lang, Say("sms.code", "code", "12345678", "product", "Harbour and Sons", "n", 10)) + "\n\n@login.harbour-and-sons.example #12345678"
		for _, text := range []string{code, r.Text(lang, Say(SMSTwoFactorReset, "product", "Harbour and Sons"))} {
			if n := len([]rune(text)); n > 160 {
				t.Errorf("%s: %d characters: %s", lang, n, text)
			}
			for _, c := range text {
				if !strings.ContainsRune(gsm7, c) {
					t.Errorf("%s: %q is not in the alphabet of text messages: %s", lang, c, text)
				}
			}
		}
	}
}

// TestTextSurvivesJSON: a notice that was sealed into a link is said as before.
func TestTextSurvivesJSON(t *testing.T) {
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []Text{
		CodesUsed(1), CodesUsed(7), Say(NoticeFactorAdded, "name", "12"), Say(ProblemTick),
		{},
		ClockHint(time.Unix(0, 0), -90*time.Second),
		Say(ProblemNameLong, "n", 12345),
	} {
		data, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var back Text
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if got, want := r.Text("en", back), r.Text("en", text); got != want {
			t.Errorf("%s: %q, want %q", data, got, want)
		}
	}
	if err := json.Unmarshal([]byte(`{"key":"k","data":{"n":1.5}}`), new(Text)); err == nil {
		t.Error("half a thing was counted")
	}
}

func TestCountries(t *testing.T) {
	for _, c := range []struct {
		lang, want string
		codes      []string
	}{
		{"en", "Australia, Germany, New Zealand", []string{"NZ", "AU", "DE"}},
		{"de", "Deutschland, Frankreich, Neuseeland", []string{"NZ", "FR", "DE"}},
		{"en", "??", []string{"??"}},
		{"en", "", nil},
	} {
		if got := Countries(c.lang, c.codes); got != c.want {
			t.Errorf("%s %v: %q, want %q", c.lang, c.codes, got, c.want)
		}
	}
}

// TestSeconds: what the page counts down is the server's time, within bounds.
func TestSeconds(t *testing.T) {
	now := time.Date(2026, time.March, 4, 14, 3, 22, 0, time.UTC)
	r, err := New(Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]int{
		"": 0, "2026-03-04T14:03:52Z": 30, "2026-03-04T14:03:22Z": 0, "2026-03-04T14:00:00Z": 0, "2027-01-01T00:00:00Z": 600,
		"2026-03-04T15:03:23.2+01:00": 2,
	} {
		if got, err := r.seconds(at); got != want || err != nil {
			t.Errorf("%q: %d (%v), want %d", at, got, err, want)
		}
	}
	if _, err := r.seconds("soon"); err == nil {
		t.Error("“soon” is a time")
	}
}
