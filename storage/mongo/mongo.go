package mongo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/sallyport-id/sallyport/storage"
)

// Options say which database to use and how. Only URI is needed.
type Options struct {
	// URI is a connection string, such as mongodb://user:password@a,b,c/?replicaSet=rs0. Its w, journal,
	// readConcernLevel, readPreference, retryReads and retryWrites options have no effect.
	URI string
	// Database defaults to the one named in the URI, and else to "sallyport".
	Database string
	// Now is the clock that expiry goes by; nil is time.Now.
	Now func() time.Time
	// Logger is told of the connection and of index builds; nil is slog.Default().
	Logger *slog.Logger
	// Timeout bounds every operation whose context has no deadline; 0 means the URI's timeoutMS, and else 10 s.
	Timeout time.Duration
	// Monitor, if set, sees every command on its way out and back: for metrics and traces.
	Monitor *event.CommandMonitor
	// NoTTL builds plain indexes where MongoDB would have TTL indexes, for servers that can't build those. Expired
	// records then stay on disk until Store.Sweep removes them.
	NoTTL bool
}

const (
	defaultDatabase = "sallyport"
	defaultTimeout  = 10 * time.Second
	// selectTimeout is how long an operation waits for a primary: longer than an election on one site takes.
	selectTimeout = 5 * time.Second
	// closeTimeout is how long Close waits for the operations under way.
	closeTimeout = 15 * time.Second
)

// Open connects to the database, builds the indexes that are missing, and returns a store over it. It fails when the
// database does not answer, or has an index of ours that is not as it has to be; the error says what to do, and
// never holds the password.
func Open(ctx context.Context, o Options) (storage.Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	co, err := clientOptions(o)
	if err != nil {
		return storage.Store{}, err
	}
	database, err := databaseName(o)
	if err != nil {
		return storage.Store{}, err
	}
	client, err := mongo.Connect(co)
	if err != nil {
		return storage.Store{}, fmt.Errorf("storage/mongo: set up a client for %s: %w", hosts(co), err)
	}
	b := &backend{client: client, db: client.Database(database), options: o}
	st := b.store()
	if err := b.start(ctx, hosts(co), st.Tenants); err != nil {
		return storage.Store{}, errors.Join(err, b.close())
	}
	return st, nil
}

// clientOptions turns o into the driver's options.
func clientOptions(o Options) (*options.ClientOptions, error) {
	if err := checkURI(o.URI); err != nil {
		return nil, err
	}
	co := options.Client().ApplyURI(o.URI)
	if co.AppName == nil {
		co.SetAppName("sallyport")
	}
	if o.Timeout > 0 {
		co.SetTimeout(o.Timeout)
	} else if co.Timeout == nil || *co.Timeout <= 0 {
		co.SetTimeout(defaultTimeout) // 0 in the URI would mean to wait for ever
	}
	if co.ServerSelectionTimeout == nil {
		co.SetServerSelectionTimeout(selectTimeout)
	}
	if co.ConnectTimeout == nil {
		co.SetConnectTimeout(selectTimeout)
	}
	// What is spent once must not be read stale, nor come back after a failover: a write counts when the journals of
	// a majority have it, and reads see only such writes, at the primary. A primary that was cut off and does not know
	// it yet can still answer a read with what was true a moment ago; linearizable reads would close that gap but are
	// not needed, since everything is spent by a conditional write, which such a primary can't get acknowledged.
	journal := true
	co.SetWriteConcern(&writeconcern.WriteConcern{W: writeconcern.WCMajority, Journal: &journal})
	co.SetReadConcern(readconcern.Majority())
	co.SetReadPreference(readpref.Primary())
	// Without this, a write whose answer is lost on the way back would be taken for one that was not done. The server
	// knows a repeated write by its transaction number, so that it is done once.
	co.SetRetryWrites(true)
	co.SetRetryReads(true)
	if o.Monitor != nil {
		co.SetMonitor(o.Monitor)
	}
	return co, nil
}

// backend is one open database.
type backend struct {
	client  *mongo.Client
	db      *mongo.Database
	options Options
	closing sync.Once
	closed  error
	// sweepers are the tables whose records expire; kinds are all of them.
	sweepers []func(ctx context.Context) (int, error)
	kinds    []storage.Kind
	// refills are by the name of the kind, for those whose nouns derive fields.
	refills map[string]func(ctx context.Context, tenants storage.Table[storage.Tenant]) error
}

