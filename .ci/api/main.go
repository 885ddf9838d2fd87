package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/sallyport-id/sallyport/.ci/internal/demo"
	"github.com/sallyport-id/sallyport/.ci/internal/process"
)

// enough is how long everything may take; it takes some seconds, and longer while npm has to fetch everything.
const enough = 5 * time.Minute

func main() {
	process.Main("api", enough, []string{"node", "npm"}, run)
}

// run starts the demonstration, has a client made from its description of the API, and then lets the program use that client.
func run(ctx context.Context, dir string) (err error) {
	began := time.Now()
	d, err := demo.Start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := d.Stop(); stopErr != nil {
			err = errors.Join(err, fmt.Errorf("sallyport: %w", stopErr))
		}
		if err != nil {
			err = fmt.Errorf("%w\n\nwhat sallyport said:\n%s", err, d.Said.String())
		}
	}()
	fmt.Printf("sallyport demo: %s (%s)\n", d.Issuer, since(began))

	project := filepath.Join(dir, "client")
	if err := process.Install(ctx, ".ci/api/client", project); err != nil {
		return err
	}
	if err := download(ctx, d.Issuer+"/api/v1/openapi.json", filepath.Join(project, "openapi.json")); err != nil {
		return err
	}
	began = time.Now()
	if err := step(ctx, project, "node", "generate.mjs"); err != nil {
		return err
	}
	fmt.Printf("the description is OpenAPI 3.1, and openapi-ts makes a client from it (%s)\n", since(began))
	began = time.Now()
	if err := step(ctx, project, filepath.Join("node_modules", ".bin", "tsc")); err != nil {
		return err
	}
	fmt.Printf("its types fit a program that was written for it (%s)\n", since(began))
	operations := filepath.Join(dir, "operations.json")
	if err := register(ctx, d, operations); err != nil {
		return err
	}
	return step(ctx, project, "node", filepath.Join("out", "program.js"), d.Info, operations)
}

func since(began time.Time) time.Duration { return time.Since(began).Round(100 * time.Millisecond) }

// step runs a program in a folder, and passes on what it prints.
func step(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := process.Output(cmd)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(out)
	return err
}

// register has the command line make a client that runs the deployment, and writes what it prints to a file.
func register(ctx context.Context, d *demo.Demo, file string) error {
	cmd := exec.CommandContext(ctx, d.Binary, "admin", "--json", "--store", d.Store, "--issuer", d.Issuer,
		"clients", "create", "--name", "Operations", "--type", "machine", "--scope", "operator", "--scope", "users:read")
	cmd.Env = demo.Environment()
	out, err := process.Output(cmd)
	if err != nil {
		return err
	}
	return os.WriteFile(file, out, 0o600)
}

func download(ctx context.Context, from, to string) (err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, from, http.NoBody)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", from, res.Status, data)
	}
	return os.WriteFile(to, data, 0o600)
}
