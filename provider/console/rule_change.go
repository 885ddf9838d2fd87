package console

import (
	"context"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/ui"
)

// mostEarlier is how many rules are named that decide before another.
const mostEarlier = 3

// ruleChanges puts into words what becomes of the rules that a draft adds, changes, moves or removes.
func (s *Service) ruleChanges(ctx context.Context, by *web.Actor, p *admin.Preview) ([]ui.RuleChange, error) {
	what := map[string]string{
		admin.RuleAdded: ui.ChangeRuleAdded, admin.RuleChanged: ui.ChangeRuleChanged, admin.RuleMoved: ui.ChangeRuleMoved,
		admin.RuleRemoved: ui.ChangeRuleRemoved,
	}
	k, err := s.kinds(ctx, by)
	if err != nil {
		return nil, err
	}
	changes := []ui.RuleChange{}
	for i := range p.Rules {
		e := &p.Rules[i]
		c := ui.RuleChange{
			What: ui.Say(what[e.Change], "rule", e.Rule.Name), Then: s.thenInWords(&e.Rule.Then), ReportOnly: e.Rule.ReportOnly,
			Place: e.Place, Of: e.Of,
		}
		if c.When, err = s.whenInWords(ctx, by.Tenant.ID, k, &e.Rule.When); err != nil {
			return nil, err
		}
		// Where a switch put its rule is nobody's slip, and what is only reported decides for nobody anywhere.
		if e.Change != admin.RuleRemoved && !e.Rule.ReportOnly && !admin.BuiltIn(e.Rule.ID) {
			for _, o := range e.Earlier[:min(len(e.Earlier), mostEarlier)] {
				c.Earlier = append(c.Earlier, ui.Earlier{Rule: o.Name, Users: o.Users})
			}
			nobody := e.Decides == 0 && !p.PartialApplications
			c.Idle, c.Never = nobody && len(c.Earlier) == 0, nobody && len(c.Earlier) > 0
		}
		changes = append(changes, c)
	}
	return changes, nil
}

func effectsAt(a *admin.AtApplications) ui.EffectsAt {
	e := ui.EffectsAt{Others: a.MoreClients, Effects: ui.Effects(a.Effects)}
	for i, c := range a.Clients {
		if i == mostNamed {
			e.Others += len(a.Clients) - mostNamed
			break
		}
		e.Names = append(e.Names, c.Name)
	}
	return e
}
