package storage_test

import (
	"context"
	"reflect"
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
		Tallies: table[storage.Tally]{}, Replies: table[storage.Reply]{},
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
