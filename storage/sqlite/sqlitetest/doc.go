// Package sqlitetest opens stores for tests that need one and don't test it.
package sqlitetest
