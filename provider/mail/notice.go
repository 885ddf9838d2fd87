package mail

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/mileusna/useragent"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Notice tells a user what happened to the account.
type Notice struct {
	Kind ui.Mail
	User *storage.User
	// Lang is the language, as a BCP 47 tag or a list of them; empty is the user's own setting.
	Lang string
	// Name is that of the credential it is about, Left the number of backup codes left.
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
	NotMe  func(u *storage.User) (string, error)
	Logger *slog.Logger
	Now    func() time.Time
}

// SMS is a sentence for a user's phone. lang is a BCP 47 tag or a list of them.
func (n *Notifier) SMS(lang, kind string) string {
	return n.UI.Text(n.UI.Language(lang), ui.Say(kind, "product", n.Product))
}

// Tell sends a notice to the user's verified address; an address that is not verified may be somebody else's, and gets
// only the mails that find that out. What it tells has happened already, so a failure has nobody to go to but the log.
func (n *Notifier) Tell(ctx context.Context, o Notice) {
	if o.User.Email == "" || !o.User.EmailVerified && o.Kind != ui.MailVerify && o.Kind != ui.MailInvitation {
		return
	}
	lang := n.UI.Language(cmp.Or(o.Lang, o.User.Locale))
	notMe, err := n.NotMe(o.User)
	if err != nil {
		n.failed(ctx, o, err)
		return
	}
	pairs := []any{
		"product", n.Product, "account", o.User.Email, "time", ui.Moment(n.Now()), "address", o.Address,
		"browser", Browser(o.Agent), "name", o.Name, "n", o.Left,
		"link", o.Link, "not_me", notMe,
	}
	m := Message{
		Tenant: o.User.Tenant, To: o.User.Email,
		Subject: n.UI.Text(lang, o.Kind.Subject(pairs...)), Text: n.UI.Text(lang, o.Kind.Body(pairs...)),
	}
	// Senders are other people's too; whether a name can add headers does not rest on their calling Check.
	if err = m.Check(); err == nil {
		err = n.Sender.Send(context.WithoutCancel(ctx), m)
	}
	if err != nil {
		n.failed(ctx, o, err)
	}
}

func (n *Notifier) failed(ctx context.Context, o Notice, err error) {
	n.Logger.ErrorContext(ctx, "notice not sent", "kind", string(o.Kind), "tenant", o.User.Tenant, "user", o.User.ID, "error", err)
}

// Browser names a browser and its system in a few words.
func Browser(agent string) string {
	ua := useragent.Parse(agent)
	switch {
	case !slices.Contains(browsers, ua.Name):
		return "–"
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
