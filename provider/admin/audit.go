package admin

import (
	"context"
	"errors"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/storage"
)

// VerifyAudit reads the audit logs of the tenants named, or of all and the deployment's own, and tells whether an entry
// was changed, taken out or put elsewhere.
func (s *Service) VerifyAudit(ctx context.Context, tenants []string) ([]audit.Report, error) {
	if len(tenants) == 0 {
		tenants = []string{storage.Global}
		all := storage.Query{Tenant: storage.Global, Limit: 1000}
		err := storage.Each(ctx, s.Store.Tenants, all, func(t *storage.Tenant) error {
			tenants = append(tenants, t.ID)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	var reports []audit.Report
	for _, id := range tenants {
		if id != storage.Global {
			if _, err := s.Store.Tenants.Get(ctx, storage.Global, id); errors.Is(err, storage.ErrNotFound) {
				return nil, &Error{What: `there is no tenant "` + id + `"`, Where: "tenant", Do: "see the list of tenants"}
			} else if err != nil {
				return nil, err
			}
		}
		r, err := s.Audit.Verify(ctx, id)
		if err != nil {
			return nil, err
		}
		reports = append(reports, r)
	}
	return reports, nil
}
