package mongo

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/storagetest"
)

const (
	uriEnv  = "SALLYPORT_TEST_MONGODB_URI"
	kindEnv = "SALLYPORT_TEST_MONGODB_KIND"
	// ferretDB1 is a server for the few tests that a machine without MongoDB can do.
	ferretDB1 = "ferretdb1"
)

// server gives the connection string of the database to test on.
func server(t *testing.T) string {
	t.Helper()
	uri := os.Getenv(uriEnv)
	const how = "set " + uriEnv + " to a MongoDB replica set that tests may write to (each makes a database of its own " +
		"and drops it), or run `bash .ci/mongo`, which starts a FerretDB v1"
	switch {
	case uri != "":
		return uri
	case os.Getenv("CI") == "true":
		t.Fatal("no database to test on, and in CI there must be one: " + how)
	default:
		t.Skip("no database to test on: " + how)
	}
	return ""
}

func isFerretDB1() bool { return os.Getenv(kindEnv) == ferretDB1 }

// openTest opens a database by its name.
func openTest(ctx context.Context, t *testing.T, o Options) storage.Store {
	t.Helper()
	o.NoTTL = isFerretDB1()
	o.Logger = slog.New(slog.DiscardHandler)
	st, err := Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return st
}

// newDatabase names a database that is dropped when the test ends.
func newDatabase(t *testing.T, uri string) string {
	t.Helper()
	name := "sallyport_test_" + storage.NewID()
	t.Cleanup(func() {
		db := directly(t, uri, name)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := db.Drop(ctx); err != nil {
			t.Errorf("drop %s: %v", name, err)
		}
	})
	return name
}

// directly gives the database as the driver sees it, past the code under test.
func directly(t *testing.T, uri, name string) *mongo.Database {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Disconnect(context.Background()); err != nil {
			t.Errorf("disconnect: %v", err)
		}
	})
	return client.Database(name)
}

// TestConformance puts the backend through every check, and every command it sends meanwhile through the watch.
func TestConformance(t *testing.T) {
	uri := server(t)
	w := &watch{}
	open := func(t *testing.T, now func() time.Time) storage.Store {
		return openTest(t.Context(), t, Options{URI: uri, Database: newDatabase(t, uri), Now: now, Monitor: w.monitor()})
	}
	if isFerretDB1() {
		inParts(t, open)
	} else {
		storagetest.Run(t, open, storagetest.Options{})
	}
	w.report(t)
}

// inParts runs the checks a few at a time, each few over a database of their own. FerretDB v1 answers whatever it is
// asked by reading the whole collection, so that every record which a check leaves behind slows down the next.
func inParts(t *testing.T, open storagetest.Open) {
	t.Helper()
	t.Log("FerretDB v1 has no TTL index: plain ones are built in their place, and what TTL does is not shown")
	checks := storagetest.Checks()
	for part := range slices.Chunk(checks, 3) {
		o := storagetest.Options{Records: 8, Parallel: 8, Without: make(map[string]string)}
		for _, name := range checks {
			if !slices.Contains(part, name) {
				o.Without[name] = "it is in another part"
			}
		}
		t.Run(strings.Join(part, "+"), func(t *testing.T) { storagetest.Run(t, open, o) })
	}
}

// TestKill shows that what was acknowledged to a process that is then killed is there for the next.
func TestKill(t *testing.T) {
	uri := server(t)
	storagetest.Kill(t, newDatabase(t, uri), func(ctx context.Context, name string) (storage.Store, error) {
		return Open(ctx, Options{URI: uri, Database: name, NoTTL: isFerretDB1(), Logger: slog.New(slog.DiscardHandler)})
	})
}

// TestDocument looks at a record as any other program sees it.
func TestDocument(t *testing.T) {
	uri := server(t)
	name := newDatabase(t, uri)
	st := openTest(t.Context(), t, Options{URI: uri, Database: name})
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
	c := storage.Counter{Key: storage.Key{Tenant: "t/1%", ID: "a/b", Expires: until}, Count: 3}
	if err := st.Counters.Insert(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	raw, err := directly(t, uri, name).Collection("counters").FindOne(t.Context(), bson.D{{Key: "_id", Value: "t%2F1%25/a/b"}}).Raw()
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]bson.Type{
		"_id": bson.TypeString, "tenant": bson.TypeString, "id": bson.TypeString, "version": bson.TypeInt64,
		"expires": bson.TypeDateTime, "until": bson.TypeNull,
	} {
		if got := raw.Lookup(field).Type; got != want {
			t.Errorf("%s is of type %v, want %v", field, got, want)
		}
	}
	if got := raw.Lookup("expires").Time().UTC(); !got.Equal(until) {
		t.Errorf("expires %v, want %v", got, until)
	}
}

