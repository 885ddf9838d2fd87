package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// Retention is the action of the entry that attests what was taken off the beginning of its chain.
const Retention = "audit.retention"

// retainer is the actor of such entries.
const retainer = "retention"

var errAttests = errors.New("audit: only Retain attests what it removes")

// Retain removes the entries of a tenant ("" means storage.Global) that are older than before, the oldest first, up to the
// first that is not, and returns how many it removed. Before the first of them it appends an entry with the action
// Retention, which names the last of them and its hash: so the chain itself attests what was taken off its beginning, and
// Verify can tell that from what somebody else took.
//
// Broken off, by ctx or otherwise, it leaves a whole chain, and goes on when it is called again. Several may be at it at
// once. The newest attestation stays, and so the end of the chain. Where all that is old are attestations, it leaves them,
// so that a log that nothing else is written to comes to rest. It does not look whether what it removes is whole: Verify
// did, if it was asked in time.
func (l *Log) Retain(ctx context.Context, tenant string, before time.Time) (removed int, _ error) {
	tenant = tenantOf(tenant)
	last, err := l.due(ctx, tenant, before)
	if err != nil {
		return 0, fmt.Errorf("audit: retain: %w", err)
	}
	if last == nil {
		return 0, nil
	}
	if err := l.record(ctx, attest(last)); err != nil {
		return 0, err
	}
	// One by one and in their order: whenever this ends, what is left has no hole.
	err = storage.Each(ctx, l.events, storage.Query{Tenant: tenant, Limit: 1000}, func(e *storage.Event) error {
		if e.ID > last.ID {
			return errEnough
		}
		switch err := l.events.Delete(ctx, tenant, e.ID); {
		case err == nil:
			removed++
		case !errors.Is(err, storage.ErrNotFound):
			return err
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return removed, fmt.Errorf("audit: retain: %w", err)
	}
	return removed, nil
}

// due finds the last entry before which, itself included, all are older; nil if nothing is to be removed.
func (l *Log) due(ctx context.Context, tenant string, before time.Time) (last *storage.Event, _ error) {
	n, err := l.seek(ctx, tenant, before.Add(-skew))
	if err != nil {
		return nil, err
	}
	// What is before n is older for certain. From the last of these on each is looked at.
	q := storage.Query{Tenant: tenant, Limit: 1000}
	if n > 1 {
		q.After = place(n - 2)
	}
	err = storage.Each(ctx, l.events, q, func(e *storage.Event) error {
		if !e.Time.Before(before) {
			return errEnough
		}
		last = e
		_, err := number(e.ID)
		return err
	})
	if err != nil && !errors.Is(err, errEnough) || last == nil {
		return nil, ignore(err)
	}
	worth := false
	q = storage.Query{Tenant: tenant, Limit: 10}
	err = storage.Each(ctx, l.events, q, func(e *storage.Event) error {
		worth = e.ID <= last.ID && e.Action != Retention
		if worth || e.ID > last.ID {
			return errEnough
		}
		return nil
	})
	if !worth {
		return nil, ignore(err)
	}
	return last, nil
}

// ignore makes nothing of having read enough.
func ignore(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// attestation says that all entries up to a place are to be removed, and what the last of them was.
type attestation struct {
	place uint64
	hash  string
}

const attestationForm = "through %s, hash %s"

func attest(last *storage.Event) storage.Event {
	return storage.Event{
		Key: storage.Key{Tenant: last.Tenant}, Action: Retention, Outcome: "ok", Actor: retainer,
		Reason: fmt.Sprintf(attestationForm, last.ID, last.Hash),
	}
}

// attested reads the attestation of an entry, and tells whether there is one. Only what is written as attest writes it is.
func attested(e storage.Event) (a attestation, ok bool) {
	if e.Action != Retention || e.Outcome != "ok" {
		return a, false
	}
	id, rest, _ := strings.Cut(strings.TrimPrefix(e.Reason, "through "), ", hash ")
	n, err := number(id)
	if err != nil || fmt.Sprintf(attestationForm, id, rest) != e.Reason {
		return a, false
	}
	return attestation{n, rest}, true
}
