package ui

import (
	"bytes"
	"cmp"
	"fmt"
	htmltemplate "html/template"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode"
	"unicode/utf8"
)

// Mail is a kind of mail to a user. All have a subject, a heading and a body in the catalogues, and some more; see form.
type Mail string

// The mails. Their words are filled with {product}, which is the tenant's name where it is known, {account}, {name}, {other}
// and {n}.
const (
	// MailFactorAdded, MailFactorRemoved: {name} is the credential's.
	MailFactorAdded   Mail = "mail.factor_added"
	MailFactorRemoved Mail = "mail.factor_removed"
	MailTwoFactorOff  Mail = "mail.two_factor_off"
	MailCodesNew      Mail = "mail.codes_new"
	// MailCodeUsed: {n} codes are left.
	MailCodeUsed Mail = "mail.code_used"
	// MailPasswordForgot, MailTwoFactorLost, MailVerify: the link is good for {n} minutes.
	MailPasswordForgot Mail = "mail.password_forgot"
	MailTwoFactorLost  Mail = "mail.two_factor_lost"
	MailVerify         Mail = "mail.verify"
	// MailInvitation: {name} invites, and the link is good for {n} days.
	MailInvitation Mail = "mail.invitation"
	// MailReminder: {name} asks for a second step, which the link leads to.
	MailReminder Mail = "mail.reminder"
	// MailPasswordChanged: by a mailed link, or by an administrator.
	MailPasswordChanged Mail = "mail.password_changed"
	// MailPolicyChanged: {name} changed who must use two-factor authentication, or who may sign in from where.
	MailPolicyChanged Mail = "mail.policy_changed"
	// MailRecoveryMade: an owner, {name}, made a recovery code; MailRecoveryUsed: it was used.
	MailRecoveryMade Mail = "mail.recovery_made"
	MailRecoveryUsed Mail = "mail.recovery_used"
	// MailDeviceRemembered: a device is remembered from now on.
	MailDeviceRemembered Mail = "mail.device_remembered"
	// MailDeviceCopied: a remembered device showed a value that was used before, so somebody copied it.
	MailDeviceCopied Mail = "mail.device_copied"
	// MailPasskeyCopied: the counter of the passkey {name} went back, so somebody may have copied it.
	MailPasskeyCopied Mail = "mail.passkey_copied"
	// MailLocked: "this was not me" was said, and the account is locked.
	MailLocked Mail = "mail.locked"
	// MailEmailNew: the address that it goes to is to be an account's, once the link is confirmed within {n} minutes;
	// MailEmailOld: {other} is to take the place of {account}, once the link is.
	MailEmailNew Mail = "mail.email_new"
	MailEmailOld Mail = "mail.email_old"
	// MailEmailTaken: somebody wanted to use {account} for another account.
	MailEmailTaken Mail = "mail.email_taken"
	// MailEmailChanged: {account} has taken the place of {other}.
	MailEmailChanged Mail = "mail.email_changed"
	// MailEmailReplaced: {name} gave the account of {account} another address, {other}. MailEmailGiven: that address,
	// {account}, is an account's now, by {name}; it may be a stranger's.
	MailEmailReplaced Mail = "mail.email_replaced"
	MailEmailGiven    Mail = "mail.email_given"
	// MailNumberChanged: codes go to another phone number, {name}, which is masked.
	MailNumberChanged Mail = "mail.number_changed"
)

// Mails are all kinds.
func Mails() []Mail {
	return []Mail{
		MailFactorAdded, MailFactorRemoved, MailTwoFactorOff, MailCodesNew, MailCodeUsed, MailPasswordForgot, MailTwoFactorLost,
		MailVerify, MailInvitation, MailReminder, MailPasswordChanged, MailPolicyChanged, MailRecoveryMade, MailRecoveryUsed,
		MailDeviceRemembered, MailDeviceCopied, MailPasskeyCopied, MailLocked,
		MailEmailNew, MailEmailOld, MailEmailTaken, MailEmailChanged, MailEmailReplaced, MailEmailGiven,
		MailNumberChanged,
	}
}

