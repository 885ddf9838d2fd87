package mongo

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
)

// TestBadURI wants each mistake named, and the password never.
func TestBadURI(t *testing.T) {
	for _, c := range []struct{ uri, want string }{
		{"", `must begin with "mongodb://"`},
		{"localhost:27017", `must begin with "mongodb://"`},
		{"postgres://app:hunter2@db/x", `must begin with "mongodb://"`},
		{"mongodb://app:hunter2@", "host"},
		{"mongodb://app:hunter2@db:99999/", "port"},
		{"mongodb://app:hun@ter2@db/", "percent-encoded"},
		{"mongodb://app:hun/ter2@db/", "percent-encoded"},
		{"mongodb://app:hun:ter2@db/", "percent-encoded"},
		{"mongodb://app:hun%ter2@db/", "percent-encoded"},
		{"mongodb://app:hunter2@db/?connectTimeoutMS=soon", "connectTimeoutMS"},
		{"mongodb://app:hunter2@db/?replicaSet=a&loadBalanced=true", "replica set"},
		{"mongodb://app:hunter2@db/a%2Fb", "database name"},
		{"mongodb://app:hunter2@db/a.b", "database name"},
	} {
		_, err := Open(t.Context(), Options{URI: c.uri})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error about %q", c.uri, err, c.want)
			continue
		}
		for _, secret := range []string{"hunter2", "ter2", "hun@", "hun/"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error tells the password: %v", c.uri, err)
			}
		}
	}
}

func TestDatabaseName(t *testing.T) {
	for _, c := range []struct{ uri, database, want string }{
		{"mongodb://a,b:27018", "", "sallyport"},
		{"mongodb://a/?replicaSet=rs0", "", "sallyport"},
		{"mongodb://u:p@a,b/accounts?authSource=admin", "", "accounts"},
		{"mongodb://u:p@a/accounts", "other", "other"},
		{"mongodb://%2Ftmp%2Fx.sock/?maxPoolSize=1", "", "sallyport"},
	} {
		if got, err := databaseName(Options{URI: c.uri, Database: c.database}); err != nil || got != c.want {
			t.Errorf("%s with %q: %q, %v, want %q", c.uri, c.database, got, err, c.want)
		}
	}
	if _, err := databaseName(Options{Database: strings.Repeat("x", 64)}); err == nil {
		t.Error("a name of 64 bytes passes")
	}
}

// TestConcernsStand shows that a connection string can't weaken what single use rests on.
func TestConcernsStand(t *testing.T) {
	co, err := clientOptions(Options{
		URI: "mongodb://db/?w=1&journal=false&readConcernLevel=local&readPreference=nearest&retryWrites=false&timeoutMS=0",
	})
	if err != nil {
		t.Fatal(err)
	}
	if w := co.WriteConcern; w.W != "majority" || w.Journal == nil || !*w.Journal {
		t.Errorf("write concern %+v", w)
	}
	if *co.ReadConcern != *readconcern.Majority() || co.ReadPreference.Mode() != readpref.PrimaryMode {
		t.Errorf("read concern %+v, preference %v", co.ReadConcern, co.ReadPreference)
	}
	if !*co.RetryWrites || *co.Timeout != defaultTimeout {
		t.Errorf("retry %v, timeout %v", *co.RetryWrites, *co.Timeout)
	}
	co, err = clientOptions(Options{URI: "mongodb://db/?timeoutMS=3000&appName=other&serverSelectionTimeoutMS=100"})
	if err != nil {
		t.Fatal(err)
	}
	if *co.Timeout != 3*time.Second || *co.AppName != "other" || *co.ServerSelectionTimeout != 100*time.Millisecond {
		t.Errorf("what the URI asks for is lost: %v, %q, %v", *co.Timeout, *co.AppName, *co.ServerSelectionTimeout)
	}
}

// TestNobodyAnswers opens databases that are not there: a port where nobody listens, and one where somebody takes the
// connection and stays silent.
func TestNobodyAnswers(t *testing.T) {
	silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for name, addr := range map[string]string{"Closed": closed.Addr().String(), "Silent": silent.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			_, err := Open(t.Context(), Options{
				URI:      fmt.Sprintf("mongodb://app:hunter2@%s/accounts?serverSelectionTimeoutMS=300&connectTimeoutMS=300", addr),
				Database: "accounts", Logger: slog.New(slog.DiscardHandler),
			})
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			if err == nil {
				t.Fatal("opened")
			}
			for _, want := range []string{"no connection to MongoDB at " + addr, `database "accounts"`, "check that it is running"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
	t.Run("CallerGone", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Open(ctx, Options{URI: "mongodb://" + closed.Addr().String()}); err == nil {
			t.Error("opened for a caller who has gone")
		}
	})
}

func TestExplainConnect(t *testing.T) {
	for _, c := range []struct {
		code int32
		want string
	}{{codeAuthenticationFailed, "refused the user name or password"}, {codeUnauthorized, `role readWrite on "accounts"`}} {
		err := explainConnect("db:27017", "accounts", mongo.CommandError{Code: c.code, Message: "no"})
		if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "db:27017") {
			t.Errorf("code %d: %v, want %q", c.code, err, c.want)
		}
	}
}
