package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

const (
	// secretSize is in bytes; the specification wants 24 to 64.
	secretSize = 32
	// secretPrefix is how the specification has secrets begin.
	secretPrefix = "whsec_"
	// Grace is for how long the secret of before goes on signing after a rotation.
	Grace = 24 * time.Hour
)

// newSecret returns a secret as it is kept, and as the receiver gets it.
func (s *Service) newSecret(ctx context.Context, tenant, id string) (kept storage.WebhookSecret, shown string, err error) {
	key := make([]byte, secretSize)
	if _, err := rand.Read(key); err != nil {
		return kept, "", err
	}
	sealed, err := s.Seal.SealFor(ctx, tenant, purpose(id), key)
	if err != nil {
		return kept, "", fmt.Errorf("webhook: secret: %w", err)
	}
	return storage.WebhookSecret{Sealed: sealed, Created: s.now()}, secretPrefix + base64.StdEncoding.EncodeToString(key), nil
}

// purpose binds a sealed secret to its webhook: put into another, it does not open.
func purpose(id string) string { return "webhook/" + id }

// live are the secrets that still sign.
func live(secrets []storage.WebhookSecret, now time.Time) []storage.WebhookSecret {
	var still []storage.WebhookSecret
	for _, one := range secrets {
		if one.Until.IsZero() || now.Before(one.Until) {
			still = append(still, one)
		}
	}
	return still
}

// signatures are the value of the header webhook-signature: one for each live secret, so that a receiver can change over
// when it likes within Grace.
func (s *Service) signatures(ctx context.Context, w *storage.Webhook, id string, at time.Time, payload string) (string, error) {
	var all []string
	for _, one := range live(w.Secrets, at) {
		key, err := s.Seal.OpenFor(ctx, w.Tenant, purpose(w.ID), one.Sealed)
		if err != nil {
			return "", fmt.Errorf("webhook: secret: %w", err)
		}
		all = append(all, sign(key, id, at, payload))
	}
	return strings.Join(all, " "), nil
}

// sign signs by HMAC-SHA-256, the specification's "v1". Neither id nor time may hold a full stop: it parts them.
func sign(key []byte, id string, at time.Time, payload string) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", id, at.Unix(), payload)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
