package admin

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

const (
	// MostVerified is how many entries a log may have to be verified while somebody waits for a page or an answer: a few
	// seconds' work. Longer ones are for the command line.
	MostVerified = 100_000

	// LeastAuditDays is the shortest time that a log is kept, in days.
	LeastAuditDays = 30
	// MostAuditDays is the longest, but for keeping it for good.
	MostAuditDays = 3650
)

// VerifyAudit reads a tenant's audit log, and tells whether an entry was changed, taken out or put elsewhere. Who is no
// operator is refused where the log has more entries than MostVerified, and that it was done stands in the log.
func (s *Service) VerifyAudit(ctx context.Context, by *web.Actor, tenant string) (audit.Report, error) {
	if err := s.admitLog(ctx, by, tenant); err != nil {
		return audit.Report{}, err
	}
	if by.Operator {
		r, err := s.Audit.Verify(ctx, tenant)
		return r, web.Unavailable("audit log", err)
	}
	log, err := s.extent(ctx, tenant)
	if err != nil {
		return audit.Report{}, err
	}
	if n := log.entries(); n > MostVerified {
		return audit.Report{}, invalidAs("audit", "long", fmt.Sprintf("the log has about %d entries, which takes longer than an answer may", n),
			"have it verified on the server: sallyport admin audit verify "+tenant)
	}
	// One after the other: each reads the whole log.
	end, err := storage.Lease{Counters: s.Store.Counters, Now: s.Now}.Take(ctx, tenant, "audit.verify")
	if errors.Is(err, storage.ErrExists) {
		return audit.Report{}, web.ErrBusy
	}
	if err != nil {
		return audit.Report{}, web.Unavailable("turn", err)
	}
	defer end()
	r, err := s.Audit.Verify(ctx, tenant)
	if err != nil {
		return r, web.Unavailable("audit log", err)
	}
	e := about(by, tenant, "audit.verify")
	e.Reason = fmt.Sprintf("%d entries, whole", r.Entries)
	if !r.OK() {
		e.Outcome, e.Reason = "failed", fmt.Sprintf("%d entries, %d faults", r.Entries, len(r.Faults)+r.More)
	}
	return r, web.Unavailable("audit log", s.Audit.Record(ctx, e))
}

// VerifyAudits verifies the logs of all tenants and the deployment's own, each told as it is done. Only operators do it.
func (s *Service) VerifyAudits(ctx context.Context, by *web.Actor, tell func(audit.Report) error) error {
	if !runs(by) {
		return web.ErrForbidden
	}
	one := func(tenant string) error {
		r, err := s.Audit.Verify(ctx, tenant)
		if err != nil {
			return web.Unavailable("audit log", err)
		}
		return tell(r)
	}
	if err := one(storage.Global); err != nil {
		return err
	}
	all := storage.Query{Tenant: storage.Global, Limit: 1000}
	return storage.Each(ctx, s.Store.Tenants, all, func(t *storage.Tenant) error { return one(t.ID) })
}

// extent is from where to where a log goes.
type extent struct{ first, last string }

// entries is how many entries there are between, both included: IDs have no holes, but for those that somebody made.
func (x extent) entries() uint64 {
	first, err := strconv.ParseUint(x.first, 10, 64)
	if err != nil {
		return 0
	}
	last, err := strconv.ParseUint(x.last, 10, 64)
	if err != nil || last < first {
		return 0
	}
	return last - first + 1
}

// extent looks up where a tenant's log begins and ends.
func (s *Service) extent(ctx context.Context, tenant string) (x extent, _ error) {
	for desc, id := range map[bool]*string{false: &x.first, true: &x.last} {
		found, err := s.Store.Events.List(ctx, storage.Query{Tenant: tenant, Desc: desc, Limit: 1})
		if err != nil {
			return x, web.Unavailable("audit log", err)
		}
		if len(found) > 0 {
			*id = found[0].ID
		}
	}
	return x, nil
}

// Retention is for how long a tenant's audit log is kept, or would be.
type Retention struct {
	// Days is for how many days entries are kept; 0 is for good.
	Days int `json:"days"`
	// Before is the time that entries are older than which are to be removed; zero where all are kept.
	Before time.Time `json:"before,omitzero"`
	// Due is about how many these are now. They are gone within a day.
	Due uint64 `json:"due"`
}

// Retention tells what is removed from a tenant's audit log. days, if it is not nil, says for how many days entries would be
// kept: owners ask that, before they say so.
func (s *Service) Retention(ctx context.Context, by *web.Actor, tenant string, days *int) (Retention, error) {
	n := helping
	if days != nil {
		n = owning
	}
	t, err := s.admit(ctx, by, tenant, n)
	if err != nil {
		return Retention{}, err
	}
	r := Retention{Days: t.Settings.AuditDays}
	if days != nil {
		if err := checkAuditDays(*days); err != nil {
			return Retention{}, err
		}
		r.Days = *days
	}
	if r.Days == 0 {
		return r, nil
	}
	r.Before = s.keptSince(r.Days)
	// The newest of those that are due says how many they are.
	found, err := s.Audit.Find(ctx, tenant, audit.Filter{Until: r.Before, Limit: 1})
	if err != nil {
		return r, web.Unavailable("audit log", err)
	}
	if len(found.Events) == 0 {
		return r, nil
	}
	log, err := s.extent(ctx, tenant)
	log.last = found.Events[0].ID
	r.Due = log.entries()
	return r, err
}

// keptSince is the time that entries are kept from.
func (s *Service) keptSince(days int) time.Time {
	return s.Now().Add(-time.Duration(days) * 24 * time.Hour)
}

func checkAuditDays(n int) error {
	if n != 0 && (n < LeastAuditDays || n > MostAuditDays) {
		return invalid("audit_days", fmt.Sprintf("the audit log can't be kept for %d days", n),
			fmt.Sprintf("give %d to %d, or 0 to keep it for good", LeastAuditDays, MostAuditDays))
	}
	return nil
}

// SetRetention sets for how many days a tenant's audit log is kept; 0 keeps it for good. Owners do it, for whoever shortens
// a log takes proofs away.
func (s *Service) SetRetention(ctx context.Context, by *web.Actor, tenant string, days int) (Retention, error) {
	if _, err := s.ChangeTenant(ctx, by, tenant, TenantFields{AuditDays: &days}); err != nil {
		return Retention{}, err
	}
	return s.Retention(ctx, by, tenant, nil)
}

// Retain removes what a tenant's log is not to keep any longer, and says how many entries that were. It is done every day.
func (s *Service) Retain(ctx context.Context, by *web.Actor, tenant string) (removed int, err error) {
	t, err := s.admit(ctx, by, tenant, operating)
	if err != nil || t.Settings.AuditDays == 0 {
		return 0, err
	}
	removed, err = s.Audit.Retain(ctx, tenant, s.keptSince(t.Settings.AuditDays))
	return removed, web.Unavailable("audit log", err)
}
