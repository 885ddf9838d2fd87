package login

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

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

// attemptOf names the counters. The account counts by the name typed in, which is the same work whether or not there
// is such an account.
func (s *Service) attemptOf(by *web.Actor, tenant, login string) attempt {
	network := "unknown"
	if by.Address.IsValid() {
		network = networkOf(by.Address)
	}
	return attempt{
		account: "password/" + s.bucket(tenant+"\x00"+login+"\x00"+network),
		address: "address/" + s.bucket(by.Address.String()),
	}
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

// networkOf is the neighbourhood that one attacker or one household comes from.
func networkOf(a netip.Addr) string {
	bits := 24
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return a.String()
	}
	return p.String()
}

// begin counts an attempt before the password is looked at, so that guesses made at the same time can't pass the
// limit. It returns a *web.TooMany where the attempt is refused unseen.
func (s *Service) countPassword(ctx context.Context, a attempt) error {
	if err := s.refused(ctx, a.address); err != nil {
		return err
	}
	_, err := storage.Put(ctx, s.Store.Counters, storage.Global, a.account, func(c *storage.Counter) error {
		return s.countIn(c, perAccount)
	})
	return passOn("counter", err)
}

func (s *Service) countIn(c *storage.Counter, l limit) error {
	now := s.Now()
	if now.Before(c.Until) {
		return &web.TooMany{Retry: c.Until.Sub(now)}
	}
	c.Count++
	c.Until = now.Add(l.wait(c.Count))
	c.Expires = now.Add(l.memory)
	return nil
}

func (s *Service) refused(ctx context.Context, id string) error {
	c, err := s.Store.Counters.Get(ctx, storage.Global, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return web.Unavailable("counter", err)
	}
	if now := s.Now(); now.Before(c.Until) {
		return &web.TooMany{Retry: c.Until.Sub(now)}
	}
	return nil
}

// wrongPassword counts for the address; the account has counted already.
func (s *Service) wrongPassword(ctx context.Context, a attempt) error {
	_, err := storage.Put(ctx, s.Store.Counters, storage.Global, a.address, func(c *storage.Counter) error {
		err := s.countIn(c, perAddress)
		var many *web.TooMany
		if errors.As(err, &many) {
			return nil
		}
		return err
	})
	return passOn("counter", err)
}

// rightPassword clears the account's counter.
func (s *Service) rightPassword(ctx context.Context, a attempt) error {
	err := s.Store.Counters.Delete(ctx, storage.Global, a.account)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return web.Unavailable("counter", err)
}

// passOn keeps refusals as they are.
func passOn(what string, err error) error {
	var many *web.TooMany
	if errors.As(err, &many) {
		return err
	}
	return web.Unavailable(what, err)
}
