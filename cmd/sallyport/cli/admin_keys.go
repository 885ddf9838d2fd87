package cli

import (
	"fmt"
	"io"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
)

type keysCommand struct {
	List   keysList   `cmd:"" help:"List the keys that are published."`
	Rotate keysRotate `cmd:"" help:"Publish a new signing key, which takes over in an hour."`
	Reseal keysReseal `cmd:"" help:"Seal everything under the newest master key, after it was replaced."`
}

func printKeys(w *world, a *adminCommand, all []admin.SigningKey) error {
	return a.print(w, all, func(w io.Writer) {
		fmt.Fprintln(w, "KID\tALG\tSTATE\tSIGNS FROM\tPUBLISHED UNTIL")
		for _, k := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", k.ID, k.Alg, k.State, moment(k.SignFrom), moment(k.Until))
		}
	})
}

type keysList struct{}

// Run lists signing keys.
func (keysList) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		all, err := s.SigningKeys(w.ctx, web.Operator())
		if err != nil {
			return err
		}
		return printKeys(w, a, all)
	})
}

type keysRotate struct {
	Alg string `arg:"" help:"RS256 or ES256."`
}

// Run publishes a new signing key.
func (c *keysRotate) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		all, err := s.RotateKey(w.ctx, web.Operator(), c.Alg)
		if err != nil {
			return err
		}
		return printKeys(w, a, all)
	})
}

type keysReseal struct{}

// Run seals everything anew.
func (keysReseal) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		n, err := s.Reseal(w.ctx, web.Operator())
		if err != nil {
			return err
		}
		return a.print(w, map[string]int{"resealed": n}, func(w io.Writer) {
			fmt.Fprintf(w, "Sealed %d keys anew. The master keys of before are no longer needed for them.\n", n)
		})
	})
}
