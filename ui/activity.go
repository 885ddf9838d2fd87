package ui

import (
	"html/template"
	"slices"
	"strings"
)

// activities are what the events of a user's account read as to that user: "activity.", the action and the outcome where it
// is not "ok". Who is spoken to did it, but what was refused somebody else may have tried; where another did it, ".other"
// stands behind, filled with {who}. Each is filled with {factor} and {app}.
var activities = [...]string{
	"activity.sign_in", "activity.sign_in.refused", "activity.sign_in.session", "activity.sign_out",
	"activity.sign_in.password.refused", "activity.sign_in.factor.refused",
	"activity.session.ended", "activity.session.ended_others", "activity.application.revoked",
	"activity.factor.added", "activity.factor.renamed", "activity.factor.removed", "activity.factor.copied.refused",
	"activity.two_factor.off", "activity.two_factor.reset", "activity.two_factor.reset.other", "activity.two_factor.reset.refused",
	"activity.two_factor.lost.sent", "activity.codes.new",
	"activity.device.remembered", "activity.device.forgotten", "activity.device.forgotten.other", "activity.device.copied.refused",
	"activity.recovery.made.other", "activity.recovery.revoked.other",
	"activity.password.forgot.sent", "activity.password.changed", "activity.password.changed.refused", "activity.email.verified",
	"activity.email.change.sent", "activity.email.change_confirmed", "activity.email.change_cancelled", "activity.email.changed",
	"activity.email.changed.refused", "activity.factor.changed",
	"activity.user.lock", "activity.user.unlock.other", "activity.user.create.other", "activity.user.change", "activity.user.change.other",
	"activity.user.disable.other", "activity.user.enable.other", "activity.user.end_sessions", "activity.user.end_sessions.other",
	"activity.user.password", "activity.user.password.other", "activity.user.invite.other", "activity.user.invitation_accepted",
	"activity.token.code.reuse.refused", "activity.token.refresh.reuse.refused",
}

// signIns are those words for a sign-in that say with what it was: "activity.sign_in_", and the ID of the factor that was
// proven last, "password" or "device".
var signIns = [...]string{
	"activity.sign_in_password", "activity.sign_in_device", "activity.sign_in_totp", "activity.sign_in_sms",
	"activity.sign_in_webauthn", "activity.sign_in_backup", "activity.sign_in_recovery",
}

// quiet are sentences of the audit log that tell a user nothing: steps on the way to one that does, and what an administrator
// does that changes nothing.
var quiet = [...]string{
	"event.sign_in.password", "event.sign_in.factor", "event.factor.sent", "event.factor.sent.refused", "event.factor.delivery.failed", "event.factor.added.refused",
	"event.email.verify.sent", "event.user.remind", "event.user.invitation_withdrawn", "event.user.delete",
}

// quietly are the beginnings of the actions of programs.
var quietly = [...]string{"token.", "api.", "client.", "webhook.", "hook.", "integration.", "audit."}

const activityPrefix = "activity."

// eventKey is what an action and its outcome are called in the catalogues.
func eventKey(action, outcome string) string {
	if outcome == "ok" || outcome == "" {
		return action
	}
	return action + "." + outcome
}

// InActivity tells whether an event of a user's is worth telling that user.
func InActivity(action, outcome string) bool {
	key := eventKey(action, outcome)
	if slices.Contains(activities[:], activityPrefix+key) || slices.Contains(activities[:], activityPrefix+key+".other") {
		return true
	}
	return !slices.Contains(quiet[:], "event."+key) &&
		!slices.ContainsFunc(quietly[:], func(begin string) bool { return strings.HasPrefix(action, begin) })
}

// activity says what happened to whom it happened to. What there are no such words for reads as in the audit log.
func (r *Renderer) activity(lang string, a ActivityRow) (string, error) {
	factor, err := r.factorName(lang, a.Factor)
	if err != nil {
		return "", err
	}
	key := activityPrefix + eventKey(a.Action, a.Outcome)
	if with := activityPrefix + "sign_in_" + a.Factor.ID; key == "activity.sign_in" && slices.Contains(signIns[:], with) {
		key = with
	}
	if !a.Own && slices.Contains(activities[:], key+".other") {
		key += ".other"
	}
	var app any = Say("audit.some_app")
	if a.App != "" {
		app = a.App
	}
	if slices.Contains(activities[:], key) || slices.Contains(signIns[:], key) {
		return r.words.say(lang, Say(key, "who", r.somebody(a.Who), "factor", factor, "app", app))
	}
	who := a.Who
	if a.Own {
		if who, err = r.words.say(lang, Say("activity.you")); err != nil {
			return "", err
		}
	}
	return r.sentence(lang, AuditRow{Action: a.Action, Outcome: a.Outcome, Who: who, Whom: who, Own: a.Own, Factor: a.Factor, App: a.App})
}

// accountFuncs are what the templates of the account call, in one language.
func (r *Renderer) accountFuncs(lang string) template.FuncMap {
	return template.FuncMap{
		"activity": func(a ActivityRow) (string, error) { return r.activity(lang, a) },
		// access says what a scope lets an application see or do, or names it where it is not ours.
		"access": func(scope string) (string, error) {
			if t := ScopeText(scope); t.Key != "" {
				return r.words.say(lang, t)
			}
			return r.words.say(lang, Say("connected.scope", "scope", scope))
		},
	}
}
