package web

import (
	"encoding/json"
	"reflect"
)

// withoutNilSlices returns v with every nil slice that JSON would show as null
// replaced by an empty one. It copies what it changes: handlers may answer with
// what others read at the same time.
func withoutNilSlices[T any](v T) T {
	r := reflect.ValueOf(&v).Elem()
	if fixed, changed := filled(r); changed {
		r.Set(fixed)
	}
	return v
}

var marshaler = reflect.TypeFor[json.Marshaler]()

// filled returns a copy of v without nil slices, or false if v has none.
func filled(v reflect.Value) (reflect.Value, bool) {
	switch v.Kind() {
	case reflect.Slice:
		return filledSlice(v)
	case reflect.Struct:
		return filledStruct(v)
	case reflect.Map:
		return filledMap(v)
	case reflect.Pointer:
		if inner, changed := fillInner(v); changed {
			p := reflect.New(v.Type().Elem())
			p.Elem().Set(inner)
			return p, true
		}
	case reflect.Interface:
		if inner, changed := fillInner(v); changed {
			return inner.Convert(v.Type()), true
		}
	}
	return v, false
}

func fillInner(v reflect.Value) (reflect.Value, bool) {
	if v.IsNil() {
		return v, false
	}
	return filled(v.Elem())
}

func filledSlice(v reflect.Value) (reflect.Value, bool) {
	if v.IsNil() {
		if v.Type().Elem().Kind() == reflect.Uint8 || v.Type().Implements(marshaler) {
			return v, false
		}
		return reflect.MakeSlice(v.Type(), 0, 0), true
	}
	if k := v.Type().Elem().Kind(); k <= reflect.Complex128 || k == reflect.String {
		return v, false
	}
	out, copied := v, false
	for i := range v.Len() {
		if item, changed := filled(v.Index(i)); changed {
			if !copied {
				out, copied = reflect.MakeSlice(v.Type(), v.Len(), v.Len()), true
				reflect.Copy(out, v)
			}
			out.Index(i).Set(item)
		}
	}
	return out, copied
}

func filledStruct(v reflect.Value) (reflect.Value, bool) {
	out, copied := v, false
	var fill func(src reflect.Value, path []int)
	fill = func(src reflect.Value, path []int) {
		for i := range src.NumField() {
			f, at := src.Type().Field(i), append(path, i)
			if f.Anonymous && !f.IsExported() && f.Type.Kind() == reflect.Struct {
				fill(src.Field(i), at) // JSON shows its fields as the outer one's
				continue
			}
			if !f.IsExported() {
				continue
			}
			field, changed := filled(src.Field(i))
			if !changed {
				continue
			}
			if !copied {
				out, copied = reflect.New(v.Type()).Elem(), true
				out.Set(v)
			}
			out.FieldByIndex(at).Set(field)
		}
	}
	fill(v, nil)
	return out, copied
}

func filledMap(v reflect.Value) (reflect.Value, bool) {
	out, copied := v, false
	for key, value := range v.Seq2() {
		if item, changed := filled(value); changed {
			if !copied {
				out, copied = reflect.MakeMapWithSize(v.Type(), v.Len()), true
				for k, old := range v.Seq2() {
					out.SetMapIndex(k, old)
				}
			}
			out.SetMapIndex(key, item)
		}
	}
	return out, copied
}
