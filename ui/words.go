package ui

import (
	"slices"
	"time"
)

// Words that other packages put into pages and mails. Each names, in braces, what Say fills in; {n} is a whole number
// and decides between singular and plural, {time} is a Moment.
const (
	// ProblemPassword is the one answer to a wrong name, a wrong password, and a locked or disabled account.
	ProblemPassword = "problem.password"
	// ProblemPasswordTries: {n} minutes to wait.
	ProblemPasswordTries = "problem.password_tries"
	// ProblemSignInExpired tells, as a notice on a fresh sign-in page, why it is there again.
	ProblemSignInExpired = "problem.sign_in_expired"

	// ProblemCodeTries: {n} minutes to wait.
	ProblemCodeTries = "problem.code_tries"
	// ProblemFactorOff: too many wrong codes in a row.
	ProblemFactorOff = "problem.factor_off"
	// ProblemTick: the box under the backup codes was not ticked.
	ProblemTick = "problem.tick"

	// ProblemNameEmpty and the following two are about the name given to a credential; {n} characters at most.
	ProblemNameEmpty      = "problem.name_empty"
	ProblemNameLong       = "problem.name_long"
	ProblemNameCharacters = "problem.name_characters"

	// NoticeFactorAdded, NoticeFactorRemoved, NoticeFactorRenamed: {name} of the credential.
	NoticeFactorAdded   = "notice.factor_added"
	NoticeFactorRemoved = "notice.factor_removed"
	NoticeFactorRenamed = "notice.factor_renamed"
	// NoticeNumberChanged: {name} is the new number, masked.
	NoticeNumberChanged = "notice.number_changed"
	// NoticePasswordChanged, NoticeNameChanged and NoticeLanguageChanged: the user changed it.
	NoticePasswordChanged = "notice.password_changed"
	NoticeNameChanged     = "notice.name_changed"
	NoticeLanguageChanged = "notice.language_changed"
	// NoticeEmailChange: {address} waits to be confirmed; NoticeEmailCancelled: it does not any more.
	NoticeEmailChange    = "notice.email_change"
	NoticeEmailCancelled = "notice.email_cancelled"
	NoticeTwoFactorOn    = "notice.two_factor_on"
	NoticeTwoFactorOff   = "notice.two_factor_off"
	// ProblemInputEmpty and the following refuse what a set-up asked for, or to send a code.
	// {countries} are their names, {n} minutes to wait.
	ProblemInputEmpty        = "problem.input_empty"
	ProblemInputMalformed    = "problem.input_malformed"
	ProblemInputCountry      = "problem.input_country"
	ProblemSentOften         = "problem.sent_often"
	ProblemSentBudget        = "problem.sent_budget"
	ProblemSentUndeliverable = "problem.sent_undeliverable"
	ProblemSentGateway       = "problem.sent_gateway"
	// ProblemPasskey: the browser gave no passkey, or one that does not fit; ProblemPasskeySignIn says so on the sign-in page.
	ProblemPasskey       = "problem.passkey"
	ProblemPasskeySignIn = "problem.passkey_sign_in"
	// ProblemPasskeyKnown: the passkey that is to be set up is the user's already.
	ProblemPasskeyKnown = "passkey.known"
	// ProblemPasswordShort: {n} characters at least; ProblemPasswordLong: {n} at most.
	ProblemPasswordShort    = "problem.password_short"
	ProblemPasswordLong     = "problem.password_long"
	ProblemPasswordCommon   = "problem.password_common"
	ProblemPasswordPersonal = "problem.password_personal"
	ProblemPasswordText     = "problem.password_text"
	// ProblemPasswordWrong: where only the password is asked for; ProblemLoginEmpty: where only the name is.
	ProblemPasswordWrong = "problem.password_wrong"
	// ProblemMailsOften: too many mails were asked for; {n} minutes to wait.
	ProblemMailsOften = "problem.mails_often"
	// ProblemPasswordSame: the new password is the one that there is; ProblemPasswordNone: no password was typed in.
	ProblemPasswordSame = "problem.password_same"
	ProblemPasswordNone = "problem.password_none"
	ProblemLoginEmpty   = "problem.login_empty"

	// NoticeSentAgain: another code is on its way, and the first one stays good.
	NoticeSentAgain = "notice.sent_again"
	// NoticeSentNone: no code could be sent for this sign-in, because too many were for others; {n} minutes to wait.
	NoticeSentNone = "notice.sent_none"
	// NoticePasswordNew: signing in with the new password comes next.
	NoticePasswordNew = "notice.password_new"
	// NoticeWelcome: so does it with a user's first password.
	NoticeWelcome = "notice.welcome"
	// NoticeDeviceForgotten, NoticeDevicesForgotten: devices ask for the second step again.
	NoticeDeviceForgotten  = "notice.device_forgotten"
	NoticeDevicesForgotten = "notice.devices_forgotten"
	// NoticeMailSent: a mail with a link is on its way to {address}.
	NoticeMailSent = "notice.mail_sent"
	// NoticeRecoveryRevoked and NoticeUnlocked: of {account}.
	NoticeRecoveryRevoked = "notice.recovery_revoked"
	NoticeUnlocked        = "notice.unlocked"
	// NoticePersonSaved and the following are about {account}.
	NoticePersonSaved    = "notice.person_saved"
	NoticePersonReset    = "notice.person_reset"
	NoticePersonEnded    = "notice.person_ended"
	NoticePersonForgot   = "notice.person_forgot"
	NoticePersonDisabled = "notice.person_disabled"
	NoticePersonEnabled  = "notice.person_enabled"
	NoticePersonDeleted  = "notice.person_deleted"
	// NoticePersonEmail: {account} is the e-mail address now; NoticePersonEmailInvited: and the invitation goes there.
	NoticePersonEmail        = "notice.person_email"
	NoticePersonEmailInvited = "notice.person_email_invited"
	// NoticeInvited, NoticeWithdrawn: {account} was sent an invitation, or its invitation was taken back.
	NoticeInvited   = "notice.invited"
	NoticeWithdrawn = "notice.withdrawn"
	// NoticeInvitedOften: {account} was sent too many invitations lately; {n} minutes to wait.
	NoticeInvitedOften = "notice.invited_often"
	// NoticeReminded: {account} was asked to set up a second step; NoticeRemindedLately: that was so within the last day.
	NoticeReminded       = "notice.reminded"
	NoticeRemindedLately = "notice.reminded_lately"
	// NoticeRemindedAll: {n} users were asked to; NoticeRemindedNone: all of them were within the last day.
	NoticeRemindedAll  = "notice.reminded_all"
	NoticeRemindedNone = "notice.reminded_none"
	// NoticeTypeAdded, NoticeTypeSaved and NoticeTypeRemoved are about the user type {name}.
	NoticeTypeAdded   = "notice.type_added"
	NoticeTypeSaved   = "notice.type_saved"
	NoticeTypeRemoved = "notice.type_removed"
	// NoticeTypeUsers and NoticeTypeRules: the user type {name} can't be removed, because users or rules have it.
	NoticeTypeUsers = "notice.type_users"
	NoticeTypeRules = "notice.type_rules"
	// NoticeApplicationSaved and the following are about the application {name}.
	NoticeApplicationSaved    = "notice.application_saved"
	NoticeApplicationDisabled = "notice.application_disabled"
	NoticeApplicationEnabled  = "notice.application_enabled"
	NoticeApplicationDeleted  = "notice.application_deleted"
	// NoticeWebhookSaved and the following are about the webhook {name}.
	NoticeWebhookSaved    = "notice.webhook_saved"
	NoticeWebhookDisabled = "notice.webhook_disabled"
	NoticeWebhookEnabled  = "notice.webhook_enabled"
	NoticeWebhookDeleted  = "notice.webhook_deleted"
	// NoticeWebhookTested: the test event was answered with {status}; NoticeWebhookRefused: with a {status} that is no yes;
	// NoticeWebhookUnreached: with nothing, because of {reason}.
	NoticeWebhookTested    = "notice.webhook_tested"
	NoticeWebhookRefused   = "notice.webhook_refused"
	NoticeWebhookUnreached = "notice.webhook_unreached"
	// NoticeRedelivered: what was sent once is in the queue again.
	NoticeRedelivered = "notice.redelivered"
	// NoticePolicySaved: a change of the policy is in force; NoticePolicySame: there was nothing to change.
	NoticePolicySaved = "notice.policy_saved"
	NoticePolicySame  = "notice.policy_same"
	// NoticeFresh: a change asks for a fresh sign-in.
	NoticeFresh = "notice.fresh"
	// NoticeUndone: what was asked for is not done, because the user had to show first who it is.
	NoticeUndone = "notice.undone"
	// NoticeStepUp: whoever is signed in is asked for the second step again; {n} minutes is how long one is good.
	NoticeStepUp = "notice.step_up"
	// NoticeAppAsks: {app} asks for a fresh sign-in.
	NoticeAppAsks = "notice.app_asks"
	// NoticeAppEnded: {app} has no access any more, as the user wanted it, and asks for it anew.
	NoticeAppEnded = "notice.app_ended"
)

