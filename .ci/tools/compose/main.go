// Command compose reads a Compose file the way that "docker compose config -q" does, without Docker.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: compose FILE")
		os.Exit(2)
	}
	if err := check(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "compose:", err)
		os.Exit(1)
	}
}

// check loads the file with all that Compose does: schema, interpolation, profiles, references between its parts.
func check(ctx context.Context, file string) error {
	o, err := cli.NewProjectOptions([]string{file}, cli.WithProfiles([]string{"*"}))
	if err != nil {
		return err
	}
	p, err := o.LoadProject(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %q with the services %q\n", file, p.Name, p.ServiceNames())
	return nil
}
