package mongo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/sallyport-id/sallyport/storage"
)

// watch looks at each command the driver sends, and keeps what is wrong with it. A shape is a command with its
// collection's kind of filter, such as "find by _id_".
type watch struct {
	mu      sync.Mutex
	wrong   []string
	shapes  map[string]int
	samples map[string]bson.Raw
}

func (w *watch) monitor() *event.CommandMonitor {
	return &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		shape, err := judge(e.CommandName, e.Command)
		w.mu.Lock()
		defer w.mu.Unlock()
		if err != nil {
			w.wrong = append(w.wrong, fmt.Sprintf("%v: %s", err, e.Command))
			return
		}
		if w.shapes == nil {
			w.shapes, w.samples = make(map[string]int), make(map[string]bson.Raw)
		}
		w.shapes[shape]++
		w.samples[shape] = slices.Clone(e.Command)
	}}
}

// report fails the test on any command that was wrong, and on any that was never seen, since nothing was shown of it.
func (w *watch) report(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, wrong := range w.wrong[:min(len(w.wrong), 20)] {
		t.Error(wrong)
	}
	for _, shape := range slices.Sorted(maps.Keys(w.shapes)) {
		t.Logf("%6d %s", w.shapes[shape], shape)
	}
	for _, shape := range []string{
		"insert", "find by _id_", "find by " + tenantIndex, "find by " + fieldIndex("user"), "find by " + expiryIndex,
		"find a prefix by " + fieldIndex("user"), "count by " + tenantIndex, "count by " + fieldIndex("user"),
		"count a prefix by " + fieldIndex("user"),
		"update by _id_", "delete by _id_", "createIndexes", "listIndexes",
	} {
		if w.shapes[shape] == 0 {
			t.Errorf("no command of the shape %q was seen", shape)
		}
	}
}

// explainable gives a sample of each shape as a command that explain takes.
func (w *watch) explainable() map[string]bson.D {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make(map[string]bson.D)
	for shape, raw := range w.samples {
		if !strings.Contains(shape, " by ") {
			continue
		}
		var command bson.D
		for _, e := range must(raw.Elements()) {
			// What belongs to the session and the connection is not part of what is explained.
			switch e.Key() {
			case "find", "update", "delete", "filter", "sort", "projection", "limit", "hint", "updates", "deletes",
				"aggregate", "pipeline", "cursor":
				command = append(command, bson.E{Key: e.Key(), Value: e.Value()})
			}
		}
		out[shape] = command
	}
	return out
}

func hintOf(command bson.D) string {
	raw := must(bson.Marshal(command))
	for _, path := range [][]string{{"hint"}, {"updates", "0", "hint"}, {"deletes", "0", "hint"}} {
		if v, err := bson.Raw(raw).LookupErr(path...); err == nil {
			return v.StringValue()
		}
	}
	return ""
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // in a test, over bytes that the driver itself has made
	}
	return v
}

// declared are the keys of every index there may be, by collection and name.
func declared(collection string) map[string][]string {
	all := map[string][]string{primaryIndex: {"_id"}}
	for _, kind := range kinds() {
		if kind.Name == collection {
			for _, i := range indexes(kind, false) {
				all[i.name] = i.keys
			}
		}
	}
	return all
}

func kinds() []storage.Kind {
	var b backend
	b.db = (&mongo.Client{}).Database("unused")
	b.store()
	return b.kinds
}

