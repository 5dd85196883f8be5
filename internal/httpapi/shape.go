package httpapi

import (
	"reflect"
	"time"
)

// hiddenEmbed finds a struct type that is embedded without being exported,
// anywhere in t. huma leaves the fields of such a struct out, of inputs and of
// the OpenAPI document, without a word: the operation is refused instead.
func hiddenEmbed(t reflect.Type, seen map[reflect.Type]bool) string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map || t.Kind() == reflect.Array {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] || t == reflect.TypeFor[time.Time]() {
		return ""
	}
	seen[t] = true
	for f := range t.Fields() {
		if f.Anonymous && !f.IsExported() {
			return t.String() + " embeds " + f.Type.String()
		}
		if !f.IsExported() {
			continue
		}
		if found := hiddenEmbed(f.Type, seen); found != "" {
			return found
		}
	}
	return ""
}

// requireVisible panics, at start, if huma would not see all of T.
func requireVisible[T any](operationID string) {
	if found := hiddenEmbed(reflect.TypeFor[T](), map[reflect.Type]bool{}); found != "" {
		panic("httpapi: operation " + operationID + ": " + found + ": export the embedded type, or huma drops its fields")
	}
}
