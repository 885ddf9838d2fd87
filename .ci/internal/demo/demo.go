package demo

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/sallyport-id/sallyport/.ci/internal/process"
)

// Demo is a running "sallyport demo".
type Demo struct {
	*process.Process
	Binary, Store string
	// Info is the file in which it tells of itself.
	Info, Issuer string
}

// Start builds Sallyport and starts its demonstration on free ports, with all that it keeps in dir.
func Start(ctx context.Context, dir string) (*Demo, error) {
	kept := filepath.Join(dir, "kept")
	d := &Demo{
		Binary: filepath.Join(dir, "sallyport"), Store: "sqlite:" + filepath.Join(kept, "sallyport.db"), Info: filepath.Join(dir, "info.json"),
	}
	if _, err := process.Output(exec.CommandContext(ctx, "go", "build", "-o", d.Binary, "./cmd/sallyport")); err != nil {
		return nil, err
	}
	p, err := process.Start(ctx, func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, d.Binary, "demo", "--listen", "localhost:0", "--info", d.Info, "--keep", kept)
		cmd.Dir, cmd.Env = dir, Environment()
		return cmd
	})
	if err != nil {
		return nil, err
	}
	d.Process = p
	// The file is there, and whole, once everything answers.
	return d, p.Await(ctx, func(context.Context) bool {
		data, err := os.ReadFile(d.Info)
		return err == nil && json.Unmarshal(data, &struct{ Issuer *string }{&d.Issuer}) == nil
	})
}

// Environment is this process's, without what would configure Sallyport.
func Environment() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "SALLYPORT_") {
			env = append(env, v)
		}
	}
	return env
}