// TestIndexesAreAsAskedFor starts over a database whose indexes are there, and over ones that are wrong.
func TestIndexesAreAsAskedFor(t *testing.T) {
	uri := server(t)
	reopen := func(t *testing.T, name string) error {
		t.Helper()
		st, err := Open(t.Context(), Options{URI: uri, Database: name, NoTTL: isFerretDB1(), Logger: slog.New(slog.DiscardHandler)})
		if err == nil {
			err = st.Close()
		}
		return err
	}
	t.Run("Again", func(t *testing.T) {
		name := newDatabase(t, uri)
		for range 2 {
			if err := reopen(t, name); err != nil {
				t.Fatal(err)
			}
		}
	})
	for what, keys := range map[string]bson.D{
		"OtherKeys":  {{Key: "tenant", Value: 1}, {Key: "user", Value: 1}},
		"OtherOrder": {{Key: "user", Value: 1}, {Key: "tenant", Value: 1}, {Key: "_id", Value: 1}},
		"Descending": {{Key: "tenant", Value: 1}, {Key: "user", Value: 1}, {Key: "_id", Value: -1}},
	} {
		t.Run(what, func(t *testing.T) {
			name := newDatabase(t, uri)
			wrong := mongo.IndexModel{Keys: keys, Options: options.Index().SetName(fieldIndex("user"))}
			if _, err := directly(t, uri, name).Collection("events").Indexes().CreateOne(t.Context(), wrong); err != nil {
				t.Fatal(err)
			}
			err := reopen(t, name)
			if err == nil || !strings.Contains(err.Error(), fieldIndex("user")) || !strings.Contains(err.Error(), "dropIndex") {
				t.Fatalf("Open over a wrong index: %v, want an error that names it and says what to do", err)
			}
			t.Log(err)
		})
	}
	t.Run("OtherName", func(t *testing.T) {
		name := newDatabase(t, uri)
		wrong := mongo.IndexModel{Keys: bson.D{{Key: "tenant", Value: 1}, {Key: "_id", Value: 1}}, Options: options.Index().SetName("mine")}
		if _, err := directly(t, uri, name).Collection("users").Indexes().CreateOne(t.Context(), wrong); err != nil {
			t.Fatal(err)
		}
		err := reopen(t, name)
		if err == nil || !strings.Contains(err.Error(), "users") || !strings.Contains(err.Error(), "drop it") {
			t.Fatalf("Open over an index under another name: %v, want an error that says what to do", err)
		}
	})
}