// form is what a kind of mail consists of beside its subject, heading and body.
type form struct {
	// facts: it says when and where from something was done. Mails to addresses that may be a stranger's do not, for that is
	// nobody else's business.
	facts bool
	// link: it leads somewhere, by a button with words of its own; after: it says something of the link.
	link, after bool
	// end is the key of what to do if all is well, and, without notMe, if it is not.
	end string
	// alone is the key of end for those whose tenant has named no address for questions; empty where that makes no difference.
	alone string
	// notMe: there is a way to say that it was somebody else.
	notMe bool
	// why is the key of why one gets it.
	why string
}

const (
	wasYou     = "mail.end.was_you"
	whyAccount = "mail.why.account"
)

func (m Mail) form() form {
	f := form{facts: true, end: wasYou, notMe: true, why: whyAccount}
	switch m {
	case MailPasswordForgot:
		return form{facts: true, link: true, after: true, end: m.key("end"), why: whyAccount}
	case MailTwoFactorLost:
		// Unlike the one before, not everybody can have it sent: whoever did has the password.
		f.link, f.after, f.end = true, true, m.key("end")
	case MailVerify, MailInvitation, MailEmailNew:
		return form{link: true, after: true, end: m.key("end"), why: m.key("why")}
	case MailEmailOld:
		f.link, f.after, f.end = true, true, ""
	case MailEmailReplaced:
		return form{facts: true, end: m.key("end"), alone: m.key("end_owner"), why: whyAccount}
	case MailEmailGiven:
		return form{end: m.key("end"), why: m.key("why")}
	case MailEmailTaken:
		return form{end: m.key("end"), why: whyAccount}
	case MailReminder:
		return form{link: true, after: true, why: whyAccount}
	case MailLocked:
		return form{facts: true, end: m.key("end"), why: whyAccount}
	case MailPolicyChanged:
		return form{facts: true, end: m.key("end"), why: m.key("why")}
	case MailRecoveryMade, MailDeviceCopied, MailPasskeyCopied:
		f.end = m.key("end")
	}
	return f
}

func (m Mail) key(part string) string { return string(m) + "." + part }

// Letter is one mail to one person: what its templates, mail.html and mail.txt, are drawn from. The links are ours; all the
// rest is text that others have a say in, and must lead nowhere: see provider/mail.
type Letter struct {
	Kind Mail
	Lang string
	// Product is the deployment's name. Tenant is the tenant's, which heads the mail; empty where it is not known.
	Product, Tenant string
	// Accent is the colour that the tenant chose, see NewAccent, Signature the lines that it has stand at the foot, and
	// Support the e-mail address to turn to. They may be empty.
	Accent, Signature, Support string
	// Account is the user's, Name, Other, an e-mail address, and N are what the kind fills in.
	Account, Name, Other string
	N                    int
	// Link is where the mail leads, NotMe where it leads whom it is not about; both are complete URLs.
	Link, NotMe string
	// Time, Place, Address and Browser say when and where from it was done; what is not known is the zero value.
	Time                    time.Time
	Place, Address, Browser string
	// Private: Address means something on one network only.
	Private bool
}

// Drawn is a mail in words.
type Drawn struct {
	// Subject is one line.
	Subject string
	// Text and HTML say the same. The lines of Text end with LF, and are of up to 78 characters where words allow.
	Text, HTML string
}

// lettering are the templates of mails.
type lettering struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

const (
	mailHTML = "mail.html"
	mailText = "mail.txt"
)

// readLettering takes the templates of mails out of the sources; all others are pages.
func readLettering(sources map[string]string) (lettering, error) {
	var l lettering
	var err error
	if l.text, err = texttemplate.New(mailText).Funcs(texttemplate.FuncMap{"wrap": func(s string) string { return wrap(s, lineWidth) }}).Parse(sources[mailText]); err != nil {
		return l, fmt.Errorf("ui: templates/%s: %w", mailText, err)
	}
	if l.html, err = htmltemplate.New(mailHTML).Parse(sources[mailHTML]); err != nil {
		return l, fmt.Errorf("ui: templates/%s: %w", mailHTML, err)
	}
	delete(sources, mailText)
	delete(sources, mailHTML)
	return l, nil
}