// The words behind CodeProblem, ClockHint and CodesUsed.
const (
	problemCodeWrong      = "problem.code_wrong"
	problemCodeUsed       = "problem.code_used"
	problemCodeExpired    = "problem.code_expired"
	problemCodeEmpty      = "problem.code_empty"
	problemCodeShort      = "problem.code_short"
	problemCodeShortText  = "problem.code_short_text"
	problemCodeLong       = "problem.code_long"
	problemCodeLongText   = "problem.code_long_text"
	problemCodeDigits     = "problem.code_digits"
	problemCodeCharacters = "problem.code_characters"

	hintClock              = "hint.clock"
	hintClockAheadSeconds  = "hint.clock_ahead_seconds"
	hintClockAheadMinutes  = "hint.clock_ahead_minutes"
	hintClockBehindSeconds = "hint.clock_behind_seconds"
	hintClockBehindMinutes = "hint.clock_behind_minutes"

	noticeCodesLeft = "notice.codes_left"
	noticeCodesFew  = "notice.codes_few"
	noticeCodesNone = "notice.codes_none"
)

// CodeProblem says why a code was refused. reason is an mfa.Reason; want is how many digits a code has, or 0 where it
// is other text. A reason that it does not know reads as a wrong code.
func CodeProblem(reason string, want int) Text {
	switch reason {
	case "used":
		return Say(problemCodeUsed)
	case "expired":
		return Say(problemCodeExpired)
	case "empty":
		return Say(problemCodeEmpty)
	case "short":
		if want > 0 {
			return Say(problemCodeShort, "n", want)
		}
		return Say(problemCodeShortText)
	case "long":
		if want > 0 {
			return Say(problemCodeLong, "n", want)
		}
		return Say(problemCodeLongText)
	case "format":
		if want > 0 {
			return Say(problemCodeDigits)
		}
		return Say(problemCodeCharacters)
	default:
		return Say(problemCodeWrong)
	}
}

