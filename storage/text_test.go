package storage_test

import (
	"testing"

	"github.com/sallyport-id/sallyport/storage"
)

func TestUnprintable(t *testing.T) {
	for _, r := range "\x00\t\n\r\x1b\x7f\u0085\u061c\u200e\u202a\u202e\u2028\u2029\u2066\u2069" {
		if !storage.Unprintable(r) {
			t.Errorf("%U can be printed", r)
		}
	}
	for _, r := range "aß 1“…\u00a0\u200d漢א🔑\ufffd" {
		if storage.Unprintable(r) {
			t.Errorf("%U can't be printed", r)
		}
	}
}
