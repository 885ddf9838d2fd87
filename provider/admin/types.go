package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// UserType is one of the kinds of users that a tenant tells apart.
type UserType struct {
	// ID is what rules and programs use. It never changes.
	ID string `json:"id"`
	// Name is what people read; where it is empty, pages have words of their own for it or show the ID.
	Name string `json:"name,omitempty"`
	// Users counts the users of the type, TwoFactor those of them who have set up a second step.
	Users     int `json:"users"`
	TwoFactor int `json:"two_factor"`
}

// maxTypeName is in characters.
const maxTypeName = 40

// UserTypes lists a tenant's user types in the order in which they are shown, with how many users each has. In a tenant of
// many thousand users the numbers may be a minute old.
func (s *Service) UserTypes(ctx context.Context, by *web.Actor, tenant string) ([]UserType, error) {
	t, err := s.admit(ctx, by, tenant, helping)
	if err != nil {
		return nil, err
	}
	n, err := s.countedUsers(ctx, &t)
	if err != nil {
		return nil, err
	}
	all := make([]UserType, 0, len(t.UserTypes))
	for _, id := range t.UserTypes {
		all = append(all, viewType(&t, id, n))
	}
	return all, nil
}

func viewType(t *storage.Tenant, id string, n map[string]storage.TypeTally) UserType {
	return UserType{ID: id, Name: t.TypeNames[id], Users: n[id].Users, TwoFactor: n[id].TwoFactor}
}

// NewUserType says which user type is to be added.
type NewUserType struct {
	// ID is made of the name where it is left out.
	ID string `json:"id"`
	// Name is what people read. Either of ID and Name is needed.
	Name string `json:"name"`
}

// AddUserType adds a user type behind those that there are. *web.Invalid.
func (s *Service) AddUserType(ctx context.Context, by *web.Actor, tenant string, in NewUserType) (UserType, error) {
	return s.changeTypes(ctx, by, tenant, "user_type.add", func(t *storage.Tenant) (string, error) {
		name, err := typeLabel(t, "", in.Name)
		if err != nil {
			return "", err
		}
		if name == "" && in.ID == "" {
			return "", invalidAs("name", "missing", "it is empty", "give a name")
		}
		id := in.ID
		if id == "" {
			id = newTypeID(t, name)
		}
		if slices.Contains(t.UserTypes, id) {
			return "", &web.Invalid{
				What: fmt.Sprintf("there is a user type %q already", id), Where: "id", Code: "taken", Do: "choose another ID", Err: storage.ErrExists,
			}
		}
		types := append(slices.Clone(t.UserTypes), id)
		var no *web.Invalid
		if err := checkTypes(types); errors.As(err, &no) {
			return "", invalid("id", no.What, no.Do)
		}
		t.UserTypes = types
		nameType(t, id, name)
		return id, nil
	})
}

// UserTypeFields are what can be changed of a user type; what is nil stays as it is.
type UserTypeFields struct {
	// Name is what people read; empty goes back to the words that pages have of their own.
	Name *string `json:"name"`
	// Position is its place among the user types, from 1.
	Position *int `json:"position" minimum:"1"`
}

// ChangeUserType names a user type, or puts it elsewhere among the others. Its ID, and so what rules and users hold of it,
// stays. *web.Invalid.
func (s *Service) ChangeUserType(ctx context.Context, by *web.Actor, tenant, id string, in UserTypeFields) (UserType, error) {
	return s.changeTypes(ctx, by, tenant, "user_type.change", func(t *storage.Tenant) (string, error) {
		at := slices.Index(t.UserTypes, id)
		if at < 0 {
			return "", noType(id)
		}
		if in.Name != nil {
			name, err := typeLabel(t, id, *in.Name)
			if err != nil {
				return "", err
			}
			nameType(t, id, name)
		}
		if n := in.Position; n != nil {
			if *n < 1 || *n > len(t.UserTypes) {
				return "", invalid("position", fmt.Sprintf("there is no place %d", *n), fmt.Sprintf("give 1 to %d", len(t.UserTypes)))
			}
			t.UserTypes = slices.Insert(slices.Delete(slices.Clone(t.UserTypes), at, at+1), *n-1, id)
		}
		return id, nil
	})
}

