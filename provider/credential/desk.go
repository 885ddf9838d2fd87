package credential

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Desk is where a user sets a factor up, in one request. It is the same at a sign-in that asks for it and on the
// security page; what differs is filled in by them.
type Desk struct {
	*Keeper
	By     *web.Actor
	Person Person
	// Settable are the IDs of the factors that may be set up here now.
	Settable []string
	// Enrolling is the set-up under way, if any; Keep stores another, or its change.
	Enrolling *storage.Enrolling
	Keep      func(ctx context.Context, e *storage.Enrolling) error
	// Accept is asked in the middle of the change that the right answer makes; see the type Accept.
	Accept func(ctx context.Context, factor string, held []storage.Credential) error
	// AcceptInPlace is Accept for what takes the place of another credential. It and InPlace are nil where nothing can.
	AcceptInPlace func(ctx context.Context, factor string, held []storage.Credential) error
	// Replaces is the credential whose place is to be taken by what is set up; InPlace is the path where that begins.
	Replaces *storage.Credential
	InPlace  func(id string) string
	// Before may refuse a set-up before it begins.
	Before func(ctx context.Context, factor string) error
	// Record puts what became of it into the audit log.
	Record func(ctx context.Context, action, outcome, factor, reason string) error
	// Done goes on from a set-up that succeeded, TooMany from one with too many wrong answers.
	Done    func(ctx context.Context, f mfa.Factor, done Enrolled) (web.Result, error)
	TooMany func(ctx context.Context, wait time.Duration) error
	// At is the path of the desk, Away where one goes from it.
	At, Away string
	Forced   bool
	// Draw puts a page into the frame of the place.
	Draw func(p ui.Page) web.Result
}

// Begin begins to set a factor up. in is nil where nothing was asked for yet; then a factor that needs to know
// something first leads to the page that asks.
func (d *Desk) Begin(ctx context.Context, factor string, in *string) (web.Result, error) {
	f, err := d.settable(factor)
	if err != nil {
		return web.Result{}, err
	}
	typed := ""
	if in != nil {
		typed = *in
	}
	if f.Info().Asks != mfa.AsksNothing && in == nil {
		return web.Go(d.beginsAt(factor, d.replaces())), nil
	}
	if f.Info().Asks != mfa.AsksNothing && strings.TrimSpace(typed) == "" {
		return d.again(d.ask(f, typed, ui.Say(ui.ProblemInputEmpty))), nil
	}
	// Sent twice, it shows the same secret twice: the one scanned from the first page must not be thrown away, nor a
	// second SMS be sent.
	if up, err := d.Enrolment(ctx, d.Person, d.Enrolling); err == nil && d.Enrolling.Factor == factor && up.input == typed && up.Replaces == d.replaces() && d.Now().Sub(d.Enrolling.At) < sameSetUp {
		return web.Go(d.At), nil
	}
	if err := d.Before(ctx, factor); err != nil {
		return web.Result{}, err
	}
	e, err := d.BeginEnrolment(ctx, d.Person, factor, typed, d.replaces())
	var refused *mfa.Refused
	if errors.As(err, &refused) {
		if err := d.Record(ctx, "factor.sent", "refused", factor, string(refused.Reason)); err != nil {
			return web.Result{}, err
		}
		return d.again(d.ask(f, typed, d.Refusal(d.By.Lang, refused))), nil
	}
	if err != nil {
		return web.Result{}, web.Unavailable("set-up", err)
	}
	if err := d.sent(ctx, f); err != nil {
		return web.Result{}, err
	}
	if err := d.Keep(ctx, e); err != nil {
		return web.Result{}, err
	}
	return web.Go(d.At), nil
}

// replaces is the ID of the credential whose place is to be taken, empty where there is none.
func (d *Desk) replaces() string {
	if d.Replaces == nil {
		return ""
	}
	return d.Replaces.ID
}

// beginsAt is the path where the set-up of a factor begins.
func (d *Desk) beginsAt(factor, replaces string) string {
	if replaces != "" {
		return d.InPlace(replaces)
	}
	return d.At + "/" + factor
}

// sameSetUp is how long the same request to begin means the same set-up.
const sameSetUp = 30 * time.Second

// sent notes that a message went out to the user's device.
func (d *Desk) sent(ctx context.Context, f mfa.Factor) error {
	if _, ok := f.(mfa.Repeater); !ok {
		return nil
	}
	return d.Record(ctx, "factor.sent", "ok", f.Info().ID, "")
}

