package credential

import (
	"context"
	"errors"
	"sync"
	"testing"
)

// One at a time with the same sign-in, nobody waits for another one, who goes away gives up the turn, and nothing is kept.
func TestTurns(t *testing.T) {
	var turns Turns
	end, err := turns.Take(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	other, err := turns.Take(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	other()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := turns.Take(gone, "a"); !errors.Is(err, context.Canceled) {
		t.Fatalf("a second turn at once: %v", err)
	}
	end()

	var all sync.WaitGroup
	inside := 0 // the race detector sees it if two are
	for range 50 {
		all.Go(func() {
			end, err := turns.Take(t.Context(), "a")
			if err != nil {
				t.Error(err)
				return
			}
			defer end()
			if inside++; inside != 1 {
				t.Errorf("%d at once", inside)
			}
			inside--
		})
	}
	all.Wait()
	if len(turns.of) != 0 {
		t.Errorf("%d turns are kept", len(turns.of))
	}
}
