package admin

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Filter says which of a tenant's users are asked for. What is left out does not matter.
type Filter struct {
	// Text is an e-mail address or user name, or what one of these, the name or the surname begins with.
	Text string
	Type string
	Role storage.Role
	// TwoFactor is "on" or "off".
	TwoFactor string
}

// Users are some of a tenant's users.
type Users struct {
	Items []User `json:"items"`
	// Next is where the next page begins; empty on the last.
	Next string `json:"next,omitempty"`
	// More: so many were found by their text that not all are shown; there is no next page of these.
	More bool `json:"more,omitempty"`
}

// mostUsers is the longest page of users.
const mostUsers = 500

// mostScanned bounds how many users are read for one page where no index has all that was asked for.
const mostScanned = 20_000

// FindUsers lists the users that a filter describes, by their IDs, or those that a text finds by the text.
func (s *Service) FindUsers(ctx context.Context, by *web.Actor, tenant string, f Filter, p Page) (Users, error) {
	t, err := s.admit(ctx, by, tenant, helping)
	if err != nil {
		return Users{}, err
	}
	if f.TwoFactor != "" && f.TwoFactor != "on" && f.TwoFactor != "off" {
		return Users{}, invalid("two_factor", "it is neither on nor off", "choose one of them")
	}
	limit := min(p.query(tenant).PageSize(), mostUsers)
	if text := strings.TrimSpace(f.Text); text != "" {
		found, err := s.search(ctx, tenant, text, limit+1)
		if err != nil {
			return Users{}, web.Unavailable("users", err)
		}
		found = slices.DeleteFunc(found, func(u storage.User) bool { return !f.fits(&u) })
		more := len(found) > limit
		return Users{Items: views(found[:min(limit, len(found))], viewUser), More: more}, nil
	}
	found, next, err := s.choose(ctx, &t, f, p.After, limit)
	return Users{Items: views(found, viewUser), Next: next}, web.Unavailable("users", err)
}

func (f Filter) fits(u *storage.User) bool {
	return (f.Type == "" || u.Type == f.Type) && (f.Role == "" || u.Role == f.Role) &&
		(f.TwoFactor == "" || (f.TwoFactor == "on") == (len(u.Factors) > 0))
}

// search finds users by what they are called, first by the whole and then by how it begins.
func (s *Service) search(ctx context.Context, tenant, text string, limit int) ([]storage.User, error) {
	found, err := s.Directory.Lookup(ctx, tenant, text)
	if err != nil {
		return nil, err
	}
	key := strings.Join(strings.Fields(strings.ToLower(text)), " ")
	for _, field := range []string{"account", "name_key", "surname_key"} {
		more, err := s.Store.Users.List(ctx, storage.Query{Tenant: tenant, Field: field, Value: key, Prefix: true, Limit: limit})
		if err != nil {
			return nil, err
		}
		for _, u := range more {
			if !slices.ContainsFunc(found, func(o storage.User) bool { return o.ID == u.ID }) {
				found = append(found, u)
			}
		}
	}
	return found, nil
}

// choose lists a page of the users that a filter without a text describes, through the index that leaves the fewest to be
// read in vain, and says where the next page begins.
func (s *Service) choose(ctx context.Context, t *storage.Tenant, f Filter, after string, limit int) (found []storage.User, next string, err error) {
	q := storage.Query{Tenant: t.ID, After: after, Limit: limit + 1}
	switch {
	case f.Role != "":
		q.Field, q.Value = "role", string(f.Role)
	case f.Type != "" && f.TwoFactor != "":
		q.Field, q.Value = "segment", storage.Segment(f.Type, f.TwoFactor == "on")
	case f.Type != "":
		q.Field, q.Value = "type", f.Type
	case f.TwoFactor != "":
		return s.merged(ctx, t, f, q)
	}
	scanned := 0
	for len(found) <= limit && scanned < mostScanned {
		page, err := s.Store.Users.List(ctx, q)
		if err != nil {
			return nil, "", err
		}
		for i := range page {
			if f.fits(&page[i]) {
				found = append(found, page[i])
			}
		}
		if scanned += len(page); len(page) < q.PageSize() {
			return cut(found, limit)
		}
		q.After = page[len(page)-1].ID
	}
	if len(found) <= limit {
		return found, q.After, nil // there may be more behind what was read
	}
	return cut(found, limit)
}

// cut takes the first of what was found, and says where the rest begins.
func cut(found []storage.User, limit int) (_ []storage.User, next string, err error) {
	if len(found) <= limit {
		return found, "", nil
	}
	return found[:limit], found[limit-1].ID, nil
}

// merged lists the users of all types that have a second step, or have none, from the segments of the types.
func (s *Service) merged(ctx context.Context, t *storage.Tenant, f Filter, q storage.Query) (found []storage.User, next string, err error) {
	q.Field = "segment"
	for _, userType := range append(slices.Clone(t.UserTypes), "") {
		q.Value = storage.Segment(userType, f.TwoFactor == "on")
		page, err := s.Store.Users.List(ctx, q)
		if err != nil {
			return nil, "", err
		}
		found = append(found, page...)
	}
	slices.SortFunc(found, func(a, b storage.User) int { return cmp.Compare(a.ID, b.ID) })
	return cut(found, q.Limit-1)
}
