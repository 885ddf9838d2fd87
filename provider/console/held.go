package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/transfer"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

const (
	// holdFor is how long a file waits for the yes.
	holdFor = 30 * time.Minute
	// holdPiece is how much of a file is sealed at a time, in bytes: keys.Open takes sealed texts of up to 64 KiB, which are
	// 4/3 of what is in them.
	holdPiece = 32 << 10
)

// held is a file that was checked and waits for the yes.
type held struct {
	format transfer.Format
	update bool
	lines  int
	data   []byte
}

// hold keeps a file, sealed, in the place of one that the same user brought before.
func (s *Service) hold(ctx context.Context, by *web.Actor, f held) (ticket string, _ error) {
	u := storage.Upload{
		Key:    storage.Key{Tenant: by.Tenant.ID, ID: by.User.ID, Expires: s.Now().Add(holdFor)},
		Ticket: storage.NewID(), Format: string(f.format), Update: f.update, Lines: f.lines,
	}
	for piece := range slices.Chunk(f.data, holdPiece) {
		sealed, err := s.Keys.Seal(holdPurpose(&u, len(u.Sealed)), holdFor, piece)
		if err != nil {
			return "", fmt.Errorf("upload: %w", err)
		}
		u.Sealed = append(u.Sealed, sealed)
	}
	if err := s.Store.Uploads.Delete(ctx, u.Tenant, u.ID); err != nil && !errors.Is(err, storage.ErrNotFound) {
		return "", web.Unavailable("upload", err)
	}
	if err := s.Store.Uploads.Insert(ctx, &u); err != nil {
		return "", web.Unavailable("upload", err)
	}
	return u.Ticket, nil
}

// holdPurpose binds a piece to its place, so that none can be put elsewhere in the database, and to what it is for.
func holdPurpose(u *storage.Upload, piece int) string {
	return strings.Join([]string{"upload", u.Tenant, u.ID, u.Ticket, u.Format, fmt.Sprint(u.Update, piece)}, " ")
}

// upload is what the actor brought under that ticket. web.ErrExpired where it is gone, or another has taken its place.
func (s *Service) upload(ctx context.Context, by *web.Actor, ticket string) (storage.Upload, error) {
	u, err := s.Store.Uploads.Get(ctx, by.Tenant.ID, by.User.ID)
	if errors.Is(err, storage.ErrNotFound) || err == nil && u.Ticket != ticket {
		return u, web.ErrExpired
	}
	return u, web.Unavailable("upload", err)
}

// take makes it the caller's turn to import the file of that ticket: of two that ask at once one gets it. running where
// somebody has the turn, or had it and finished.
func (s *Service) take(ctx context.Context, by *web.Actor, ticket string) (f held, running bool, err error) {
	_, err = storage.Change(ctx, s.Store.Uploads, by.Tenant.ID, by.User.ID, func(u *storage.Upload) error {
		if u.Ticket != ticket {
			return web.ErrExpired
		}
		if running = u.State == storage.UploadDone || s.runs(*u); running {
			return errTaken
		}
		var err error
		if f, err = s.read(u); err != nil {
			return err
		}
		u.State, u.Failed, u.Report, u.Beat = storage.UploadRunning, "", nil, s.Now()
		u.Expires = u.Beat.Add(holdFor)
		return nil
	})
	switch {
	case errors.Is(err, errTaken):
		return held{}, true, nil
	case errors.Is(err, storage.ErrNotFound), errors.Is(err, web.ErrExpired):
		return held{}, false, web.ErrExpired
	}
	return f, false, web.Unavailable("upload", err)
}

var errTaken = errors.New("console: somebody is importing it")

// read opens the file.
func (s *Service) read(u *storage.Upload) (held, error) {
	f := held{format: transfer.Format(u.Format), update: u.Update, lines: u.Lines}
	for i, sealed := range u.Sealed {
		piece, err := s.Keys.Open(holdPurpose(u, i), sealed)
		if errors.Is(err, keys.ErrExpired) || errors.Is(err, keys.ErrSealed) {
			return held{}, fmt.Errorf("%w: %w", web.ErrExpired, err)
		} else if err != nil {
			return held{}, err
		}
		f.data = append(f.data, piece...)
	}
	return f, nil
}

// beatLost is after how long without a sign an import is taken for broken off, as where its process has ended.
const beatLost = 20 * time.Second

// runs tells whether somebody is importing it.
func (s *Service) runs(u storage.Upload) bool {
	return u.State == storage.UploadRunning && s.Now().Sub(u.Beat) < beatLost
}
