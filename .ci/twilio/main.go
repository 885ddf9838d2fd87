package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"github.com/sallyport-id/sallyport/.ci/internal/process"
)

// enough is how long everything may take; it takes some seconds, and longer while npm has to fetch everything.
const enough = 3 * time.Minute

func main() {
	process.Main("twilio", enough, []string{"node", "npm", "tar"}, run)
}

// run gets the description and Prism, starts it, sees that it refuses what is wrong, and then lets the Sender try.
func run(ctx context.Context, dir string) (err error) {
	began := time.Now()
	c, err := fetch(ctx, dir)
	if err != nil {
		return fmt.Errorf("getting %s: %w", published, err)
	}
	prism := filepath.Join(dir, "prism")
	if err := process.Install(ctx, ".ci/twilio/prism", prism); err != nil {
		return err
	}
	fmt.Printf("%s and Prism are here (%s)\n", published, since(began))
	began = time.Now()
	s, err := serve(ctx, prism, c)
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := s.Stop(); stopErr != nil {
			err = errors.Join(err, fmt.Errorf("prism: %w\n%s", stopErr, listening.ReplaceAllString(s.Said.String(), "")))
		}
	}()
	fmt.Printf("prism mock: %s (%s)\n", s.url, since(began))
	return errors.Join(refuses(ctx, s), sends(ctx, s))
}

func since(began time.Time) time.Duration { return time.Since(began).Round(100 * time.Millisecond) }

// server is a running "prism mock".
type server struct {
	*process.Process
	contract contract
	url      string
}

// listening is what Prism says when it is ready, after a list of all there is.
var listening = regexp.MustCompile(`(?s)^.*Prism is listening on (http://127\.0\.0\.1:\d+)\s*`)

// serve starts Prism on a free port. It answers a request that the description does not allow with 4xx, and others with
// the description's examples. Without --errors: that would refuse to give the examples that Twilio gets wrong itself
// (a URL in a list of messages that is none), and changes nothing for requests.
func serve(ctx context.Context, dir string, c contract) (*server, error) {
	p, err := process.Start(ctx, func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, filepath.Join(dir, "node_modules", ".bin", "prism"), "mock", "--host", "127.0.0.1", "--port", "0", c.file)
		cmd.Env = append(cmd.Environ(), "FORCE_COLOR=0") // it is read
		return cmd
	})
	if err != nil {
		return nil, err
	}
	s := &server{Process: p, contract: c}
	return s, p.Await(ctx, func(context.Context) bool {
		said := listening.FindStringSubmatch(p.Said.String())
		if said != nil {
			s.url = said[1]
		}
		return said != nil
	})
}