// ClockHint tells what our clock shows, and how far the user's is ahead of it (negative: behind) where that is known.
func ClockHint(now time.Time, drift time.Duration) Text {
	clock := Clock(now)
	ahead, size := drift > 0, drift.Abs()
	switch minutes := int(size.Round(time.Minute) / time.Minute); {
	case size < time.Second:
		return Say(hintClock, "time", clock)
	case size < 90*time.Second && ahead:
		return Say(hintClockAheadSeconds, "n", int(size/time.Second), "time", clock)
	case size < 90*time.Second:
		return Say(hintClockBehindSeconds, "n", int(size/time.Second), "time", clock)
	case ahead:
		return Say(hintClockAheadMinutes, "n", minutes, "time", clock)
	default:
		return Say(hintClockBehindMinutes, "n", minutes, "time", clock)
	}
}

// few is the number of backup codes at which a user is warned.
const few = 3

// CodesUsed tells, after a sign-in with a backup code, how many are left, and warns when they are few.
func CodesUsed(left int) Text {
	switch {
	case left <= 0:
		return Say(noticeCodesNone)
	case left <= few:
		return Say(noticeCodesFew, "n", left)
	default:
		return Say(noticeCodesLeft, "n", left)
	}
}

// tone is how a notice looks: "good", "warn" or "info".
func (t Text) tone() string {
	switch t.Key {
	case noticeCodesFew, noticeCodesNone, NoticeTwoFactorOff, ProblemSignInExpired,
		NoticeUndone, NoticeSentNone, ProblemSentOften, ProblemSentBudget, ProblemSentUndeliverable, ProblemSentGateway, ProblemPasskeySignIn,
		NoticeInvitedOften, NoticeRemindedLately, NoticeRemindedNone, NoticeTypeUsers, NoticeTypeRules, NoticeWebhookRefused, NoticeWebhookUnreached:
		return "warn"
	case NoticePolicySaved, NoticeFactorAdded, NoticeFactorRemoved, NoticeFactorRenamed, NoticeTwoFactorOn,
		NoticeNumberChanged, NoticePasswordChanged, NoticeNameChanged, NoticeLanguageChanged, NoticeEmailCancelled,
		NoticeSentAgain, NoticePasswordNew, NoticeWelcome, NoticeDeviceForgotten, NoticeDevicesForgotten, NoticeMailSent,
		NoticeRecoveryRevoked, NoticeUnlocked, NoticePersonSaved, NoticePersonReset, NoticePersonEnded, NoticePersonForgot,
		NoticePersonDisabled, NoticePersonEnabled, NoticePersonEmail, NoticePersonEmailInvited, NoticeRetentionSaved, NoticePersonDeleted, NoticeInvited, NoticeWithdrawn, NoticeReminded,
		NoticeRemindedAll, NoticeSettingsSaved, NoticeBrandingSaved, NoticeLogoSaved, NoticeLogoRemoved,
		NoticeTypeAdded, NoticeTypeSaved, NoticeTypeRemoved,
		NoticeSessionEnded, NoticeSessionForgotten, NoticeSessionsEnded, NoticeRevoked,
		NoticeApplicationSaved, NoticeApplicationDisabled, NoticeApplicationEnabled,
		NoticeApplicationDeleted, NoticeWebhookSaved, NoticeWebhookDisabled, NoticeWebhookEnabled, NoticeWebhookDeleted,
		NoticeWebhookTested, NoticeRedelivered:
		return "good"
	default:
		return "info"
	}
}

