package oidc

import (
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// cached reads through a table, for what hardly changes and is needed at every request.
func cached[T any, P storage.Row[T]](table storage.Table[T], now func() time.Time, life time.Duration) *storage.Cached[T, P] {
	return &storage.Cached[T, P]{Table: table, Now: now, Life: life}
}
