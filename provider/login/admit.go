package login

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Shown is a sign-in of before, as far as the policy needs it to decide again.
type Shown struct {
	Client string
	// Factors are those proven beside the password, Address where it came from, At when it was.
	Factors []string
	Address string
	At      time.Time
}

// Readmit asks whether a sign-in of before would still do today: tokens are renewed for months, and neither a rule that
// became stricter nor a second step that was set up since must wait for so long. It fails with *web.Denied where it
// would not.
func (s *Service) Readmit(ctx context.Context, p credential.Person, was Shown) error {
	// An address that can't be read is unknown, and unknown is in no network.
	address, err := netip.ParseAddr(was.Address)
	if err != nil {
		address = netip.Addr{}
	}
	c, err := s.client(ctx, was.Client)
	if err != nil {
		return err
	}
	d := s.decide(&web.Actor{Address: address}, p, c)
	have, _, err := s.enrolled(ctx, p)
	if err != nil {
		return err
	}
	f := storage.Flow{Proofs: []storage.Proof{s.passwordProof(was.At)}}
	for _, id := range was.Factors {
		proof := storage.Proof{Factor: id, At: was.At, Since: was.At}
		if stood, ok := strings.CutPrefix(id, standsFor); ok {
			id, proof.Factor, proof.Stands = stood, DeviceProof, stood
		}
		if factor, err := s.Credentials.Factor(id); err == nil {
			i := factor.Info()
			proof.PhishingResistant, proof.Hardware = i.PhishingResistant, i.Hardware
			// What an owner's code let in stays for as long as a session would, not for months.
			if proof.Recovery = i.Enrolment == mfa.ByOwner; proof.Recovery {
				f.Later = s.Now().Sub(was.At) < sessionLife
			}
		}
		f.Proofs = append(f.Proofs, proof)
	}
	if Next(f, d, have, leastOf(c)).Kind != Done {
		return &web.Denied{Rule: d.Rule}
	}
	return nil
}
