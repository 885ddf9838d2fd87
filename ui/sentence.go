package ui

import (
	"cmp"
	"html/template"
	"slices"
	"strings"
)

// sentences are what entries of an audit log read as: "event.", the action, the outcome where it is not "ok", and "own"
// where somebody did it to himself and that reads otherwise. Each is filled with {who} did it, {whom} it was done to,
// {factor} and {app}.
var sentences = [...]string{
	"event.sign_in", "event.sign_in.refused",
	"event.sign_in.password", "event.sign_in.password.refused",
	"event.sign_in.factor", "event.sign_in.factor.refused",
	"event.sign_in.session", "event.sign_out", "event.session.ended", "event.session.ended_others", "event.application.revoked",
	"event.factor.sent", "event.factor.sent.refused", "event.factor.delivery.failed",
	"event.factor.added", "event.factor.added.refused", "event.factor.renamed", "event.factor.removed", "event.factor.copied.refused",
	"event.two_factor.off", "event.two_factor.reset", "event.two_factor.reset.own", "event.two_factor.reset.refused",
	"event.two_factor.lost.sent", "event.codes.new",
	"event.device.remembered", "event.device.forgotten", "event.device.forgotten.own", "event.device.copied.refused",
	"event.recovery.made", "event.recovery.revoked",
	"event.password.forgot.sent", "event.password.changed", "event.email.verify.sent", "event.email.verified",
	"event.password.changed.refused", "event.email.change.sent", "event.email.change_confirmed", "event.email.change_cancelled",
	"event.email.changed", "event.email.changed.refused", "event.factor.changed",
	"event.user.lock", "event.user.unlock", "event.user.create", "event.user.change", "event.user.change.own", "event.user.delete",
	"event.user.disable", "event.user.enable", "event.user.end_sessions", "event.user.password", "event.user.remind",
	"event.user.invite", "event.user.invitation_accepted", "event.user.invitation_withdrawn",
	"event.user_type.add", "event.user_type.change", "event.user_type.remove", "event.users.import", "event.users.export",
	"event.tenant.create", "event.tenant.change", "event.tenant.logo", "event.tenant.logo_removed",
	"event.tenant.disable", "event.tenant.enable", "event.policy.change",
	"event.client.create", "event.client.change", "event.client.secret", "event.client.delete", "event.client.disable",
	"event.client.enable", "event.client.authenticate.refused", "event.integration.connect", "event.integration.disconnect",
	"event.token.code.refused", "event.token.code.reuse.refused", "event.token.refresh.refused", "event.token.refresh.reuse.refused",
	"event.token.revoke", "event.token.client_credentials", "event.token.client_credentials.refused",
	"event.webhook.create", "event.webhook.change", "event.webhook.secret", "event.webhook.delete", "event.webhook.disable",
	"event.webhook.enable", "event.webhook.redeliver",
	"event.api.call.refused",
	"event.audit.export", "event.audit.verify", "event.audit.verify.failed", "event.audit.retention",
}

// otherSentence and triedSentence are for actions that have no words: {who} did {action}, or tried to.
const (
	otherSentence = "event.other"
	triedSentence = "event.tried"
)

// sentence says what happened, or at least what the program calls it.
func (r *Renderer) sentence(lang string, e AuditRow) (string, error) {
	factor, err := r.factorName(lang, e.Factor)
	if err != nil {
		return "", err
	}
	return r.words.say(lang, Say(r.sentenceKey(lang, e),
		"who", r.somebody(e.Who), "whom", r.somebody(e.Whom), "factor", factor, "app", cmp.Or[any](e.App, Say("audit.some_app")), "action", e.Action))
}

// somebody is a name, or what stands for those who have none.
func (r *Renderer) somebody(name string) any {
	switch name {
	case "":
		return Say("audit.somebody")
	case AuditOperator:
		return Say("audit.operator")
	default:
		return name
	}
}

