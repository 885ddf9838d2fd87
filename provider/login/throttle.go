package login

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// limit says how wrong passwords are slowed and refused.
type limit struct {
	// From the slow-th wrong password on each next try has to wait a little longer; from the refuse-th on a minute
	// and more.
	slow, refuse int
	// memory is how long wrong passwords are remembered after the last of them.
	memory time.Duration
}

var (
	// perAccount holds for one account from one network, so that a stranger elsewhere can't lock the owner out.
	perAccount = limit{slow: 5, refuse: 10, memory: time.Hour}
	// perAddress holds for one address over all accounts. Offices and schools share one.
	perAddress = limit{slow: 50, refuse: 100, memory: time.Hour}
)

const longestRefusal = 15 * time.Minute

// notedEvery is how often the same refusal is put into the audit log.
const notedEvery = time.Minute

// wait is how long after the n-th wrong password the next one is refused.
func (l limit) wait(n int) time.Duration {
	switch {
	case n < l.slow:
		return 0
	case n < l.refuse:
		return time.Second << min(n-l.slow, 4)
	default:
		return min(time.Minute<<min(n-l.refuse, 4), longestRefusal)
	}
}

// bucketBits bounds how many counters strangers can make the database keep by typing in names: 2^20.
const bucketBits = 20

// attempt is one password being tried: the counters that it counts in.
type attempt struct {
	account, address string
}

// attemptOf names the counters. The account counts by the name typed in, in the one form that the directory knows it by
// and over all tenants, which is the same work whether or not there is such an account.
func (s *Service) attemptOf(by *web.Actor, login string) attempt {
	name, err := directory.Normalize(login)
	if err != nil {
		// What can't be a name is nobody's, in whichever way it is written.
		name = "not a name"
	}
	network := web.Network(by.Address)
	from := network
	if by.Address.Is4() {
		// Many who have nothing to do with each other share a /24.
		from = by.Address.String()
	}
	return attempt{account: "password/" + s.bucket(name+"\x00"+network), address: "address/" + s.bucket(from)}
}

func (s *Service) bucket(of string) string {
	sum, err := base64.RawURLEncoding.DecodeString(s.Keys.Hash("throttle", of))
	if err != nil || len(sum) < 4 {
		// All in one bucket is the strict way to be wrong.
		return "0"
	}
	n := binary.BigEndian.Uint32(sum) >> (32 - bucketBits)
	return string(base64.RawURLEncoding.AppendEncode(nil, binary.BigEndian.AppendUint32(nil, n)))
}

// underway counts the attempts that are being checked by this process just now. Nothing is written for an attempt
// that turns out right, and still guesses made at the same time can't pass the limit: each counts those beside it.
type underway struct {
	mu     sync.Mutex
	counts map[string]int
}

// enter counts one more attempt, and returns how many were there before.
func (u *underway) enter(id string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.counts[id]++
	return u.counts[id] - 1
}

func (u *underway) leave(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.counts[id]--; u.counts[id] <= 0 {
		delete(u.counts, id)
	}
}

// beginPassword lets an attempt in, or refuses it unseen with a *web.TooMany. done must be called once it was checked.
func (s *Service) beginPassword(ctx context.Context, a attempt) (known bool, done func(), err error) {
	limits := []struct {
		id    string
		limit limit
	}{{a.account, perAccount}, {a.address, perAddress}}
	done = func() {
		for _, l := range limits {
			s.underway.leave(l.id)
		}
	}
	var wait time.Duration
	for _, l := range limits {
		beside := s.underway.enter(l.id)
		stored, readErr := s.Store.Counters.Get(ctx, storage.Global, l.id)
		if readErr != nil && !errors.Is(readErr, storage.ErrNotFound) {
			err = web.Unavailable("counter", readErr)
		}
		wait = max(wait, stored.Until.Sub(s.Now()))
		if beside > 0 {
			// Were those beside it wrong, this one would have to wait for so long.
			wait = max(wait, l.limit.wait(stored.Count+beside))
		}
		known = known || l.id == a.account && readErr == nil
	}
	if err == nil && wait > 0 {
		err = &web.TooMany{Retry: wait}
	}
	if err != nil {
		done()
		return false, nil, err
	}
	return known, done, nil
}

// wrongPassword counts for the account and for the address.
func (s *Service) wrongPassword(ctx context.Context, a attempt) error {
	for id, l := range map[string]limit{a.account: perAccount, a.address: perAddress} {
		_, err := storage.Put(ctx, s.Store.Counters, storage.Global, id, func(c *storage.Counter) error {
			now := s.Now()
			c.Count++
			c.Until = now.Add(l.wait(c.Count))
			c.Expires = now.Add(l.memory)
			return nil
		})
		if err != nil {
			return web.Unavailable("counter", err)
		}
	}
	return nil
}

// rightPassword clears the account's counter, where there is one.
func (s *Service) rightPassword(ctx context.Context, a attempt) error {
	err := s.Store.Counters.Delete(ctx, storage.Global, a.account)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return web.Unavailable("counter", err)
}
