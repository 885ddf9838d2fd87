package storagetest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// memory is a table of users in memory that keeps every promise, but for the faults it is given. It exists to show
// that the checks pass what is right and report what is wrong.
type memory struct {
	now    func() time.Time
	faults map[string]bool

	mu     sync.Mutex
	broken bool
	listed int                          // how many rows there were at the last List
	rows   map[storage.Key]storage.User // by tenant and ID alone
	stale  map[storage.Key]storage.User // what Replace wrote over
}

func newMemory(now func() time.Time, faults ...string) *memory {
	m := &memory{now: now, faults: make(map[string]bool), rows: make(map[storage.Key]storage.User), stale: make(map[storage.Key]storage.User)}
	for _, f := range faults {
		m.faults[f] = true
	}
	return m
}

var errMemory = errors.New("memory: refused")

func (m *memory) key(tenant, id string) storage.Key {
	switch {
	case m.faults["one tenant for all"]:
		tenant = "all"
	case m.faults["keys joined"]:
		tenant, id = "all", tenant+":"+id
	}
	return storage.Key{Tenant: tenant, ID: id}
}

func (m *memory) refuses(ctx context.Context, tenant, id string) error {
	if err := ctx.Err(); err != nil && !m.faults["cancellation ignored"] {
		return err
	}
	if (tenant == "" || id == "") && !m.faults["empty keys taken"] {
		return errMemory
	}
	return nil
}

// live is the record, unless it has expired.
func (m *memory) live(tenant, id string) (storage.User, bool) {
	u, ok := m.rows[m.key(tenant, id)]
	if ok && !u.Expires.IsZero() && !u.Expires.After(m.now()) && !m.faults["expiry left to the sweeper"] {
		return u, false
	}
	return u, ok
}

// cut is the record as it is kept: a deep copy, times to the millisecond in UTC.
func (m *memory) cut(u storage.User) storage.User {
	if m.faults["shared memory"] {
		return u
	}
	b, err := json.Marshal(u)
	if err != nil {
		panic(err)
	}
	var out storage.User
	if err := json.Unmarshal(b, &out); err != nil {
		panic(err)
	}
	out.Key = u.Key // as it is, where JSON would mend bytes that are no text
	for _, t := range []*time.Time{&out.Expires, &out.PasswordSet, &out.Locked, &out.Unlocked, &out.Created, &out.LastSignIn, &out.Invited} {
		if !m.faults["times as they come"] {
			*t = t.UTC().Truncate(time.Millisecond)
		}
	}
	if m.faults["a field lost"] {
		out.Locale = ""
	}
	return out
}

func (m *memory) Get(ctx context.Context, tenant, id string) (storage.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.refuses(ctx, tenant, id); err != nil {
		return storage.User{}, err
	}
	u, ok := m.live(tenant, id)
	if !ok {
		return storage.User{}, storage.ErrNotFound
	}
	if old, stale := m.stale[m.key(tenant, id)]; stale && m.faults["reads lag behind"] {
		u = old
	}
	return m.cut(u), nil
}

func (m *memory) Insert(ctx context.Context, u *storage.User) error {
	if err := m.refuses(ctx, u.Tenant, u.ID); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken {
		return errMemory
	}
	m.derive(u)
	_, there := m.live(u.Tenant, u.ID)
	if m.faults["insert checks, then writes"] {
		m.pause()
	}
	if there && !m.faults["insert overwrites"] {
		return storage.ErrExists
	}
	if !m.faults["version as given"] {
		u.Version = 1
	}
	m.rows[m.key(u.Tenant, u.ID)] = m.cut(*u)
	return nil
}

func (m *memory) derive(u *storage.User) {
	if !m.faults["derived fields as given"] {
		u.Derive()
	}
}

// pause lets others in where a careless backend would between its check and its write.
func (m *memory) pause() {
	m.mu.Unlock()
	time.Sleep(time.Millisecond)
	m.mu.Lock()
}

func (m *memory) Replace(ctx context.Context, u *storage.User) error {
	if err := m.refuses(ctx, u.Tenant, u.ID); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.faults["stuck after a cancelled write"] {
		if m.pause(); ctx.Err() != nil {
			m.broken = true
			return ctx.Err()
		}
	}
	m.derive(u)
	was, ok := m.live(u.Tenant, u.ID)
	if m.faults["replace checks, then writes"] {
		m.pause()
	}
	if !ok || (was.Version != u.Version && !m.faults["version not compared"]) {
		return storage.ErrConflict
	}
	u.Version++
	next := m.cut(*u)
	m.stale[m.key(u.Tenant, u.ID)] = was
	if m.faults["expiry fixed at insert"] {
		next.Expires = was.Expires
	}
	m.rows[m.key(u.Tenant, u.ID)] = next
	if m.faults["half done when cancelled"] {
		if m.pause(); ctx.Err() != nil {
			next.Locale = was.Locale
			m.rows[m.key(u.Tenant, u.ID)] = next
			return ctx.Err()
		}
	}
	return nil
}

