package place

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"
)

// File is a Finder on a file in the MaxMind DB format, of cities or of countries: as DB-IP, MaxMind and IP2Location publish
// them. It is read where it lies, so that a large one costs no memory; a newer one takes its place at the next start.
type File struct {
	db *maxminddb.Reader
	// Logger gets what can't be read; nil is slog.Default.
	Logger *slog.Logger
}

// ErrKind: a file of something else than places.
var ErrKind = errors.New("place: it is no file of cities or countries")

// Open opens a file, and reads enough of it to know that it is one of places: an error of the operating system, of the format, or ErrKind.
func Open(path string) (*File, error) {
	db, err := maxminddb.Open(path)
	if err != nil {
		return nil, fmt.Errorf("place: %w", err)
	}
	if kind := db.Metadata.DatabaseType; !strings.Contains(strings.ToLower(kind), "city") && !strings.Contains(strings.ToLower(kind), "country") && !ip2location(kind) {
		return nil, errors.Join(fmt.Errorf("%w: it says that it is %q", ErrKind, kind), db.Close())
	}
	return &File{db: db}, nil
}

// ip2location tells whether a file is one of IP2Location's, whose types name the product: "IP2Location LITE DB11". All of
// them have countries.
func ip2location(kind string) bool { return strings.HasPrefix(strings.ToLower(kind), "ip2location") }

// Close closes the file. No address may be looked for in it any more.
func (f *File) Close() error { return f.db.Close() }

// record is what there is to know of a network, of all that the files say.
type record struct {
	City struct {
		Names map[string]string `maxminddb:"names"`
	} `maxminddb:"city"`
	Country struct {
		Names map[string]string `maxminddb:"names"`
	} `maxminddb:"country"`
}

// Find implements Finder.
func (f *File) Find(a netip.Addr) Place {
	var r record
	if err := f.db.Lookup(a.Unmap().WithZone("")).Decode(&r); err != nil {
		logger := f.Logger
		if logger == nil {
			logger = slog.Default()
		}
		// The address stays out of the log: it is a person's.
		logger.Warn("place of an address not read", "error", err)
		return Place{}
	}
	return Place{City: r.City.Names, Country: r.Country.Names}
}
