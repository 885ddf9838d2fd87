package admin

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Filter says which of a tenant's users are asked for. What is left out does not matter.
type Filter struct {
	// Text is an e-mail address or user name, or what one of these, the name or the surname begins with. Of users who have
	// both, the user name is found whole only.
	Text string
	Type string
	Role storage.Role
	// TwoFactor is "on" or "off".
	TwoFactor string
	// State is StateInvited.
	State string
}

// StateInvited is the state of users who were invited and have not chosen a password yet.
const StateInvited = "invited"

// Users are some of a tenant's users.
type Users struct {
	Items []User `json:"items"`
	// Next is where the next page begins; empty on the last.
	Next string `json:"next,omitempty"`
	// More tells that more may answer to the text than are shown; there is no next page of these.
	More bool `json:"more,omitempty"`
}

const (
	// mostUsers is the longest page of users.
	mostUsers = 500
	// mostScanned bounds how many users are read for one page where no index has all that was asked for. The page then ends
	// early, and the next goes on from there.
	mostScanned = 4000
	// mostFound bounds how many that a text finds are held against the rest of a filter.
	mostFound = 500
)

// FindUsers lists the users that a filter describes, by their IDs, or those that a text finds by the text.
func (s *Service) FindUsers(ctx context.Context, by *web.Actor, tenant string, f Filter, p Page) (Users, error) {
	t, err := s.admit(ctx, by, tenant, helping)
	if err != nil {
		return Users{}, err
	}
	if err := f.check(); err != nil {
		return Users{}, err
	}
	limit := min(p.query(tenant).PageSize(), mostUsers)
	if text := strings.TrimSpace(f.Text); text != "" {
		if p.After != "" {
			return Users{}, invalid("after", "what a text finds has no pages", "leave it out, and give more of the text")
		}
		found, more, err := s.search(ctx, tenant, f, limit)
		return Users{Items: views(found, viewUser), More: more}, web.Unavailable("users", err)
	}
	found, next, err := s.choose(ctx, &t, f, p.After, limit)
	return Users{Items: views(found, viewUser), Next: next}, web.Unavailable("users", err)
}

func (f Filter) check() error {
	if f.TwoFactor != "" && f.TwoFactor != "on" && f.TwoFactor != "off" {
		return invalid("two_factor", "it is neither on nor off", "choose one of them")
	}
	if f.State != "" && f.State != StateInvited {
		return invalid("state", "there is no such state", "choose "+StateInvited)
	}
	if f.Role != "" {
		return checkRole(f.Role)
	}
	return nil
}

func (f Filter) fits(u *storage.User) bool {
	return (f.Type == "" || u.Type == f.Type) && (f.Role == "" || u.Role == f.Role) &&
		(f.TwoFactor == "" || (f.TwoFactor == "on") == (len(u.Factors) > 0)) &&
		(f.State == "" || !u.Invited.IsZero())
}

// search finds users by what they are called, first by the whole and then by how it begins, and tells whether there may
// be more.
func (s *Service) search(ctx context.Context, tenant string, f Filter, limit int) (found []storage.User, more bool, err error) {
	seen := map[string]bool{}
	add := func(users []storage.User) {
		for i := range users {
			if u := &users[i]; !seen[u.ID] && f.fits(u) {
				found = append(found, *u)
			}
			seen[users[i].ID] = true
		}
	}
	users, err := s.Directory.Lookup(ctx, tenant, f.Text)
	if err != nil {
		return nil, false, err
	}
	add(users)
	// Where the rest of the filter sorts some out, more have to be read than are shown.
	most := limit + 1
	if f.Type != "" || f.Role != "" || f.TwoFactor != "" || f.State != "" {
		most = max(most, mostFound)
	}
	key := strings.Join(strings.Fields(strings.ToLower(f.Text)), " ")
	for _, field := range []string{"account", "name_key", "surname_key"} {
		users, err := s.Store.Users.List(ctx, storage.Query{Tenant: tenant, Field: field, Value: key, Prefix: true, Limit: most})
		if err != nil {
			return nil, false, err
		}
		add(users)
		more = more || len(users) == most
	}
	return found[:min(limit, len(found))], more || len(found) > limit, nil
}

