package mail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// Sealer encrypts what is kept, for a purpose and a time; keys.Keys is one. Open fails after ttl.
type Sealer interface {
	Seal(purpose string, ttl time.Duration, plain []byte) (string, error)
	Open(purpose, sealed string) ([]byte, error)
}

// Queue is a Sender that keeps messages safe, sealed, until another Sender has taken them. Any number of processes may
// work on one queue: a message is sent by one of them at a time, and again only if it is not known to have been sent.
// What could not be sent for 24 h is dropped: the links in it are dead by then.
type Queue struct {
	// Sender is who sends in the end. It must give up by itself within a minute.
	Sender   Sender
	Messages storage.Table[storage.Message]
	Seal     Sealer
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Logger is told of every failure, but not of what the message says; nil means slog.Default.
	Logger *slog.Logger

	once sync.Once
	// wake has room for one: a message has come.
	wake chan struct{}

	mu sync.Mutex
	// after is the ID up to which the last round came, if it did not come to the end.
	after string
}

var _ Sender = (*Queue)(nil)

const (
	// queueTenant is whose the waiting messages are, apart from those of an Outbox. No tenant's ID begins like this.
	queueTenant = storage.Global + "mail"
	// triedFor is for how long it is tried to send a message.
	triedFor = 24 * time.Hour
	// seenFor is for how long a message stays that was not sent in time, to be seen and told of.
	seenFor = time.Hour

	// claimFor is how long a message is one process's to send. It is longer than sending takes, so that nobody else
	// sends it meanwhile; when the process dies, the message waits for so long.
	claimFor = 2 * time.Minute
	// giveUpAfter is how long a Sender is waited for.
	giveUpAfter = time.Minute
	// keepTime is how long it may take to note what came of sending.
	keepTime = 10 * time.Second
	// firstPause comes after the first failure, and doubles with each up to longestPause.
	firstPause, longestPause = time.Minute, 30 * time.Minute

	// roundMost bounds the messages that are sent in one round, and atOnce how many at the same time.
	roundMost, atOnce = 200, 4
	// lookEvery is how often it looks for messages of other processes, and for those whose pause is over.
	lookEvery = 10 * time.Second
)

// Send keeps the message, and returns when it is durable. ErrMessage.
func (q *Queue) Send(ctx context.Context, m Message) error {
	if err := m.Check(); err != nil {
		return err
	}
	now := q.now()
	// The time comes first in the ID, so that messages are sent in its order.
	id := fmt.Sprintf("%020d-%s", now.UnixNano(), storage.NewID())
	var plain bytes.Buffer
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false) // it is read by nobody but open, and HTML would double in size
	if err := enc.Encode(m); err != nil {
		return fmt.Errorf("mail: queue: %w", err)
	}
	sealed, err := q.Seal.Seal(purpose(id), triedFor, plain.Bytes())
	if err != nil {
		return fmt.Errorf("mail: queue: %w", err)
	}
	// A sealer may take more than it gives back; better to hear of it now than when nobody is there to be told.
	if _, err := q.Seal.Open(purpose(id), sealed); err != nil {
		return fmt.Errorf("%w: too long to be kept: %w", ErrMessage, err)
	}
	err = q.Messages.Insert(ctx, &storage.Message{
		Key:     storage.Key{Tenant: queueTenant, ID: id, Expires: now.Add(triedFor + seenFor)},
		Channel: "mail", Created: now, Sealed: []byte(sealed), Next: now,
	})
	if err != nil {
		return fmt.Errorf("mail: queue: %w", err)
	}
	select {
	case q.waker() <- struct{}{}:
	default: // It is awake already.
	}
	return nil
}

// purpose binds a sealed message to its record: put into another, it does not open.
func purpose(id string) string { return "mail/" + id }

func (q *Queue) waker() chan struct{} {
	q.once.Do(func() { q.wake = make(chan struct{}, 1) })
	return q.wake
}

// Run sends what comes until ctx ends.
func (q *Queue) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		_, more, err := q.round(ctx)
		if err != nil && ctx.Err() == nil {
			q.logger().ErrorContext(ctx, "mail queue can't be read", "error", err)
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-q.waker():
		}
	}
}

// Deliver sends what is due now, oldest first and up to 200 messages, and goes on from there when it is called again.
// n is how many were sent; the error is that the queue can't be read or written, and not that a message can't be sent.
func (q *Queue) Deliver(ctx context.Context) (n int, err error) {
	n, _, err = q.round(ctx)
	return n, err
}

