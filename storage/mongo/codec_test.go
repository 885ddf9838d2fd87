package mongo

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/sallyport-id/sallyport/storage"
)

func TestZeroTimesAreNull(t *testing.T) {
	raw, err := encode("t", "a", storage.Flow{
		Key: storage.Key{Tenant: "t", ID: "a"}, Enrolling: &storage.Enrolling{}, Proofs: []storage.Proof{{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range [][]string{{"expires"}, {"created"}, {"enrolling", "at"}, {"proofs", "0", "at"}} {
		if got := raw.Lookup(path...).Type; got != bson.TypeNull {
			t.Errorf("%v is of type %v, want null", path, got)
		}
	}
	flow, err := decode[storage.Flow](raw)
	if err != nil {
		t.Fatal(err)
	}
	if !flow.Expires.IsZero() || !flow.Created.IsZero() || !flow.Proofs[0].At.IsZero() {
		t.Errorf("the zero time comes back as %v, %v, %v", flow.Expires, flow.Created, flow.Proofs[0].At)
	}
}

func TestTimesAreUTCMilliseconds(t *testing.T) {
	zone := time.FixedZone("east", 5*3600)
	for _, in := range []time.Time{
		time.Date(2026, 1, 2, 3, 4, 5, 678_999_999, zone),
		time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999_000_000, time.UTC),
	} {
		raw, err := encode("t", "a", storage.Counter{Key: storage.Key{Tenant: "t", ID: "a"}, Until: in})
		if err != nil {
			t.Fatal(err)
		}
		c, err := decode[storage.Counter](raw)
		if err != nil {
			t.Fatal(err)
		}
		if want := in.UTC().Truncate(time.Millisecond); c.Until != want {
			t.Errorf("%v comes back as %v, want %v", in, c.Until, want)
		}
	}
}

func TestTooLarge(t *testing.T) {
	c := storage.Message{Key: storage.Key{Tenant: "t", ID: "a"}, Text: strings.Repeat("x", maxDocument-1000)}
	if _, err := encode("t", "a", c); err != nil {
		t.Errorf("just below the limit: %v", err)
	}
	c.Text += strings.Repeat("x", 1000)
	if _, err := encode("t", "a", c); err == nil || !strings.Contains(err.Error(), "16777216") {
		t.Errorf("above the limit: %v, want an error that tells it", err)
	}
}

// TestNotText puts bytes that are no UTF-8 wherever a string can stand.
func TestNotText(t *testing.T) {
	const bad = "a\xffb"
	key := storage.Key{Tenant: "t", ID: "a"}
	for name, encode := range map[string]func() (bson.Raw, error){
		"id":     func() (bson.Raw, error) { return encode("t", bad, storage.Counter{Key: key}) },
		"tenant": func() (bson.Raw, error) { return encode(bad, "a", storage.Counter{Key: key}) },
		"field":  func() (bson.Raw, error) { return encode("t", "a", storage.User{Key: key, Name: bad}) },
		"list": func() (bson.Raw, error) {
			return encode("t", "a", storage.Session{Key: key, Clients: []string{"b", bad}})
		},
		"struct": func() (bson.Raw, error) {
			return encode("t", "a", storage.Flow{Key: key, Enrolling: &storage.Enrolling{Factor: bad}})
		},
		"map key": func() (bson.Raw, error) {
			return encode("t", "a", storage.Flow{Key: key, Pending: map[string]storage.Pending{bad: {}}})
		},
		"in lists": func() (bson.Raw, error) {
			return encode("t", "a", storage.Flow{Key: key, Proofs: []storage.Proof{{AMR: []string{bad}}}})
		},
	} {
		if _, err := encode(); !errors.Is(err, errNotText) {
			t.Errorf("%s: %v, want %v", name, err, errNotText)
		}
	}
	if _, err := encode("t", "a", storage.Credential{Key: key, Data: []byte(bad)}); err != nil {
		t.Errorf("bytes are no text and need not be: %v", err)
	}
}

// FuzzNaturalKey looks for two keys that become one, and for an order that is not that of the IDs.
func FuzzNaturalKey(f *testing.F) {
	f.Add("a", "b/c", "a/b", "c")
	f.Add("a%2Fb", "c", "a/b", "c")
	f.Add("a%", "2Fb/c", "a%2Fb", "c")
	f.Add("t", "a", "t", "b")
	f.Fuzz(func(t *testing.T, tenant1, id1, tenant2, id2 string) {
		key1, key2 := naturalKey(tenant1, id1), naturalKey(tenant2, id2)
		if (key1 == key2) != (tenant1 == tenant2 && id1 == id2) {
			t.Errorf("(%q, %q) and (%q, %q) become %q and %q", tenant1, id1, tenant2, id2, key1, key2)
		}
		if tenant1 == tenant2 && (key1 < key2) != (id1 < id2) {
			t.Errorf("%q and %q sort otherwise than %q and %q", key1, key2, id1, id2)
		}
	})
}

// FuzzRecord wants every record that is taken to come back as it was.
func FuzzRecord(f *testing.F) {
	f.Add("t", "a", "name", "type", []byte("data"), int64(1), int64(1_700_000_000_000))
	f.Add("", "\x00", "é漢😀", "$gt", []byte(nil), int64(-1), int64(-62135596800000))
	f.Add("t", "\xff", "a.b", "", []byte{0, 255}, int64(1)<<62, int64(0))
	f.Fuzz(func(t *testing.T, tenant, id, name, factor string, data []byte, version, at int64) {
		in := storage.Credential{
			Key:  storage.Key{Tenant: tenant, ID: id, Version: version},
			Name: name, Factor: factor, Data: data, Created: time.UnixMilli(at).UTC(),
		}
		raw, err := encode(tenant, id, in)
		if err != nil {
			if !errors.Is(err, errNotText) {
				t.Fatal(err)
			}
			return
		}
		out, err := decode[storage.Credential](raw)
		if err != nil {
			t.Fatal(err)
		}
		if len(in.Data) == 0 {
			in.Data, out.Data = nil, nil
		}
		if !reflect.DeepEqual(in, out) {
			t.Errorf("%+v comes back as %+v", in, out)
		}
	})
}

func FuzzDecode(f *testing.F) {
	raw, err := encode("t", "a", storage.Flow{
		Key: storage.Key{Tenant: "t", ID: "a"}, Pending: map[string]storage.Pending{"totp": {State: []byte("s")}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(raw))
	f.Add([]byte(raw[:len(raw)/2]))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if flow, err := decode[storage.Flow](b); err == nil {
			if _, err := encode(flow.Tenant, flow.ID, flow); err != nil && !errors.Is(err, errNotText) {
				t.Errorf("%+v was read and can't be written: %v", flow, err)
			}
		}
	})
}
