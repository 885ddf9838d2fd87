package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

const (
	// keepFor is how long an answer is given again.
	keepFor = 24 * time.Hour
	// underWay is how long a key is taken by a request that is being answered. The process may die meanwhile, so the key
	// becomes free by itself, but not before the operation must have ended.
	underWay = web.OperationTime + 5*time.Second
	// maxKept bounds an answer that is kept, in bytes; keys.Seal makes about 4/3 of it.
	maxKept = 32 << 10
)

// Once carries out a request unless one with this key was carried out before, and then gives the same answer again
// (draft-ietf-httpapi-idempotency-key-header-07). A key is the caller's: client, user and tenant. Answers that would be
// others in a moment are not kept. Whoever comes second, while the first is under way, fails with web.ErrUnderWay.
func (s *Service) Once(ctx context.Context, by *web.Actor, key, request string, do func(ctx context.Context) web.Answer) (web.Answer, error) {
	taken := storage.Reply{Key: replyKey(by, key), Request: request}
	for range 3 {
		taken.Version, taken.Expires = 0, s.Now().Add(underWay)
		err := s.Store.Replies.Insert(ctx, &taken)
		if err == nil {
			return s.first(ctx, &taken, do), nil
		}
		if !errors.Is(err, storage.ErrExists) {
			return web.Answer{}, web.Unavailable("idempotency key", err)
		}
		kept, err := s.Store.Replies.Get(ctx, taken.Tenant, taken.ID)
		switch {
		case errors.Is(err, storage.ErrNotFound):
			// It has just been given back.
			continue
		case err != nil:
			return web.Answer{}, web.Unavailable("idempotency key", err)
		case kept.Request != request:
			return web.Answer{}, web.ErrKeyReused
		case kept.Status == 0:
			return web.Answer{}, web.ErrUnderWay
		default:
			return s.again(&kept)
		}
	}
	return web.Answer{}, web.ErrUnderWay
}

// replyKey is where an answer is kept. The key is the caller's word, so it is hashed, with all that tells callers apart.
func replyKey(by *web.Actor, key string) storage.Key {
	tenant, user, client := "", "", ""
	if by.Tenant != nil {
		tenant = by.Tenant.ID
	}
	if by.User != nil {
		user = by.User.ID
	}
	if by.Client != nil {
		client = by.Client.ID
	}
	h := sha256.New()
	for _, part := range []string{client, user, tenant, key} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	if tenant == "" {
		tenant = storage.Global
	}
	return storage.Key{Tenant: tenant, ID: base64.RawURLEncoding.EncodeToString(h.Sum(nil))}
}

// first carries out the request that has taken a key. What happens to the key afterwards changes nothing of the answer: the
// operation has taken place.
func (s *Service) first(ctx context.Context, taken *storage.Reply, do func(ctx context.Context) web.Answer) web.Answer {
	answer := do(ctx)
	if err := s.keep(context.WithoutCancel(ctx), taken, answer); err != nil {
		s.Logger.ErrorContext(ctx, "answer under an idempotency key not kept", "error", err, "tenant", taken.Tenant)
	}
	return answer
}

func (s *Service) keep(ctx context.Context, taken *storage.Reply, answer web.Answer) error {
	if answer.Passing() {
		return s.Store.Replies.Delete(ctx, taken.Tenant, taken.ID)
	}
	taken.Status, taken.Expires = answer.Status, s.Now().Add(keepFor)
	plain, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	if len(plain) <= maxKept {
		sealed, err := s.Keys.Seal(sealPurpose(taken), keepFor, plain)
		if err != nil {
			return err
		}
		taken.Sealed = []byte(sealed)
	}
	return s.Store.Replies.Replace(ctx, taken)
}

// again gives an answer that was kept.
func (s *Service) again(kept *storage.Reply) (web.Answer, error) {
	var answer web.Answer
	if len(kept.Sealed) == 0 {
		return answer, web.ErrNotKept
	}
	plain, err := s.Keys.Open(sealPurpose(kept), string(kept.Sealed))
	if errors.Is(err, keys.ErrExpired) || errors.Is(err, keys.ErrSealed) {
		// It was sealed under a master key that is gone; carrying it out again would be worse.
		return answer, fmt.Errorf("%w: %w", web.ErrNotKept, err)
	} else if err != nil {
		return answer, err
	}
	err = json.Unmarshal(plain, &answer)
	return answer, err
}

// sealPurpose binds a sealed answer to its record, so that two can't be swapped in the database.
func sealPurpose(r *storage.Reply) string { return "api reply " + r.Tenant + " " + r.ID }
