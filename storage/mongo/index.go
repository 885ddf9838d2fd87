package mongo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/sallyport-id/sallyport/storage"
)

// indexTimeout bounds the builds of one collection: over millions of records they take minutes.
const indexTimeout = 30 * time.Minute

const (
	// primaryIndex is the one that every collection has, on _id.
	primaryIndex = "_id_"
	// tenantIndex answers List by tenant. It is also the index of the intended shard key.
	tenantIndex = "tenant_1__id_1"
	// expiryIndex is the TTL index.
	expiryIndex = "expires_1"
)

// fieldIndex is the name of the index that answers List by a field.
func fieldIndex(field string) string { return "tenant_1_" + field + "_1__id_1" }

// index is one that a collection must have.
type index struct {
	name string
	keys []string // all ascending
	ttl  bool
}

// indexes are those of a kind. Each ends with _id, so that a page is read in order and from where the last one ended.
func indexes(kind storage.Kind, noTTL bool) []index {
	all := []index{{name: tenantIndex, keys: []string{"tenant", "_id"}}}
	for _, field := range kind.Indexes {
		all = append(all, index{name: fieldIndex(field), keys: []string{"tenant", field, "_id"}})
	}
	if kind.Expiring {
		all = append(all, index{name: expiryIndex, keys: []string{"expires"}, ttl: !noTTL})
	}
	return all
}

func (i index) model() mongo.IndexModel {
	keys := bson.D{}
	for _, k := range i.keys {
		keys = append(keys, bson.E{Key: k, Value: 1})
	}
	o := options.Index().SetName(i.name)
	if i.ttl {
		o.SetExpireAfterSeconds(0) // at the time that the record says
	}
	return mongo.IndexModel{Keys: keys, Options: o}
}

// buildIndexes compares what is there with what is wanted, builds what is missing and looks again. Building one that
// another process has just built does nothing, so that any number of them may start at once. Other indexes than ours
// are left alone.
func (b *backend) buildIndexes(ctx context.Context, kind storage.Kind, tenants storage.Table[storage.Tenant]) error {
	view := b.db.Collection(kind.Name).Indexes()
	missing, err := b.missingIndexes(ctx, kind, view)
	if err != nil || len(missing) == 0 {
		return err
	}
	// Where the first of them is missing too, the collection is new, and empty.
	if refill := b.refills[kind.Name]; refill != nil && missing[0].name != tenantIndex {
		b.options.Logger.InfoContext(ctx, "filling in what indexes of a MongoDB collection are about to need", "collection", kind.Name)
		if err := refill(ctx, tenants); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, indexTimeout)
	defer cancel()
	models := make([]mongo.IndexModel, len(missing))
	for n, i := range missing {
		models[n] = i.model()
		b.options.Logger.InfoContext(ctx, "building a MongoDB index", "collection", kind.Name, "index", i.name)
	}
	_, err = view.CreateMany(ctx, models)
	if hasCode(err, codeIndexOptionsConflict, codeIndexKeySpecsClash) {
		return fmt.Errorf("storage/mongo: an index of %s.%s has the keys of one that Sallyport needs, under another name "+
			"or with other options; drop it at a quiet time and start again: %w", b.db.Name(), kind.Name, err)
	}
	if err != nil {
		return b.indexError(kind, "build", err)
	}
	if missing, err = b.missingIndexes(ctx, kind, view); err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("storage/mongo: the index %s of %s.%s is not there although its build was reported done; "+
			"look for it in the server's log", missing[0].name, b.db.Name(), kind.Name)
	}
	return nil
}

// missingIndexes lists the indexes of a kind that are not there. One that is there and differs is an error.
func (b *backend) missingIndexes(ctx context.Context, kind storage.Kind, view mongo.IndexView) ([]index, error) {
	there, err := listIndexes(ctx, view)
	if err != nil {
		return nil, b.indexError(kind, "list", err)
	}
	var missing []index
	for _, i := range indexes(kind, b.options.NoTTL) {
		spec, ok := there[i.name]
		if !ok {
			missing = append(missing, i)
			continue
		}
		if difference := i.difference(spec); difference != "" {
			return nil, fmt.Errorf("storage/mongo: the index %s of %s.%s is not as it must be: %s; drop it at a quiet time "+
				"(db.%s.dropIndex(%q)) and start again, which builds it anew",
				i.name, b.db.Name(), kind.Name, difference, kind.Name, i.name)
		}
	}
	return missing, nil
}

func (b *backend) indexError(kind storage.Kind, what string, err error) error {
	if hasCode(err, codeUnauthorized) {
		return fmt.Errorf("storage/mongo: %s the indexes of %s.%s: the user needs the role readWrite on that database: %w",
			what, b.db.Name(), kind.Name, err)
	}
	return fmt.Errorf("storage/mongo: %s the indexes of %s.%s: %w", what, b.db.Name(), kind.Name, err)
}

// listIndexes reads what the server has, by name. It keeps the server's own words, since the driver's type for them
// has no room for every option.
func listIndexes(ctx context.Context, view mongo.IndexView) (map[string]bson.Raw, error) {
	cursor, err := view.List(ctx)
	if err != nil {
		return nil, err
	}
	var all []bson.Raw
	if err := cursor.All(ctx, &all); err != nil {
		return nil, err
	}
	byName := make(map[string]bson.Raw, len(all))
	for _, spec := range all {
		if name, ok := spec.Lookup("name").StringValueOK(); ok {
			byName[name] = spec
		}
	}
	return byName, nil
}

// difference says where there, the server's description of an index, is not what is wanted.
func (i index) difference(there bson.Raw) string {
	elements, err := there.Elements()
	if err != nil {
		return "its description can't be read: " + err.Error()
	}
	have := make(map[string]bson.RawValue, len(elements))
	for _, e := range elements {
		have[e.Key()] = e.Value()
	}
	if keys := keyPattern(have["key"]); keys != i.pattern() {
		return fmt.Sprintf("its keys are {%s} instead of {%s}", keys, i.pattern())
	}
	after, ttl := have["expireAfterSeconds"].AsInt64OK()
	if ttl != i.ttl {
		return fmt.Sprintf("TTL index: %t instead of %t", ttl, i.ttl)
	}
	if after != 0 {
		return fmt.Sprintf("expireAfterSeconds is %d instead of 0", after)
	}
	// Any other option (unique, sparse, hidden, collation, partialFilterExpression, …) changes what it answers.
	for _, known := range []string{"v", "key", "name", "ns", "background", "expireAfterSeconds"} {
		delete(have, known)
	}
	if len(have) > 0 {
		return "it has the options " + strings.Join(slices.Sorted(maps.Keys(have)), ", ")
	}
	return ""
}

func (i index) pattern() string { return strings.Join(i.keys, ": 1, ") + ": 1" }

// keyPattern writes a key document as pattern does. Older servers and tools store the 1 as a double.
func keyPattern(key bson.RawValue) string {
	doc, ok := key.DocumentOK()
	if !ok {
		return ""
	}
	elements, err := doc.Elements()
	if err != nil {
		return ""
	}
	parts := make([]string, len(elements))
	for n, e := range elements {
		if direction, ok := e.Value().AsInt64OK(); ok {
			parts[n] = fmt.Sprintf("%s: %d", e.Key(), direction)
		} else {
			parts[n] = e.Key() + ": " + e.Value().String()
		}
	}
	return strings.Join(parts, ", ")
}
