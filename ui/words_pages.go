package ui

import "slices"

// Words on the button of an Error: to try once more, or to go to the account.
const (
	ButtonAgain   = "error.button"
	ButtonAccount = "button.account"
)

// Failure is a kind of error page.
type Failure string

// The failures.
const (
	FailUnknownClient Failure = "error.unknown_client"
	FailRedirectURI   Failure = "error.redirect_uri"
	FailBadRequest    Failure = "error.bad_request"
	FailNotFound      Failure = "error.not_found"
	// FailWrongBrowser: the sign-in was begun in another browser, or cookies are off.
	FailWrongBrowser Failure = "error.wrong_browser"
	FailExpired      Failure = "error.expired"
	// FailTooManyRequests: {n} minutes to wait.
	FailTooManyRequests Failure = "error.too_many_requests"
	// FailInternal is for everything that has no words of its own; show it with the request's id.
	FailInternal    Failure = "error.internal"
	FailUnavailable Failure = "error.unavailable"
	FailForbidden   Failure = "error.forbidden"
	// FailDenied: {rule} denies the sign-in.
	FailDenied Failure = "error.denied"
	// failRequired is for Required, with {rule}.
	failRequired Failure = "error.required"
	// FailRecoveryNeeded: no factor, and policy lets in by recovery code only.
	FailRecoveryNeeded Failure = "error.recovery_needed"
	// FailLink: a mailed link that was used, is too old, or was followed by a newer one.
	FailLink Failure = "error.link"
	// FailChanged: somebody else changed what a page was made from.
	FailChanged Failure = "error.changed"
	// failHook is for Hooked, with {reason}.
	failHook Failure = "error.hook"
)

// Page is the failure's page. pairs are as for Say; next is where its button leads, if there is such a place.
func (f Failure) Page(next string, pairs ...any) Error {
	e := Error{Title: Say(string(f) + ".title"), Body: Say(string(f)+".body", pairs...), Next: next}
	switch next {
	case "":
	case PathAccount:
		e.Button = Say(ButtonAccount)
	default:
		e.Button = Say(ButtonAgain)
	}
	return e
}

// Required says that two-factor authentication can't be turned off, nor the last factor removed, because rule requires it.
// rule is empty where none of the organisation's rules decided.
func Required(rule, next string) Error {
	e := failRequired.Page(next, "rule", rule)
	if rule == "" {
		e.Body = Say("error.required.no_rule")
	}
	return e
}

// Hooked says that the deployment's own hook refuses. reason is in the hook's words; it may be empty.
func Hooked(reason, next string) Error {
	e := failHook.Page(next, "reason", reason)
	if reason == "" {
		e.Body = Say("error.hook.no_reason")
	}
	return e
}

// Question is a kind of confirmation page.
type Question string

// The questions.
const (
	AskSignOut Question = "ask.sign_out"
	// AskRemoveFactor, AskRemoveLastFactor: {name} of the credential. Removing the last one turns two-factor
	// authentication off.
	AskRemoveFactor     Question = "ask.remove_factor"
	AskRemoveLastFactor Question = "ask.remove_last_factor"
	AskTwoFactorOff     Question = "ask.two_factor_off"
	AskCodesNew         Question = "ask.codes_new"
	// AskVerifyEmail: {account} is to be confirmed, after a mailed link.
	AskVerifyEmail Question = "ask.verify_email"
	// AskEmailNew: {address}, whose mailbox the link came from, is to be an account's; AskEmailOld: {address} is to take the
	// place of the one whose mailbox the link came from.
	AskEmailNew Question = "ask.email_new"
	AskEmailOld Question = "ask.email_old"
	// AskNotMe: {account} is to be locked, after the link of a notice.
	AskNotMe Question = "ask.not_me"
	// AskResetMail: a mail is to be sent that lets the user take all factors off.
	AskResetMail Question = "ask.reset_mail"
	// AskResetPerson: all factors of {account} are to be taken off; AskDisablePerson: {account} is to be kept out.
	AskResetPerson   Question = "ask.reset_person"
	AskDisablePerson Question = "ask.disable_person"
	// AskDeletePerson: {account} is to be removed for good; AskWithdraw: its invitation is to be taken back,
	// and it removed, as the invitation made it; AskWithdrawKept: it stays.
	AskDeletePerson Question = "ask.delete_person"
	AskWithdraw     Question = "ask.withdraw"
	AskWithdrawKept Question = "ask.withdraw_kept"
	// AskRemoveType: the user type {name} is to be removed.
	AskRemoveType Question = "ask.remove_type"
	// AskDisableApplication, AskDeleteApplication: {name}; AskDeleteWebhook: {name}.
	AskDisableApplication Question = "ask.disable_application"
	AskDeleteApplication  Question = "ask.delete_application"
	AskDeleteWebhook      Question = "ask.delete_webhook"
)

// Page is the question's page: action is where Yes is posted, cancel where No leads; pairs are as for Say.
func (q Question) Page(action, cancel string, pairs ...any) Confirm {
	return Confirm{
		Title:  Say(string(q)+".title", pairs...),
		Body:   Say(string(q) + ".body"),
		Button: Say(string(q) + ".button"),
		Action: action,
		Cancel: cancel,
		Danger: !slices.Contains([]Question{AskSignOut, AskCodesNew, AskVerifyEmail, AskEmailNew, AskEmailOld, AskResetMail}, q),
	}
}

// SignedOut is the page after signing out; next is where its button leads, if there is such a place.
func SignedOut(next string) Note {
	n := Note{Title: Say("note.signed_out.title"), Body: Say("note.signed_out.body"), Next: next}
	if next != "" {
		n.Button = Say("note.signed_out.button")
	}
	return n
}

// Told is a page that says that something was done, or that a mail is on its way if there is somebody to send it to.
type Told string

// What there is to tell. Those that lead nowhere have no words for a button.
const (
	// ToldForgot: if there is such an account, a mail is on its way. It says no more, whoever asks.
	ToldForgot Told = "note.forgot"
	// ToldResetMail: a mail that lets the user take all factors off is on its way.
	ToldResetMail Told = "note.reset_mail"
	// ToldTwoFactorReset: all factors are off.
	ToldTwoFactorReset Told = "note.two_factor_reset"
	// ToldLocked: the account is locked and all sessions are ended.
	ToldLocked Told = "note.locked"
	// ToldVerified: the e-mail address is confirmed.
	ToldVerified Told = "note.verified"
	// ToldEmailNew: the new address agrees to be used, and the present one has still to; ToldEmailOld: the other way round,
	// {address} is the new one. They lead nowhere, like ToldEmailTaken: the address is another user's.
	ToldEmailNew   Told = "note.email_new"
	ToldEmailOld   Told = "note.email_old"
	ToldEmailTaken Told = "note.email_taken"
	// ToldEmailChanged: {address} is the account's now.
	ToldEmailChanged Told = "note.email_changed"
)

// Page is the page; next is where its button leads, if there is such a place. pairs are as for Say.
func (t Told) Page(next string, pairs ...any) Note {
	n := Note{Title: Say(string(t) + ".title"), Body: Say(string(t)+".body", pairs...), Next: next}
	if next != "" {
		n.Button = Say(string(t) + ".button")
	}
	return n
}
