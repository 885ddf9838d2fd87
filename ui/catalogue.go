package ui

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	i18ntemplate "github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// catalogues hold the words in every language. They don't change once read.
type catalogues struct {
	// langs are the tags, English first: what Language falls back on, and where a key is looked up that is missing.
	langs   []string
	matcher language.Matcher
	books   map[string]book
	strict  i18ntemplate.Parser
	// counts are the keys that fill in {n}, and so have a singular.
	counts map[string]bool
}

// book is one language's catalogue.
type book struct {
	words   *i18n.Localizer
	numbers *message.Printer
	// keys are all there are; sentences without placeholders stand here ready, as most do.
	keys map[string]string
	dir  string
}

// maxPreference bounds what Language parses: both lists come from strangers.
const maxPreference = 512

// readCatalogues reads i18n/*.json from the file systems; a key in a later one takes the earlier one's place. The
// English of the first is the measure: nothing may have keys or placeholders that it does not have.
func readCatalogues(layers ...fs.FS) (*catalogues, error) {
	english, err := readEnglish(layers[0])
	if err != nil {
		return nil, fmt.Errorf("ui: i18n/en.json: %w", err)
	}
	bundle := i18n.NewBundle(language.English)
	keys := map[string]map[string]string{}
	for _, layer := range layers {
		names, err := fs.Glob(layer, "i18n/*.json")
		if err != nil {
			return nil, fmt.Errorf("ui: list catalogues: %w", err)
		}
		for _, name := range names {
			lang, messages, err := readCatalogue(layer, bundle, name, english)
			if err != nil {
				return nil, fmt.Errorf("ui: %s: %w", name, err)
			}
			if keys[lang] == nil {
				keys[lang] = map[string]string{}
			}
			for _, m := range messages {
				keys[lang][m.ID] = ""
				if len(english[m.ID]) == 0 {
					keys[lang][m.ID] = m.Other
				}
			}
		}
	}
	c := bind(bundle, keys)
	for key, has := range english {
		c.counts[key] = slices.Contains(has, "n")
	}
	return c, nil
}

// readEnglish returns the placeholders of each key.
func readEnglish(layer fs.FS) (map[string][]string, error) {
	raw, err := fs.ReadFile(layer, "i18n/en.json")
	if err != nil {
		return nil, err
	}
	messages, err := i18n.ParseMessageBytes(raw, json.Unmarshal)
	if err != nil {
		return nil, err
	}
	english := make(map[string][]string, len(messages))
	for _, m := range messages {
		if english[m.ID], err = placeholders(m); err != nil {
			return nil, err
		}
	}
	return english, nil
}

func readCatalogue(layer fs.FS, bundle *i18n.Bundle, name string, english map[string][]string) (string, []*i18n.Message, error) {
	lang := strings.TrimSuffix(path.Base(name), ".json")
	tag, err := language.Parse(lang)
	if err != nil {
		return "", nil, fmt.Errorf("the file's name is not a language tag: %w", err)
	}
	if tag.String() != lang {
		return "", nil, fmt.Errorf("name it %s.json, as the language tag is written", tag)
	}
	raw, err := fs.ReadFile(layer, name)
	if err != nil {
		return "", nil, err
	}
	messages, err := bundle.ParseMessageBytes(tag, raw, json.Unmarshal)
	if err != nil {
		return "", nil, err
	}
	var problems []error
	for _, m := range messages {
		has, err := placeholders(m)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		problems = append(problems, compare(m.ID, has, english))
		if slices.Contains(english[m.ID], "n") {
			problems = append(problems, inflect(tag, m))
		}
	}
	// Once more, with the forms that were filled in.
	if err := errors.Join(append(problems, bundle.AddMessages(tag, messages...))...); err != nil {
		return "", nil, err
	}
	return lang, messages, nil
}

// mostCounted is the largest number up to which every form that a language counts with is needed.
const mostCounted = 200

// inflect sees to it that a message that counts has all the forms that its language counts with (Unicode CLDR, Language
// Plural Rules). One that is a single sentence is that for all numbers.
func inflect(tag language.Tag, m *i18n.Message) error {
	forms := map[plural.Form]*string{
		plural.Zero: &m.Zero, plural.One: &m.One, plural.Two: &m.Two, plural.Few: &m.Few, plural.Many: &m.Many, plural.Other: &m.Other,
	}
	names := map[plural.Form]string{
		plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other",
	}
	single := m.Other != "" && m.Zero+m.One+m.Two+m.Few+m.Many == ""
	var missing []string
	for n := range mostCounted {
		form := plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0)
		switch {
		case *forms[form] != "":
		case single:
			*forms[form] = m.Other
		case !slices.Contains(missing, names[form]):
			missing = append(missing, names[form])
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%q lacks the form %s of numbers, which the language has", m.ID, strings.Join(missing, ", "))
	}
	return nil
}

// compare says what is wrong with a message whose English sentence is known.
func compare(key string, has []string, english map[string][]string) error {
	want, known := english[key]
	if !known {
		return fmt.Errorf("%q is no key", key)
	}
	for _, name := range has {
		if !slices.Contains(want, name) {
			return fmt.Errorf("%q has no placeholder {{.%s}}; it has %v", key, name, want)
		}
	}
	return nil
}

var placeholder = regexp.MustCompile(`\{\{\.([a-z_]+)\}\}`)

