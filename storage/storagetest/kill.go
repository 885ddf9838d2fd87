package storagetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// victimEnv tells a re-executed test binary that it is the process to be killed, and which round it is.
const victimEnv = "SALLYPORT_STORAGETEST_VICTIM"

const victimTenant = "killed"

// Reopen opens the store that target (a path, a URI) names; the same target names the same data in every process.
type Reopen func(ctx context.Context, target string) (storage.Store, error)

// Kill shows that every acknowledged write survives `kill -9`. It runs the calling test again in a process of its
// own, which writes to target from several goroutines and tells each write that returned; kills it in the middle of
// that, opens target itself and wants every write that was told to be there. It does so several times over the same
// data. The target's data must be empty at first, and nothing but this call may come before it in the calling test
// that the second process should not do too.
func Kill(t *testing.T, target string, open Reopen) {
	if v := os.Getenv(victimEnv); v != "" {
		round, path, _ := strings.Cut(v, " ")
		victim(round, path, open)
	}
	const rounds, acknowledged = 3, 400
	all := make(map[string]int64)
	for round := range rounds {
		told := runVictim(t, fmt.Sprintf("%d %s", round, target), acknowledged)
		st, err := open(t.Context(), target)
		if err != nil {
			t.Fatalf("opening after kill -9: %v", err)
		}
		maps.Copy(all, told)
		checkTold(t, st.Counters, victimTenant, all)
		n := storage.Counter{Key: storage.Key{Tenant: victimTenant, ID: fmt.Sprint("after", round)}}
		if err := st.Counters.Insert(t.Context(), &n); err != nil {
			t.Errorf("Insert after kill -9: %v", err)
		}
		if err := st.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		t.Logf("round %d: killed after %d records with acknowledged writes, all there", round, len(all))
	}
}

// victim writes until it is killed. Each worker takes its records through insert, some replaces and, for every third,
// a delete, and tells the version reached, 0 for deleted.
func victim(round, target string, open Reopen) {
	fail := func(err error) {
		fmt.Fprintln(os.Stderr, "storagetest: the process to be killed:", err)
		os.Exit(3)
	}
	st, err := open(context.Background(), target)
	if err != nil {
		fail(err)
	}
	var tell sync.Mutex
	var workers sync.WaitGroup
	for w := range 8 {
		workers.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%s-%d-%d", round, w, i)
				err := lifetime(st.Counters, id, i%3 == 0, func(version int64) {
					tell.Lock()
					defer tell.Unlock()
					if _, err := fmt.Fprintf(os.Stdout, "told %s %d\n", id, version); err != nil {
						fail(err)
					}
				})
				if err != nil {
					fail(err)
				}
			}
		})
	}
	workers.Wait()
}

func lifetime(table storage.Table[storage.Counter], id string, spend bool, told func(version int64)) error {
	ctx := context.Background()
	n := storage.Counter{Key: storage.Key{Tenant: victimTenant, ID: id}, Count: 1}
	if err := table.Insert(ctx, &n); err != nil {
		return err
	}
	told(1)
	for range 3 {
		n.Count++
		if err := table.Replace(ctx, &n); err != nil {
			return err
		}
		told(n.Version)
	}
	if !spend {
		return nil
	}
	if err := table.Delete(ctx, n.Tenant, n.ID); err != nil {
		return err
	}
	told(0)
	return nil
}

// runVictim starts the victim, kills it once enough writes were told, and returns the last thing told of each record.
func runVictim(t *testing.T, env string, enough int) map[string]int64 {
	t.Helper()
	// The slashes of a subtest's name part patterns.
	parts := strings.Split(t.Name(), "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run="+strings.Join(parts, "/"), "-test.count=1")
	cmd.Env = append(os.Environ(), victimEnv+"="+env)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told, err := readTold(out, enough, cmd.Process.Kill)
	waitErr := cmd.Wait()
	if err != nil {
		t.Fatalf("reading what the killed process told: %v", err)
	}
	if len(told) == 0 || cmd.ProcessState.Exited() {
		t.Fatalf("the process to be killed ended by itself: %v\n%s", waitErr, stderr.String())
	}
	return told
}

// readTold reads to the end of out, and calls kill after enough lines. What was told before the kill took hold
// counts as well.
func readTold(out io.Reader, enough int, kill func() error) (map[string]int64, error) {
	told := make(map[string]int64)
	lines := 0
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return told, nil // what stands after the last line end was not told to its end
		}
		if err != nil {
			return nil, err
		}
		word := strings.Fields(line)
		if len(word) != 3 || word[0] != "told" {
			continue
		}
		if told[word[1]], err = strconv.ParseInt(word[2], 10, 64); err != nil {
			return nil, err
		}
		if lines++; lines == enough {
			if err := kill(); err != nil {
				return nil, err
			}
		}
	}
}

// checkTold wants each record as it was told, or one write further: the one under way when the kill came.
func checkTold(t T, table storage.Table[storage.Counter], tenant string, told map[string]int64) {
	t.Helper()
	lost := 0
	for id, version := range told {
		got, err := table.Get(t.Context(), tenant, id)
		gone := errors.Is(err, storage.ErrNotFound)
		switch {
		case err != nil && !gone:
			t.Fatalf("Get(%q) after kill -9: %v", id, err)
		case version == 0 && gone, version == 4 && gone: // 4: its delete may have been under way
		case gone, version == 0, got.Version < version, got.Version > version+1, got.Count != int(got.Version):
			lost++
			t.Errorf("%q was acknowledged at version %d (0: deleted), and after kill -9 is %+v, %v", id, version, got, err)
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d records lost an acknowledged write", lost, len(told))
	}
}
