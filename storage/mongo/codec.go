package mongo

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// maxDocument is the server's limit for one document, in bytes.
const maxDocument = 16 << 20

// errNotText marks a string that is not UTF-8, which BSON strings have to be.
var errNotText = errors.New("not valid UTF-8")

// naturalKey joins tenant and ID to the _id, so that it is unique over all shards. A slash in the tenant is escaped,
// or tenant "a/b" could take the key of ID "b/c" in tenant "a"; the ID is left as it is, so that within a tenant
// _id sorts as the ID does.
func naturalKey(tenant, id string) string { return tenantEscape.Replace(tenant) + "/" + id }

var tenantEscape = strings.NewReplacer("%", "%25", "/", "%2F")

// document is how a record is kept: the noun's fields beside the _id.
type document[T any] struct {
	NaturalKey string `bson:"_id"`
	Row        T      `bson:",inline"`
}

// registry is shared, since it caches what it learns of the structs.
var registry = newRegistry()

// newRegistry makes one that writes the zero time as null. A date in the year 1 would read as "expired long ago" to
// the TTL index, and to every query that compares it.
func newRegistry() *bson.Registry {
	r := bson.NewRegistry()
	r.RegisterTypeEncoder(reflect.TypeFor[time.Time](), bson.ValueEncoderFunc(
		func(_ bson.EncodeContext, vw bson.ValueWriter, v reflect.Value) error {
			t, ok := reflect.TypeAssert[time.Time](v)
			switch {
			case !ok:
				return fmt.Errorf("%s is no time.Time", v.Type())
			case t.IsZero():
				return vw.WriteNull()
			default:
				return vw.WriteDateTime(int64(bson.NewDateTimeFromTime(t)))
			}
		}))
	return r
}

// encode turns a record into what is stored, and refuses what the server would refuse or spoil.
func encode[T any](tenant, id string, row T) (bson.Raw, error) {
	var buf bytes.Buffer
	e := bson.NewEncoder(bson.NewDocumentWriter(&buf))
	e.SetRegistry(registry)
	e.UseJSONStructTags()
	if err := e.Encode(document[T]{NaturalKey: naturalKey(tenant, id), Row: row}); err != nil {
		return nil, err
	}
	if buf.Len() > maxDocument {
		return nil, fmt.Errorf("the record has %d bytes, %d is the most that MongoDB keeps in one", buf.Len(), maxDocument)
	}
	raw := bson.Raw(buf.Bytes())
	if err := checkText(raw); err != nil {
		return nil, err
	}
	return raw, nil
}

// decode is the reverse of encode.
func decode[T any](raw bson.Raw) (T, error) {
	// The decoder believes the lengths it reads, and would set aside gigabytes for a torn document.
	if err := raw.Validate(); err != nil {
		var none T
		return none, err
	}
	d := bson.NewDecoder(bson.NewDocumentReader(bytes.NewReader(raw)))
	d.UseJSONStructTags()
	var doc document[T]
	err := d.Decode(&doc)
	return doc.Row, err
}

// checkText looks through all names and strings. The server does not: it would keep any bytes, and other programs
// then could not read the collection.
func checkText(doc bson.Raw) error {
	elements, err := doc.Elements()
	if err != nil {
		return err
	}
	for _, e := range elements {
		if !utf8.ValidString(e.Key()) {
			return fmt.Errorf("the field name %q: %w", e.Key(), errNotText)
		}
		switch v := e.Value(); v.Type {
		case bson.TypeString:
			if !utf8.ValidString(v.StringValue()) {
				return fmt.Errorf("the field %q: %w", e.Key(), errNotText)
			}
		case bson.TypeEmbeddedDocument, bson.TypeArray:
			if err := checkText(bson.Raw(v.Value)); err != nil {
				return fmt.Errorf("in %q: %w", e.Key(), err)
			}
		}
	}
	return nil
}
