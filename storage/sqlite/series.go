package sqlite

import (
	"context"

	"github.com/sallyport-id/sallyport/storage"
)

var _ storage.Series[storage.Event] = (*table[storage.Event, *storage.Event])(nil)

// InsertSeries implements [storage.Series]: all in one transaction.
func (t *table[N, P]) InsertSeries(ctx context.Context, records []*N) (int, error) {
	if len(records) == 0 {
		return 0, nil
	}
	j := &write{series: make([]*write, 0, len(records))}
	for _, n := range records {
		k := P(n).Record()
		if err := checkKey(k.Tenant, k.ID); err != nil {
			return 0, t.failed("insert", err)
		}
		values, err := t.insertArgs(n)
		if err != nil {
			return 0, t.failed("insert", err)
		}
		j.series = append(j.series, &write{query: t.insert, args: values})
	}
	changed, err := t.db.writer.do(ctx, j)
	if err != nil {
		return 0, t.failed("insert", err)
	}
	for _, n := range records[:changed] {
		P(n).Record().Version = 1
	}
	if int(changed) < len(records) {
		return int(changed), storage.ErrExists
	}
	return len(records), nil
}