// judge names the shape of a command, or says what is wrong with it.
func judge(name string, command bson.Raw) (shape string, err error) {
	for _, e := range must(command.Elements()) {
		switch e.Key() {
		case "startTransaction", "autocommit", "collation", "let", "arrayFilters":
			return "", fmt.Errorf("%s with %s", name, e.Key())
		}
	}
	switch name {
	case "hello", "ping", "endSessions", "killCursors", "getMore", "listIndexes", "createIndexes", "saslStart", "saslContinue":
		return name, nil
	case "find", "aggregate":
		if level := command.Lookup("readConcern", "level"); !isString(level, "majority") {
			return "", fmt.Errorf("%s with read concern %v", name, level)
		}
		if mode, err := command.LookupErr("$readPreference", "mode"); err == nil && !isString(mode, "primary") {
			return "", fmt.Errorf("%s with read preference %v", name, mode)
		}
		if name == "aggregate" {
			return judgeCount(command)
		}
		return judgeFilter(name, command.Lookup("find").StringValue(), command, command.Lookup("filter").Document())
	case "insert", "update", "delete":
		if err := judgeConcern(command); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		return judgeWrite(name, command)
	default:
		return "", fmt.Errorf("unlisted command %s", name)
	}
}

func isString(v bson.RawValue, want string) bool {
	s, ok := v.StringValueOK()
	return ok && s == want
}

func judgeConcern(command bson.Raw) error {
	w, j := command.Lookup("writeConcern", "w"), command.Lookup("writeConcern", "j")
	if journal, ok := j.BooleanOK(); !isString(w, "majority") || !ok || !journal {
		return fmt.Errorf("write concern w: %v, j: %v", w, j)
	}
	return nil
}

func judgeWrite(name string, command bson.Raw) (shape string, err error) {
	list := map[string]string{"insert": "documents", "update": "updates", "delete": "deletes"}[name]
	statements := must(must(command.LookupErr(list)).Array().Values())
	if len(statements) != 1 {
		return "", fmt.Errorf("%s of %d at a time", name, len(statements))
	}
	statement := bson.Raw(statements[0].Value)
	if name == "insert" {
		return "insert", judgeStored(statement)
	}
	for _, e := range must(statement.Elements()) {
		switch e.Key() {
		case "q", "u", "hint":
		case "limit":
			// Only what is told by its _id is deleted more than one at a time.
			if _, listed := statement.Lookup("q", "_id").DocumentOK(); e.Value().AsInt64() != 1 && !listed {
				return "", fmt.Errorf("delete without limit")
			}
		case "upsert", "multi":
			if set, ok := e.Value().BooleanOK(); !ok || set {
				return "", fmt.Errorf("%s with %s", name, e.Key())
			}
		default:
			return "", fmt.Errorf("%s with %s", name, e.Key())
		}
	}
	if name == "update" {
		u, ok := statement.Lookup("u").DocumentOK()
		if !ok {
			return "", fmt.Errorf("update by a pipeline")
		}
		if err := judgeStored(u); err != nil {
			return "", err
		}
		if _, ok := statement.Lookup("q", "version").Int64OK(); !ok {
			return "", fmt.Errorf("update that does not name the version")
		}
	}
	return judgeFilter(name, command.Lookup(name).StringValue(), statement, statement.Lookup("q").Document())
}

// judgeCount takes the one aggregation there is: to count what a filter matches.
func judgeCount(command bson.Raw) (shape string, err error) {
	pipeline, ok := command.Lookup("pipeline").ArrayOK()
	if !ok {
		return "", fmt.Errorf("an aggregation without pipeline")
	}
	stages := must(pipeline.Values())
	const group = `{"$group": {"_id": {"$numberInt":"1"},"n": {"$sum": {"$numberInt":"1"}}}}`
	if len(stages) != 2 || stages[1].String() != group {
		return "", fmt.Errorf("an aggregation that is no count: %v", stages)
	}
	match, ok := stages[0].Document().Lookup("$match").DocumentOK()
	if !ok {
		return "", fmt.Errorf("a count of %v", stages[0])
	}
	return judgeFilter("count", command.Lookup("aggregate").StringValue(), command, match)
}

