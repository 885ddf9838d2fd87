package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/sallyport-id/sallyport/provider"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/place"
	"github.com/sallyport-id/sallyport/storage"
)

// opened is a provider over its open database.
type opened struct {
	*provider.Provider
	store storage.Store
	// places is nil where nothing is known of where addresses are.
	places *place.File
}

// open opens the database and sets up the provider. The caller closes the store.
func (s *settings) open(ctx context.Context, d deployment, logger *slog.Logger) (opened, error) {
	master, previous, err := s.masterKeys(d, logger)
	if err != nil {
		return opened{}, err
	}
	store, err := d.kind.Open(ctx, d.url, logger)
	if err != nil {
		key := "store"
		if s.StoreFile != "" {
			key = "store_file"
		}
		return opened{}, finding{What: err.Error(), Where: s.where(key), Do: "check that the database is there and can be reached"}
	}
	factors, err := d.offer.make(store, logger)
	if err != nil {
		return opened{}, errors.Join(err, store.Close())
	}
	places, err := s.openPlaces(logger)
	if err != nil {
		return opened{}, errors.Join(err, store.Close())
	}
	o := opened{store: store, places: places}
	c := provider.Config{
		Issuer: d.issuer, Store: store, MasterKey: master, PreviousKeys: previous, Product: s.Product, Factors: factors,
		Mail: d.mail, Theme: d.theme, Webhooks: d.webhooks, Sinks: d.sinks, TrustedProxies: d.proxies, Logger: logger, Hasher: d.hasher,
	}
	if places != nil {
		c.Places = places
	}
	o.Provider, err = provider.New(ctx, c)
	if errors.Is(err, keys.ErrSealed) {
		err = finding{
			What: "the database was sealed under another master key", Where: s.where("master_key_file"),
			Do: "name the master key that belongs to this database; if it was replaced, name the old one in previous_master_key_files",
		}
	}
	if err = s.explainTheme(err); err != nil {
		return opened{}, o.close(err)
	}
	return o, nil
}

// close closes the store, and the file of places, after what became of using them.
func (o opened) close(err error) error {
	if closed := o.store.Close(); closed != nil {
		err = errors.Join(err, fmt.Errorf("close the database: %w", closed))
	}
	if o.places != nil {
		err = errors.Join(err, o.places.Close())
	}
	return err
}
