package cli

import (
	"fmt"
	"io"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
)

type integrationsCommand struct {
	List       integrationsList       `cmd:"" help:"List what is connected."`
	Connect    integrationsConnect    `cmd:"" help:"Note that something is connected. The kind “financial” makes two-factor authentication mandatory."`
	Disconnect integrationsDisconnect `cmd:"" help:"Note that something is no longer connected, whoever connected it."`
}

type integrationsList struct{ tenantFlag }

// Run lists integrations.
func (c *integrationsList) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		all, err := s.Integrations(w.ctx, web.Operator(), c.Tenant)
		if err != nil {
			return err
		}
		return a.print(w, all, func(w io.Writer) {
			fmt.Fprintln(w, "INTEGRATION\tNAME\tKIND\tCONNECTED BY\tSINCE\tMAKES 2FA MANDATORY")
			for _, i := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", i.ID, i.Name, i.Kind, connectedBy(i), moment(i.Connected), yes(i.Rule != ""))
			}
		})
	})
}

// connectedBy names the application, or its client_id where it is gone.
func connectedBy(i admin.Integration) string {
	switch {
	case i.Application != "":
		return i.Application
	case i.Client != "":
		return i.Client
	default:
		return "operator"
	}
}

func printIntegration(w *world, a *adminCommand, i admin.Integration) error {
	return a.print(w, i, func(w io.Writer) {
		fmt.Fprintf(w, "Integration\t%s\nName\t%s\nKind\t%s\nConnected\tby %s, %s\n", i.ID, i.Name, i.Kind, connectedBy(i), moment(i.Connected))
		if i.Rule != "" {
			fmt.Fprintf(w, "Rule\t%s\n", i.Rule)
		}
	})
}

type integrationArg struct {
	tenantFlag
	ID string `arg:"" help:"The integration's ID, such as xero."`
}

type integrationsConnect struct {
	integrationArg
	Name string `required:"" help:"Name that people read."`
	Kind string `required:"" help:"What rules go by, such as financial."`
}

// Run connects.
func (c *integrationsConnect) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		i, err := s.Connect(w.ctx, web.Operator(), c.Tenant, c.ID, admin.NewIntegration{Name: c.Name, Kind: c.Kind})
		if err != nil {
			return err
		}
		return printIntegration(w, a, i)
	})
}

type integrationsDisconnect struct{ integrationArg }

// Run disconnects.
func (c *integrationsDisconnect) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		if err := s.Disconnect(w.ctx, web.Operator(), c.Tenant, c.ID); err != nil {
			return err
		}
		return a.print(w, map[string]string{"disconnected": c.ID}, func(w io.Writer) {
			fmt.Fprintf(w, "Disconnected %s.\n", c.ID)
		})
	})
}