// choose lists a page of the users that a filter without a text describes, and says where the next page begins.
func (s *Service) choose(ctx context.Context, t *storage.Tenant, f Filter, after string, limit int) (found []storage.User, next string, err error) {
	read, sources := s.sources(t, f)
	for scanned := 0; ; {
		page, end, err := s.merged(ctx, read, sources, after, limit+1)
		if err != nil {
			return nil, "", err
		}
		for i := range page {
			if f.fits(&page[i]) {
				found = append(found, page[i])
			}
		}
		if len(found) > limit {
			return found[:limit], found[limit-1].ID, nil
		}
		if scanned += len(page); end == "" || scanned >= mostScanned {
			return found, end, nil
		}
		after = end
	}
}

// reader reads a page of the users that a query describes, and the last of the IDs that it came to: empty at the end.
type reader func(ctx context.Context, q storage.Query) (page []storage.User, last string, err error)

// sources are the queries that together describe all that a filter can fit, through the index that leaves the fewest to
// be read in vain, and how they are read.
func (s *Service) sources(t *storage.Tenant, f Filter) (reader, []storage.Query) {
	q := storage.Query{Tenant: t.ID}
	switch {
	case f.State == StateInvited:
		return s.readInvited, []storage.Query{q}
	// Nearly everybody is a member, so that their role is the last to go by.
	case f.Role == storage.Owner, f.Role == storage.Admin, f.Role != "" && f.Type == "" && f.TwoFactor == "":
		q.Field, q.Value = "role", string(f.Role)
	case f.TwoFactor != "":
		types := []string{f.Type}
		if f.Type == "" {
			types = append(slices.Clone(t.UserTypes), "")
		}
		var all []storage.Query
		for _, userType := range types {
			q.Field, q.Value = "segment", storage.Segment(userType, f.TwoFactor == "on")
			all = append(all, q)
		}
		return s.readUsers, all
	case f.Type != "":
		q.Field, q.Value = "type", f.Type
	}
	return s.readUsers, []storage.Query{q}
}

// merged reads a page of each source behind an ID, and returns those users up to which all sources were read, ordered by
// their IDs, with the ID that the next page begins behind: empty where there are no more.
func (s *Service) merged(ctx context.Context, read reader, sources []storage.Query, after string, limit int) (all []storage.User, end string, err error) {
	for _, q := range sources {
		q.After, q.Limit = after, limit
		page, last, err := read(ctx, q)
		if err != nil {
			return nil, "", err
		}
		all = append(all, page...)
		if last != "" && (end == "" || last < end) {
			end = last
		}
	}
	slices.SortFunc(all, func(a, b storage.User) int { return cmp.Compare(a.ID, b.ID) })
	if end != "" {
		all = slices.DeleteFunc(all, func(u storage.User) bool { return u.ID > end })
	}
	return all, end, nil
}

func (s *Service) readUsers(ctx context.Context, q storage.Query) (page []storage.User, last string, err error) {
	page, err = s.Store.Users.List(ctx, q)
	if n := len(page); n > 0 && n == q.PageSize() {
		last = page[n-1].ID
	}
	return page, last, err
}

// readInvited reads users with an open invitation, from the records of the links that they were sent. The IDs of these
// are the purpose and the user's.
func (s *Service) readInvited(ctx context.Context, q storage.Query) (page []storage.User, last string, err error) {
	begin := storage.LinkID(storage.LinkInvitation, "")
	q.After = begin + q.After
	links, err := s.Store.Links.List(ctx, q)
	if err != nil {
		return nil, "", err
	}
	for _, l := range links {
		if !strings.HasPrefix(l.ID, begin) {
			return page, "", nil
		}
		u, err := s.Store.Users.Get(ctx, q.Tenant, l.User)
		if errors.Is(err, storage.ErrNotFound) || err == nil && u.Invited.IsZero() {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		page = append(page, u)
	}
	if n := len(links); n > 0 && n == q.PageSize() {
		last = links[n-1].User
	}
	return page, last, nil
}