// SMSTwoFactorReset: all factors of an account with {product} were taken off. Like "sms.code", which the factor says
// itself, it is of characters of the GSM 7-bit alphabet alone, and short: else it would be sent, and paid for, as several.
const SMSTwoFactorReset = "sms.two_factor_reset"

// SMSNumberChanged: the codes of an account with {product} go to another number from now on. It is like SMSTwoFactorReset.
const SMSNumberChanged = "sms.number_changed"

// TypeName is what a Text is filled with for a user type: name where the tenant has one of its own for it, and else the
// catalogues' for the types that every tenant begins with, or the ID.
func TypeName(id, name string) any {
	switch {
	case name != "":
		return name
	case slices.Contains([]string{"staff", "client", "contractor"}, id):
		return Say("type." + id)
	default:
		return id
	}
}

// invalidPrefix begins the keys of refusals.
const invalidPrefix = "invalid."

// Invalid says beside a field of a form why it was refused: where is the field's JSON name, and code tells refusals of one
// field apart; see web.Invalid.
func Invalid(where, code string) Text {
	if code == "" {
		return Say(invalidPrefix + where)
	}
	return Say(invalidPrefix + where + "." + code)
}

// InvalidLine says why a line of a file was refused: field is the one that it is about, and value what helps to find it.
func InvalidLine(code, field, value string) Text {
	return Say(invalidPrefix+"line."+code, "field", field, "value", value)
}

// InvalidFile says why a file was refused as a whole; n is how many there may be.
func InvalidFile(code, value string, n int) Text {
	t := Invalid("file", code)
	t.Data = map[string]any{"value": value, "n": n}
	return t
}
