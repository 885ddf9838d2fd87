package sms

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
)

// world is a deployment with a gateway that keeps what it is given.
type world struct {
	mu   sync.Mutex
	now  time.Time
	sent []Message
	// fails is what the gateway answers.
	fails error
	quota quota
	// counted are the tenants and factors that a message was counted for.
	counted []string
}

// mobile is a German number.
const mobile = "+4915123456789"

var alice = mfa.User{Tenant: "acme", ID: "alice", Account: "alice@example.com", Issuer: "Example", Lang: "en"}

func newWorld() *world {
	w := &world{now: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)}
	w.quota.now = func() time.Time { return w.now }
	return w
}

func (w *world) Send(ctx context.Context, m Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.fails != nil {
		return w.fails
	}
	w.sent = append(w.sent, m)
	return nil
}

// last is the SMS that was sent last, and the code in it.
func (w *world) last(t testing.TB) (Message, string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.sent) == 0 {
		t.Fatal("no SMS was sent")
	}
	m := w.sent[len(w.sent)-1]
	i := strings.LastIndexByte(m.Text, '#')
	if i < 0 || len(m.Text)-i-1 != 6 {
		t.Fatalf("the SMS does not end with a code: %q", m.Text)
	}
	return m, m.Text[i+1:]
}

func (w *world) host() mfa.Host {
	return mfa.Host{
		Issuer:  &url.URL{Scheme: "https", Host: "login.Example.com:8443", Path: "/"},
		Product: "Sallyport",
		Now:     func() time.Time { return w.now },
		Key: func(purpose string, n int) []byte {
			sum := sha256.Sum256([]byte("test " + purpose))
			return sum[:n]
		},
		Quota: &w.quota,
		Sent:  func(_ context.Context, tenant, factor string) { w.counted = append(w.counted, tenant+" "+factor) },
		Say: func(lang, key string, pairs ...any) string {
			return fmt.Sprintln(append([]any{lang, key}, pairs...)...)
		},
	}
}

// factor is the one of the world, in it.
func (w *world) factor(t testing.TB) Factor {
	t.Helper()
	return in(t, Factor{Sender: w, Countries: []string{"DE", "AT", "US"}}, w.host())
}

func in(t testing.TB, f Factor, h mfa.Host) Factor {
	t.Helper()
	got, err := f.In(h)
	if err != nil {
		t.Fatal(err)
	}
	return got.(Factor)
}

// enrol sets a number up for u, and lets ten minutes pass.
func (w *world) enrol(t testing.TB, f Factor, u mfa.User, number string) mfa.Credential {
	t.Helper()
	ch, err := f.Enroll(t.Context(), u, number)
	if err != nil {
		t.Fatal(err)
	}
	_, right := w.last(t)
	c, err := f.Confirm(t.Context(), u, ch, right)
	if err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(10 * time.Minute)
	return c
}

// quota counts as mfa.Quota says, over sliding times. The zero quota has limits; a free one only records.
type quota struct {
	now  func() time.Time
	free bool

	mu    sync.Mutex
	taken map[string][]time.Time
	names []string
}

func (q *quota) Take(ctx context.Context, tenant string, limits ...mfa.Limit) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if q.taken == nil {
		q.taken = map[string][]time.Time{}
	}
	after := maps.Clone(q.taken)
	var refused *mfa.Refused
	for _, l := range limits {
		q.names = append(q.names, l.Name)
		if q.free {
			continue
		}
		name := l.Name
		if !l.Everywhere {
			name = tenant + " " + name
		}
		var recent []time.Time
		for _, at := range q.taken[name] {
			if q.now().Sub(at) < l.Per {
				recent = append(recent, at)
			}
		}
		if len(recent) < l.Most {
			after[name] = append(recent, q.now())
			continue
		}
		if until := recent[len(recent)-l.Most].Add(l.Per); refused == nil || until.After(refused.Until) {
			refused = &mfa.Refused{Reason: cmp.Or(l.Refusal, mfa.Often), Until: until}
		}
	}
	if refused != nil {
		return refused
	}
	q.taken = after
	return nil
}
