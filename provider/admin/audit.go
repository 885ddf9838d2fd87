package admin

import (
	"context"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// VerifyAudit reads the audit logs of the tenants named, or of all and the deployment's own, and tells whether an entry
// was changed, taken out or put elsewhere.
func (s *Service) VerifyAudit(ctx context.Context, by *web.Actor, tenants []string) ([]audit.Report, error) {
	if len(tenants) == 0 && !runs(by) {
		return nil, web.ErrForbidden
	}
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
			if _, err := s.admit(ctx, by, id, helping); err != nil {
				return nil, err
			}
		} else if !runs(by) {
			return nil, web.ErrForbidden
		}
		r, err := s.Audit.Verify(ctx, id)
		if err != nil {
			return nil, err
		}
		reports = append(reports, r)
	}
	return reports, nil
}
