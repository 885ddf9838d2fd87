package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

const (
	// dayTick is how often it is looked whether a day's work is due.
	dayTick = 10 * time.Minute
	// dayTries is how long a tenant's work of a day is taken by a process that may have died over it.
	dayTries = time.Hour
	// countTime bounds how long whoever sends a text message waits until it is counted.
	countTime = 3 * time.Second
)

// everyDay does the work of each day, soon after it began (UTC). Of all processes one does it for a tenant.
func (p *Provider) everyDay(ctx context.Context) {
	tick := time.NewTicker(dayTick)
	defer tick.Stop()
	done := ""
	for {
		if today := p.config.Now().UTC().Format(time.DateOnly); today != done {
			all, err := p.day(ctx)
			if err != nil && ctx.Err() == nil {
				p.config.Logger.ErrorContext(ctx, "a day's work is not done; trying again", "error", err)
			}
			if all && err == nil {
				done = today
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// day does what is due of a day's work, and tells whether all of it is done. What fails for one tenant does not keep it from
// the others.
func (p *Provider) day(ctx context.Context) (all bool, err error) {
	all = true
	var failed []error
	err = storage.Each(ctx, p.config.Store.Tenants, storage.Query{Tenant: storage.Global, Limit: 1000}, func(t *storage.Tenant) error {
		done, err := p.dayOf(ctx, t)
		if err != nil && len(failed) < 10 {
			failed = append(failed, fmt.Errorf("tenant %s: %w", t.ID, err))
		}
		all = all && done && err == nil
		return ctx.Err()
	})
	return all, errors.Join(append(failed, err)...)
}

// dayOf does a tenant's work of a day, unless it is done or another process is at it.
func (p *Provider) dayOf(ctx context.Context, t *storage.Tenant) (done bool, err error) {
	now := p.config.Now()
	c := storage.Counter{Key: storage.Key{Tenant: t.ID, ID: "day/" + now.UTC().Format(time.DateOnly), Expires: now.Add(dayTries)}}
	err = p.config.Store.Counters.Insert(ctx, &c)
	if errors.Is(err, storage.ErrExists) {
		c, err = p.config.Store.Counters.Get(ctx, t.ID, c.ID)
		// Count tells whose work is done from whose is under way.
		return err == nil && c.Count > 0, ignoreGone(err)
	}
	if err != nil {
		return false, err
	}
	by := web.Operator()
	if err := p.admin.Tally(ctx, by, t.ID); err != nil {
		return false, err
	}
	removed, err := p.admin.Retain(ctx, by, t.ID)
	if err != nil {
		return false, err
	}
	if removed > 0 {
		p.config.Logger.InfoContext(ctx, "old entries removed from the audit log", "tenant", t.ID, "entries", removed, "days", t.Settings.AuditDays)
	}
	c.Count, c.Expires = 1, now.Add(24*time.Hour)
	return true, p.config.Store.Counters.Replace(ctx, &c)
}

// ignoreGone makes nothing of a record that went meanwhile.
func ignoreGone(err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

// sent counts a message that is paid for. The message is on its way, so whoever asked for it need not know if that fails.
func (p *Provider) sent(ctx context.Context, tenant, factor string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), countTime)
	defer cancel()
	if err := p.admin.CountSMS(ctx, tenant); err != nil {
		p.config.Logger.ErrorContext(ctx, "a message that was sent is not counted", "tenant", tenant, "factor", factor, "error", err)
	}
}