// placeholders are the names that a message fills in, sorted. A catalogue holds words, not programs: any other
// template action is an error.
func placeholders(m *i18n.Message) ([]string, error) {
	names := map[string]bool{}
	for _, form := range []string{m.Zero, m.One, m.Two, m.Few, m.Many, m.Other} {
		if strings.Contains(placeholder.ReplaceAllString(form, ""), "{{") {
			return nil, fmt.Errorf("%q: only placeholders such as {{.name}} can be used: %q", m.ID, form)
		}
		for _, match := range placeholder.FindAllStringSubmatch(form, -1) {
			names[match[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

func bind(bundle *i18n.Bundle, keys map[string]map[string]string) *catalogues {
	c := &catalogues{
		langs: slices.Sorted(maps.Keys(keys)),
		books: make(map[string]book, len(keys)), counts: map[string]bool{},
		// A placeholder that is not filled in is a mistake to be found, not "<no value>" to be read.
		strict: &i18ntemplate.TextParser{Option: "missingkey=error"},
	}
	english := slices.Index(c.langs, "en")
	c.langs = slices.Insert(slices.Delete(c.langs, english, english+1), 0, "en")
	tags := make([]language.Tag, len(c.langs))
	for i, lang := range c.langs {
		tags[i] = language.MustParse(lang)
		// Codes are of the digits 0 to 9, and a page that counts in others beside them would confuse.
		digits, err := tags[i].SetTypeForKey("nu", "latn")
		if err != nil {
			digits = tags[i]
		}
		c.books[lang] = book{i18n.NewLocalizer(bundle, lang), message.NewPrinter(digits), keys[lang], direction(tags[i])}
	}
	c.matcher = language.NewMatcher(tags)
	return c
}

// choose returns the language that fits the preferences best: the first list that fits at all decides.
func (c *catalogues) choose(prefs ...string) string {
	for _, pref := range prefs {
		if _, i, confidence := c.matcher.Match(wanted(pref)...); confidence != language.No {
			return c.langs[i]
		}
	}
	return c.langs[0]
}

// wanted are the languages of a list, the most wanted first. What is no language is passed over, and so is what stands
// behind the first maxPreference bytes.
func wanted(pref string) []language.Tag {
	if len(pref) > maxPreference {
		pref = pref[:maxPreference]
		pref = pref[:max(0, strings.LastIndexAny(pref, ", "))] // half a tag would be another language
	}
	if !strings.ContainsAny(pref, ",;") {
		pref = strings.Join(strings.Fields(pref), ",") // ui_locales is separated by spaces
	}
	tags, _, err := language.ParseAcceptLanguage(pref)
	if err == nil {
		return tags
	}
	good := slices.DeleteFunc(strings.Split(pref, ","), func(one string) bool {
		_, _, err := language.ParseAcceptLanguage(one)
		return err != nil
	})
	if tags, _, err = language.ParseAcceptLanguage(strings.Join(good, ",")); err != nil {
		return nil
	}
	return tags
}

// has tells whether the language, or else English, has the key.
func (c *catalogues) has(lang, key string) bool {
	_, here := c.books[lang].keys[key]
	_, there := c.books[c.langs[0]].keys[key]
	return here || there
}

// nearest is the key itself, or what comes next to it where it is that of a refusal: the words of its place, and then
// those that fit every place. Operations refuse in more ways than pages have words for.
func (c *catalogues) nearest(lang, key string) string {
	if !strings.HasPrefix(key, invalidPrefix) {
		return key
	}
	for !c.has(lang, key) {
		cut := strings.LastIndexByte(key, '.')
		if cut < len(invalidPrefix) {
			return invalidPrefix + "other"
		}
		key = key[:cut]
	}
	return key
}

// say puts a Text into words.
func (c *catalogues) say(lang string, t Text) (string, error) {
	if t.Key == "" {
		return "", nil
	}
	t.Key = c.nearest(lang, t.Key)
	b := c.books[lang]
	if _, ok := b.keys[t.Key]; !ok && lang != c.langs[0] {
		words, err := c.say(c.langs[0], t)
		if err == nil && b.dir == "rtl" {
			words = apart(t.Key, words)
		}
		return words, err
	}
	if plain := b.keys[t.Key]; plain != "" {
		return plain, nil
	}
	conf := i18n.LocalizeConfig{MessageID: t.Key, TemplateParser: c.strict}
	// A sentence without {n} has no singular to look for, even if what it is filled with counts something.
	if c.counts[t.Key] {
		conf.PluralCount = t.Data["n"]
	}
	data := make(map[string]any, len(t.Data))
	for name, value := range t.Data {
		switch v := value.(type) {
		case Text:
			words, err := c.say(lang, v)
			if err != nil {
				return "", err
			}
			data[name] = words
		case int:
			data[name] = number(b.numbers, v)
		case string:
			if name == "rule" {
				var err error
				if v, err = c.rule(lang, v); err != nil {
					return "", err
				}
			}
			if data[name] = v; b.dir == "rtl" {
				data[name] = alone(name, v)
			}
		default:
			data[name] = v
		}
	}
	conf.TemplateData = data
	words, err := b.words.Localize(&conf)
	if err != nil {
		return "", fmt.Errorf("ui: text %q in %q: %w", t.Key, lang, err)
	}
	return words, nil
}

// number groups the digits of large numbers as the language does.
func number(p *message.Printer, n int) string {
	if n > -1000 && n < 1000 {
		return strconv.Itoa(n)
	}
	return p.Sprint(n)
}
