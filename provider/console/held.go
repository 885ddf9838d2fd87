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
	data   []byte
}

// hold keeps a file, sealed, in the place of one that the same user brought before.
func (s *Service) hold(ctx context.Context, by *web.Actor, f held) (ticket string, _ error) {
	u := storage.Upload{
		Key:    storage.Key{Tenant: by.Tenant.ID, ID: by.User.ID, Expires: s.Now().Add(holdFor)},
		Ticket: storage.NewID(), Format: string(f.format), Update: f.update,
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

// take reads the file of that ticket. web.ErrExpired where it is gone, or another has taken its place.
func (s *Service) take(ctx context.Context, by *web.Actor, ticket string) (held, error) {
	u, err := s.Store.Uploads.Get(ctx, by.Tenant.ID, by.User.ID)
	if errors.Is(err, storage.ErrNotFound) || err == nil && u.Ticket != ticket {
		return held{}, web.ErrExpired
	}
	if err != nil {
		return held{}, web.Unavailable("upload", err)
	}
	f := held{format: transfer.Format(u.Format), update: u.Update}
	for i, sealed := range u.Sealed {
		piece, err := s.Keys.Open(holdPurpose(&u, i), sealed)
		if errors.Is(err, keys.ErrExpired) || errors.Is(err, keys.ErrSealed) {
			return held{}, fmt.Errorf("%w: %w", web.ErrExpired, err)
		} else if err != nil {
			return held{}, err
		}
		f.data = append(f.data, piece...)
	}
	return f, nil
}

// drop forgets the file of that ticket, once it is imported.
func (s *Service) drop(ctx context.Context, by *web.Actor, ticket string) error {
	u, err := s.Store.Uploads.Get(ctx, by.Tenant.ID, by.User.ID)
	if err == nil && u.Ticket == ticket {
		err = s.Store.Uploads.Delete(ctx, u.Tenant, u.ID)
	}
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return web.Unavailable("upload", err)
}
