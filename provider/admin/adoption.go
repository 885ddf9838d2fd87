package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

const (
	// shownDays is how many days before today Adoption goes back.
	shownDays = 90
	// tallyLife is how long the numbers of a day are kept: a year and a month, so that one year can be held against another.
	tallyLife = 400 * 24 * time.Hour
)

// Adoption is how many of a tenant's users have a second step, by user type and over time, and how many text messages were
// sent. All days are UTC.
type Adoption struct {
	// Types are the tenant's user types, in its order.
	Types []string `json:"types"`
	// TypeNames are what people read for some of the types.
	TypeNames map[string]string `json:"type_names,omitempty"`
	// Today has the numbers of this moment; of a tenant with many users they may be a minute old.
	Today Day `json:"today"`
	// Days are those of the 90 days before of which there are numbers, the oldest first.
	Days []Day `json:"days"`
	// SMS is what is spent on text messages.
	SMS MessageUse `json:"sms"`
}

// Day has the numbers of one day.
type Day struct {
	// Date is the day, as 2006-01-02.
	Date string `json:"date"`
	// Counted: the users were counted on that day, a little after it began.
	Counted bool `json:"counted"`
	// Users is how many there were of all types together, TwoFactor how many of them had a second step.
	Users     int `json:"users"`
	TwoFactor int `json:"two_factor"`
	// Types are the same by user type.
	Types map[string]storage.TypeTally `json:"types"`
	// SMS is how many text messages were sent.
	SMS int `json:"sms"`
}

// MessageUse is what a tenant spends on text messages.
type MessageUse struct {
	// Offered: users can have codes sent.
	Offered bool `json:"offered"`
	// Budget is how many may be sent a day; 0 where none are.
	Budget int `json:"budget"`
	// Month is how many were sent since the first of this month.
	Month int `json:"month"`
}

// Adoption shows how far two-factor authentication has come in a tenant.
func (s *Service) Adoption(ctx context.Context, by *web.Actor, tenant string) (Adoption, error) {
	t, err := s.admit(ctx, by, tenant, helping)
	if err != nil {
		return Adoption{}, err
	}
	today := s.Now().UTC()
	a := Adoption{Types: t.UserTypes, TypeNames: t.TypeNames, Days: []Day{}}
	if a.SMS.Budget, a.SMS.Offered, err = s.Credentials.DailyMessages(&t); err != nil {
		return a, web.Unavailable("budget", err)
	}
	// One more than the days shown, which are not today, fits into one page.
	kept, err := s.Store.Tallies.List(ctx, storage.Query{
		Tenant: tenant, After: dayOf(today.AddDate(0, 0, -shownDays-1)), Limit: shownDays + 2,
	})
	if err != nil {
		return a, web.Unavailable("tallies", err)
	}
	a.Today = Day{Date: dayOf(today), Counted: true}
	for i := range kept {
		k := &kept[i]
		if k.ID[:len("2006-01")] == a.Today.Date[:len("2006-01")] {
			a.SMS.Month += k.SMS
		}
		if k.ID >= a.Today.Date {
			a.Today.SMS = k.SMS
			continue
		}
		a.Days = append(a.Days, viewDay(k))
	}
	now, err := s.countedUsers(ctx, &t)
	a.Today.count(now)
	return a, err
}

func viewDay(k *storage.Tally) Day {
	d := Day{Date: k.ID, Counted: k.Types != nil, SMS: k.SMS}
	d.count(k.Types)
	return d
}

func (d *Day) count(types map[string]storage.TypeTally) {
	d.Types = types
	for _, n := range types {
		d.Users += n.Users
		d.TwoFactor += n.TwoFactor
	}
}

func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// countUsers counts a tenant's users by type, from an index.
func (s *Service) countUsers(ctx context.Context, t *storage.Tenant) (map[string]storage.TypeTally, error) {
	types := make(map[string]storage.TypeTally, len(t.UserTypes))
	for _, userType := range t.UserTypes {
		var n [2]int
		for i, on := range []bool{false, true} {
			var err error
			q := storage.Query{Tenant: t.ID, Field: "segment", Value: storage.Segment(userType, on)}
			if n[i], err = storage.Count(ctx, s.Store.Users, q); err != nil {
				return nil, web.Unavailable("users", err)
			}
		}
		types[userType] = storage.TypeTally{Users: n[0] + n[1], TwoFactor: n[1]}
	}
	return types, nil
}

// Tally keeps how many users a tenant has today and how many of them have a second step, unless it is known already.
func (s *Service) Tally(ctx context.Context, by *web.Actor, tenant string) error {
	t, err := s.admit(ctx, by, tenant, operating)
	if err != nil {
		return err
	}
	today := dayOf(s.Now())
	known, err := s.Store.Tallies.Get(ctx, tenant, today)
	if err == nil && known.Types != nil {
		return nil
	}
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("tally of %s: %w", tenant, err)
	}
	types, err := s.countUsers(ctx, &t)
	if err != nil {
		return err
	}
	return s.tally(ctx, tenant, func(day *storage.Tally) {
		if day.Types == nil {
			day.Types = types
		}
	})
}

// CountSMS counts a text message that was sent for a tenant.
func (s *Service) CountSMS(ctx context.Context, tenant string) error {
	return s.tally(ctx, tenant, func(day *storage.Tally) { day.SMS++ })
}

// tally changes the numbers of today.
func (s *Service) tally(ctx context.Context, tenant string, change func(*storage.Tally)) error {
	now := s.Now()
	_, err := storage.Put(ctx, s.Store.Tallies, tenant, dayOf(now), func(day *storage.Tally) error {
		change(day)
		day.Expires = now.Add(tallyLife)
		return nil
	})
	if err != nil {
		return fmt.Errorf("tally of %s: %w", tenant, err)
	}
	return nil
}
