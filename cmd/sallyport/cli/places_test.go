package cli

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/sallyport-id/sallyport/provider/place/placetest"
)

func TestPlacesFile(t *testing.T) {
	s := &settings{PlacesFile: placetest.Write(t, "GeoLite2-Country", placetest.Entry{Network: "203.0.113.0/24", Country: map[string]string{"en": "Germany"}})}
	c := &checker{settings: s}
	if c.places(); len(c.found) > 0 {
		t.Fatal(c.found)
	}
	f, err := s.openPlaces(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Find(netip.MustParseAddr("203.0.113.9")).In("en"); got != "Germany" {
		t.Errorf("%q", got)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}

	s.PlacesFile = ""
	if f, err := s.openPlaces(nil); f != nil || err != nil {
		t.Errorf("without a file: %v, %v", f, err)
	}
	s.PlacesFile = placetest.Write(t, "GeoLite2-ASN")
	var found finding
	if _, err := s.openPlaces(nil); !errors.As(err, &found) || found.Where != "places_file" {
		t.Errorf("a file of something else: %v", err)
	}
	if c.places(); len(c.found) != 1 {
		t.Errorf("found: %v", c.found)
	}
}
