package console

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// localTime is how <input type="datetime-local"> writes a time; with seconds where it has any.
const localTime = "2006-01-02T15:04"

// local writes a time into such a field, in UTC.
func local(t time.Time) string {
	switch t = t.UTC(); {
	case t.IsZero():
		return ""
	case t.Second() != 0:
		return t.Format(localTime + ":05")
	default:
		return t.Format(localTime)
	}
}

// moment reads such a field; an empty one is no time.
func moment(where, text string) (time.Time, error) {
	if text = strings.TrimSpace(text); text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{localTime, localTime + ":05", "2006-01-02 15:04", time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, web.Refuse(where, policy.FaultSyntax, "it is no date and time", "write it as 2026-03-04T14:03")
}

func oneALine(values []string) string { return strings.Join(values, "\n") }
func commas(values []string) string   { return strings.Join(values, ", ") }

// words reads a list with commas.
func words(text string) []string {
	var list []string
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" {
			list = append(list, word)
		}
	}
	return list
}

// tags reads words with spaces or commas between.
func tags(text string) []string { return strings.Fields(strings.ReplaceAll(text, ",", " ")) }

// prefixes reads networks, one a line; a single address is the network that has no other.
func prefixes(text string) []string {
	var list []string
	for _, word := range tags(text) {
		if a, err := netip.ParseAddr(word); err == nil && a.Zone() == "" {
			word = netip.PrefixFrom(a, a.BitLen()).String()
		}
		list = append(list, word)
	}
	return list
}

// unless is a word, or nothing where it is the one that is kept as nothing.
func unless(word, zero string) string {
	if word == zero {
		return ""
	}
	return word
}

// accounts names users by what they sign in with, and by their IDs where they are gone.
func (s *Service) accounts(ctx context.Context, tenant string, ids []string) ([]string, error) {
	var names []string
	for _, id := range ids {
		u, err := s.Store.Users.Get(ctx, tenant, id)
		if unavailable(err) {
			return nil, web.Unavailable("user", err)
		}
		names = append(names, orID(web.Account(&u), id))
	}
	return names, nil
}

// unavailable tells whether a record could not be read, rather than not be there.
func unavailable(err error) bool { return err != nil && !errors.Is(err, storage.ErrNotFound) }

func orID(name, id string) string {
	if name == "" {
		return id
	}
	return name
}
