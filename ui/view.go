package ui

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"
)

// view is what a template is given.
type view struct {
	Frame  Frame
	Page   Page
	Dir    string
	assets *assets
	// names are the languages that there are; see Renderer.OwnNames.
	names func() []Choice
}

// To makes a link of a path relative to the issuer. An absolute URL stays as it is; html/template refuses those that
// are not http, https or mailto.
func (v view) To(where string) string {
	if !strings.HasPrefix(where, "/") {
		return where
	}
	// "//host" would lead to another site.
	return v.Frame.Base + "/" + strings.TrimLeft(where, "/")
}

// Static makes a link of a static file's name.
func (v view) Static(name string) (string, error) {
	public, ok := v.assets.names[name]
	if !ok {
		return "", fmt.Errorf("there is no static file %q", name)
	}
	return v.Frame.Base + PathStatic + public, nil
}

// Name is how the deployment or the tenant is called.
func (v view) Name() string {
	if v.Frame.Tenant != "" {
		return v.Frame.Tenant
	}
	return v.Frame.Product
}

// Brand is how the page looks: as it says itself, where it is about that.
func (v view) Brand() Brand {
	if p, ok := v.Page.(interface{ brand() Brand }); ok {
		return p.brand()
	}
	return v.Frame.Brand
}

// AccentStyle is the path of the style sheet with the tenant's accent, empty where there is none.
func (v view) AccentStyle() string { return AccentPath(v.Brand().Accent) }

// link is a link of the foot of pages: a key of the catalogues, and where it leads.
type link struct{ Key, URL string }

// Links are what the foot of pages links to: the tenant's own help, or else ours, and what else the tenant has.
func (v view) Links() []link {
	b := v.Brand()
	all := []link{{"foot.help", cmp.Or(b.Help, PathHelp)}, {"foot.privacy", b.Privacy}, {"foot.terms", b.Terms}}
	return slices.DeleteFunc(all, func(l link) bool { return l.URL == "" })
}

// tongue is a language that the page could be in, in its own words; Here tells that it is.
type tongue struct {
	Choice
	Here bool
}

// Tongues are the languages that there are, where there is a choice and nobody who has a setting.
func (v view) Tongues() []tongue {
	if v.Frame.Anew == "" || v.Frame.Account != "" {
		return nil
	}
	names := v.names()
	if len(names) < 2 {
		return nil
	}
	all := make([]tongue, 0, len(names))
	for _, c := range names {
		all = append(all, tongue{Choice: c, Here: c.ID == v.Frame.Lang})
	}
	return all
}

// Who is the account that a page names, or nothing where the page's head names it already.
func (v view) Who(account string) string {
	if account == v.Frame.Account {
		return ""
	}
	return account
}

// Nothing is nothing to say, for what only the script says.
func (view) Nothing() Text { return Text{} }

// Failed tells whether the page says what was wrong with the last try.
func (v view) Failed() bool {
	p, ok := v.Page.(interface{ problem() Text })
	return ok && p.problem().Key != ""
}

// oneOf is one of the problems of a form, if there is any.
func oneOf(problems map[string]Text) Text {
	for _, p := range problems {
		return p
	}
	return Text{}
}

