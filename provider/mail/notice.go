package mail

import (
	"cmp"
	"context"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mileusna/useragent"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Notice tells a user what happened to the account.
type Notice struct {
	Kind ui.Mail
	User *storage.User
	// To is where it goes, where that is not the user's present address; Other is another address that it speaks of.
	To, Other string
	// Lang is the language, as a BCP 47 tag or a list of them; empty is the user's own setting.
	Lang string
	// Tenant is the user's, in whose name the mail speaks; nil where the deployment speaks for itself.
	Tenant *storage.Tenant
	// Name is that of the credential it is about, or of who did it, Left the number of backup codes left.
	Name string
	Left int
	// Link is what the mail leads to, where it leads to something; Left is then how many minutes it is good for, or, of an
	// invitation, how many days.
	Link string
	// Address and Agent are the client's, as far as they are known.
	Address, Agent string
}

// Notifier writes notices in the user's language and hands them to a Sender.
type Notifier struct {
	Sender  Sender
	UI      *ui.Renderer
	Product string
	// NotMe makes the link by which the user says that it was somebody else.
	NotMe func(u *storage.User) (string, error)
	// Place names where an address is, in a language, or tells that it is one of a private network; nil knows of none.
	Place  func(address, lang string) (name string, private bool)
	Logger *slog.Logger
	Now    func() time.Time
}

// SMS is a sentence for the phone of a user of a tenant, in whose name it speaks. lang is a BCP 47 tag or a list of them.
func (n *Notifier) SMS(t *storage.Tenant, lang, kind string) string {
	return n.UI.Text(n.UI.Language(lang, t.Settings.Language), ui.Say(kind, "product", ui.Shorten(cmp.Or(storage.Unlinked(t.Name), n.Product))))
}

// Tell sends a notice to the user's verified address; an address that is not verified may be somebody else's, and gets
// only the mails that find that out. What it tells has happened already, so a failure has nobody to go to but the log.
func (n *Notifier) Tell(ctx context.Context, o Notice) {
	if cmp.Or(o.To, o.User.Email) == "" || !o.User.EmailVerified && !slices.Contains(toAnyAddress[:], o.Kind) {
		return
	}
	m, err := n.write(o)
	// Senders are other people's too; whether a name can add headers does not rest on their calling Check.
	if err == nil {
		err = m.Check()
	}
	if err == nil {
		err = n.Sender.Send(context.WithoutCancel(ctx), m)
	}
	if err != nil {
		n.Logger.ErrorContext(ctx, "notice not sent", "kind", string(o.Kind), "tenant", o.User.Tenant, "user", o.User.ID, "error", err)
	}
}

// toAnyAddress are the mails that find out whose an address is, the one to whoever has an address that somebody else tried to
// use, and the one to an address that an owner gave a user.
var toAnyAddress = [...]ui.Mail{ui.MailVerify, ui.MailInvitation, ui.MailEmailNew, ui.MailEmailTaken, ui.MailEmailGiven}

// write puts a notice into words, in the tenant's name.
func (n *Notifier) write(o Notice) (Message, error) {
	notMe, err := n.NotMe(o.User)
	if err != nil {
		return Message{}, err
	}
	t := o.Tenant
	if t == nil {
		t = &storage.Tenant{}
	}
	l := ui.Letter{
		Kind: o.Kind, Lang: n.UI.Language(o.Lang, o.User.Locale, t.Settings.Language), Product: n.Product, Tenant: storage.Unlinked(t.Name),
		Accent: t.Brand.Accent, Signature: t.Brand.Signature, Account: spoken(o.User.Email), Name: storage.Unlinked(o.Name), Other: spoken(o.Other), N: o.Left,
		Link: o.Link, NotMe: notMe, Time: n.Now(), Address: o.Address, Browser: Browser(o.Agent),
	}
	if n.Place != nil && o.Address != "" {
		l.Place, l.Private = n.Place(o.Address, l.Lang)
	}
	// Of what a tenant may name as its help, websites are somebody else's, and mails lead to us alone.
	if addressOnly(t.Settings.Support) {
		l.Support = t.Settings.Support
	}
	d, err := n.UI.Letter(l)
	return Message{Tenant: o.User.Tenant, To: cmp.Or(o.To, o.User.Email), Subject: d.Subject, Text: d.Text, HTML: d.HTML}, err
}

// plainAddress is an e-mail address that all mail programs take for one as a whole. Of others, such as "evil.example/x@a.example",
// some take a part for a website.
var plainAddress = regexp.MustCompile(`^[0-9A-Za-z._+-]+@[0-9A-Za-z.-]+$`)

func addressOnly(s string) bool {
	return plainAddress.MatchString(s) && !strings.HasPrefix(strings.ToLower(s), "www.")
}

// spoken is an e-mail address that a mail speaks of, as it leads nowhere.
func spoken(address string) string {
	if addressOnly(address) {
		return address
	}
	return storage.Unlinked(address)
}

// Browser names a browser and its system in a few words; empty where it is none that we know.
func Browser(agent string) string {
	ua := useragent.Parse(agent)
	switch {
	case !slices.Contains(browsers, ua.Name):
		return ""
	case !slices.Contains(systems, ua.OS):
		return ua.Name
	default:
		return ua.Name + ", " + ua.OS
	}
}

// What stands in a User-Agent is the sender's choice, and must not become a sentence in a mail of ours.
var (
	browsers = []string{
		useragent.Chrome, useragent.HeadlessChrome, useragent.Firefox, useragent.Safari, useragent.Edge, useragent.Opera,
		useragent.OperaMini, useragent.OperaTouch, useragent.Vivaldi, useragent.InternetExplorer, "Samsung Browser",
	}
	systems = []string{
		useragent.Windows, useragent.MacOS, useragent.Linux, useragent.Android, useragent.IOS, useragent.ChromeOS,
		useragent.FreeBSD,
	}
)