// RemoveUserType takes a user type away that no user and no rule has. *web.Invalid.
func (s *Service) RemoveUserType(ctx context.Context, by *web.Actor, tenant, id string) (UserType, error) {
	return s.changeTypes(ctx, by, tenant, "user_type.remove", func(t *storage.Tenant) (string, error) {
		at := slices.Index(t.UserTypes, id)
		if at < 0 {
			return "", noType(id)
		}
		if len(t.UserTypes) == 1 {
			return "", invalidAs("user_type", "last", "it is the only one", "add another first")
		}
		if err := s.typeUnused(ctx, t, id); err != nil {
			return "", err
		}
		t.UserTypes = slices.Delete(slices.Clone(t.UserTypes), at, at+1)
		nameType(t, id, "")
		return id, nil
	})
}

// typeUnused refuses where users or rules have a type, and says which. *web.Invalid.
func (s *Service) typeUnused(ctx context.Context, t *storage.Tenant, id string) error {
	n, err := storage.Count(ctx, s.Store.Users, storage.Query{Tenant: t.ID, Field: "type", Value: id})
	if err != nil {
		return web.Unavailable("users", err)
	}
	switch {
	case n == 1:
		return invalidAs("user_type", "users", fmt.Sprintf("one user is of type %q", id), "give that user another type first")
	case n > 1:
		return invalidAs("user_type", "users", fmt.Sprintf("%d users are of type %q", n, id), "give them another type first")
	}
	var named []string
	for _, r := range t.Rules {
		if slices.Contains(r.When.UserTypes, id) {
			named = append(named, fmt.Sprintf("%q", r.Name))
		}
	}
	if len(named) > 0 {
		return invalidAs("user_type", "rules", fmt.Sprintf("type %q is in the rules %s", id, listed(named)), "change those first")
	}
	return nil
}

// changeTypes changes a tenant's user types, and shows the one that it is about.
func (s *Service) changeTypes(
	ctx context.Context, by *web.Actor, tenant, action string, change func(t *storage.Tenant) (id string, err error),
) (UserType, error) {
	t, err := s.admit(ctx, by, tenant, helping)
	if err != nil {
		return UserType{}, err
	}
	// Once on a copy, so that what is refused leaves no event.
	trial := t
	trial.TypeNames = maps.Clone(t.TypeNames)
	id, err := change(&trial)
	if err != nil {
		return UserType{}, err
	}
	e := about(by, tenant, action)
	e.Reason = id
	err = s.audited(ctx, e, func() error {
		t, err = storage.Change(ctx, s.Store.Tenants, storage.Global, tenant, func(t *storage.Tenant) error {
			_, err := change(t)
			return err
		})
		return web.Unavailable("tenant", err)
	})
	if err != nil {
		return UserType{}, err
	}
	n, err := s.countedUsers(ctx, &t)
	return viewType(&t, id, n), err
}

func noType(id string) error {
	return web.Missing("user type", id, "check the spelling; “types list” shows them")
}

// typeLabel checks what people are to read for a type: no two types read the same.
func typeLabel(t *storage.Tenant, id, name string) (string, error) {
	if strings.TrimSpace(name) == "" {
		return "", nil
	}
	name, err := line("name", name, maxTypeName)
	if err != nil {
		return "", err
	}
	for _, other := range t.UserTypes {
		if other != id && (strings.EqualFold(t.TypeNames[other], name) || strings.EqualFold(other, name)) {
			return "", &web.Invalid{
				What: fmt.Sprintf("another user type is called %q", name), Where: "name", Code: "taken", Do: "choose another name", Err: storage.ErrExists,
			}
		}
	}
	return name, nil
}

// nameType keeps what people read for a type; nothing takes it away.
func nameType(t *storage.Tenant, id, name string) {
	names := maps.Clone(t.TypeNames)
	if names == nil {
		names = map[string]string{}
	}
	if names[id] = name; name == "" {
		delete(names, id)
	}
	if t.TypeNames = names; len(names) == 0 {
		t.TypeNames = nil
	}
}

// newTypeID makes an ID of a name, or a number where the name has no letters for one.
func newTypeID(t *storage.Tenant, name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	id := strings.Join(words, "-")
	if len(id) > 28 {
		id = strings.TrimRight(id[:28], "-")
	}
	if id == "" || id == Everyone {
		id = "type"
	}
	for n, free := 2, id; ; n++ {
		if !slices.Contains(t.UserTypes, free) {
			return free
		}
		free = fmt.Sprintf("%s-%d", id, n)
	}
}