// funcs are what templates call, in one language.
func (r *Renderer) funcs(lang string) template.FuncMap {
	say := func(t Text) (string, error) { return r.words.say(lang, t) }
	return template.FuncMap{
		// t says a key with pairs of a name and a value.
		"t": func(key string, pairs ...any) (string, error) { return say(Say(key, pairs...)) },
		// say says a Text, and nothing for a Text without a key.
		"say":  say,
		"tone": Text.tone,
		// word says a factor's own word of that kind, or the word for other factors.
		"word": func(f Factor, kind string, pairs ...any) (string, error) {
			key := "factor." + f.ID + "." + kind
			if !r.words.has(lang, key) {
				key = "factor.other." + kind
			}
			return say(Say(key, append(pairs, "name", f.Name)...))
		},
		// called is a credential's own name, or the factor's where it has none of its own; that of a factor that has
		// words is said in the page's language.
		"called": func(f Factor, name string) (string, error) {
			key := "factor." + f.ID + ".name"
			switch {
			case name != "" && name != f.Name:
				return name, nil
			case r.words.has(lang, key):
				return say(Say(key))
			default:
				return f.Name, nil
			}
		},
		// advice is one line on how safe a factor is, and nothing where the catalogues know none.
		"advice": func(f Factor) (string, error) { return r.saying(lang, "factor."+f.ID+".advice", "") },
		// note is what is known of a credential: a word of its factor, or what stands there, such as a masked number.
		"note": func(f Factor, note string) (string, error) { return r.saying(lang, "factor."+f.ID+".note."+note, note) },
		// userType is the tenant's own word for a user type, or ours for those that every tenant begins with.
		"userType": func(t any) (string, error) {
			switch t := t.(type) {
			case Choice:
				if t.Name != "" {
					return t.Name, nil
				}
				return r.saying(lang, "type."+t.ID, t.ID)
			case string:
				return r.saying(lang, "type."+t, t)
			default:
				return "", fmt.Errorf("%v is no user type", t)
			}
		},
		// ruleName is the name of a rule, in the page's language where it is a built-in one's own.
		"ruleName":  func(stored string) (string, error) { return r.words.rule(lang, stored) },
		"role":      func(role string) (string, error) { return r.saying(lang, "role."+role, role) },
		"scopeText": func(scope string) (string, error) { return say(ScopeText(scope)) },
		// commas lists words, and anyOf factors of which one will do.
		"named":     func(countries []Country) []namedCountry { return named(lang, countries) },
		"commas":    func(words []string) string { return strings.Join(words, comma(lang)) },
		"anyOf":     func(factors []Factor) (string, error) { return r.anyOf(lang, factors) },
		"countries": func(codes []string) string { return Countries(lang, codes) },
		"seconds":   r.seconds,
		// raw is what a script reads from an attribute.
		"raw": func(j json.RawMessage) string { return string(j) },
		// own tells whether the catalogues have words for the factor.
		"own":    func(f Factor) bool { return r.words.has(lang, "factor."+f.ID+".name") },
		"day":    func(iso string) (string, error) { return when(iso, Day, say) },
		"moment": func(iso string) (string, error) { return when(iso, Moment, say) },
		"dict":   dict,
		// at is a problem where it is that of a field, and nothing else.
		"at": func(where, field string, problem Text) Text {
			if where != field {
				return Text{}
			}
			return problem
		},
		"otpauth": otpauth, "support": support, "pack": pack,
		"path": func(name string) (string, error) {
			if p := paths[name]; p != "" {
				return p, nil
			}
			return "", fmt.Errorf("there is no path %q", name)
		},
	}
}

// anyOf names factors of which one will do.
func (r *Renderer) anyOf(lang string, factors []Factor) (string, error) {
	list := ""
	for i, f := range factors {
		name, err := r.saying(lang, "factor."+f.ID+".name", f.Name)
		switch {
		case err != nil:
			return "", err
		case i == 0:
			list = name
		case i < len(factors)-1:
			list += comma(lang) + name
		default:
			if list, err = r.words.say(lang, Say("list.or", "first", list, "last", name)); err != nil {
				return "", err
			}
		}
	}
	return list, nil
}

// saying says a key if the catalogues have it, and else the other words.
func (r *Renderer) saying(lang, key, other string) (string, error) {
	if !r.words.has(lang, key) {
		return other, nil
	}
	return r.words.say(lang, Say(key))
}

// longestWait bounds what a page counts down, in seconds.
const longestWait = 600

// seconds is how long it is until then, from 0 to longestWait: the script counts these, because the reader's clock may
// be wrong.
func (r *Renderer) seconds(iso string) (int, error) {
	if iso == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339, iso)
	if err != nil {
		return 0, fmt.Errorf("%q is no time", iso)
	}
	return int(math.Ceil(min(max(t.Sub(r.now()).Seconds(), 0), longestWait))), nil
}

// paths are the fixed places by the names that templates use.
var paths = map[string]string{
	"sign_in": PathSignIn, "choose_tenant": PathChooseTenant, "sign_out": PathSignOut,
	"language": PathLanguage, "passkey": PathPasskey, "passkey_options": PathPasskeyOptions,
	"networks": PathNetworks, "settings": PathSettings, "branding": PathBranding,
	"account": PathAccount, "security": PathSecurity, "devices": PathDevices, "activity": PathActivity, "connected": PathConnected, "details": PathDetails,
	"two_factor": PathTwoFactor, "two_factor_off": PathTwoFactorOff, "codes_new": PathCodesNew,
}

// when says a time, given in RFC 3339 or as a date.
func when(iso string, in func(time.Time) Text, say func(Text) (string, error)) (string, error) {
	t, err := time.Parse(time.RFC3339, iso)
	if err != nil {
		if t, err = time.Parse(time.DateOnly, iso); err != nil {
			return "", fmt.Errorf("%q is no time", iso)
		}
	}
	return say(in(t))
}

// dict makes the data of a component.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict takes pairs")
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// otpauth lets a key's link through html/template, which knows only the schemes of the web.
func otpauth(uri string) (template.URL, error) {
	if !strings.HasPrefix(uri, "otpauth://") {
		return "", errors.New("not an otpauth link")
	}
	return template.URL(uri), nil //nolint:gosec // G203: the scheme was checked, and it is still escaped as an attribute
}

// support makes a link of an e-mail address.
func support(where string) string {
	if strings.Contains(where, "@") && !strings.Contains(where, ":") {
		return "mailto:" + where
	}
	return where
}

// pack takes the spaces out of a key that is shown in groups.
func pack(key string) string { return strings.ReplaceAll(key, " ", "") }
