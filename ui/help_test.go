package ui_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/sallyport-id/sallyport/ui"
)

// guideOf draws a guide as a page and returns its article.
func guideOf(t *testing.T, r *ui.Renderer, lang, topic string) *html.Node {
	t.Helper()
	found := all(parse(t, draw(t, r, ui.Frame{Lang: lang, Product: "P"}, ui.Guide{Topic: topic})), atom.Article)
	if len(found) != 1 {
		t.Fatalf("%s/%s: %d articles", lang, topic, len(found))
	}
	return found[0]
}

// labels are the words of the catalogues of a language, as patterns of what a page shows, by their keys.
type labels map[string]*regexp.Regexp

var filledIn = regexp.MustCompile(`\\\{\\\{\\\.[a-z_]+\\\}\\\}`)

// typography is what keeps words together or lets them part, and is not written in guides.
var typography = strings.NewReplacer("\u2011", "-", "\u00ad", "", "\u00a0", " ")

func labelsOf(t *testing.T, lang string) labels {
	t.Helper()
	raw, err := os.ReadFile("i18n/" + lang + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var book map[string]any
	if err := json.Unmarshal(raw, &book); err != nil {
		t.Fatal(err)
	}
	words := labels{}
	add := func(key, value string) {
		value = typography.Replace(value)
		// "{{.name}}" alone would be anything.
		if strings.ContainsFunc(regexp.MustCompile(`\{\{.*?\}\}`).ReplaceAllString(value, ""), func(r rune) bool { return r > ' ' }) {
			words[key] = regexp.MustCompile("^" + filledIn.ReplaceAllString(regexp.QuoteMeta(value), ".+") + "$")
		}
	}
	for key, value := range book {
		switch value := value.(type) {
		case string:
			add(key, value)
		case map[string]any:
			for form, words := range value {
				if words, ok := words.(string); ok {
					add(key+" ("+form+")", words)
				}
			}
		}
	}
	return words
}

// keys are those that say the words.
func (l labels) keys(words string) []string {
	var keys []string
	for key, pattern := range l {
		if pattern.MatchString(typography.Replace(words)) {
			keys = append(keys, key)
		}
	}
	return keys
}

// TestGuidesNameWhatIsThere: bold words are labels of our pages, in that language's own words, so that a guide can't
// drift from them; and both languages tell the same: as many headings, steps and labels, and at each place the same label.
func TestGuidesNameWhatIsThere(t *testing.T) {
	r := renderer(t)
	english, german := labelsOf(t, "en"), labelsOf(t, "de")
	for _, topic := range ui.Topics() {
		en, de := guideOf(t, r, "en", topic), guideOf(t, r, "de", topic)
		if got := attr(de, "lang"); got != "de" {
			t.Errorf("%s is told in %q to Germans", topic, got)
			continue
		}
		for _, a := range []atom.Atom{atom.H2, atom.H3, atom.Ol, atom.Li, atom.P, atom.A, atom.Strong} {
			if e, d := len(all(en, a)), len(all(de, a)); e != d {
				t.Errorf("%s: %d <%s> in English, %d in German", topic, e, a, d)
			}
		}
		blocks := []atom.Atom{atom.P, atom.Li}
		here, there := all(en, blocks...), all(de, blocks...)
		for i := range min(len(here), len(there)) {
			compareLabels(t, topic, english.named(t, here[i]), german.named(t, there[i]))
		}
	}
}

// named are, for each bold word of a paragraph, the keys that say it.
func (l labels) named(t *testing.T, block *html.Node) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, b := range all(block, atom.Strong) {
		keys := l.keys(text(b))
		if len(keys) == 0 {
			t.Errorf("no page says %q: %q", text(b), text(block))
		}
		found[text(b)] = keys
	}
	return found
}

// compareLabels finds, for each label of one paragraph, one of the other's with a key in common: languages put their words
// in different orders.
func compareLabels(t *testing.T, topic string, en, de map[string][]string) {
	t.Helper()
	for words, keys := range en {
		same := false
		for _, others := range de {
			same = same || slices.ContainsFunc(keys, func(key string) bool { return slices.Contains(others, key) })
		}
		if !same {
			t.Errorf("%s: %q is said otherwise in German: %v", topic, words, de)
		}
	}
}

// TestGuidesAreShort: nobody reads long help. A guide says in its first paragraph what it is about.
func TestGuidesAreShort(t *testing.T) {
	r := renderer(t)
	for _, lang := range []string{"en", "de"} {
		for _, topic := range ui.Topics() {
			article := guideOf(t, r, lang, topic)
			if n := len(strings.Fields(text(article))); n > 520 {
				t.Errorf("%s/%s has %d words", lang, topic, n)
			}
			for _, p := range all(article, atom.P, atom.Li) {
				if n := len(strings.Fields(text(p))); n > 70 {
					t.Errorf("%s/%s: a paragraph of %d words: %s", lang, topic, n, text(p))
				}
			}
			if len(all(article, atom.Ol)) == 0 || len(all(article, atom.H2)) < 2 {
				t.Errorf("%s/%s has no steps, or no headings", lang, topic)
			}
		}
	}
}