func (m *memory) Delete(ctx context.Context, tenant, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.refuses(ctx, tenant, id); err != nil {
		return err
	}
	_, ok := m.live(tenant, id)
	if m.faults["delete checks, then deletes"] {
		m.pause()
	}
	if !ok && !m.faults["delete does not tell"] {
		return storage.ErrNotFound
	}
	delete(m.rows, m.key(tenant, id))
	return nil
}

func (m *memory) List(ctx context.Context, q storage.Query) ([]storage.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	how := "listed"
	if q.Prefix {
		how = "found by prefix"
	}
	list, err := m.matching(ctx, q, how)
	if err != nil {
		return nil, err
	}
	list = m.page(list, q)
	for i := range list {
		list[i] = m.cut(list[i])
	}
	return list, nil
}

func (m *memory) Count(ctx context.Context, q storage.Query) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.faults["a page counted"] {
		q.After, q.Limit, q.Desc = "", 0, false
	}
	list, err := m.matching(ctx, q, "counted")
	if m.faults["a page counted"] {
		list = m.page(list, q)
	}
	return len(list), err
}

// fieldsOf reads what a question can be about.
var fieldsOf = map[string]func(storage.User) string{
	"":            func(storage.User) string { return "" },
	"type":        func(u storage.User) string { return u.Type },
	"role":        func(u storage.User) string { return string(u.Role) },
	"segment":     func(u storage.User) string { return u.Segment },
	"account":     func(u storage.User) string { return u.Account },
	"name_key":    func(u storage.User) string { return u.NameKey },
	"surname_key": func(u storage.User) string { return u.SurnameKey },
}

func (m *memory) holds(q storage.Query, value string) bool {
	switch {
	case q.Field == "":
		return true
	case q.Prefix && m.faults["prefix folded"]:
		return strings.HasPrefix(strings.ToLower(value), strings.ToLower(q.Value))
	case q.Prefix && m.faults["prefix found anywhere"]:
		return strings.Contains(value, q.Value)
	case q.Prefix && !m.faults["prefix ignored"]:
		return strings.HasPrefix(value, q.Value)
	default:
		return value == q.Value && (value != "" || !m.faults["empty value not found"])
	}
}

// matching are the records that q describes, in no order. Faults differ by how they are asked for.
func (m *memory) matching(ctx context.Context, q storage.Query, how string) ([]storage.User, error) {
	if err := m.refuses(ctx, q.Tenant, "list"); err != nil {
		return nil, err
	}
	field := fieldsOf[q.Field]
	if field == nil {
		if !m.faults["any field listed"] {
			return nil, errMemory
		}
		field = fieldsOf[""]
	}
	if _, err := q.Range(); q.Prefix && err != nil && !m.faults["any prefix taken"] {
		return nil, err
	}
	var list []storage.User
	for _, u := range m.rows {
		_, live := m.live(u.Tenant, u.ID)
		live = live || m.faults["expired records "+how]
		foreign := u.Tenant != q.Tenant && !m.faults["other tenants "+how]
		if live && !foreign && m.holds(q, field(u)) {
			list = append(list, u)
		}
	}
	return list, nil
}

func (m *memory) page(list []storage.User, q storage.Query) []storage.User {
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID })
	if q.Prefix && !m.faults["prefix in the order of IDs"] {
		field := fieldsOf[q.Field]
		sort.SliceStable(list, func(i, j int) bool { return field(list[i]) < field(list[j]) })
	}
	if q.Prefix && m.faults["prefix without limit"] {
		return list
	}
	if q.Desc && !m.faults["desc ignored"] {
		slices.Reverse(list)
	}
	past := func(id string) bool {
		switch {
		case q.After == "":
			return true
		case m.faults["after is inclusive"]:
			return (id >= q.After) != q.Desc || id == q.After
		case q.Desc:
			return id < q.After
		default:
			return id > q.After
		}
	}
	list = slices.DeleteFunc(list, func(u storage.User) bool { return !past(u.ID) })
	if m.faults["a record skipped while others write"] && len(list) > 1 && q.After != "" && len(m.rows) > m.listed {
		list = list[1:]
	}
	m.listed = len(m.rows)
	return list[:min(len(list), q.PageSize())]
}

func (m *memory) sweep(context.Context) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	removed := 0
	for k, u := range m.rows {
		expired := !u.Expires.IsZero() && !u.Expires.After(m.now())
		if (expired && !m.faults["nothing swept"]) || m.faults["all swept"] {
			delete(m.rows, k)
			removed++
		}
	}
	return removed, nil
}
