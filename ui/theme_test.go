package ui

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
)

// exampleTheme is the one that deploy/theme.md describes. New draws every page of the gallery with it, in all languages.
func exampleTheme(t *testing.T) *Renderer {
	t.Helper()
	r, err := New(Options{Override: os.DirFS("../deploy/theme")})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestExampleTheme: each file of the example does what its guide says, and nothing else is changed.
func TestExampleTheme(t *testing.T) {
	r := exampleTheme(t)
	if got := r.Languages(); !slices.Equal(got, []string{"en", "ar", "de"}) {
		t.Errorf("languages: %v", got)
	}
	draw := func(lang string, p Page) string {
		var b bytes.Buffer
		if err := r.Render(&b, Frame{Lang: lang, Product: "P"}, p); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for lang, want := range map[string]string{"en": "Work e-mail or staff number", "de": "Personalnummer", "ar": "اسم المستخدم"} {
		if page := draw(lang, SignIn{}); !strings.Contains(page, want) {
			t.Errorf("%s: the sign-in page does not say %q", lang, want)
		}
		if page := draw(lang, FailNotFound.Page("/")); !strings.Contains(page, `<a href="tel:+49405550100"><bdi dir="ltr">+49&nbsp;40&nbsp;555&nbsp;0100</bdi></a>`) {
			t.Errorf("%s: the error page is not the theme's", lang)
		}
	}
	if !strings.Contains(draw("en", SignIn{}), ">Password<") {
		t.Error("what the theme leaves out is gone")
	}
	logo, ok := r.Static(r.assets.names["logo.svg"])
	own, err := os.ReadFile("../deploy/theme/static/logo.svg")
	if err != nil || !ok || !bytes.Equal(logo.Body, own) {
		t.Errorf("the logo is not the theme's (%v)", err)
	}
}

// translated are the templates of what somebody sees who signs in, for the first time or after a loss.
var translated = []string{
	"sign_in", "choose_tenant", "code", "ways", "set_up_intro", "set_up_input", "set_up", "backup_codes", "forgot", "new_password",
	"reset_two_factor", "error", "note", "form_post",
}

// TestArabicIsComplete: who signs in in Arabic reads no English, but for what applications, tenants and products are called,
// and titles of guides. A sentence that the catalogue lacks is marked, since it runs in the other direction; see apart.
func TestArabicIsComplete(t *testing.T) {
	r := exampleTheme(t)
	word := regexp.MustCompile(`[A-Za-z]{3,}`)
	tag := regexp.MustCompile(`(?s)<head>.*?</head>|<(code|bdi|template)[^>]*>.*?</(code|bdi|template)>|<table.*?</table>|<input[^>]*>|<[^>]*>`)
	filled := regexp.MustCompile(`(?s)` + isolate + `.*?` + isolateEnd)
	known := []string{"JavaScript", "TOTP", "PIN", "SMS", "UTC"}
	drawn := 0
	for _, s := range Gallery() {
		// A factor of somebody else's speaks for itself.
		if !slices.Contains(translated, s.Page.Template()) || strings.HasSuffix(s.Name, "-other") {
			continue
		}
		drawn++
		s.Frame.Lang, s.Frame.Account = "ar", "" // whoever has an account to show has signed in
		var b bytes.Buffer
		if err := r.Render(&b, s.Frame, s.Page); err != nil {
			t.Fatal(err)
		}
		if i := strings.Index(b.String(), isolateLTR); i >= 0 {
			t.Errorf("%s says in English %.100q", s.Name, b.String()[i:])
		}
		main := b.String()[strings.Index(b.String(), "<main"):]
		text := tag.ReplaceAllString(filled.ReplaceAllString(main, ""), " ")
		for _, w := range word.FindAllString(text, -1) {
			if !slices.Contains(known, w) {
				t.Errorf("%s says %q", s.Name, w)
			}
		}
	}
	if drawn < 30 {
		t.Fatalf("only %d pages drawn", drawn)
	}
}

// TestArabicPlural: all six forms of Arabic, by Unicode's rules, in every text that counts.
func TestArabicPlural(t *testing.T) {
	r := exampleTheme(t)
	for n, want := range map[int]string{
		0: "لم يتبقَّ أي رمز", 1: "تبقّى رمز واحد", 2: "تبقّى رمزان", 3: "تبقّت 3 رموز", 10: "تبقّت 10 رموز", 11: "تبقّى 11 رمزًا",
		99: "تبقّى 99 رمزًا", 100: "تبقّى 100 رمز", 102: "تبقّى 102 رمز", 103: "تبقّت 103 رموز", 111: "تبقّى 111 رمزًا", 1000: "تبقّى 1,000 رمز",
	} {
		if got := r.Text("ar", Say("ways.left", "n", n)); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int]string{1: "انتظر دقيقة واحدة ثم", 2: "انتظر دقيقتين ثم", 7: "انتظر 7 دقائق ثم", 15: "انتظر 15 دقيقة ثم"} {
		if got := r.Text("ar", Say(ProblemCodeTries, "n", n)); !strings.Contains(got, want) {
			t.Errorf("%d: %q lacks %q", n, got, want)
		}
	}
	raw, err := os.ReadFile("../deploy/theme/i18n/ar.json")
	if err != nil {
		t.Fatal(err)
	}
	list, err := i18n.ParseMessageBytes(raw, json.Unmarshal)
	if err != nil {
		t.Fatal(err)
	}
	english, counting := messages(t, "en"), 0
	for _, m := range list {
		if english[m.ID].One == "" {
			continue
		}
		counting++
		if m.Zero == "" || m.One == "" || m.Two == "" || m.Few == "" || m.Many == "" || m.Other == "" {
			t.Errorf("%s counts, and lacks a form", m.ID)
		}
	}
	if counting < 15 {
		t.Errorf("only %d texts count", counting)
	}
}

// TestArabicDates: months and times in Arabic words, with the digits of the codes; what runs from left to right stays together.
func TestArabicDates(t *testing.T) {
	r := exampleTheme(t)
	at := time.Date(2026, time.March, 4, 14, 3, 22, 0, time.UTC)
	for _, c := range []struct {
		text Text
		want string
	}{
		{Moment(at), "4 مارس \u20682026\u2069 الساعة \u206814:03\u2069 (UTC)"},
		{Say("factor.sms.sent", "digits", 6, "target", "+49 ••• 67"), "أرسلنا رمزًا من 6 أرقام إلى \u2068+49 ••• 67\u2069."},
		{Say("error.denied.body", "rule", "Staff must use two-factor authentication"), "\u2068المصادقة الثنائية إلزامية للموظفين\u2069"},
		{Say("sms.code", "code", "123456", "product", "Harbour", "n", 5), "123456 هو رمزك في \u2068Harbour\u2069. صالح لمدة 5 دقائق. لا تعطه لأحد."},
		// Said in English, for want of Arabic.
		{Say("people.empty"), "\u2066Nobody answers to that.\u2069"},
	} {
		if got := r.Text("ar", c.text); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.text.Key, got, c.want)
		}
	}
	if got := Countries("ar", []string{"DE", "AU"}); got != "أستراليا، ألمانيا" {
		t.Errorf("countries: %q", got)
	}
	if got := Countries("de", []string{"ZM", "AT", "DE"}); got != "Deutschland, Österreich, Sambia" {
		t.Errorf("countries: %q", got)
	}
}
