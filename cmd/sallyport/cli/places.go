package cli

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/sallyport-id/sallyport/provider/place"
)

// openPlaces opens the file that says where addresses are; without one there is none. The caller closes it.
func (s *settings) openPlaces(logger *slog.Logger) (*place.File, error) {
	if s.PlacesFile == "" {
		return nil, nil
	}
	f, err := place.Open(s.PlacesFile)
	if err != nil {
		return nil, finding{
			What: fmt.Sprintf("the file of places can't be used: %v", err), Where: s.where("places_file"),
			Do: "name a file in the MaxMind DB format (.mmdb) of cities or countries, such as GeoLite2-City.mmdb, or leave it out",
		}
	}
	f.Logger = logger
	return f, nil
}

// places looks whether the file is there and can be read.
func (c *checker) places() {
	f, err := c.openPlaces(nil)
	if err == nil && f != nil {
		err = f.Close()
	}
	if err == nil {
		return
	}
	var found finding
	if !errors.As(err, &found) {
		found = finding{What: err.Error(), Where: c.where("places_file"), Do: "check the file"}
	}
	c.found = append(c.found, found)
}
