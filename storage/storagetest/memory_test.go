package storagetest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// memory is a table of grants in memory that keeps every promise, but for the faults it is given. It exists to show
// that the checks pass what is right and report what is wrong.
type memory struct {
	now    func() time.Time
	faults map[string]bool

	mu     sync.Mutex
	broken bool
	listed int                           // how many rows there were at the last List
	rows   map[storage.Key]storage.Grant // by tenant and ID alone
	stale  map[storage.Key]storage.Grant // what Replace wrote over
}

func newMemory(now func() time.Time, faults ...string) *memory {
	m := &memory{now: now, faults: make(map[string]bool), rows: make(map[storage.Key]storage.Grant), stale: make(map[storage.Key]storage.Grant)}
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
func (m *memory) live(tenant, id string) (storage.Grant, bool) {
	g, ok := m.rows[m.key(tenant, id)]
	if ok && !g.Expires.IsZero() && !g.Expires.After(m.now()) && !m.faults["expiry left to the sweeper"] {
		return g, false
	}
	return g, ok
}

// cut is the record as it is kept: a deep copy, times to the millisecond in UTC.
func (m *memory) cut(g storage.Grant) storage.Grant {
	if m.faults["shared memory"] {
		return g
	}
	b, err := json.Marshal(g)
	if err != nil {
		panic(err)
	}
	var out storage.Grant
	if err := json.Unmarshal(b, &out); err != nil {
		panic(err)
	}
	out.Key = g.Key // as it is, where JSON would mend bytes that are no text
	for _, t := range []*time.Time{&out.Expires, &out.CodeUntil, &out.RefreshUntil, &out.AuthTime, &out.Created} {
		if !m.faults["times as they come"] {
			*t = t.UTC().Truncate(time.Millisecond)
		}
	}
	if m.faults["a field lost"] {
		out.Nonce = ""
	}
	return out
}

func (m *memory) Get(ctx context.Context, tenant, id string) (storage.Grant, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.refuses(ctx, tenant, id); err != nil {
		return storage.Grant{}, err
	}
	g, ok := m.live(tenant, id)
	if !ok {
		return storage.Grant{}, storage.ErrNotFound
	}
	if old, stale := m.stale[m.key(tenant, id)]; stale && m.faults["reads lag behind"] {
		g = old
	}
	return m.cut(g), nil
}

func (m *memory) Insert(ctx context.Context, g *storage.Grant) error {
	if err := m.refuses(ctx, g.Tenant, g.ID); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken {
		return errMemory
	}
	_, there := m.live(g.Tenant, g.ID)
	if m.faults["insert checks, then writes"] {
		m.pause()
	}
	if there && !m.faults["insert overwrites"] {
		return storage.ErrExists
	}
	if !m.faults["version as given"] {
		g.Version = 1
	}
	m.rows[m.key(g.Tenant, g.ID)] = m.cut(*g)
	return nil
}

// pause lets others in where a careless backend would between its check and its write.
func (m *memory) pause() {
	m.mu.Unlock()
	time.Sleep(time.Millisecond)
	m.mu.Lock()
}

func (m *memory) Replace(ctx context.Context, g *storage.Grant) error {
	if err := m.refuses(ctx, g.Tenant, g.ID); err != nil {
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
	was, ok := m.live(g.Tenant, g.ID)
	if m.faults["replace checks, then writes"] {
		m.pause()
	}
	if !ok || (was.Version != g.Version && !m.faults["version not compared"]) {
		return storage.ErrConflict
	}
	g.Version++
	next := m.cut(*g)
	m.stale[m.key(g.Tenant, g.ID)] = was
	if m.faults["expiry fixed at insert"] {
		next.Expires = was.Expires
	}
	m.rows[m.key(g.Tenant, g.ID)] = next
	if m.faults["half done when cancelled"] {
		if m.pause(); ctx.Err() != nil {
			next.Scopes = was.Scopes
			m.rows[m.key(g.Tenant, g.ID)] = next
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

func (m *memory) List(ctx context.Context, q storage.Query) ([]storage.Grant, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.refuses(ctx, q.Tenant, "list"); err != nil {
		return nil, err
	}
	field := map[string]func(storage.Grant) string{
		"":        func(storage.Grant) string { return q.Value },
		"user":    func(g storage.Grant) string { return g.User },
		"session": func(g storage.Grant) string { return g.Session },
	}[q.Field]
	if field == nil {
		if !m.faults["any field listed"] {
			return nil, errMemory
		}
		field = func(storage.Grant) string { return "" }
	}
	var list []storage.Grant
	for _, g := range m.rows {
		_, live := m.live(g.Tenant, g.ID)
		live = live || m.faults["expired records listed"]
		foreign := g.Tenant != q.Tenant && !m.faults["other tenants listed"]
		if !live || foreign || field(g) != q.Value || (q.Value == "" && q.Field != "" && m.faults["empty value not found"]) {
			continue
		}
		list = append(list, g)
	}
	list = m.page(list, q)
	for i := range list {
		list[i] = m.cut(list[i])
	}
	return list, nil
}

func (m *memory) page(list []storage.Grant, q storage.Query) []storage.Grant {
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID })
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
	list = slices.DeleteFunc(list, func(g storage.Grant) bool { return !past(g.ID) })
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
	for k, g := range m.rows {
		expired := !g.Expires.IsZero() && !g.Expires.After(m.now())
		if (expired && !m.faults["nothing swept"]) || m.faults["all swept"] {
			delete(m.rows, k)
			removed++
		}
	}
	return removed, nil
}
