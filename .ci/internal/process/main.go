package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// Main is the main function of a check that needs some programs: run gets a temporary folder, and must have ended what
// it started when it returns. Its context ends after limit, or with SIGINT or SIGTERM. It exits with 1 where run fails.
func Main(name string, limit time.Duration, needs []string, run func(ctx context.Context, dir string) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, limit)
	err := within(ctx, name, needs, run)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

func within(ctx context.Context, name string, needs []string, run func(ctx context.Context, dir string) error) (err error) {
	for _, program := range needs {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("install %s first: %w", program, err)
		}
	}
	dir, err := os.MkdirTemp("", "sallyport-"+name+"-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return run(ctx, dir)
}
