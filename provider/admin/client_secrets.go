package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// MaxGrace is the longest time that an old client secret can go on working.
const MaxGrace = 30 * 24 * time.Hour

// RotateSecret gives a client a new secret, which can't be seen again. The one before goes on working for grace, and
// older ones stop at once. *web.Invalid.
func (s *Service) RotateSecret(ctx context.Context, by *web.Actor, id string, grace time.Duration) (_ Client, secret string, _ error) {
	if grace < 0 || grace > MaxGrace {
		return Client{}, "", invalid("grace", fmt.Sprintf("%s is negative or too long", grace), "choose 0s to "+MaxGrace.String())
	}
	c, err := s.client(ctx, by, id, owning)
	if err != nil {
		return Client{}, "", err
	}
	// With the secret comes all that the client can do.
	if !mayGrant(by, c.Scopes) {
		return Client{}, "", web.ErrForbidden
	}
	if !confidential(c.Type) {
		return Client{}, "", invalid("client", "a "+c.Type+" client can't keep a secret, and has none", "nothing needs to be done")
	}
	e := aboutClient(by, &c, "client.secret")
	e.Reason = "the one before works for " + grace.String()
	secret = newSecret()
	v, err := s.changeClient(ctx, e, func(c *storage.Client) error {
		now := s.Now()
		fresh := []storage.ClientSecret{{Hash: s.Keys.Hash(s.SecretPurpose, secret), Created: now}}
		if old := s.live(c.Secrets); len(old) > 0 && grace > 0 {
			// The newest stands first.
			last := old[0]
			if end := now.Add(grace); last.Until.IsZero() || end.Before(last.Until) {
				last.Until = end
			}
			fresh = append(fresh, last)
		}
		c.Secrets = fresh
		return nil
	})
	if err != nil {
		return Client{}, "", err
	}
	return v, secret, nil
}
