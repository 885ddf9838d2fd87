package storage_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/sallyport-id/sallyport/storage"
)

func TestRetry(t *testing.T) {
	first := fmt.Errorf("directory: rename: %w", storage.ErrConflict)
	gone := errors.New("gone")
	for name, test := range map[string]struct {
		// errs are what the tries end with, one after another; the last one stays.
		errs  []error
		tries int
		want  error
	}{
		"nobody was first":        {[]error{nil}, 1, nil},
		"others were first twice": {[]error{first, first, nil}, 3, nil},
		"others are always first": {[]error{first}, 6, storage.ErrConflict},
		"an error ends it":        {[]error{gone}, 1, gone},
		"an error ends it later":  {[]error{first, gone, nil}, 2, gone},
		"names are no conflict":   {[]error{storage.ErrExists, nil}, 1, storage.ErrExists},
	} {
		t.Run(name, func(t *testing.T) {
			tries := 0
			err := storage.Retry(func() error {
				err := test.errs[min(tries, len(test.errs)-1)]
				tries++
				return err
			})
			if !errors.Is(err, test.want) || tries != test.tries {
				t.Errorf("after %d tries: %v; want %v after %d", tries, err, test.want, test.tries)
			}
		})
	}
}