// Letter draws a mail. A language that the catalogues do not have is replaced by the one that fits best; a sentence that they
// do not have reads as its key: a mail about a change of somebody's account must go out all the same.
func (r *Renderer) Letter(l Letter) (Drawn, error) {
	if _, known := r.words.books[l.Lang]; !known {
		l.Lang = r.Language(l.Lang)
	}
	// A language that was added for pages alone would make a mail of two languages, that runs the wrong way.
	if _, speaks := r.words.books[l.Lang].keys[l.Kind.key("subject")]; !speaks {
		l.Lang = r.words.langs[0]
	}
	v := r.write(l)
	var text, page bytes.Buffer
	if err := r.letters.text.Execute(&text, v); err != nil {
		return Drawn{}, fmt.Errorf("ui: draw %s as text: %w", l.Kind, err)
	}
	if err := r.letters.html.Execute(&page, v); err != nil {
		return Drawn{}, fmt.Errorf("ui: draw %s as HTML: %w", l.Kind, err)
	}
	return Drawn{Subject: v.Subject, Text: tidy(text.String()), HTML: page.String()}, nil
}

// letterView is what the templates of mails are given: words, put together.
type letterView struct {
	Lang, Dir string
	// Head is whom the mail is from.
	Head, Subject, Heading string
	// Body, After and End are paragraphs: what is told, what there is to know of the link, and what to do.
	Body, After, End []string
	Facts            []letterFact
	// Button leads to Link, NotMeButton to NotMe, below NotMeText. Without a link they are empty.
	Button, Link                  string
	NotMeText, NotMeButton, NotMe string
	// Foot says why one gets it, and who sends it for whom.
	Foot []string
	// Signature are lines of the tenant's own.
	Signature []string
	// Start and End of a line, for what knows no other words for them.
	Start       string
	Light, Dark letterShades
}

// letterShades are the colours of one scheme that follow the accent.
type letterShades struct{ Accent, On htmltemplate.CSS }

// letterFact is a label and a value; Text is both as they stand in columns of text.
type letterFact struct{ Label, Value, Text string }

// maxHead is how much of a tenant's name stands in sentences, in characters.
const maxHead = 40

// write puts the mail into words.
func (r *Renderer) write(l Letter) letterView {
	form := l.Kind.form()
	head := cmp.Or(l.Tenant, l.Product)
	say := func(key string, pairs ...any) string { return r.Text(l.Lang, Say(key, pairs...)) }
	fill := []any{"product", Shorten(head), "account", l.Account, "name", l.Name, "other", l.Other, "n", l.N, "address", l.Support}
	own := func(part string) string { return say(l.Kind.key(part), fill...) }
	v := letterView{
		Lang: l.Lang, Dir: r.words.books[l.Lang].dir, Start: "left", Head: head,
		Subject: undirected(own("subject")), Heading: own("heading"), Body: paragraphs(own("body")),
	}
	if v.Dir == "rtl" {
		v.Start = "right"
	}
	v.Light, v.Dark = letterColours(l.Accent)
	if form.link && l.Link != "" {
		v.Button, v.Link = own("action"), l.Link
	}
	if form.after {
		v.After = paragraphs(own("after"))
	}
	if form.facts {
		v.Facts = r.facts(l)
	}
	switch {
	case form.alone != "" && l.Support == "":
		v.End = paragraphs(say(form.alone, fill...))
	case form.end != "":
		v.End = paragraphs(say(form.end, fill...))
	}
	switch {
	case form.notMe && l.NotMe != "":
		v.NotMeText, v.NotMeButton, v.NotMe = say("mail.end.not_me"), say("mail.not_me"), l.NotMe
	case form.notMe:
		v.End = append(v.End, say("mail.end.no_link"))
	}
	v.Foot = append(v.Foot, say(form.why, fill...)+" "+say("mail.never"))
	// To strangers there is nobody to turn to but us.
	if l.Support != "" && form.why == whyAccount {
		v.Foot = append(v.Foot, say("mail.support", "address", l.Support))
	}
	if l.Signature != "" {
		v.Signature = strings.Split(l.Signature, "\n")
	}
	if head != l.Product {
		v.Foot = append(v.Foot, say("mail.sent_for", "product", l.Product, "tenant", head))
	}
	return v
}

