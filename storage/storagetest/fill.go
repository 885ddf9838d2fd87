package storagetest

import (
	"fmt"
	"hash/fnv"
	"reflect"
	"time"
)

// fill gives every field below v a value that is not its zero, the same for the same seed.
func fill(v reflect.Value, seed string) {
	h := fnv.New32a()
	h.Write([]byte(seed))
	n := int64(h.Sum32()%1_000_000) + 1
	fillPath(v, v.Type().Name(), &n)
}

var timeType = reflect.TypeFor[time.Time]()

func fillPath(v reflect.Value, path string, n *int64) {
	*n++
	switch {
	case v.Type() == timeType:
		v.Set(reflect.ValueOf(time.UnixMilli(1_700_000_000_000 + *n*1009).UTC()))
		return
	case v.Type() == reflect.TypeFor[[]byte]():
		v.SetBytes([]byte{0, 255, '"', '\\', byte(*n), byte(*n >> 8), byte(*n >> 16)})
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("%s é漢😀 \"'\\ $%d", path, *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64: // past 2^53, where a float would lose digits
		v.SetInt(1<<53 + 2**n + 1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fillPath(v.Index(i), path, n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			e := reflect.New(v.Type().Elem()).Elem()
			fillPath(e, path, n)
			v.SetMapIndex(reflect.ValueOf(fmt.Sprintf("key%d", *n)).Convert(v.Type().Key()), e)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillPath(v.Elem(), path, n)
	case reflect.Struct:
		for i := range v.NumField() {
			fillPath(v.Field(i), path+"."+v.Type().Field(i).Name, n)
		}
	default:
		// A new kind of field must be taught here, or nobody would check it.
		panic(fmt.Sprintf("storagetest: %s: can't fill a %s", path, v.Type()))
	}
}

// diff says where got differs from want, and nothing if it doesn't. Times must be the same instant, in UTC; an empty
// list or map equals one that is nil.
func diff(got, want any) string {
	return diffPath(reflect.ValueOf(got), reflect.ValueOf(want), reflect.TypeOf(want).Name())
}

func diffPath(got, want reflect.Value, path string) string {
	if want.Type() == timeType {
		g, w := got.Interface().(time.Time), want.Interface().(time.Time)
		if !g.Equal(w) || g.Location() != time.UTC {
			return fmt.Sprintf("%s: got %v, want %v", path, g, w)
		}
		return ""
	}
	switch want.Kind() {
	case reflect.Struct:
		for i := range want.NumField() {
			if d := diffPath(got.Field(i), want.Field(i), path+"."+want.Type().Field(i).Name); d != "" {
				return d
			}
		}
		return ""
	case reflect.Slice:
		if got.Len() != want.Len() {
			return fmt.Sprintf("%s: got %d elements, want %d", path, got.Len(), want.Len())
		}
		for i := range want.Len() {
			if d := diffPath(got.Index(i), want.Index(i), fmt.Sprintf("%s[%d]", path, i)); d != "" {
				return d
			}
		}
		return ""
	case reflect.Map:
		return diffMap(got, want, path)
	case reflect.Pointer:
		if got.IsNil() || want.IsNil() {
			if got.IsNil() != want.IsNil() {
				return fmt.Sprintf("%s: got %v, want %v", path, got, want)
			}
			return ""
		}
		return diffPath(got.Elem(), want.Elem(), path)
	default:
		if got.Interface() != want.Interface() {
			return fmt.Sprintf("%s: got %#v, want %#v", path, got.Interface(), want.Interface())
		}
		return ""
	}
}

func diffMap(got, want reflect.Value, path string) string {
	if got.Len() != want.Len() {
		return fmt.Sprintf("%s: got %d entries, want %d", path, got.Len(), want.Len())
	}
	for _, k := range want.MapKeys() {
		at := fmt.Sprintf("%s[%v]", path, k)
		g := got.MapIndex(k)
		if !g.IsValid() {
			return at + ": missing"
		}
		if d := diffPath(g, want.MapIndex(k), at); d != "" {
			return d
		}
	}
	return ""
}
