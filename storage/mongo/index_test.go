package mongo

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/sallyport-id/sallyport/storage"
)

// TestDifference compares what MongoDB says of an index with what was asked for.
func TestDifference(t *testing.T) {
	key := bson.D{{Key: "tenant", Value: 1}, {Key: "user", Value: 1}, {Key: "_id", Value: 1}}
	ttlKey := bson.D{{Key: "expires", Value: 1}}
	field := index{name: "f", keys: []string{"tenant", "user", "_id"}}
	ttl := index{name: "e", keys: []string{"expires"}, ttl: true}
	spec := func(key any, more ...bson.E) bson.D {
		return append(bson.D{{Key: "v", Value: 2}, {Key: "key", Value: key}, {Key: "name", Value: "f"}}, more...)
	}
	for _, c := range []struct {
		index index
		there bson.D
		want  string
	}{
		{field, spec(key), ""},
		{field, spec(bson.D{{Key: "tenant", Value: 1.0}, {Key: "user", Value: int64(1)}, {Key: "_id", Value: 1}}, bson.E{Key: "background", Value: true}), ""},
		{ttl, spec(ttlKey, bson.E{Key: "expireAfterSeconds", Value: 0}), ""},
		{ttl, spec(ttlKey, bson.E{Key: "expireAfterSeconds", Value: int64(0)}), ""},
		{field, spec(key[:2]), "its keys are {tenant: 1, user: 1}"},
		{field, spec(bson.D{key[1], key[0], key[2]}), "its keys are {user: 1, tenant: 1, _id: 1}"},
		{field, spec(bson.D{key[0], {Key: "user", Value: "hashed"}, key[2]}), `user: "hashed"`},
		{field, spec(bson.D{key[0], {Key: "user", Value: -1}, key[2]}), "user: -1"},
		{field, spec("text"), "its keys are {}"},
		{ttl, spec(ttlKey), "TTL index: false instead of true"},
		{ttl, spec(ttlKey, bson.E{Key: "expireAfterSeconds", Value: 3600}), "3600 instead of 0"},
		{field, spec(key, bson.E{Key: "expireAfterSeconds", Value: 0}), "TTL index: true instead of false"},
		{field, spec(key, bson.E{Key: "unique", Value: true}), "options unique"},
		{field, spec(key, bson.E{Key: "hidden", Value: true}), "options hidden"},
		{field, spec(key, bson.E{Key: "partialFilterExpression", Value: bson.D{}}), "options partialFilterExpression"},
		{field, spec(key, bson.E{Key: "sparse", Value: true}, bson.E{Key: "collation", Value: bson.D{}}), "options collation, sparse"},
	} {
		got := c.index.difference(must(bson.Marshal(c.there)))
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%v: %q, want %q", c.there, got, c.want)
		}
	}
}

// TestIndexesStartWithTenant holds for every index but the one that only cleans up.
func TestIndexesStartWithTenant(t *testing.T) {
	all := kinds()
	ports := 0
	for f := range reflect.TypeFor[storage.Store]().Fields() {
		if f.Type.Kind() == reflect.Interface {
			ports++
		}
	}
	if len(all) != ports || ports == 0 {
		t.Errorf("%d kinds, want one for each of the store's %d ports", len(all), ports)
	}
	for _, kind := range all {
		ttl := 0
		for _, i := range indexes(kind, false) {
			switch {
			case i.ttl && i.pattern() == "expires: 1":
				ttl++
			case i.ttl || i.keys[0] != "tenant" || i.keys[len(i.keys)-1] != "_id":
				t.Errorf("%s: index %+v", kind.Name, i)
			}
		}
		if (ttl == 1) != kind.Expiring {
			t.Errorf("%s: %d TTL indexes, expiring: %t", kind.Name, ttl, kind.Expiring)
		}
	}
}

// TestGuideShardsEveryCollection keeps the operating guide complete.
func TestGuideShardsEveryCollection(t *testing.T) {
	guide, err := os.ReadFile("../../deploy/mongodb.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds() {
		if !strings.Contains(string(guide), `sh.shardCollection("sallyport.`+kind.Name+`",`) {
			t.Errorf("deploy/mongodb.md does not say how to shard %s", kind.Name)
		}
	}
}