// judgeStored looks at a whole document on its way in.
func judgeStored(doc bson.Raw) error {
	for _, e := range must(doc.Elements()) {
		if strings.HasPrefix(e.Key(), "$") {
			return fmt.Errorf("the operator %s in a document", e.Key())
		}
	}
	tenant, _ := doc.Lookup("tenant").StringValueOK()
	id, _ := doc.Lookup("id").StringValueOK()
	if !isString(doc.Lookup("_id"), naturalKey(tenant, id)) {
		return fmt.Errorf("_id is %v for tenant %q and id %q", doc.Lookup("_id"), tenant, id)
	}
	switch expires := doc.Lookup("expires"); expires.Type {
	case bson.TypeNull:
	case bson.TypeDateTime:
		if expires.Time().Year() == 1 {
			return fmt.Errorf("a record that never expires has a date")
		}
	default:
		return fmt.Errorf("expires is %v", expires)
	}
	return nil
}

// judgeFilter wants the filter to name the tenant, and to be answered by the index that the statement names.
func judgeFilter(name, collection string, statement, filter bson.Raw) (shape string, err error) {
	if op := operator(filter); op != "" {
		return "", fmt.Errorf("%s by the operator %s", name, op)
	}
	hint, _ := statement.Lookup("hint").StringValueOK()
	keys, ok := declared(collection)[hint]
	if !ok {
		return "", fmt.Errorf("%s in %s by %q, which is no index of it", name, collection, hint)
	}
	shape = name + " by " + hint
	// The one exception: the sweep, which removes for all tenants what has expired.
	if hint == expiryIndex && name == "find" && len(must(filter.Elements())) == 1 && filter.Lookup("expires", "$lte").Type == bson.TypeDateTime {
		return shape, nil
	}
	if tenant, ok := filter.Lookup("tenant").StringValueOK(); !ok || tenant == "" {
		return "", fmt.Errorf("%s without a tenant", name)
	}
	if hint == primaryIndex {
		if !isEqual(filter.Lookup("_id")) {
			return "", fmt.Errorf("%s by %s with _id not compared for equality", name, hint)
		}
		return shape, nil
	}
	if keys[0] != "tenant" {
		return "", fmt.Errorf("%s by %s, which does not start with the tenant", name, hint)
	}
	// All keys of the index but the last are compared for equality, and the last is the order of the page. Or the one
	// before is within a range, and then it comes first in the order.
	equal, last := keys[:len(keys)-1], keys[len(keys)-1]
	order := []string{fmt.Sprintf(`{%q: {"$numberInt":"1"}}`, last), fmt.Sprintf(`{%q: {"$numberInt":"-1"}}`, last)}
	if n := len(equal) - 1; isRange(filter.Lookup(equal[n])) {
		shape = name + " a prefix by " + hint
		order = []string{fmt.Sprintf(`{%q: {"$numberInt":"1"},%q: {"$numberInt":"1"}}`, equal[n], last)}
		equal = equal[:n]
	}
	for _, key := range equal {
		if !isEqual(filter.Lookup(key)) {
			return "", fmt.Errorf("%s by %s with %s not compared for equality", name, hint, key)
		}
	}
	if got := statement.Lookup("sort").String(); name != "count" && !slices.Contains(order, got) {
		return "", fmt.Errorf("%s by %s in the order of %s", name, hint, got)
	}
	return shape, nil
}

func isEqual(v bson.RawValue) bool {
	if doc, ok := v.DocumentOK(); ok {
		_, err := doc.LookupErr("$in")
		return err == nil
	}
	_, ok := v.StringValueOK()
	return ok
}

// isRange tells whether v is {$gte: text} or {$gte: text, $lt: text}.
func isRange(v bson.RawValue) bool {
	doc, ok := v.DocumentOK()
	if !ok {
		return false
	}
	elements := must(doc.Elements())
	for i, e := range elements {
		if _, ok := e.Value().StringValueOK(); !ok || i > 1 || e.Key() != []string{"$gte", "$lt"}[i] {
			return false
		}
	}
	return len(elements) > 0
}

