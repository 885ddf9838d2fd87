package storage_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/storage"
)

// table is a port that is there.
type table[T any] struct{ storage.Table[T] }

func whole() storage.Store {
	return storage.Store{
		Tenants: table[storage.Tenant]{}, Users: table[storage.User]{}, Logins: table[storage.Login]{},
		Credentials: table[storage.Credential]{}, Flows: table[storage.Flow]{}, Sessions: table[storage.Session]{},
		Devices: table[storage.Device]{}, Grants: table[storage.Grant]{}, Clients: table[storage.Client]{},
		SigningKeys: table[storage.SigningKey]{}, Events: table[storage.Event]{}, Counters: table[storage.Counter]{},
		Messages: table[storage.Message]{}, Links: table[storage.Link]{},
		Webhooks: table[storage.Webhook]{}, Deliveries: table[storage.Delivery]{}, DueDeliveries: table[storage.DueDelivery]{},
		Tallies: table[storage.Tally]{}, Replies: table[storage.Reply]{}, Logos: table[storage.Logo]{}, Uploads: table[storage.Upload]{},
		Ping:  func(context.Context) error { return nil },
		Sweep: func(context.Context) (int, error) { return 0, nil },
		Close: func() error { return nil },
	}
}

func TestStoreCheckNamesWhatIsMissing(t *testing.T) {
	if err := whole().Check(); err != nil {
		t.Error(err)
	}
	all := reflect.TypeFor[storage.Store]()
	for i := range all.NumField() {
		s, name := whole(), all.Field(i).Name
		reflect.ValueOf(&s).Elem().Field(i).SetZero()
		if err := s.Check(); err == nil || !strings.HasSuffix(err.Error(), " lacks "+name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
	s := whole()
	s.Users, s.Sweep = nil, nil
	if err := s.Check(); err == nil || !strings.HasSuffix(err.Error(), " lacks Users, Sweep") {
		t.Errorf("without two: %v", err)
	}
}

// listing is a table that lists and nothing else.
type listing struct {
	storage.Table[storage.Counter]
	all []storage.Counter
}

func (l listing) List(_ context.Context, q storage.Query) ([]storage.Counter, error) {
	from := slices.IndexFunc(l.all, func(c storage.Counter) bool { return c.ID > q.After })
	if from < 0 {
		return nil, nil
	}
	return l.all[from:min(from+q.PageSize(), len(l.all))], nil
}

// A table that does not count is read, page by page, and one that does is asked.
func TestCount(t *testing.T) {
	var l listing
	for i := range 2500 {
		l.all = append(l.all, storage.Counter{Key: storage.Key{Tenant: "t", ID: fmt.Sprintf("%04d", i)}})
	}
	q := storage.Query{Tenant: "t", After: "0100", Limit: 7, Desc: true}
	if n, err := storage.Count(t.Context(), l, q); n != 2500 || err != nil {
		t.Errorf("read: %d, %v", n, err)
	}
	if n, err := storage.Count(t.Context(), counting{l}, q); n != 42 || err != nil {
		t.Errorf("asked: %d, %v", n, err)
	}
	q = storage.Query{Tenant: "t", Field: "user", Value: "a", Prefix: true}
	if n, err := storage.Count(t.Context(), l, q); err == nil {
		t.Errorf("by prefix: %d and no error", n)
	}
}

type counting struct{ listing }

func (counting) Count(context.Context, storage.Query) (int, error) { return 42, nil }