// round is Deliver, and tells whether there may be more to do at once.
func (q *Queue) round(ctx context.Context) (sent int, more bool, err error) {
	due, more, err := q.due(ctx)
	if err != nil {
		return 0, false, fmt.Errorf("mail: queue: %w", err)
	}
	var (
		work  = make(chan storage.Message)
		tasks sync.WaitGroup
		mu    sync.Mutex
		errs  []error
	)
	for range min(atOnce, len(due)) {
		tasks.Go(func() {
			for m := range work {
				ok, err := q.deliver(ctx, m)
				mu.Lock()
				if ok {
					sent++
				}
				if err != nil {
					errs = append(errs, fmt.Errorf("mail: queue: %w", err))
				}
				mu.Unlock()
			}
		})
	}
	for _, m := range due {
		work <- m
	}
	close(work)
	tasks.Wait()
	return sent, more, errors.Join(errs...)
}

// due lists the messages that wait for their turn now. Where there are more than fit into a round the next one begins
// behind them, so that those that fail again and again do not keep others waiting.
func (q *Queue) due(ctx context.Context) (due []storage.Message, more bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	for {
		page, err := q.Messages.List(ctx, storage.Query{Tenant: queueTenant, After: q.after, Limit: roundMost})
		if err != nil {
			return nil, false, err
		}
		for _, m := range page {
			if m.Next.After(now) {
				continue
			}
			if len(due) == roundMost {
				q.after = due[roundMost-1].ID
				return due, true, nil
			}
			due = append(due, m)
		}
		if len(page) < roundMost {
			q.after = ""
			return due, false, nil
		}
		q.after = page[len(page)-1].ID
	}
}

// deliver sends one message, unless another process is at it, and notes what came of it.
func (q *Queue) deliver(ctx context.Context, kept storage.Message) (sent bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	now := q.now()
	kept.Tries++
	kept.Next = now.Add(claimFor)
	switch err := q.Messages.Replace(ctx, &kept); {
	case errors.Is(err, storage.ErrConflict):
		return false, nil
	case err != nil:
		return false, err
	}
	log := q.logger().With("message", kept.ID, "tries", kept.Tries)
	if !now.Before(kept.Created.Add(triedFor)) {
		log.ErrorContext(ctx, "mail dropped", "error", "it could not be sent in time")
		return false, q.drop(ctx, kept)
	}
	m, err := q.open(kept)
	if err == nil {
		log = log.With("tenant", m.Tenant)
		err = q.try(ctx, m)
	}
	switch {
	case err == nil:
		return true, q.drop(ctx, kept)
	case errors.Is(err, ErrMessage), errors.Is(err, ErrPermanent):
		log.ErrorContext(ctx, "mail dropped", "error", redacted(err, m))
		return false, q.drop(ctx, kept)
	case ctx.Err() != nil:
		// Whether it was sent is not known. It stays claimed, and is tried again when that is over.
		return false, ctx.Err()
	}
	pause := min(firstPause<<min(kept.Tries-1, 10), longestPause)
	log.WarnContext(ctx, "mail not sent, to be tried again", "in", pause, "error", redacted(err, m))
	kept.Next = q.now().Add(pause)
	return false, q.note(ctx, func(ctx context.Context) error { return q.Messages.Replace(ctx, &kept) })
}

// open unseals. What does not open is no reason to drop it: while the master key is changed, a process that still has
// the old one alone meets messages of those that have the new one.
func (q *Queue) open(kept storage.Message) (m Message, err error) {
	plain, err := q.Seal.Open(purpose(kept.ID), string(kept.Sealed))
	if err != nil {
		return m, err
	}
	err = json.Unmarshal(plain, &m)
	if m.ID == "" {
		m.ID = kept.ID
	}
	return m, err
}

// try sends. A Sender may be somebody else's; one that panics must not take the process along.
func (q *Queue) try(ctx context.Context, m Message) (err error) {
	ctx, cancel := context.WithTimeout(ctx, giveUpAfter)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("mail: the sender panicked: %v", p)
		}
	}()
	return q.Sender.Send(ctx, m)
}

func (q *Queue) drop(ctx context.Context, kept storage.Message) error {
	return q.note(ctx, func(ctx context.Context) error { return q.Messages.Delete(ctx, kept.Tenant, kept.ID) })
}

// note writes what came of sending, even if ctx has ended since: a message that was sent must not be sent again. That
// its record is gone or was changed means that the claim ran out, and that it is in other hands.
func (q *Queue) note(ctx context.Context, write func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	err := write(ctx)
	if errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrConflict) {
		return nil
	}
	return err
}

var link = regexp.MustCompile(`(?i)https?:\S+`)

// redacted takes out of a Sender's error what it may repeat of the message: whoever reads the log could follow the link.
func redacted(err error, m Message) string {
	s := link.ReplaceAllString(err.Error(), "…")
	for _, part := range append(strings.Split(m.Text+"\n"+m.HTML, "\n"), m.Subject, m.To) {
		if part = strings.TrimSpace(part); len(part) >= 6 {
			s = strings.ReplaceAll(s, part, "…")
		}
	}
	return s
}

func (q *Queue) now() time.Time {
	if q.Now == nil {
		return time.Now()
	}
	return q.Now()
}

func (q *Queue) logger() *slog.Logger {
	if q.Logger == nil {
		return slog.Default()
	}
	return q.Logger
}
