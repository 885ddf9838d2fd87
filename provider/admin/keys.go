package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// SigningKey is what operators see of a key that tokens are signed with.
type SigningKey struct {
	ID  string `json:"kid"`
	Alg string `json:"alg"`
	// State is "waiting" (published, and soon to sign), "signing" or "retired" (published for what it signed).
	State    string    `json:"state"`
	Created  time.Time `json:"created"`
	SignFrom time.Time `json:"sign_from"`
	Retired  time.Time `json:"retired,omitzero"`
	// Until is when it stops being published.
	Until time.Time `json:"until,omitzero"`
}

// SigningKeys lists the keys that are published, by algorithm and then by age.
func (s *Service) SigningKeys(ctx context.Context, by *web.Actor) ([]SigningKey, error) {
	if !runs(by) {
		return nil, web.ErrForbidden
	}
	var all []SigningKey
	q := storage.Query{Tenant: storage.Global, Limit: 1000}
	for {
		kept, err := s.Store.SigningKeys.List(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("list signing keys: %w", err)
		}
		for i := range kept {
			// What stands beside them, and signs no tokens, is left out.
			if slices.Contains(keys.Algs(), kept[i].Alg) {
				all = append(all, s.viewKey(&kept[i]))
			}
		}
		if len(kept) < q.Limit {
			break
		}
		q.After = kept[len(kept)-1].ID
	}
	slices.SortFunc(all, func(a, b SigningKey) int {
		if c := strings.Compare(a.Alg, b.Alg); c != 0 {
			return c
		}
		return a.SignFrom.Compare(b.SignFrom)
	})
	return all, nil
}

func (s *Service) viewKey(k *storage.SigningKey) SigningKey {
	v := SigningKey{
		ID: k.ID, Alg: k.Alg, State: "signing", Created: k.Created, SignFrom: k.SignFrom, Retired: k.Retired, Until: k.Expires,
	}
	now := s.Now()
	if now.Before(k.SignFrom) {
		v.State = "waiting"
	} else if !k.Retired.IsZero() && !now.Before(k.Retired) {
		v.State = "retired"
	}
	return v
}

// RotateKey publishes a new signing key, which takes over after the time that verifiers may cache the old ones. *web.Invalid.
func (s *Service) RotateKey(ctx context.Context, by *web.Actor, alg string) ([]SigningKey, error) {
	if !runs(by) {
		return nil, web.ErrForbidden
	}
	if !slices.Contains(keys.Algs(), alg) {
		return nil, invalid("alg", fmt.Sprintf("%q is no algorithm that tokens are signed with", alg), "choose "+strings.Join(keys.Algs(), " or "))
	}
	e := about(by, storage.Global, "key.rotate")
	e.Reason = alg
	if err := s.audited(ctx, e, func() error { return s.Keys.Rotate(ctx, alg) }); err != nil {
		return nil, err
	}
	return s.SigningKeys(ctx, by)
}

// Reseal seals everything anew under the newest master key, and says how much it was. After that the master keys of
// before can be thrown away. *web.Invalid.
func (s *Service) Reseal(ctx context.Context, by *web.Actor) (resealed int, _ error) {
	if !runs(by) {
		return 0, web.ErrForbidden
	}
	err := s.audited(ctx, about(by, storage.Global, "key.reseal"), func() (err error) {
		resealed, err = s.Keys.Reseal(ctx)
		if errors.Is(err, keys.ErrSealed) {
			err = errors.Join(&web.Invalid{
				What: "something is sealed under a master key that was not given", Where: "previous_master_key_files",
				Do: "name all master keys of before there, and start again", Err: web.ErrInvalid,
			}, err)
		}
		return err
	})
	return resealed, err
}