// operator gives the first one in doc that is not on the list of the six we use.
func operator(doc bson.Raw) string {
	for _, e := range must(doc.Elements()) {
		if key := e.Key(); strings.HasPrefix(key, "$") {
			switch key {
			case "$not", "$lte", "$gt", "$gte", "$lt", "$in":
			default:
				return key
			}
		} else if strings.Contains(key, ".") {
			return key
		}
		if sub, ok := e.Value().DocumentOK(); ok {
			if op := operator(sub); op != "" {
				return op
			}
		}
	}
	return ""
}

// TestWatchSees gives the watch commands that must not pass, each one step away from one that does.
func TestWatchSees(t *testing.T) {
	doc := func(kv ...any) bson.D {
		var d bson.D
		for i := 0; i < len(kv); i += 2 {
			d = append(d, bson.E{Key: kv[i].(string), Value: kv[i+1]})
		}
		return d
	}
	majority := doc("w", "majority", "j", true)
	find := func(hint string, sort any, filter bson.D) bson.D {
		d := doc("find", "sessions", "filter", filter, "hint", hint, "readConcern", doc("level", "majority"))
		if sort != nil {
			d = append(d, bson.E{Key: "sort", Value: doc("_id", sort)})
		}
		return d
	}
	count := func(hint string, stages ...any) bson.D {
		return doc("aggregate", "sessions", "pipeline", bson.A(stages), "hint", hint, "readConcern", doc("level", "majority"))
	}
	prefix := func(sort bson.D, within any) bson.D {
		return append(find(fieldIndex("user"), nil, doc("tenant", "t", "user", within)), bson.E{Key: "sort", Value: sort})
	}
	stored := doc("_id", "t/a", "tenant", "t", "id", "a", "expires", nil)
	update := func(q, u any, more ...any) bson.D {
		s := append(doc("q", q, "u", u, "hint", "_id_"), doc(more...)...)
		return doc("update", "sessions", "writeConcern", majority, "updates", bson.A{s})
	}
	remove := func(limit int, q bson.D) bson.D {
		return doc("delete", "sessions", "writeConcern", majority, "deletes", bson.A{doc("q", q, "limit", limit, "hint", "_id_")})
	}
	byID := doc("_id", "t/a", "tenant", "t")
	byVersion := append(slices.Clone(byID), bson.E{Key: "version", Value: int64(1)})
	byUser := doc("tenant", "t", "user", "u")
	past := doc("$lte", bson.DateTime(1))
	within, byUserThenID := doc("$gte", "a", "$lt", "b"), doc("user", int32(1), "_id", int32(1))
	all, sum := doc("$match", byUser), doc("$group", doc("_id", int32(1), "n", doc("$sum", int32(1))))

	for name, command := range map[string]bson.D{
		"Get": find("_id_", nil, byID), "List": find(tenantIndex, -1, doc("tenant", "t")),
		"ListByField": find(fieldIndex("user"), 1, byUser), "Sweep": find(expiryIndex, nil, doc("expires", past)),
		"Prefix": prefix(byUserThenID, within), "LastPrefix": prefix(byUserThenID, doc("$gte", "a")),
		"Count": count(fieldIndex("user"), all, sum), "CountPrefix": count(fieldIndex("user"), doc("$match", doc("tenant", "t", "user", within)), sum),
		"Replace": update(byVersion, stored), "Delete": remove(1, byID),
		"Insert": doc("insert", "sessions", "writeConcern", majority, "documents", bson.A{stored}),
	} {
		if _, err := judge(command[0].Key, must(bson.Marshal(command))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, command := range map[string]bson.D{
		"no tenant":               find("_id_", nil, doc("_id", "t/a")),
		"tenant by operator":      find("_id_", nil, doc("_id", "t/a", "tenant", doc("$gt", ""))),
		"no hint":                 find("", nil, byID),
		"unknown index":           find("name_1", 1, byUser),
		"index of other kind":     find(fieldIndex("owner"), 1, doc("tenant", "t", "owner", "o")),
		"field missing":           find(fieldIndex("user"), 1, doc("tenant", "t")),
		"field by range":          find(fieldIndex("user"), 1, doc("tenant", "t", "user", doc("$gt", "a"))),
		"unsorted page":           find(tenantIndex, nil, doc("tenant", "t")),
		"expiry index for others": find(expiryIndex, nil, doc("expires", past, "user", "u")),
		"regex":                   find("_id_", nil, append(slices.Clone(byID), bson.E{Key: "user", Value: doc("$regex", ".")})),
		"expr":                    find("_id_", nil, append(slices.Clone(byID), bson.E{Key: "$expr", Value: true})),
		"or":                      find("_id_", nil, append(slices.Clone(byID), bson.E{Key: "$or", Value: bson.A{byID}})),
		"dotted path":             find("_id_", nil, append(slices.Clone(byID), bson.E{Key: "proofs.0.factor", Value: "x"})),
		"collation":               append(find("_id_", nil, byID), bson.E{Key: "collation", Value: doc("locale", "en")}),
		"transaction":             append(find("_id_", nil, byID), bson.E{Key: "startTransaction", Value: true}),
		"stale read":              doc("find", "sessions", "filter", byID, "hint", "_id_", "readConcern", doc("level", "local")),
		"read at a secondary":     append(find("_id_", nil, byID), bson.E{Key: "$readPreference", Value: doc("mode", "nearest")}),
		"upsert":                  update(byVersion, stored, "upsert", true),
		"multi":                   update(byVersion, stored, "multi", true),
		"version missing":         update(byID, stored),
		"update operator":         update(byVersion, doc("$set", doc("a", 1))),
		"pipeline":                update(byVersion, bson.A{doc("$set", doc("a", 1))}),
		"wrong natural key":       update(byVersion, doc("_id", "t/b", "tenant", "t", "id", "a", "expires", nil)),
		"year 1":                  update(byVersion, doc("_id", "t/a", "tenant", "t", "id", "a", "expires", bson.DateTime(-62135596800000))),
		"array filters":           update(byVersion, stored, "arrayFilters", bson.A{}),
		"delete of many":          remove(0, byID),
		"delete without tenant":   remove(1, doc("_id", "t/a")),
		"not acknowledged":        doc("insert", "sessions", "writeConcern", doc("w", 1), "documents", bson.A{stored}),
		"no journal":              doc("insert", "sessions", "writeConcern", doc("w", "majority"), "documents", bson.A{stored}),
		"prefix in another order": prefix(doc("_id", int32(1)), within),
		"prefix downwards":        prefix(doc("user", int32(-1), "_id", int32(-1)), within),
		"prefix of one end":       prefix(byUserThenID, doc("$lt", "b")),
		"prefix of no end":        prefix(byUserThenID, doc()),
		"range of the tenant":     find(tenantIndex, 1, doc("tenant", within)),
		"aggregate":               count(fieldIndex("user")),
		"aggregate without match": count(fieldIndex("user"), sum),
		"aggregate by more":       count(fieldIndex("user"), all, sum, doc("$out", "x")),
		"aggregate by other":      count(fieldIndex("user"), doc("$lookup", doc("from", "users")), sum),
		"count without tenant":    count(fieldIndex("user"), doc("$match", doc("user", "u")), sum),
		"count without index":     count("", all, sum),
		"stale count":             append(count(fieldIndex("user"), all, sum)[:3], bson.E{Key: "readConcern", Value: doc("level", "local")}),
		"findAndModify":           doc("findAndModify", "sessions"),
		"count":                   doc("count", "sessions"),
	} {
		if shape, err := judge(command[0].Key, must(bson.Marshal(command))); err == nil {
			t.Errorf("%s passes as %q", name, shape)
		}
	}
}
