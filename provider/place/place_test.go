package place_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-id/sallyport/provider/place"
	"github.com/sallyport-id/sallyport/provider/place/placetest"
)

func open(t *testing.T, path string) *place.File {
	t.Helper()
	f, err := place.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func TestPlaceOfAnAddress(t *testing.T) {
	germany := map[string]string{"en": "Germany", "de": "Deutschland"}
	f := open(t, placetest.Write(t, "DBIP-City-Lite",
		placetest.Entry{Network: "203.0.113.0/24", City: map[string]string{"en": "Cologne", "de": "Köln"}, Country: germany},
		placetest.Entry{Network: "198.51.100.0/25", Country: germany},
		placetest.Entry{Network: "198.51.100.128/25", City: map[string]string{"en": "Singapore"}, Country: map[string]string{"en": "Singapore"}},
		placetest.Entry{Network: "192.0.2.0/25", City: map[string]string{"de": "Nirgends"}},
		placetest.Entry{Network: "192.0.2.128/25", City: map[string]string{"en": "Le\u202eft\nover"}, Country: map[string]string{"en": strings.Repeat("ä", 80)}},
		placetest.Entry{Network: "2001:db8::/32", City: map[string]string{"en": "Lisbon", "pt-BR": "Lisboa"}, Country: map[string]string{"en": "Portugal"}},
	))
	for _, c := range []struct{ address, lang, want string }{
		{"203.0.113.9", "en", "Cologne, Germany"},
		{"203.0.113.9", "de", "Köln, Deutschland"},
		{"203.0.113.9", "de-AT", "Köln, Deutschland"},
		{"203.0.113.9", "fr", "Cologne, Germany"},
		{"::ffff:203.0.113.9", "en", "Cologne, Germany"},
		{"198.51.100.1", "de", "Deutschland"},
		{"198.51.100.200", "en", "Singapore"},
		{"192.0.2.1", "en", ""},
		{"192.0.2.1", "de", "Nirgends"},
		{"192.0.2.200", "en", "Leftover, " + strings.Repeat("ä", 50) + "…"},
		{"2001:db8::1", "pt-BR", "Lisboa, Portugal"},
		{"2001:db8::1", "en", "Lisbon, Portugal"},
		{"8.8.8.8", "en", ""},
		{"", "en", ""},
		{"elsewhere", "en", ""},
	} {
		if got := place.Of(f, c.address); got.In(c.lang) != c.want || got.Private {
			t.Errorf("%s in %s: %q (private: %t), want %q", c.address, c.lang, got.In(c.lang), got.Private, c.want)
		}
	}
}

// What means something on one network only is not looked for in any file, and known without one.
func TestPrivateAddresses(t *testing.T) {
	f := open(t, placetest.Write(t, "GeoLite2-Country", placetest.Entry{Network: "10.0.0.0/8", Country: map[string]string{"en": "Wonderland"}}))
	for _, finder := range []place.Finder{f, nil} {
		for _, a := range []string{"10.1.2.3", "192.168.0.1", "172.16.0.1", "127.0.0.1", "169.254.1.1", "100.64.0.1", "::1", "fd00::1", "fe80::1%eth0", "::ffff:10.1.2.3", "0.0.0.0"} {
			if got := place.Of(finder, a); !got.Private || got.In("en") != "" {
				t.Errorf("%s: %+v", a, got)
			}
		}
		for _, a := range []string{"100.128.0.1", "172.32.0.1", "203.0.113.9", "2001:db8::1"} {
			if place.Of(finder, a).Private {
				t.Errorf("%s is called private", a)
			}
		}
	}
}

func TestFilesOfOtherThings(t *testing.T) {
	if _, err := place.Open(placetest.Write(t, "GeoLite2-ASN")); !errors.Is(err, place.ErrKind) {
		t.Errorf("a file of networks' owners: %v", err)
	}
	if _, err := place.Open(filepath.Join(t.TempDir(), "none.mmdb")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("these are no places"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := place.Open(text); err == nil {
		t.Error("a text is taken for a file of places")
	}
	open(t, placetest.Write(t, "IP2LOCATION-LITE-DB11"))
}

// A file that was cut short tells of no place, and ends nothing.
func TestFileCutShort(t *testing.T) {
	var all []placetest.Entry
	for i := range 200 {
		all = append(all, placetest.Entry{Network: netOf(i), City: map[string]string{"en": strings.Repeat("x", 20+i)}})
	}
	whole, err := os.ReadFile(placetest.Write(t, "GeoLite2-City", all...))
	if err != nil {
		t.Fatal(err)
	}
	marker := strings.LastIndex(string(whole), "\xab\xcd\xefMaxMind.com")
	// The metadata stay, and the last records are zeros: their pointers lead nowhere that makes sense.
	broken := append([]byte(nil), whole...)
	for i := marker - 3000; i < marker; i++ {
		broken[i] = 0
	}
	path := filepath.Join(t.TempDir(), "broken.mmdb")
	if err := os.WriteFile(path, broken, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := place.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	for i := range 200 {
		if got := place.Of(f, strings.TrimSuffix(netOf(i), "0/24")+"7"); len(got.In("en")) > 300 {
			t.Errorf("%+v", got)
		}
	}
}

func netOf(i int) string { return fmt.Sprintf("203.0.%d.0/24", i) }

func TestFindAtOnce(t *testing.T) {
	f := open(t, placetest.Write(t, "GeoLite2-City", placetest.Entry{Network: "203.0.113.0/24", City: map[string]string{"en": "Cologne"}}))
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 200 {
				if got := place.Of(f, "203.0.113.9").In("en"); got != "Cologne" {
					t.Errorf("%q", got)
				}
			}
		})
	}
	all.Wait()
}