func (d *Desk) settable(factor string) (mfa.Factor, error) {
	if !slices.Contains(d.Settable, factor) {
		return nil, web.ErrNotFound
	}
	return d.Factor(factor)
}

// Ask shows the page that asks what the factor has to know before its set-up begins.
func (d *Desk) Ask(_ context.Context, factor string) (web.Result, error) {
	f, err := d.settable(factor)
	if err != nil {
		return web.Result{}, err
	}
	if f.Info().Asks == mfa.AsksNothing {
		return web.Go(d.Away), nil
	}
	return d.Draw(d.ask(f, "", ui.Text{})), nil
}

func (d *Desk) ask(f mfa.Factor, typed string, problem ui.Text) ui.SetUpInput {
	i := f.Info()
	page := ui.SetUpInput{
		Factor: ui.Factor{ID: i.ID, Name: i.Name}, Account: web.Account(d.Person.User), Forced: d.Forced, Ask: string(i.Asks),
		Value: typed, Action: d.beginsAt(i.ID, d.replaces()), Cancel: d.Away, Problem: problem,
	}
	if d.Replaces != nil {
		page.Replaces = d.Replaces.Note
	}
	if c, ok := f.(interface{ Allowed(u mfa.User) []string }); ok {
		page.Countries = c.Allowed(d.user(d.Person, nil))
	}
	return page
}

func (d *Desk) again(p ui.Page) web.Result {
	res := d.Draw(p)
	res.Refused = true
	return res
}

// under opens the set-up under way; where there is none, to leads away.
func (d *Desk) under(ctx context.Context) (up SettingUp, to web.Result, err error) {
	up, err = d.Enrolment(ctx, d.Person, d.Enrolling)
	if errors.Is(err, ErrNothingPending) {
		return up, web.Go(d.Away), nil
	}
	return up, web.Result{}, web.Unavailable("set-up", err)
}

// Show shows what the factor needs to be set up.
func (d *Desk) Show(ctx context.Context) (web.Result, error) {
	up, to, err := d.under(ctx)
	if err != nil || to.To != "" {
		return to, err
	}
	return d.Draw(d.page(up)), nil
}

func (d *Desk) page(up SettingUp) ui.SetUp {
	page := up.Page()
	page.Account, page.Forced, page.Action, page.Cancel = web.Account(d.Person.User), d.Forced, d.At, d.Away
	page.Only = len(d.Settable) == 1
	if page.URI != "" {
		page.QR = d.At + "/qr.png"
	}
	if !up.Prompt.Again.IsZero() {
		page.Again, page.AgainAt = d.At+"/send-again", ui.Stamp(up.Prompt.Again)
	}
	if up.Factor.Info().Asks != mfa.AsksNothing {
		page.Edit = d.beginsAt(page.Factor.ID, up.Replaces)
	}
	return page
}

// QR draws the QR code of a set-up under way. Once that is confirmed there is nothing to draw.
func (d *Desk) QR(ctx context.Context) (web.Result, error) {
	up, to, err := d.under(ctx)
	if err != nil {
		return web.Result{}, err
	}
	if to.To != "" {
		return web.Result{}, web.ErrNotFound
	}
	return up.QR()
}

// SendAgain sends the question of a set-up again.
func (d *Desk) SendAgain(ctx context.Context) (web.Result, error) {
	up, to, err := d.under(ctx)
	if err != nil || to.To != "" {
		return to, err
	}
	e, err := d.RepeatEnrolment(ctx, d.Person, d.Enrolling)
	if errors.Is(err, ErrUnknownFactor) {
		return web.Result{}, web.ErrNotFound
	}
	var refused *mfa.Refused
	if errors.As(err, &refused) {
		if err := d.Record(ctx, "factor.sent", "refused", d.Enrolling.Factor, string(refused.Reason)); err != nil {
			return web.Result{}, err
		}
		// What was typed is not what is wrong.
		page := d.page(up)
		page.Notice = d.Refusal(d.By.Lang, refused)
		return d.again(page), nil
	}
	if err != nil {
		return web.Result{}, web.Unavailable("set-up", err)
	}
	if err := d.sent(ctx, up.Factor); err != nil {
		return web.Result{}, err
	}
	if err := d.Keep(ctx, e); err != nil {
		return web.Result{}, err
	}
	return web.Go(d.At), nil
}