// store fills every port.
func (b *backend) store() storage.Store {
	b.refills = make(map[string]func(context.Context, storage.Table[storage.Tenant]) error)
	return storage.Store{
		Tenants:       open[storage.Tenant](b),
		Users:         open[storage.User](b),
		Logins:        open[storage.Login](b),
		Credentials:   open[storage.Credential](b),
		Flows:         open[storage.Flow](b),
		Sessions:      open[storage.Session](b),
		Devices:       open[storage.Device](b),
		Grants:        open[storage.Grant](b),
		Clients:       open[storage.Client](b),
		SigningKeys:   open[storage.SigningKey](b),
		Events:        open[storage.Event](b),
		Counters:      open[storage.Counter](b),
		Messages:      open[storage.Message](b),
		Links:         open[storage.Link](b),
		Webhooks:      open[storage.Webhook](b),
		Deliveries:    open[storage.Delivery](b),
		Tallies:       open[storage.Tally](b),
		Replies:       open[storage.Reply](b),
		Logos:         open[storage.Logo](b),
		Uploads:       open[storage.Upload](b),
		DueDeliveries: open[storage.DueDelivery](b),
		Ping:          b.ping,
		Sweep:         b.sweep,
		Close:         b.close,
	}
}

// open gives the table of a noun and notes its kind.
func open[T any, P storage.Row[T]](b *backend) *table[T, P] {
	kind := P(new(T)).Kind()
	t := &table[T, P]{coll: b.db.Collection(kind.Name), kind: kind, now: b.options.Now}
	b.kinds = append(b.kinds, kind)
	if kind.Expiring {
		b.sweepers = append(b.sweepers, t.sweep)
	}
	if _, ok := any(new(T)).(storage.Deriver); ok {
		b.refills[kind.Name] = t.refill
	}
	return t
}

// start asks the server who it is, and sees to the indexes.
func (b *backend) start(ctx context.Context, hosts string, tenants storage.Table[storage.Tenant]) error {
	var hello struct {
		SetName string `bson:"setName"`
		Message string `bson:"msg"`
	}
	if err := b.client.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		return explainConnect(hosts, b.db.Name(), err)
	}
	if hello.SetName == "" && hello.Message != "isdbgrid" {
		b.options.Logger.WarnContext(ctx, "MongoDB is neither a replica set nor a sharded cluster: "+
			"what it acknowledged is lost with its disk", "hosts", hosts)
	}
	for _, kind := range b.kinds {
		if err := b.buildIndexes(ctx, kind, tenants); err != nil {
			return err
		}
	}
	b.options.Logger.InfoContext(ctx, "connected to MongoDB",
		"hosts", hosts, "database", b.db.Name(), "replica_set", hello.SetName)
	return nil
}

// ping reads and writes. The delete matches nothing, since versions begin at 1, but it is answered only when there is
// a primary that a majority follows.
func (b *backend) ping(ctx context.Context) error {
	coll := b.db.Collection(storage.Counter{}.Kind().Name)
	filter := bson.D{
		{Key: "_id", Value: naturalKey(storage.Global, "ping")},
		{Key: "tenant", Value: storage.Global},
		{Key: "version", Value: int64(0)},
	}
	err := coll.FindOne(ctx, filter, options.FindOne().SetHint(primaryIndex)).Err()
	if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		return fmt.Errorf("storage/mongo: ping by a read: %w", err)
	}
	if _, err := coll.DeleteOne(ctx, filter, options.DeleteOne().SetHint(primaryIndex)); err != nil {
		return fmt.Errorf("storage/mongo: ping by a write: %w", err)
	}
	return nil
}

func (b *backend) sweep(ctx context.Context) (removed int, err error) {
	for _, sweep := range b.sweepers {
		n, err := sweep(ctx)
		removed += n
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// close waits for the operations under way. Called again, it says what it said the first time.
func (b *backend) close() error {
	b.closing.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if err := b.client.Disconnect(ctx); err != nil {
			b.closed = fmt.Errorf("storage/mongo: close: %w", err)
		}
	})
	return b.closed
}