// undirected is a sentence without what keeps names in it to their own direction, which no subject may hold: with that, who
// chose a name could turn what stands beside it. What is to the left of a subject, and what to the right, is the mail
// program's to say.
func undirected(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s)
}

// facts say when and where from something was done, as far as that is known.
func (r *Renderer) facts(l Letter) []letterFact {
	where := Text{}
	switch {
	case l.Private && l.Address != "":
		where = Say("mail.where_private", "address", l.Address)
	case l.Place != "" && l.Address != "":
		where = Say("mail.where", "place", l.Place, "address", l.Address)
	case l.Address != "":
		where = Say("mail.where_address", "address", l.Address)
	}
	var facts []letterFact
	widest := 0
	add := func(key, value string) {
		label := r.Text(l.Lang, Say(key))
		widest = max(widest, utf8.RuneCountInString(label))
		facts = append(facts, letterFact{Label: label, Value: value})
	}
	if !l.Time.IsZero() {
		add("mail.fact.time", r.Text(l.Lang, Moment(l.Time)))
	}
	if where.Key != "" {
		add("mail.fact.place", r.Text(l.Lang, where))
	}
	if l.Browser != "" {
		add("mail.fact.browser", l.Browser)
	}
	for i := range facts {
		f := &facts[i]
		indent := strings.Repeat(" ", widest+len(": "))
		value := strings.ReplaceAll(wrap(f.Value, lineWidth-len(indent)), "\n", "\n"+indent)
		f.Text = f.Label + ":" + indent[utf8.RuneCountInString(f.Label)+1:] + value
	}
	return facts
}

// letterColours are the accent and what is read on it, in both schemes; ours where the tenant has chosen none.
func letterColours(chosen string) (light, dark letterShades) {
	a, ok := NewAccent(chosen)
	if !ok {
		chosen = OurAccent
	} else {
		chosen = a.Chosen
	}
	css := func(c colour) htmltemplate.CSS { return htmltemplate.CSS(c.String()) } //nolint:gosec // "#" and six digits, see colour.String
	l, d := lightShades(parseColour(chosen)), darkShades(parseColour(chosen))
	return letterShades{css(l.accent), css(l.on)}, letterShades{css(d.accent), css(d.on)}
}

// paragraphs are those of a sentence of the catalogues, where an empty line parts them.
func paragraphs(s string) []string { return strings.Split(s, "\n\n") }

// Shorten cuts a name that is too long for a sentence, or a subject.
func Shorten(name string) string {
	if r := []rune(name); len(r) > maxHead {
		return strings.TrimSpace(string(r[:maxHead-1])) + "…"
	}
	return name
}

// lineWidth is how wide a line of text may be (RFC 5322, section 2.1.1), in characters.
const lineWidth = 78

// wrap breaks a paragraph into lines of so many characters where words allow. What is wider by itself, a link above all, is
// never broken.
func wrap(paragraph string, width int) string {
	var b strings.Builder
	room := 0
	for i, word := range strings.Fields(paragraph) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
			room = width
		case n >= room:
			b.WriteByte('\n')
			room = width
		default:
			b.WriteByte(' ')
			room--
		}
		b.WriteString(word)
		room -= n
	}
	return b.String()
}

// tidy takes out what a template leaves of empty lines where it had nothing to say.
func tidy(text string) string {
	for strings.Contains(text, "\n\n\n") {
		text = strings.ReplaceAll(text, "\n\n\n", "\n\n")
	}
	return strings.TrimSpace(text) + "\n"
}
