package login

import (
	"context"
	"net/netip"
	"slices"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
)

// Shown is a sign-in of before, as far as the policy needs it to decide again.
type Shown struct {
	Client string
	// AMR and ACR are what it showed, Address where it came from.
	AMR     []string
	ACR     string
	Address string
}

// Readmit asks the policy of today whether a sign-in of before would still do: tokens are renewed for months, and rules
// that became stricter must not wait for so long. It fails with *web.Denied where it would not.
func (s *Service) Readmit(ctx context.Context, p credential.Person, was Shown) error {
	// An address that can't be read is unknown, and unknown is in no network.
	address, err := netip.ParseAddr(was.Address)
	if err != nil {
		address = netip.Addr{}
	}
	d, err := s.decide(ctx, &web.Actor{Address: address}, p, Request{Client: was.Client})
	if err != nil {
		return err
	}
	resistant := was.ACR == ACRPhishingResistant || was.ACR == ACRPhishingResistantHardware
	second := slices.Contains(was.AMR, "mfa") || resistant
	enough := second && (d.AnyStrength || resistant)
	if !d.Allow || d.TwoFactor == policy.Required && !enough && !d.Grace {
		return &web.Denied{Rule: d.Rule}
	}
	return nil
}
