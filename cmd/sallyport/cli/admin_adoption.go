package cli

import (
	"fmt"
	"io"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
)

type tenantsAdoption struct{ tenantArg }

// Run shows how far two-factor authentication has come in a tenant.
func (c *tenantsAdoption) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		all, err := s.Adoption(w.ctx, web.Operator(), c.ID)
		if err != nil {
			return err
		}
		return a.print(w, all, func(w io.Writer) {
			fmt.Fprint(w, "DAY\tUSERS\tWITH 2FA")
			for _, t := range all.Types {
				fmt.Fprintf(w, "\t%s", t)
			}
			fmt.Fprintln(w, "\tSMS")
			for _, d := range append(all.Days, all.Today) {
				printDay(w, d, all.Types)
			}
			fmt.Fprintf(w, "\nSMS this month\t%d\n", all.SMS.Month)
			if all.SMS.Offered {
				fmt.Fprintf(w, "SMS a day at most\t%d\n", all.SMS.Budget)
			}
		})
	})
}

func printDay(w io.Writer, d admin.Day, types []string) {
	if !d.Counted {
		fmt.Fprintf(w, "%s\t–\t–", d.Date)
	} else {
		fmt.Fprintf(w, "%s\t%d\t%s", d.Date, d.Users, shareOf(d.TwoFactor, d.Users))
	}
	for _, t := range types {
		if n, ok := d.Types[t]; ok {
			fmt.Fprintf(w, "\t%s", shareOf(n.TwoFactor, n.Users))
		} else {
			fmt.Fprint(w, "\t–")
		}
	}
	fmt.Fprintf(w, "\t%d\n", d.SMS)
}

func shareOf(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%d of %d (%d %%)", n, of, n*100/of)
}
