package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

const (
	// startTime is how long a program has until it is ready.
	startTime = 30 * time.Second
	// stopTime is how long a program has to end after it was asked to.
	stopTime = 15 * time.Second
)

// Process is a program that goes on until it is stopped.
type Process struct {
	cmd *exec.Cmd
	end context.CancelFunc
	// Said is what it says, on whichever of its outputs is not read otherwise.
	Said *Journal
}

// Start starts a program. When the context ends, or on Stop, it is asked to end (SIGTERM), and made to after 15 s.
func Start(ctx context.Context, cmd func(ctx context.Context) *exec.Cmd) (*Process, error) {
	ctx, end := context.WithCancel(ctx)
	p := &Process{cmd: cmd(ctx), end: end, Said: new(Journal)}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopTime
	if p.cmd.Stdout == nil {
		p.cmd.Stdout = p.Said
	}
	if p.cmd.Stderr == nil {
		p.cmd.Stderr = p.Said
	}
	if err := p.cmd.Start(); err != nil {
		end()
		return nil, err
	}
	return p, nil
}

// Await asks again and again whether the program is ready, until it is. Where that takes longer than 30 s, the program
// is stopped, and what it said is in the error.
func (p *Process) Await(ctx context.Context, ready func(ctx context.Context) bool) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ready(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			err := fmt.Errorf("%s is not ready: %w", p.cmd, ctx.Err())
			return errors.Join(err, p.Stop(), errors.New(p.Said.String()))
		}
	}
	return nil
}

// Stop ends the program, and says whether it ended badly other than by being asked to end.
func (p *Process) Stop() error {
	p.end()
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signal() == syscall.SIGTERM {
			return nil
		}
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// Journal keeps what a program says.
type Journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds to the journal.
func (j *Journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// String is all that was said.
func (j *Journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// Output runs a program to its end and returns what it printed. What it complains of is in the error.
func Output(cmd *exec.Cmd) ([]byte, error) {
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s%s", cmd, err, out.Bytes(), complaint.Bytes())
	}
	return out.Bytes(), nil
}

// Install installs an npm project, as its package-lock.json says, in a copy, so that nothing is left behind where the
// project is. None of its packages' scripts run.
func Install(ctx context.Context, project, dir string) error {
	if err := os.CopyFS(dir, os.DirFS(project)); err != nil {
		return err
	}
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = dir
	_, err := Output(npm)
	return err
}
