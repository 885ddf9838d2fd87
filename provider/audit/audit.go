package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// Sink is told of every event once it is kept. It is called by whoever caused the event, possibly by several at once, and
// they wait for it. It may itself wait for a durable write, of a few records and bounded in time by a context of its own:
// of ctx there may be no time left. A request to somebody else's machine does not belong here, nor does anything that may be
// tried again: the write is to a queue, and that is for whoever works it off.
type Sink interface {
	Event(ctx context.Context, e storage.Event)
}

// Options may all be left out.
type Options struct {
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Logger gets each event as one line, its fields as attributes.
	Logger *slog.Logger
	Sinks  []Sink
}

// Log is the audit log: one chain for each tenant. It is safe for concurrent use, and any number of processes may
// write to one store.
type Log struct {
	events storage.Table[storage.Event]
	o      Options

	mu     sync.Mutex
	chains map[string]*chain
}

// New returns the log that is kept in events.
func New(events storage.Table[storage.Event], o Options) *Log {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Log{events: events, o: o, chains: map[string]*chain{}}
}

const (
	// recordTime bounds how long an event may take to be written, waiting for its turn included.
	recordTime = 5 * time.Second
	// recordTries bounds how often it starts again because another process wrote first.
	recordTries = 200
	// maxChains bounds the memory for tenants nobody writes for just now (about 200 bytes each).
	maxChains = 10_000
)

// Record appends e to its tenant's chain; an event of no tenant goes under storage.Global. It sets Time, unless it is
// set, and the chain's fields, and cuts and cleans the texts. The event is written even if ctx ends meanwhile: who
// hangs up early must not go unseen. After an error the event is not in the log, and what it is about must not happen.
// The action Retention is refused: only Retain attests.
func (l *Log) Record(ctx context.Context, e storage.Event) error {
	if e.Action == Retention {
		return errAttests
	}
	return l.record(ctx, e)
}

func (l *Log) record(ctx context.Context, e storage.Event) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	l.prepare(&e)
	if _, err := l.append(ctx, e.Tenant, &e); err != nil {
		l.o.Logger.LogAttrs(ctx, slog.LevelError, "audit event not kept", append(attrs(e), slog.Any("error", err))...)
		return fmt.Errorf("audit: record %s: %w", e.Action, err)
	}
	l.tell(ctx, e)
	return nil
}

// chain is where a tenant's log ends, as far as this process knows.
type chain struct {
	// turn holds one token: whoever has it may append.
	turn chan struct{}
	// users counts those that append or wait to; Log.mu guards it.
	users int

	known bool
	last  uint64
	hash  string
}

// append puts events of one tenant behind its chain, in their order. kept is how many of the first are there.
func (l *Log) append(ctx context.Context, tenant string, events ...*storage.Event) (kept int, _ error) {
	c := l.enter(tenant)
	defer l.leave(tenant, c)
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	for try := range recordTries {
		if err := l.end(ctx, tenant, c); err != nil {
			return kept, err
		}
		last, hash := c.last, c.hash
		for _, e := range events[kept:] {
			last++
			e.ID, e.Previous = place(last), hash
			e.Hash = sum(*e)
			hash = e.Hash
		}
		n, err := storage.InsertSeries(ctx, l.events, events[kept:])
		kept += n
		if err == nil {
			c.last, c.hash = last, hash
			return kept, nil
		}
		// Whether it was written is not known after an error, so the end is looked up again, by this try or whoever is next.
		c.known = false
		if !errors.Is(err, storage.ErrExists) {
			return kept, err
		}
		if err := pause(ctx, try); err != nil {
			return kept, err
		}
	}
	return kept, fmt.Errorf("gave way to other writers %d times: %w", recordTries, storage.ErrExists)
}

// pause keeps processes that write to one chain from meeting again and again: none at first, then up to 20 ms.
func pause(ctx context.Context, try int) error {
	if try < 2 {
		return ctx.Err()
	}
	t := time.NewTimer(rand.N(min(time.Duration(try)*time.Millisecond, 20*time.Millisecond))) //nolint:gosec // G404: nothing hangs on how long it waits.
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end looks the end of the chain up, unless it is known.
func (l *Log) end(ctx context.Context, tenant string, c *chain) error {
	if c.known {
		return nil
	}
	newest, err := l.events.List(ctx, storage.Query{Tenant: tenant, Desc: true, Limit: 1})
	if err != nil {
		return err
	}
	c.last, c.hash = 0, ""
	if len(newest) > 0 {
		if c.last, err = number(newest[0].ID); err != nil {
			return err
		}
		c.hash = newest[0].Hash
	}
	c.known = true
	return nil
}

func (l *Log) enter(tenant string) *chain {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.chains[tenant]
	if c == nil {
		c = &chain{turn: make(chan struct{}, 1)}
		l.chains[tenant] = c
	}
	c.users++
	return c
}

func (l *Log) leave(tenant string, c *chain) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.users--; c.users == 0 && len(l.chains) > maxChains {
		delete(l.chains, tenant)
	}
}

// tenantOf is the tenant whose chain holds the events of a tenant.
func tenantOf(tenant string) string {
	if tenant == "" {
		return storage.Global
	}
	return tenant
}

// idDigits are enough for any uint64, so that IDs sort as numbers do.
const idDigits = 20

func place(n uint64) string { return fmt.Sprintf("%0*d", idDigits, n) }

func number(id string) (uint64, error) {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil || len(id) != idDigits {
		return 0, fmt.Errorf("audit: %q is no place in a chain", id)
	}
	return n, nil
}
