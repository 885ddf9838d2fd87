package login

import (
	"context"
	"fmt"
	"slices"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/storage"
)

// Asked says what a sign-in of a user, of whom nothing but the password is proven, would be asked for under a decision: at
// the application c, or where it is nil on our own pages. The factors are those that the user has at this moment.
func (s *Service) Asked(ctx context.Context, p credential.Person, d policy.Decision, c *storage.Client) (policy.Asked, error) {
	if p.User.Out() {
		return policy.Asked{Kind: policy.AskDenied}, nil
	}
	have, _, err := s.enrolled(ctx, p)
	if err != nil {
		return policy.Asked{}, err
	}
	return s.foresee(p.User.LastFactor, d, have, c)
}

// Foresee is Asked for a user of whom only the factors' IDs are known, as User.Factors keeps them: it reads nothing, and so
// can be asked for each of very many. Factors that the deployment does not have count for nothing.
func (s *Service) Foresee(u *storage.User, d policy.Decision, c *storage.Client) (policy.Asked, error) {
	if u.Out() {
		return policy.Asked{Kind: policy.AskDenied}, nil
	}
	var have []Enrolled
	for _, id := range u.Factors {
		if f, err := s.Credentials.Factor(id); err == nil && f.Info().Enrolment != mfa.ByOwner {
			have = append(have, enrolledAs(f.Info(), false))
		}
	}
	return s.foresee(u.LastFactor, d, have, c)
}

func (s *Service) foresee(last string, d policy.Decision, have []Enrolled, c *storage.Client) (asked policy.Asked, err error) {
	st := &state{flow: &storage.Flow{Proofs: []storage.Proof{s.passwordProof(s.Now())}}, client: c, decision: d, have: have}
	step := s.next(st)
	if asked.Kind, err = askOf(step.Kind); err != nil {
		return asked, err
	}
	switch step.Kind {
	case Prompt:
		asked.Factors = s.first(step.Factors, last)
		// All that can be answered here leads to the same: either it is what is asked for, or none of it is.
		i := slices.IndexFunc(have, func(e Enrolled) bool { return e.Factor == step.Factors[0] })
		st.flow.Proofs = append(st.flow.Proofs, storage.Proof{
			Factor: have[i].Factor, PhishingResistant: have[i].PhishingResistant, Hardware: have[i].Hardware, At: s.Now(),
		})
		if step = s.next(st); step.Kind != Done {
			asked.Then, err = askOf(step.Kind)
		}
	case Enrol:
		asked.Factors = s.settable(d)
	}
	return asked, err
}

// askOf is how a step that comes after the password is called elsewhere.
func askOf(k Kind) (policy.Ask, error) {
	switch k {
	case Deny:
		return policy.AskDenied, nil
	case Prompt:
		return policy.AskPrompt, nil
	case Enrol:
		return policy.AskEnrol, nil
	case Recover:
		return policy.AskRecoveryCode, nil
	case Unmet:
		return policy.AskUnmet, nil
	case Done:
		return policy.AskNothing, nil
	default:
		return "", fmt.Errorf("login: step %d can't come right after the password", k)
	}
}