// TestHelpIndex: all guides are listed, with what they are about.
func TestHelpIndex(t *testing.T) {
	r := renderer(t)
	for _, lang := range []string{"en", "de"} {
		page := parse(t, draw(t, r, ui.Frame{Lang: lang, Base: "/id", Product: "P"}, ui.Help{}))
		var to []string
		for _, a := range all(all(page, atom.Main)[0], atom.A) {
			to = append(to, path.Base(attr(a, "href")))
			if want := "/id" + ui.PathGuide(path.Base(attr(a, "href"))); attr(a, "href") != want {
				t.Errorf("%s leads to %s, not to %s", text(a), attr(a, "href"), want)
			}
			if got := text(all(guideOf(t, r, lang, path.Base(attr(a, "href"))), atom.H1)[0]); got != text(a) {
				t.Errorf("%s: %q leads to %q", lang, text(a), got)
			}
		}
		if !slices.Equal(to, ui.Topics()) {
			t.Errorf("%s: the index lists %v", lang, to)
		}
	}
}

// TestOverrideGuides: a guide can be told otherwise, one at a time; what can't be shown is an error at the start.
func TestOverrideGuides(t *testing.T) {
	theme := func(name, says string) fstest.MapFS { return fstest.MapFS{name: &fstest.MapFile{Data: []byte(says)}} }
	r, err := ui.New(ui.Options{Override: theme("help/en/passkeys.md", "# Our keys & locks\n\nAsk \"Kim\" & Co.\n\n## Wo & für wen?\n\nIn [Berlin](https://example.com/map), or see [apps](set-up-an-app.md) and [yours](../account).\n")})
	if err != nil {
		t.Fatal(err)
	}
	article := guideOf(t, r, "en", "passkeys")
	if got := text(all(article, atom.H1)[0]); got != "Our keys & locks" {
		t.Errorf("the heading is %q", got)
	}
	if got := attr(all(article, atom.H2)[0], "id"); got != "wo-für-wen" {
		t.Errorf("the heading has the id %q", got)
	}
	var to []string
	for _, a := range all(article, atom.A) {
		to = append(to, attr(a, "href"))
	}
	if want := []string{"https://example.com/map", "set-up-an-app", "../account"}; !slices.Equal(to, want) {
		t.Errorf("it leads to %q, want %q", to, want)
	}
	if got := text(all(guideOf(t, r, "en", "backup-codes"), atom.H1)[0]); got != "Backup codes" {
		t.Errorf("another guide changed too: %q", got)
	}

	// A language without guides of its own reads them in English, and says so to readers of the screen.
	arabic := theme("i18n/ar.json", `{"help.title": "مساعدة"}`)
	if r, err = ui.New(ui.Options{Override: arabic}); err != nil {
		t.Fatal(err)
	}
	if a := guideOf(t, r, "ar", "passkeys"); attr(a, "lang") != "en" || attr(a, "dir") != "ltr" {
		t.Errorf("lang %q, dir %q", attr(a, "lang"), attr(a, "dir"))
	}

	const head = "# A\n\nB.\n\n"
	for name, says := range map[string]string{
		"help/en/no-such-topic.md": head, "help/de/signing-in.md": "# A\n\nAsk *Kim*.\n", "help/fr/passkeys.md": head, "help/en/networks.md": "Text only.\n",
		"help/en/best-practice.md": "# A\n\n## B\n", "help/en/lost-phone.md": head + "<script>alert(1)</script>\n",
		"help/en/backup-codes.md": head + "a <b onclick=x>b</b>\n", "help/en/passkeys.md": head + "[x](javascript:alert)\n",
		"help/de/passkeys.md": head + "[x](nowhere.md)\n", "help/en/signing-in.md": head + "[x](passkeys.md#nowhere)\n",
		"help/en/recovery-codes.md": head + "![x](x.png)\n", "help/en/text-messages.md": head + "# C\n",
		"help/en/set-up-an-app.md": head + "## C\n\n## C\n", "help/en/your-account.md": head + "[x](//evil.example/)\n",
		"help/en/require-two-factor.md": head + "[x](http://example.com)\n", "help/de/networks.md": head + "<javascript:alert>\n",
	} {
		if _, err := ui.New(ui.Options{Override: theme(name, says)}); err == nil || !strings.Contains(err.Error(), path.Dir(name)) {
			t.Errorf("%s with %q: %v", name, says, err)
		}
	}
}

// TestGuideFiles: no file of the help lies about that nobody reads.
func TestGuideFiles(t *testing.T) {
	for _, lang := range []string{"en", "de"} {
		files, err := fs.Glob(os.DirFS("help"), lang+"/*")
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != len(ui.Topics()) {
			t.Errorf("%s has %d files, for %d topics", lang, len(files), len(ui.Topics()))
		}
	}
}

