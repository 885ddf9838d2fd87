package mfatest

import (
	"cmp"
	"context"
	"crypto/sha3"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
)

// Issuer is that of Host.
const Issuer = "https://login.example.com"

// Host is a deployment in memory, on the clock now. Its keys are the same at every call. What it says is the key of the
// sentence, and the names and values in it: "sms.code code 123456". Its Quota holds to limits of half a minute and less:
// to longer ones the kit asks more often than people may.
func Host(now func() time.Time) mfa.Host {
	return mfa.Host{
		Issuer:  &url.URL{Scheme: "https", Host: strings.TrimPrefix(Issuer, "https://")},
		Product: "Example",
		Now:     now,
		Key: func(purpose string, n int) []byte {
			b, h := make([]byte, n), sha3.NewSHAKE256()
			h.Write([]byte(purpose))
			h.Read(b)
			return b
		},
		Quota: &quota{now: now, taken: map[string][]time.Time{}},
		Say: func(_, key string, pairs ...any) string {
			return strings.TrimSpace(key + " " + fmt.Sprintln(pairs...))
		},
		Logger: slog.New(slog.DiscardHandler),
	}
}

// pause is the least time between two questions that the kit has put to one user.
const pause = 30 * time.Second

// quota counts in memory.
type quota struct {
	now   func() time.Time
	mu    sync.Mutex
	taken map[string][]time.Time
}

// Take implements mfa.Quota.
func (q *quota) Take(ctx context.Context, tenant string, limits ...mfa.Limit) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	after := maps.Clone(q.taken)
	var refused *mfa.Refused
	for _, l := range limits {
		if l.Per > pause {
			continue
		}
		name := tenant + "\x00" + l.Name
		if l.Everywhere {
			name = "\x00" + l.Name
		}
		var young []time.Time
		for _, t := range q.taken[name] {
			if now.Sub(t) < l.Per {
				young = append(young, t)
			}
		}
		if len(young) >= l.Most {
			until := now.Add(l.Per)
			if len(young) > 0 {
				until = young[len(young)-max(l.Most, 1)].Add(l.Per)
			}
			if refused == nil || until.After(refused.Until) {
				refused = &mfa.Refused{Reason: cmp.Or(l.Refusal, mfa.Often), Until: until}
			}
			continue
		}
		after[name] = append(young, now)
	}
	if refused != nil {
		return refused
	}
	q.taken = after
	return nil
}