// Users from before their names could be searched are found as those are who come after.
func TestUsersAreRefilled(t *testing.T) {
	uri := server(t)
	name := newDatabase(t, uri)
	ctx := t.Context()
	st := openTest(ctx, t, Options{URI: uri, Database: name})
	for _, id := range []string{"acme", "empty"} {
		if err := st.Tenants.Insert(ctx, &storage.Tenant{Key: storage.Key{Tenant: storage.Global, ID: id}}); err != nil {
			t.Fatal(err)
		}
	}
	users := directly(t, uri, name).Collection("users")
	ids := []string{"new"}
	for i := range refillBatch + 2 {
		ids = append(ids, fmt.Sprintf("ada%02d", i))
	}
	for _, id := range ids {
		u := storage.User{Key: storage.Key{Tenant: "acme", ID: id}, Login: id, Name: "Ada ÖZIL", Type: "staff"}
		if err := st.Users.Insert(ctx, &u); err != nil {
			t.Fatal(err)
		}
		if id == "new" {
			continue
		}
		old := bson.D{{Key: "$unset", Value: bson.D{
			{Key: "segment", Value: ""}, {Key: "account", Value: ""}, {Key: "name_key", Value: ""}, {Key: "surname_key", Value: ""},
		}}}
		if r, err := users.UpdateOne(ctx, bson.D{{Key: "_id", Value: naturalKey("acme", id)}}, old); err != nil || r.ModifiedCount != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	found := func(st storage.Store) []storage.User {
		t.Helper()
		all, err := st.Users.List(ctx, storage.Query{Tenant: "acme", Field: "surname_key", Value: "öz", Prefix: true})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	// As long as no index is missing, nothing is looked for.
	if all := found(openTest(ctx, t, Options{URI: uri, Database: name})); len(all) != 1 {
		t.Errorf("%d users, want the new one", len(all))
	}
	if err := users.Indexes().DropOne(ctx, fieldIndex("surname_key")); err != nil {
		t.Fatal(err)
	}
	w := &watch{}
	all := found(openTest(ctx, t, Options{URI: uri, Database: name, Monitor: w.monitor()}))
	if len(all) != len(ids) {
		t.Fatalf("%d users, want %d", len(all), len(ids))
	}
	for _, u := range all {
		version := int64(2)
		if u.ID == "new" {
			version = 1 // it was left alone
		}
		if u.Segment != "staff/off" || u.Account != u.ID || u.Version != version {
			t.Errorf("%+v, want version %d", u, version)
		}
	}
	for _, wrong := range w.wrong {
		t.Error(wrong)
	}
}

// TestPlans asks the server itself which index answers each kind of filter.
func TestPlans(t *testing.T) {
	uri := server(t)
	if isFerretDB1() {
		t.Skip("FerretDB v1: its explain tells SQLite's plan, and it has no use for an index on more than _id")
	}
	name := newDatabase(t, uri)
	w := &watch{}
	st := openTest(t.Context(), t, Options{URI: uri, Database: name, Monitor: w.monitor()})
	s := storage.Session{Key: storage.Key{Tenant: "t", ID: "s"}, User: "u"}
	if err := st.Sessions.Insert(t.Context(), &s); err != nil {
		t.Fatal(err)
	}
	steps := []func() error{
		func() error { _, err := st.Sessions.Get(t.Context(), "t", "s"); return err },
		func() error { return st.Sessions.Replace(t.Context(), &s) },
		func() error {
			_, err := st.Sessions.List(t.Context(), storage.Query{Tenant: "t", After: "a"})
			return err
		},
		func() error {
			_, err := st.Sessions.List(t.Context(), storage.Query{Tenant: "t", Desc: true})
			return err
		},
		func() error {
			_, err := st.Sessions.List(t.Context(), storage.Query{Tenant: "t", Field: "user", Value: "u"})
			return err
		},
		func() error {
			_, err := st.Sessions.List(t.Context(), storage.Query{Tenant: "t", Field: "user"})
			return err
		},
		func() error {
			_, err := st.Sessions.List(t.Context(), storage.Query{Tenant: "t", Field: "user", Value: "u", Prefix: true})
			return err
		},
		func() error {
			_, err := storage.Count(t.Context(), st.Sessions, storage.Query{Tenant: "t"})
			return err
		},
		func() error {
			_, err := storage.Count(t.Context(), st.Sessions, storage.Query{Tenant: "t", Field: "user", Value: "u"})
			return err
		},
		func() error {
			_, err := storage.Count(t.Context(), st.Sessions, storage.Query{Tenant: "t", Field: "user", Value: "u", Prefix: true})
			return err
		},
		func() error { _, err := st.Sweep(t.Context()); return err },
		func() error { return st.Sessions.Delete(t.Context(), "t", "s") },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	w.report(t)
	db := directly(t, uri, name)
	for shape, command := range w.explainable() {
		reply, err := db.RunCommand(t.Context(), bson.D{
			{Key: "explain", Value: command}, {Key: "verbosity", Value: "queryPlanner"},
		}).Raw()
		if err != nil {
			t.Errorf("%s: explain: %v", shape, err)
			continue
		}
		plan := reply.String()
		for _, slow := range []string{`"COLLSCAN"`, `"SORT"`} {
			if strings.Contains(plan, slow) {
				t.Errorf("%s: the plan has a %s: %s", shape, slow, plan)
			}
		}
		if !strings.Contains(plan, `"indexName": "`+hintOf(command)+`"`) {
			t.Errorf("%s: the plan does not use %s: %s", shape, hintOf(command), plan)
		}
	}
}
