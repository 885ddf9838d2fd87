package cli

import (
	"fmt"
	"io"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
)

type typesCommand struct {
	List   typesList   `cmd:"" help:"List user types, with how many users each has."`
	Add    typesAdd    `cmd:"" help:"Add a user type."`
	Set    typesSet    `cmd:"" help:"Change what people read for a user type, or its place."`
	Remove typesRemove `cmd:"" help:"Remove a user type that no user and no rule has."`
}

func printType(w *world, a *adminCommand, t admin.UserType) error {
	return a.print(w, t, func(w io.Writer) {
		fmt.Fprintf(w, "Type\t%s\nName\t%s\nUsers\t%d\nWith 2FA\t%d\n", t.ID, t.Name, t.Users, t.TwoFactor)
	})
}

type typesList struct{ tenantFlag }

// Run lists user types.
func (c *typesList) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		all, err := s.UserTypes(w.ctx, web.Operator(), c.Tenant)
		if err != nil {
			return err
		}
		return a.print(w, all, func(w io.Writer) {
			fmt.Fprintln(w, "TYPE\tNAME\tUSERS\tWITH 2FA")
			for _, t := range all {
				fmt.Fprintf(w, "%s\t%s\t%d\t%d\n", t.ID, t.Name, t.Users, t.TwoFactor)
			}
		})
	})
}

type typesAdd struct {
	tenantFlag
	ID   string `arg:"" help:"ID, which rules use and which never changes: lower-case letters, digits, hyphens and underscores."`
	Name string `help:"What people read."`
}

// Run adds a user type.
func (c *typesAdd) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		t, err := s.AddUserType(w.ctx, web.Operator(), c.Tenant, admin.NewUserType{ID: c.ID, Name: c.Name})
		if err != nil {
			return err
		}
		return printType(w, a, t)
	})
}

type typesSet struct {
	tenantFlag
	ID       string  `arg:"" help:"ID of the user type."`
	Name     *string `help:"What people read; empty takes it away."`
	Position *int    `placeholder:"N" help:"Its place among the user types, from 1."`
}

// Run changes a user type.
func (c *typesSet) Run(w *world, a *adminCommand) error {
	in := admin.UserTypeFields{Name: c.Name, Position: c.Position}
	if in == (admin.UserTypeFields{}) {
		return finding{What: "there is nothing to change", Where: "types set", Do: "give --name or --position"}
	}
	return a.do(w, func(s *admin.Service) error {
		t, err := s.ChangeUserType(w.ctx, web.Operator(), c.Tenant, c.ID, in)
		if err != nil {
			return err
		}
		return printType(w, a, t)
	})
}

type typesRemove struct {
	tenantFlag
	ID string `arg:"" help:"ID of the user type."`
}

// Run removes a user type.
func (c *typesRemove) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		t, err := s.RemoveUserType(w.ctx, web.Operator(), c.Tenant, c.ID)
		if err != nil {
			return err
		}
		return a.print(w, map[string]string{"removed": t.ID}, func(w io.Writer) {
			fmt.Fprintf(w, "Removed user type %s of tenant %s.\n", t.ID, c.Tenant)
		})
	})
}
