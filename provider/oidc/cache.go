package oidc

import (
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// cached reads through a table, for what hardly changes and is needed at every request.
func cached[T any, P storage.Row[T]](table storage.Table[T], now func() time.Time, life time.Duration) *storage.Cached[T, P] {
	return &storage.Cached[T, P]{Table: table, Now: now, Life: life}
}

// ForgetClient has a client read again that was written.
func (p *Provider) ForgetClient(tenant, id string) { p.clients.Forget(tenant, id) }

// ForgetTenant has a tenant read again that was written.
func (p *Provider) ForgetTenant(tenant, id string) { p.tenants.Forget(tenant, id) }

// ForgetUser has a user read again who was written.
func (p *Provider) ForgetUser(tenant, id string) { p.users.Forget(tenant, id) }
