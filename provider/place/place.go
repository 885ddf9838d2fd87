package place

import (
	"net/netip"
	"strings"

	"github.com/sallyport-id/sallyport/storage"
)

// Place is where an address is. The zero Place is nowhere that is known.
type Place struct {
	// City and Country are names by language, as BCP 47 tags ("en", "pt-BR").
	City, Country map[string]string
	// Private: the address is one of a private network (RFC 1918, RFC 4193, RFC 6598), of a link or of the machine itself.
	Private bool
}

// Finder knows where addresses are. It is safe for concurrent use.
type Finder interface {
	// Find returns the zero Place where nothing is known of the address, or it can't be read.
	Find(a netip.Addr) Place
}

// In is the place's name in a language, or in English where it has none in that: "Lyon, France", or the country alone;
// empty where nothing is known. It is a guess by whoever made the file, and good for telling whether something was oneself,
// never for deciding anything.
func (p Place) In(lang string) string {
	city, country := named(p.City, lang), named(p.Country, lang)
	switch {
	// Singapore, Singapore.
	case city == "" || city == country:
		return country
	case country == "":
		return city
	default:
		return city + ", " + country
	}
}

// named is the name in a language, in the language without its region, or in English.
func named(names map[string]string, lang string) string {
	base, _, _ := strings.Cut(lang, "-")
	for _, tag := range []string{lang, base, "en"} {
		if name := names[tag]; name != "" {
			return clean(name)
		}
	}
	return ""
}

// longest is how many bytes of a name are shown.
const longest = 100

// clean keeps what a file says from breaking out of the sentence that it stands in.
func clean(name string) string {
	name = strings.Map(func(r rune) rune {
		if storage.Unprintable(r) {
			return -1
		}
		return r
	}, name)
	if len(name) <= longest {
		return name
	}
	return strings.ToValidUTF8(name[:longest], "") + "…"
}

// Of finds a place by an address as it is kept: an address that can't be read is nowhere. Where f is nil, only private
// addresses are known for what they are.
func Of(f Finder, address string) Place {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return Place{}
	}
	a = a.Unmap().WithZone("")
	if Private(a) {
		return Place{Private: true}
	}
	if f == nil {
		return Place{}
	}
	return f.Find(a)
}

// shared is the address space between providers and their customers (RFC 6598).
func shared() netip.Prefix { return netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10) }

// Private tells whether an address means something on one network only.
func Private(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || shared().Contains(a)
}
