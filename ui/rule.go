package ui

import (
	"strconv"
	"strings"
)

// ruleNames are the names that built-in rules are stored under, as package admin makes them, and the words for them. Whoever
// reads of such a rule reads it in the language of the page, as long as nobody gave the rule a name of its own.
var ruleNames = [...]struct{ stored, key string }{
	{"Sign-in is possible from the account’s networks only", "rule.is_networks"},
	{"This user must use two-factor authentication", "rule.is_ticked"},
	{"A connected financial integration makes two-factor authentication mandatory", "rule.is_financial"},
	{"Two-factor authentication is required in this network", "rule.is_network_2fa"},
	{"Staff must use two-factor authentication", "rule.is_staff"},
	{"Clients must use two-factor authentication", "rule.is_client"},
	{"Contractors must use two-factor authentication", "rule.is_contractor"},
	{"Everyone must use two-factor authentication", "rule.is_everyone"},
	{"Everyone may use two-factor authentication", "rule.is_default"},
}

// What stands around the name of a user type in the name of its rule; the name itself is quoted.
const (
	ruleTypeBegin = "Users of type "
	ruleTypeEnd   = " must use two-factor authentication"
)

// ruleText is the name of a built-in rule for the reader, if the stored name is one.
func ruleText(stored string) (Text, bool) {
	for _, r := range ruleNames {
		if r.stored == stored {
			return Say(r.key), true
		}
	}
	quoted, begins := strings.CutPrefix(stored, ruleTypeBegin)
	quoted, ends := strings.CutSuffix(quoted, ruleTypeEnd)
	if !begins || !ends {
		return Text{}, false
	}
	name, err := strconv.Unquote(quoted)
	return Say("rule.is_type", "type", name), err == nil
}

// rule is the name of a rule as a reader of the language reads it.
func (c *catalogues) rule(lang, stored string) (string, error) {
	t, is := ruleText(stored)
	if !is {
		return stored, nil
	}
	return c.say(lang, t)
}
