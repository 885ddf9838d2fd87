package credential

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// FactorsOf are the IDs of the factors among a user's credentials that are a second step by themselves, in order and each
// once: what User.Factors holds.
func (k *Keeper) FactorsOf(held []storage.Credential) []string {
	var ids []string
	for _, c := range k.Primary(held) {
		ids = append(ids, c.Factor)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// noteTime bounds how long it may take to bring User.Factors up to date.
const noteTime = 5 * time.Second

// bringUpToDate writes to the user which factors there are after a change. What a sign-in asks does not hang on that, and
// the change has been made: where it fails the change stands, the log says so, and the next sign-in makes up for it.
func (k *Keeper) bringUpToDate(ctx context.Context, p Person) {
	// Whoever asked for the change may have gone away meanwhile.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	held, err := k.List(ctx, p)
	if err == nil {
		factors := k.FactorsOf(held)
		_, err = storage.Change(ctx, k.Users, p.User.Tenant, p.User.ID, func(u *storage.User) error {
			if slices.Equal(u.Factors, factors) {
				return errUpToDate
			}
			u.Factors = factors
			return nil
		})
	}
	// A user who is gone needs no list.
	if err == nil || errors.Is(err, errUpToDate) || errors.Is(err, storage.ErrNotFound) {
		return
	}
	logger := k.Logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.WarnContext(ctx, "the factors in a user's record are out of date until the next sign-in",
		"tenant", p.User.Tenant, "user", p.User.ID, "error", err)
}

// errUpToDate: there is nothing to write.
var errUpToDate = errors.New("credential: up to date")
