package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stopTime is how long a process has to end after it was asked to.
const stopTime = 15 * time.Second

// process is a program that goes on until it is stopped.
type process struct {
	cmd  *exec.Cmd
	end  context.CancelFunc
	said *journal
}

// start starts a program. When the context ends, or on stop, it is asked to end (SIGTERM), and made to after stopTime.
func start(ctx context.Context, cmd func(ctx context.Context) *exec.Cmd) (*process, error) {
	ctx, end := context.WithCancel(ctx)
	p := &process{cmd: cmd(ctx), end: end, said: new(journal)}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopTime
	if p.cmd.Stderr == nil {
		p.cmd.Stderr = p.said
	}
	if err := p.cmd.Start(); err != nil {
		end()
		return nil, err
	}
	return p, nil
}

// stop ends the process, and says whether it ended badly other than by being asked to end.
func (p *process) stop() error {
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

// journal keeps what a process says.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds to the journal.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// String is all that was said.
func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// output runs a program to its end and returns what it printed. What it complains of is in the error.
func output(cmd *exec.Cmd) ([]byte, error) {
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s%s", cmd, err, out.Bytes(), complaint.Bytes())
	}
	return out.Bytes(), nil
}

// environment is this process's, without what would configure Sallyport, and with more.
func environment(more ...string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "SALLYPORT_") {
			env = append(env, v)
		}
	}
	return append(env, more...)
}
