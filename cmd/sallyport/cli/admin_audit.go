package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

type auditCommand struct {
	Verify auditVerify `cmd:"" help:"Check that no entry of the audit logs was changed, taken out or put elsewhere."`
}

type auditVerify struct {
	Tenants []string `arg:"" optional:"" name:"tenant" help:"Tenants whose logs are checked; none: all, and the deployment's own."`
}

// errTampered ends a check that found something.
var errTampered = errors.New("an audit log is not as it was written")

// Run checks audit logs.
func (c *auditVerify) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		reports, err := s.VerifyAudit(w.ctx, web.Operator(), c.Tenants)
		if err != nil {
			return err
		}
		whole := true
		err = a.print(w, reports, func(w io.Writer) {
			fmt.Fprintln(w, "LOG\tENTRIES\tRESULT\tHEAD")
			for _, r := range reports {
				name, result := r.Tenant, "whole"
				if name == storage.Global {
					name = "(deployment)"
				}
				if !r.OK() {
					result = fmt.Sprintf("%d faults", len(r.Faults)+r.More)
				}
				fmt.Fprintf(w, "%s\t%d\t%s\t%.16s\n", name, r.Entries, result, r.Head)
				for _, f := range r.Faults {
					fmt.Fprintf(w, "\t\tentry %s: %s (%d)\t\n", f.ID, f.Kind, f.Count)
				}
			}
		})
		for _, r := range reports {
			whole = whole && r.OK()
		}
		if err == nil && !whole {
			err = errTampered
		}
		return err
	})
}
