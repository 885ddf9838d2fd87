package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Every backend answers with these, wrapped or bare, and with nothing else for these causes.
// Any other error means that the question could not be answered; the caller refuses and says "try again".
var (
	// ErrNotFound: there is no such record, or it has expired, or it belongs to another tenant.
	ErrNotFound = errors.New("storage: not found")
	// ErrExists: a record with this tenant and ID is there already and has not expired.
	ErrExists = errors.New("storage: exists already")
	// ErrConflict: the record is gone, has expired, or was changed since it was read.
	ErrConflict = errors.New("storage: changed since it was read")
)

// Global is the tenant of what belongs to the whole deployment: tenants themselves, logins, clients,
// signing keys. No tenant's ID can equal it.
const Global = "-"

// Key is what every record starts with. Tenant and ID together are its natural key.
type Key struct {
	Tenant string `json:"tenant" bson:"tenant"`
	ID     string `json:"id" bson:"id"`
	// Version is 1 after Insert and grows by one with each Replace. Backends set it; callers leave it alone.
	Version int64 `json:"version" bson:"version"`
	// Expires is when the record stops being there; the zero time means never. It is part of every read:
	// a record past it is ErrNotFound, whether or not it was cleaned away.
	Expires time.Time `json:"expires,omitzero" bson:"expires"`
}

// Record gives backends the key of any noun.
func (k *Key) Record() *Key { return k }

// Noun is a type that can be kept: a struct that embeds Key and knows its Kind.
type Noun interface {
	Record() *Key
	Kind() Kind
}

// Kind describes to a backend how a noun is kept.
type Kind struct {
	// Name is the table's or collection's name: lower case, plural.
	Name string
	// Indexes are the JSON names of the top-level string fields that List can be asked for.
	Indexes []string
	// Expiring tells that records of this kind carry Expires and are worth sweeping.
	Expiring bool
}

// Row constrains a table's element to a struct whose pointer is a Noun.
type Row[T any] interface {
	*T
	Noun
}

// Table keeps the records of one noun. All methods are atomic by themselves, visible to every process once they
// return, and durable once a write has returned. Times are kept to the millisecond, in UTC.
// An empty tenant or ID is refused with an error that is none of the sentinels.
type Table[T any] interface {
	// Get reads one record. ErrNotFound.
	Get(ctx context.Context, tenant, id string) (T, error)
	// Insert adds a record and sets its Version to 1. ErrExists unless it is the first of its key;
	// a record that has expired does not stand in the way.
	Insert(ctx context.Context, t *T) error
	// Replace writes the record over the stored one and counts its Version up, in the store and in *t.
	// ErrConflict unless t.Version is the stored one: of many writers holding the same version exactly one succeeds.
	Replace(ctx context.Context, t *T) error
	// Delete removes the record. ErrNotFound: there was none, or somebody was first; of many exactly one succeeds.
	Delete(ctx context.Context, tenant, id string) error
	// List returns the records of one tenant that q describes, a page at a time, ordered by ID (bytewise).
	List(ctx context.Context, q Query) ([]T, error)
}

// Deriver is a noun with fields that follow from its others, for the sake of its indexes. Tables call Derive on a record
// before they write it, so that what stood in those fields does not matter.
type Deriver interface{ Derive() }

// Derive calls the Derive of a record that has one.
func Derive[T any](t *T) {
	if d, ok := any(t).(Deriver); ok {
		d.Derive()
	}
}

// Query asks for the records of one tenant, all or by one indexed field.
type Query struct {
	Tenant string
	// Field, if set, is one of the kind's Indexes, and only records whose field equals Value are listed.
	Field, Value string
	// Prefix lists the records whose field begins with Value, which is not empty then, ordered by the field and then the
	// ID (bytewise). There is no next page of them: After and Desc are refused. See Range.
	Prefix bool
	// After is the ID of the last record of the page before; empty starts at the beginning (with Desc, the end).
	After string
	// Limit is the largest number of records returned; 0 means 100, and more than 1,000 is cut to 1,000.
	Limit int
	// Desc lists from the highest ID down.
	Desc bool
}

// PageSize is the number of records a page of q holds at most.
func (q Query) PageSize() int {
	switch {
	case q.Limit <= 0:
		return 100
	case q.Limit > 1000:
		return 1000
	default:
		return q.Limit
	}
}

// Store is one database: a port for each noun. The zero Store keeps nothing; backends fill all of it.
type Store struct {
	Tenants     Table[Tenant]
	Users       Table[User]
	Logins      Table[Login]
	Credentials Table[Credential]
	Flows       Table[Flow]
	Sessions    Table[Session]
	Devices     Table[Device]
	Grants      Table[Grant]
	Clients     Table[Client]
	SigningKeys Table[SigningKey]
	Events      Table[Event]
	Counters    Table[Counter]
	Messages    Table[Message]
	Links       Table[Link]
	Webhooks    Table[Webhook]
	Deliveries  Table[Delivery]
	Tallies     Table[Tally]
	Replies     Table[Reply]
	Logos       Table[Logo]
	Uploads     Table[Upload]
	// DueDeliveries is the queue of Deliveries.
	DueDeliveries Table[DueDelivery]

	// Ping tells whether the database answers, reads and writes alike.
	Ping func(ctx context.Context) error
	// Sweep removes expired records until none is left or ctx ends, and says how many it removed.
	// Nothing depends on it but disk space.
	Sweep func(ctx context.Context) (removed int, err error)
	// Close releases the database after the writes under way are durable.
	Close func() error
}

// Check names every port and function that is missing. A store with a hole would serve until somebody falls in.
func (s Store) Check() error {
	var missing []string
	v := reflect.ValueOf(s)
	for i := range v.NumField() {
		if v.Field(i).IsNil() {
			missing = append(missing, v.Type().Field(i).Name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("storage: the store lacks %s", strings.Join(missing, ", "))
	}
	return nil
}

// NewID returns a fresh random identifier: 26 lower-case base32 characters, 130 bits from crypto/rand.
func NewID() string { return strings.ToLower(rand.Text()) }