// Confirm ends a set-up with the first answer.
func (d *Desk) Confirm(ctx context.Context, answer string) (web.Result, error) {
	up, to, err := d.under(ctx)
	if err != nil || to.To != "" {
		return to, err
	}
	e := d.Enrolling
	if again := d.Again(ctx, d.Person, e.Refused, e.Factor, answer); again != nil {
		return d.wrongAgain(up, again)
	}
	accept := d.Accept
	if up.Replaces != "" {
		accept = d.AcceptInPlace
	}
	done, err := d.ConfirmEnrolment(ctx, d.Person, e, answer, func(held []storage.Credential) error {
		return accept(ctx, e.Factor, held)
	})
	switch {
	case errors.Is(err, errMovedOn), errors.Is(err, storage.ErrExists):
		// Another request changed what this depends on, or the same answer was sent twice and the first was right.
		return web.Go(d.Away), nil
	case err != nil:
		return d.wrong(ctx, up, answer, err)
	}
	return d.Done(ctx, up.Factor, done)
}

// errMovedOn: another request changed what the set-up depends on.
var errMovedOn = errors.New("credential: the set-up is not asked for any more")

// MovedOn is what Accept answers where the set-up is not to be ended any more, because of what another request did.
func MovedOn() error { return errMovedOn }

// explain finds the words for a wrong answer to a set-up.
func (d *Desk) explain(f mfa.Factor, why error) Words {
	w := d.Explain(f, why)
	var wrong *mfa.Wrong
	if w.Problem.Key == ui.ProblemPasskey && errors.As(why, &wrong) && wrong.Reason == mfa.Used {
		w.Problem = ui.Say(ui.ProblemPasskeyKnown)
	}
	return w
}

// wrong notes a wrong answer, so that the page loaded again is not counted again.
func (d *Desk) wrong(ctx context.Context, up SettingUp, answer string, why error) (web.Result, error) {
	w := d.explain(up.Factor, why)
	if w.Problem.Key == "" {
		return web.Result{}, PassOn("set-up", why)
	}
	if err := d.Record(ctx, "factor.added", "refused", d.Enrolling.Factor, w.Problem.Key); err != nil {
		return web.Result{}, err
	}
	if w.Wait > 0 {
		return web.Result{}, d.TooMany(ctx, w.Wait)
	}
	refused, err := d.Refuse(ctx, d.Person, d.Enrolling.Factor, answer, why)
	if err != nil {
		return web.Result{}, web.Unavailable("refused answer", err)
	}
	if refused != nil {
		e := *d.Enrolling
		e.Refused = refused
		if err := d.Keep(ctx, &e); err != nil {
			return web.Result{}, err
		}
	}
	return d.wrongAgain(up, why)
}

// wrongAgain shows the set-up once more, and says why the answer was refused.
func (d *Desk) wrongAgain(up SettingUp, why error) (web.Result, error) {
	w := d.explain(up.Factor, why)
	if w.Problem.Key == "" {
		return web.Result{}, web.Unavailable("set-up", why)
	}
	page := d.page(up)
	page.Problem, page.Hint = w.Problem, w.Hint
	return d.again(page), nil
}

// PassOn keeps refusals as they are, and makes everything else a refusal to try again.
func PassOn(what string, err error) error {
	var required *web.Required
	var denied *web.Denied
	if errors.As(err, &required) || errors.As(err, &denied) || errors.Is(err, web.ErrNotFound) || errors.Is(err, web.ErrBusy) {
		return err
	}
	return web.Unavailable(what, err)
}

// CodesPage shows backup codes that were just made and are not confirmed as saved yet.
func (d *Desk) CodesPage(ctx context.Context, sealed []byte, page ui.BackupCodes) (web.Result, error) {
	codes, err := d.OpenCodes(ctx, d.Person, sealed)
	if errors.Is(err, ErrNothingPending) {
		return web.Go(d.Away), nil
	}
	if err != nil {
		return web.Result{}, web.Unavailable("codes", err)
	}
	page.Account, page.Codes, page.Date = web.Account(d.Person.User), codes, d.Now().UTC().Format(time.DateOnly)
	res := d.Draw(page)
	res.Refused = page.Problem.Key != ""
	return res, nil
}

// CodesText is the same codes as a file, one a line.
func (d *Desk) CodesText(ctx context.Context, sealed []byte) (web.Result, error) {
	codes, err := d.OpenCodes(ctx, d.Person, sealed)
	if errors.Is(err, ErrNothingPending) {
		return web.Result{}, web.ErrNotFound
	}
	if err != nil {
		return web.Result{}, web.Unavailable("codes", err)
	}
	return CodesFile(codes), nil
}
