// Package storagetest checks that a storage backend keeps every promise of package storage.
package storagetest