// TestGuidesAnswer: what the help of comparable products tells is told by ours too. The rows are those of the list of
// features, by the ID of the help page that they come from.
func TestGuidesAnswer(t *testing.T) {
	r := renderer(t)
	for _, row := range []struct{ ids, topic, says string }{
		{"000-5 001-5", "signing-in", "E-mail or user name and your Password"},
		{"003-1", "signing-in", "can see and change nothing"},
		{"000-6 001-4", "set-up-an-app", "after your password you are led through the same steps"},
		{"000-8", "set-up-an-app", "you are asked for a code at every sign-in"},
		{"001-6", "set-up-an-app", "any other app or browser extension for time-based codes (TOTP) will do"},
		{"001-9", "set-up-an-app", "set its date and time to automatic"},
		{"002-10", "signing-in", "begins with a passkey if you have one, and otherwise with what you used last"},
		{"004-5", "text-messages", "As soon as your password is right, a message is on its way"},
		{"002-11", "backup-codes", "Strike it off your list; we mail you that it was used, and how many are left"},
		{"002-14 002-15 002-16", "recovery-codes", "If you press Not now, you need another recovery code the next time"},
		{"002-18", "require-two-factor", "get in with a recovery code only"},
		{"004-6 004-7", "signing-in", "asks for your password only"},
		{"001-12 001-13", "lost-phone", "If your organisation requires a second step, you set up a new one right away"},
		{"003-11", "signing-in", "After many wrong tries the page says how long to wait"},
		{"003-4 003-5", "set-up-an-app", "Get started"},
		{"001-7 001-8 003-7 004-3", "set-up-an-app", "They are free and work without a network: nothing passes between the app and us"},
		{"003-6", "set-up-an-app", "type the key below Or type in this key into the app"},
		{"003-8 003-9", "set-up-an-app", "type the 6-digit code that the app now shows, and press Confirm"},
		{"002-4 002-5", "text-messages", "Messages go to certain countries only, and the page says to which"},
		{"002-6", "backup-codes", "You get ten of them with your first second step"},
		{"002-7", "backup-codes", "All codes that you have now stop working"},
		{"002-7", "backup-codes", "Print makes a sheet"},
		{"002-8", "backup-codes", "Treat them like a password"},
		{"004-4", "text-messages", "or an app is safer"},
		{"001-14", "set-up-an-app", "nothing can be turned off"},
		{"003-2", "set-up-an-app", "not offered to every type of account"},
		{"002-1", "set-up-an-app", "comes with the paid plans"},
		{"000-2 000-3 000-4", "require-two-factor", "You can change the Access level at the same time"},
		{"000-4", "require-two-factor", "Nobody else is touched by it"},
		{"002-12 002-13", "recovery-codes", "It works once, within an hour"},
		{"002-12 002-13", "recovery-codes", "Only owners can make one, and never for themselves"},
		{"001-3 001-4", "require-two-factor", "the types of users that must"},
		{"001-2", "require-two-factor", "A connected integration for finances"},
		{"002-17 002-19", "networks", "2FA required here"},
		{"002-21", "networks", "From other addresses nobody gets in"},
		{"002-20", "networks", "list their addresses before you require it of everyone"},
		{"004-8", "best-practice", "An account is as safe as its weakest administrator; that goes for assistants with access too"},
	} {
		if got := text(guideOf(t, r, "en", row.topic)); !strings.Contains(got, row.says) {
			t.Errorf("%s: %s does not say %q", row.ids, row.topic, row.says)
		}
	}
}

// TestGuidesAreNear: who is at a page that needs explaining has a guide one click away. From what is shown only once it opens
// in a tab of its own.
func TestGuidesAreNear(t *testing.T) {
	r := renderer(t)
	want := map[string]string{
		"sign-in": "", "code": "signing-in", "code-sms": "text-messages", "code-passkey": "passkeys", "code-backup": "backup-codes",
		"code-recovery": "recovery-codes", "code-other": "", "ways": "lost-phone", "set-up-intro": "signing-in", "set-up": "set-up-an-app",
		"backup-codes": "backup-codes", "policy": "require-two-factor", "networks": "networks", "invite": "people", "person-email": "people",
	}
	for _, s := range ui.Gallery() {
		topic, ok := want[s.Name]
		if !ok {
			continue
		}
		delete(want, s.Name)
		var near []string
		foot := ""
		for _, a := range all(parse(t, draw(t, r, s.Frame, s.Page)), atom.A) {
			to, isGuide := strings.CutPrefix(attr(a, "href"), ui.PathHelp+"/")
			if isGuide {
				near = append(near, to)
				if once := s.Page.Template() == "backup_codes"; once != (attr(a, "target") == "_blank") {
					t.Errorf("%s: %s opens in another tab: %t", s.Name, to, !once)
				}
			}
			if attr(a, "href") == ui.PathHelp {
				foot = text(a)
			}
		}
		if strings.Join(near, " ") != topic || foot != "Help" {
			t.Errorf("%s leads to the guides %v, want %q; its foot says %q", s.Name, near, topic, foot)
		}
	}
	if len(want) > 0 {
		t.Errorf("not in the gallery: %v", want)
	}
}
