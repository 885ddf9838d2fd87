package provider

import "github.com/sallyport-id/sallyport/provider/transfer"

// Transfer imports and exports users, in this process or in one beside those that serve.
func (p *Provider) Transfer() *transfer.Service { return p.transfer }

// transfers makes the service of imports and exports, which asks the administration who may.
func (p *Provider) transfers() (*transfer.Service, error) {
	c := p.admin.Config
	return transfer.New(transfer.Config{
		Store: c.Store, Directory: c.Directory, Credentials: c.Credentials, Audit: c.Audit, Admit: p.admin.MayTransfer,
		EndAll: c.EndAll, Now: c.Now,
	})
}
