package placetest

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// Entry says where a network is: names by language.
type Entry struct {
	Network       string
	City, Country map[string]string
}

// Write writes a file of that type ("GeoLite2-City") for the test, and returns its path.
func Write(t testing.TB, kind string, entries ...Entry) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, IncludeReservedNetworks: true, RecordSize: 24})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		_, network, err := net.ParseCIDR(e.Network)
		if err != nil {
			t.Fatal(err)
		}
		record := mmdbtype.Map{}
		for name, names := range map[mmdbtype.String]map[string]string{"city": e.City, "country": e.Country} {
			if names == nil {
				continue
			}
			all := mmdbtype.Map{}
			for lang, name := range names {
				all[mmdbtype.String(lang)] = mmdbtype.String(name)
			}
			record[name] = mmdbtype.Map{"names": all}
		}
		if err := tree.Insert(network, record); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "places.mmdb")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}
