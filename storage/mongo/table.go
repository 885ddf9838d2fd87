package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/sallyport-id/sallyport/storage"
)

// sweepBatch is how many expired records are removed by one command at most.
const sweepBatch = 500

// table keeps one noun in one collection. Every filter names the tenant, which is where the shard key begins, so that
// one shard is asked; and every command names its index, so that a missing one is an error instead of a scan.
//
// No error says what was asked for: IDs of flows are secrets, those of logins are e-mail addresses.
type table[T any, P storage.Row[T]] struct {
	coll *mongo.Collection
	kind storage.Kind
	now  func() time.Time
}

func (t *table[T, P]) fail(what string, err error) error {
	return fmt.Errorf("storage/mongo: %s in %s: %w", what, t.kind.Name, err)
}

// key is the filter for one record, whether it has expired or not.
func (t *table[T, P]) key(tenant, id string) (bson.D, error) {
	if tenant == "" || id == "" {
		return nil, errors.New("the tenant or the ID is empty")
	}
	if !utf8.ValidString(tenant) || !utf8.ValidString(id) {
		return nil, fmt.Errorf("the tenant or the ID: %w", errNotText)
	}
	return bson.D{{Key: "_id", Value: naturalKey(tenant, id)}, {Key: "tenant", Value: tenant}}, nil
}

// alive holds for what never expires, where expires is null, and for what has not expired yet.
func (t *table[T, P]) alive() bson.E {
	return bson.E{Key: "expires", Value: bson.D{{Key: "$not", Value: bson.D{{Key: "$lte", Value: t.instant()}}}}}
}

func (t *table[T, P]) expired() bson.E {
	return bson.E{Key: "expires", Value: bson.D{{Key: "$lte", Value: t.instant()}}}
}

func (t *table[T, P]) instant() bson.DateTime { return bson.NewDateTimeFromTime(t.now()) }

// Get implements [storage.Table].
func (t *table[T, P]) Get(ctx context.Context, tenant, id string) (T, error) {
	var none T
	filter, err := t.key(tenant, id)
	if errors.Is(err, errNotText) {
		return none, storage.ErrNotFound // nothing can be kept under such a key
	}
	if err != nil {
		return none, t.fail("get", err)
	}
	raw, err := t.coll.FindOne(ctx, append(filter, t.alive()), options.FindOne().SetHint(primaryIndex)).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return none, storage.ErrNotFound
	}
	if err != nil {
		return none, t.fail("get", err)
	}
	row, err := decode[T](raw)
	if err != nil {
		return none, t.fail("read a record", err)
	}
	return row, nil
}

// Insert implements [storage.Table].
func (t *table[T, P]) Insert(ctx context.Context, row *T) error {
	storage.Derive(row)
	fresh := *row
	key := P(&fresh).Record()
	key.Version = 1
	filter, err := t.key(key.Tenant, key.ID)
	if err != nil {
		return t.fail("insert", err)
	}
	raw, err := encode(key.Tenant, key.ID, fresh)
	if err != nil {
		return t.fail("insert", err)
	}
	_, err = t.coll.InsertOne(ctx, raw)
	if mongo.IsDuplicateKeyError(err) {
		if err := t.makeRoom(ctx, filter); err != nil {
			return err
		}
		_, err = t.coll.InsertOne(ctx, raw)
	}
	switch {
	case mongo.IsDuplicateKeyError(err):
		return storage.ErrExists // not wrapped: the server's message quotes the key
	case err != nil:
		return t.fail("insert", err)
	}
	P(row).Record().Version = 1
	return nil
}

// makeRoom removes the record of a key if it has expired; one that has not is ErrExists. Of many who insert over an
// expired record each may get here, but the delete can't hit a record that one of them has put there since.
func (t *table[T, P]) makeRoom(ctx context.Context, key bson.D) error {
	living := append(slices.Clone(key), t.alive())
	err := t.coll.FindOne(ctx, living, options.FindOne().
		SetProjection(bson.D{{Key: "_id", Value: 1}}).SetHint(primaryIndex)).Err()
	if err == nil {
		return storage.ErrExists
	}
	if !errors.Is(err, mongo.ErrNoDocuments) {
		return t.fail("insert", err)
	}
	expired := append(slices.Clone(key), t.expired())
	if _, err := t.coll.DeleteOne(ctx, expired, options.DeleteOne().SetHint(primaryIndex)); err != nil {
		return t.fail("insert over an expired record", err)
	}
	return nil
}

// Replace implements [storage.Table].
func (t *table[T, P]) Replace(ctx context.Context, row *T) error {
	storage.Derive(row)
	next := *row
	key := P(&next).Record()
	filter, err := t.key(key.Tenant, key.ID)
	if err != nil {
		return t.fail("replace", err)
	}
	filter = append(filter, bson.E{Key: "version", Value: key.Version}, t.alive())
	key.Version++
	raw, err := encode(key.Tenant, key.ID, next)
	if err != nil {
		return t.fail("replace", err)
	}
	result, err := t.coll.ReplaceOne(ctx, filter, raw, options.Replace().SetHint(primaryIndex))
	if err != nil {
		return t.fail("replace", err)
	}
	if result.MatchedCount == 0 {
		return storage.ErrConflict
	}
	P(row).Record().Version = key.Version
	return nil
}

// Delete implements [storage.Table].
func (t *table[T, P]) Delete(ctx context.Context, tenant, id string) error {
	filter, err := t.key(tenant, id)
	if errors.Is(err, errNotText) {
		return storage.ErrNotFound
	}
	if err != nil {
		return t.fail("delete", err)
	}
	result, err := t.coll.DeleteOne(ctx, append(filter, t.alive()), options.DeleteOne().SetHint(primaryIndex))
	if err != nil {
		return t.fail("delete", err)
	}
	if result.DeletedCount == 0 {
		return storage.ErrNotFound
	}
	return nil
}

// sweep removes expired records of all tenants, batch by batch. Finding them is the one query that names no tenant,
// and asks every shard; it is answered by the index on expires, and nobody waits for it.
func (t *table[T, P]) sweep(ctx context.Context) (removed int, err error) {
	for {
		n, err := t.sweepBatch(ctx)
		removed += n
		if err != nil {
			return removed, t.fail("sweep", err)
		}
		if n == 0 { // none is left, or another process is removing the same ones
			return removed, nil
		}
	}
}

func (t *table[T, P]) sweepBatch(ctx context.Context) (removed int, err error) {
	expired := t.expired()
	cursor, err := t.coll.Find(ctx, bson.D{expired}, options.Find().
		SetProjection(bson.D{{Key: "tenant", Value: 1}}).
		SetLimit(sweepBatch).SetBatchSize(sweepBatch).SetHint(expiryIndex))
	if err != nil {
		return 0, err
	}
	var found []struct {
		NaturalKey string `bson:"_id"`
		Tenant     string `bson:"tenant"`
	}
	if err := cursor.All(ctx, &found); err != nil {
		return 0, err
	}
	byTenant := make(map[string]bson.A)
	for _, f := range found {
		byTenant[f.Tenant] = append(byTenant[f.Tenant], f.NaturalKey)
	}
	for tenant, keys := range byTenant {
		result, err := t.coll.DeleteMany(ctx, bson.D{
			{Key: "_id", Value: bson.D{{Key: "$in", Value: keys}}},
			{Key: "tenant", Value: tenant},
			expired,
		}, options.DeleteMany().SetHint(primaryIndex))
		if err != nil {
			return removed, err
		}
		removed += int(result.DeletedCount)
	}
	return removed, nil
}
