package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// codec turns one noun into its columns and back.
type codec[N any, P storage.Row[N]] struct {
	// fields are the places of the kind's indexed fields in the struct.
	fields []int
	cut    cutter
}

func newCodec[N any, P storage.Row[N]](kind storage.Kind) (codec[N, P], error) {
	typ := reflect.TypeFor[N]()
	c := codec[N, P]{cut: newCutter(typ)}
	for _, name := range kind.Indexes {
		at := -1
		for i := range typ.NumField() {
			tag, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if tag == name && typ.Field(i).Type.Kind() == reflect.String {
				at = i
			}
		}
		if at < 0 {
			return c, fmt.Errorf("storage/sqlite: %s has no string field %q to index", typ, name)
		}
		c.fields = append(c.fields, at)
	}
	return c, nil
}

// encode gives the document, without the key, which has columns of its own.
func (c codec[N, P]) encode(n *N) ([]byte, error) {
	body := *n
	*P(&body).Record() = storage.Key{}
	return json.Marshal(&body)
}

func (c codec[N, P]) appendFields(values []driver.Value, n *N) []driver.Value {
	v := reflect.ValueOf(n).Elem()
	for _, i := range c.fields {
		values = append(values, v.Field(i).String())
	}
	return values
}

func (c codec[N, P]) decode(n *N, key storage.Key, doc []byte) error {
	if err := json.Unmarshal(doc, n); err != nil {
		return err
	}
	*P(n).Record() = key
	if c.cut != nil {
		c.cut(reflect.ValueOf(n).Elem())
	}
	return nil
}

// keyAndDoc reads the columns version, expires, doc.
func keyAndDoc(key *storage.Key, row []driver.Value) (doc []byte, err error) {
	version, ok1 := row[0].(int64)
	expires, ok2 := row[1].(int64)
	doc, ok3 := row[2].([]byte)
	if !ok1 || !ok2 || !ok3 {
		return nil, fmt.Errorf("version, expires and doc are %T, %T and %T", row[0], row[1], row[2])
	}
	key.Version, key.Expires = version, fromMillis(expires)
	return doc, nil
}

// never stands in the column for a record that does not expire, so that one comparison answers for all.
const never = math.MaxInt64

func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return never
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == never {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// cutter cuts every time below a value to the millisecond, in UTC. It is made once for each type and is nil where
// there is no time.
type cutter func(v reflect.Value)

func newCutter(typ reflect.Type) cutter {
	if typ == reflect.TypeFor[time.Time]() {
		return func(v reflect.Value) {
			t := v.Addr().Interface().(*time.Time) //nolint:errcheck // Its type was compared above.
			*t = t.UTC().Truncate(time.Millisecond)
		}
	}
	switch typ.Kind() {
	case reflect.Struct:
		return structCutter(typ)
	case reflect.Slice:
		each := newCutter(typ.Elem())
		if each == nil {
			return nil
		}
		return func(v reflect.Value) {
			for i := range v.Len() {
				each(v.Index(i))
			}
		}
	case reflect.Pointer:
		each := newCutter(typ.Elem())
		if each == nil {
			return nil
		}
		return func(v reflect.Value) {
			if !v.IsNil() {
				each(v.Elem())
			}
		}
	case reflect.Map:
		return mapCutter(typ)
	default:
		return nil
	}
}

func structCutter(typ reflect.Type) cutter {
	type part struct {
		i   int
		cut cutter
	}
	var parts []part
	for i := range typ.NumField() {
		if cut := newCutter(typ.Field(i).Type); cut != nil {
			parts = append(parts, part{i, cut})
		}
	}
	if parts == nil {
		return nil
	}
	return func(v reflect.Value) {
		for _, p := range parts {
			p.cut(v.Field(p.i))
		}
	}
}

// mapCutter writes each value back, for a map's values have no address.
func mapCutter(typ reflect.Type) cutter {
	each := newCutter(typ.Elem())
	if each == nil {
		return nil
	}
	return func(v reflect.Value) {
		for _, k := range v.MapKeys() {
			e := reflect.New(typ.Elem()).Elem()
			e.Set(v.MapIndex(k))
			each(e)
			v.SetMapIndex(k, e)
		}
	}
}