func (r *Renderer) factorName(lang string, f Factor) (string, error) {
	switch f.ID {
	case "":
		return r.words.say(lang, Say("audit.some_factor"))
	case "password":
		return r.words.say(lang, Say("audit.password"))
	default:
		return r.saying(lang, "factor."+f.ID+".name", cmp.Or(f.Name, f.ID))
	}
}

func (r *Renderer) sentenceKey(lang string, e AuditRow) string {
	key := "event." + e.Action
	other := otherSentence
	if e.Outcome != "ok" {
		key += "." + e.Outcome
		other = triedSentence
	}
	if own := key + ".own"; e.Own && r.words.has(lang, own) {
		return own
	}
	// Actions are words of programs, some of which are not ours: only those are keys that are known to be.
	if slices.Contains(sentences[:], key) {
		return key
	}
	return other
}

// outcomes are the words of outcomes.
var outcomes = [...]string{"audit.outcome.ok", "audit.outcome.refused", "audit.outcome.failed", "audit.outcome.sent"}

const outcomePrefix = "audit.outcome."

// Outcomes are those that a filter of the audit log can choose.
func Outcomes() []string {
	list := make([]string, len(outcomes))
	for i, key := range outcomes {
		list[i] = key[len(outcomePrefix):]
	}
	return list
}

// words say what is wrong.
func (f AuditFault) words() Text {
	switch f.Kind {
	case "missing":
		return Say("audit.fault.missing", "n", f.Count)
	case "unlinked":
		return Say("audit.fault.unlinked")
	default:
		return Say("audit.fault.changed")
	}
}

// reasons are the words of those reasons that the program notes itself. Others are in the words of whoever gave them.
var reasons = [...]string{
	"audit.reason.code_wrong", "audit.reason.code_used", "audit.reason.code_expired", "audit.reason.code_empty",
	"audit.reason.code_short", "audit.reason.code_short_text", "audit.reason.code_long", "audit.reason.code_long_text",
	"audit.reason.code_digits", "audit.reason.code_characters", "audit.reason.code_tries", "audit.reason.factor_off",
	"audit.reason.passkey", "audit.reason.often", "audit.reason.budget", "audit.reason.undeliverable", "audit.reason.gateway",
	"audit.reason.country", "audit.reason.malformed", "audit.reason.name_or_password", "audit.reason.too_many_tries",
	"audit.reason.denied_by_policy", "audit.reason.no_factor_that_would_do", "audit.reason.no_such_passkey",
	"audit.reason.mailed_link", "audit.reason.credentials", "audit.reason.storage",
}

const reasonPrefix = "audit.reason."

// reason says why; it knows the problems of the sign-in by what they tell the user.
func (r *Renderer) reason(lang, reason string) (string, error) {
	key := reasonPrefix + strings.ReplaceAll(strings.TrimPrefix(reason, "problem."), " ", "_")
	if slices.Contains(reasons[:], key) {
		return r.words.say(lang, Say(key))
	}
	return reason, nil
}

// auditFuncs are what the templates of the audit log call, in one language.
func (r *Renderer) auditFuncs(lang string) template.FuncMap {
	return template.FuncMap{
		"sentence":   func(e AuditRow) (string, error) { return r.sentence(lang, e) },
		"factorName": func(f Factor) (string, error) { return r.factorName(lang, f) },
		"auditGroup": func(id string) (string, error) { return r.saying(lang, auditGroupPrefix+id, id) },
		"outcome":    func(id string) (string, error) { return r.saying(lang, outcomePrefix+id, id) },
		"fault":      func(f AuditFault) (string, error) { return r.words.say(lang, f.words()) },
		// somebody is who did it, in words where it is no user and no application.
		"somebody": func(who string) (string, error) {
			if t, ok := r.somebody(who).(Text); ok {
				return r.words.say(lang, t)
			}
			return who, nil
		},
		// reason is what the program noted, in words where there are any.
		"reason": func(reason string) (string, error) { return r.reason(lang, reason) },
	}
}
