package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/sallyport-id/sallyport/storage"
)

var _ storage.Counting = (*table[storage.User, *storage.User])(nil)

// List implements [storage.Table].
func (t *table[T, P]) List(ctx context.Context, q storage.Query) ([]T, error) {
	filter, hint, err := t.query(q)
	if err != nil {
		return nil, t.fail("list", err)
	}
	size := q.PageSize()
	cursor, err := t.coll.Find(ctx, filter, options.Find().
		SetSort(order(q)).
		SetLimit(int64(size)).SetBatchSize(int32(size)).SetHint(hint)) //nolint:gosec // G115: a page has a thousand at most.
	if err != nil {
		return nil, t.fail("list", err)
	}
	var found []bson.Raw
	if err := cursor.All(ctx, &found); err != nil {
		return nil, t.fail("list", err)
	}
	rows := make([]T, len(found))
	for i, raw := range found {
		if rows[i], err = decode[T](raw); err != nil {
			return nil, t.fail("read a record", err)
		}
	}
	return rows, nil
}

// order is the one in which the index that answers q has the records.
func order(q storage.Query) bson.D {
	switch {
	case q.Prefix:
		return bson.D{{Key: q.Field, Value: 1}, {Key: "_id", Value: 1}}
	case q.Desc:
		return bson.D{{Key: "_id", Value: -1}}
	default:
		return bson.D{{Key: "_id", Value: 1}}
	}
}

// Count implements [storage.Counting]. It is an aggregation, since the count command of a sharded cluster counts some
// records twice while they are moved.
func (t *table[T, P]) Count(ctx context.Context, q storage.Query) (int, error) {
	q.After, q.Limit, q.Desc = "", 0, false
	filter, hint, err := t.query(q)
	if err != nil {
		return 0, t.fail("count", err)
	}
	n, err := t.coll.CountDocuments(ctx, filter, options.Count().SetHint(hint))
	if err != nil {
		return 0, t.fail("count", err)
	}
	return int(n), nil
}

// query gives the filter of q and the index that answers it.
func (t *table[T, P]) query(q storage.Query) (filter bson.D, hint string, err error) {
	if q.Tenant == "" {
		return nil, "", errors.New("the tenant is empty")
	}
	if !utf8.ValidString(q.Tenant) || !utf8.ValidString(q.After) || !utf8.ValidString(q.Value) {
		return nil, "", fmt.Errorf("the query: %w", errNotText)
	}
	match, err := matching(q)
	if err != nil {
		return nil, "", err
	}
	filter, hint = bson.D{{Key: "tenant", Value: q.Tenant}}, tenantIndex
	if q.Field != "" {
		if !slices.Contains(t.kind.Indexes, q.Field) {
			return nil, "", fmt.Errorf("there is no index on the field %q", q.Field)
		}
		filter, hint = append(filter, bson.E{Key: q.Field, Value: match}), fieldIndex(q.Field)
	}
	if q.After != "" {
		past := "$gt"
		if q.Desc {
			past = "$lt"
		}
		filter = append(filter, bson.E{Key: "_id", Value: bson.D{{Key: past, Value: naturalKey(q.Tenant, q.After)}}})
	}
	return append(filter, t.alive()), hint, nil
}

// matching is what the field of q is compared with.
func matching(q storage.Query) (any, error) {
	switch {
	case q.Prefix:
		to, err := q.Range()
		if err != nil {
			return nil, err
		}
		within := bson.D{{Key: "$gte", Value: q.Value}}
		if to != "" {
			within = append(within, bson.E{Key: "$lt", Value: to})
		}
		return within, nil
	case q.Value == "": // also where the field was left out for being empty
		return bson.D{{Key: "$in", Value: bson.A{"", nil}}}, nil
	default:
		return q.Value, nil
	}
}
