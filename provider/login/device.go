package login

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// A remembered device is a browser in which a user passed the second step and asked not to be asked again for some days.
// The browser keeps a secret for each of its users, which changes whenever it is shown: of two browsers that show one
// secret, one has copied it, and whoever comes second shows a value of before, however often the other came since.
const (
	hashDevice = "remembered device"
	hashPolicy = "policy"
	// mostDevices is how many a user can have, mostInBrowser how many users one browser is remembered for.
	mostDevices   = 10
	mostInBrowser = 8
	// sameMoment is how long after its change the value before may come from the same browser without being a copy's:
	// two sign-ins that were sent at once. It is not accepted either.
	sameMoment = 10 * time.Second
)

// remembered is one entry of the cookie: tenant, device and secret.
type remembered struct{ tenant, device, secret string }

func (r remembered) String() string { return r.tenant + "." + r.device + "." + r.secret }

// readDevices reads the cookie; what is no entry is passed over.
func readDevices(cookie string) []remembered {
	var all []remembered
	for _, entry := range strings.Split(cookie, "~") {
		parts := strings.Split(entry, ".")
		if len(parts) == 3 && parts[0] != "" && parts[1] != "" && parts[2] != "" && len(all) < mostInBrowser {
			all = append(all, remembered{parts[0], parts[1], parts[2]})
		}
	}
	return all
}

// writeDevices puts an entry at the front, in place of that of the same device.
func writeDevices(all []remembered, first remembered) *string {
	all = slices.DeleteFunc(slices.Clone(all), func(r remembered) bool { return r.device == first.device })
	entries := []string{first.String()}
	for _, r := range all[:min(len(all), mostInBrowser-1)] {
		entries = append(entries, r.String())
	}
	cookie := strings.Join(entries, "~")
	return &cookie
}

// underPolicy is the hash of the rules that a device is remembered under: when they change, it is asked again.
func (s *Service) underPolicy(t *storage.Tenant) (string, error) {
	rules, err := json.Marshal(t.Rules)
	return s.Keys.Hash(hashPolicy, string(rules)), err
}

// recognise looks whether the sign-in comes from a device that the user had remembered, and if so adds its proof and
// computes the step anew. It returns the cookie's new value. The browser gives no entry of another user's away: each is
// tried only for the user whose password was right.
func (s *Service) recognise(ctx context.Context, by *web.Actor, st *state) (*string, error) {
	// Only the policy's own question is answered so.
	if r := st.request; st.decision.Remember <= 0 || r.MaxAge != nil || r.Fresh || st.want.TwoFactor || st.want.PhishingResistant {
		return nil, nil
	}
	all := readDevices(by.Devices)
	for _, entry := range all {
		if entry.tenant != st.person.User.Tenant {
			continue
		}
		d, err := s.Store.Devices.Get(ctx, entry.tenant, entry.device)
		if errors.Is(err, storage.ErrNotFound) || err == nil && d.User != st.person.User.ID {
			continue
		}
		if err != nil {
			return nil, web.Unavailable("device", err)
		}
		proof := storage.Proof{
			Factor: DeviceProof, Credential: d.ID, At: s.Now(),
			Stands: d.Factor, PhishingResistant: d.PhishingResistant, Since: d.Created,
		}
		if !stands(proof, st.decision) {
			continue
		}
		fresh, err := s.rotate(ctx, by, st, d, entry)
		if err != nil {
			return nil, err
		}
		if fresh == "" {
			continue
		}
		st.flow.Proofs = merge(st.flow.Proofs, []storage.Proof{proof})
		st.step = s.next(st)
		return writeDevices(all, remembered{d.Tenant, d.ID, fresh}), nil
	}
	return nil, nil
}

// rotate spends a device's secret and returns the next one, or nothing where the device is not recognised.
func (s *Service) rotate(ctx context.Context, by *web.Actor, st *state, d storage.Device, entry remembered) (string, error) {
	policy, err := s.underPolicy(st.person.Tenant)
	if err != nil {
		return "", err
	}
	now := s.Now()
	switch {
	case !s.Keys.Equal(d.Secret, hashDevice, entry.secret):
		last := d.Previous != "" && s.Keys.Equal(d.Previous, hashDevice, entry.secret)
		if last && d.Browser == by.Browser && now.Sub(d.LastUsed) < sameMoment {
			return "", nil
		}
		return "", s.copied(ctx, by, st, d)
	case d.Browser != by.Browser:
		return "", nil
	case d.Policy != policy:
		return "", s.forget(ctx, d)
	}
	secret := rand.Text() + rand.Text()
	d.Previous, d.Secret, d.LastUsed = d.Secret, s.Keys.Hash(hashDevice, secret), now
	d.Agent, d.Address = by.Agent, by.Event("", "").Address
	err = s.Store.Devices.Replace(ctx, &d)
	if errors.Is(err, storage.ErrConflict) {
		// The same secret was shown at the same moment, and that request was first.
		return "", nil
	}
	return secret, web.Unavailable("device", err)
}

// copied ends a device whose secret was shown twice, with the sessions that it opened and all that applications got for
// the user: nobody knows whose they are.
func (s *Service) copied(ctx context.Context, by *web.Actor, st *state, d storage.Device) error {
	e := s.event(by, st, "device.copied", "refused")
	e.Factor = DeviceProof
	if err := s.record(ctx, e); err != nil {
		return err
	}
	if err := s.forget(ctx, d); err != nil {
		return err
	}
	own := storage.Query{Tenant: d.Tenant, Field: "user", Value: d.User}
	err := storage.Each(ctx, s.Store.Sessions, own, func(o *storage.Session) error {
		// This sign-in may carry one on, which then has the second step that is asked now.
		if o.ID == st.flow.Session || !slices.ContainsFunc(o.Proofs, func(p storage.Proof) bool { return p.Factor == DeviceProof && p.Credential == d.ID }) {
			return nil
		}
		return s.EndSession(ctx, o.Tenant, o.ID)
	})
	// An application that the copy signed in to may have got offline access, which outlives its session.
	err = errors.Join(err, s.Stolen(ctx, d.Tenant, d.User))
	s.Notices.Tell(ctx, st.person.Notice(by, ui.MailDeviceCopied))
	return web.Unavailable("sessions", err)
}

func (s *Service) forget(ctx context.Context, d storage.Device) error {
	err := s.Store.Devices.Delete(ctx, d.Tenant, d.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return web.Unavailable("device", err)
}

// rememberDays is for how many days the browser can be remembered with an answer of this factor; 0: not at all. What
// stands in for a lost factor is no reason to ask less the next time.
func (s *Service) rememberDays(st *state, i mfa.Info) int {
	if i.Backup || st.request.Fresh {
		return 0
	}
	return int(st.decision.Remember / (24 * time.Hour))
}

// rememberDevice remembers the browser, where the user wanted that of a sign-in that is complete. It returns the cookie's
// new value.
func (s *Service) rememberDevice(ctx context.Context, by *web.Actor, st *state) (*string, error) {
	with, ok := s.rememberable(st)
	if !st.flow.Remember || st.decision.Remember <= 0 || !ok {
		return nil, nil
	}
	policy, err := s.underPolicy(st.person.Tenant)
	if err != nil {
		return nil, err
	}
	secret := rand.Text() + rand.Text()
	now := s.Now()
	d := storage.Device{
		Key:  storage.Key{Tenant: st.person.User.Tenant, ID: storage.NewID(), Expires: now.Add(st.decision.Remember)},
		User: st.person.User.ID, Secret: s.Keys.Hash(hashDevice, secret), Browser: by.Browser, Policy: policy,
		Factor: with.Factor, PhishingResistant: with.PhishingResistant,
		Agent: by.Agent, Address: by.Event("", "").Address, Created: now, LastUsed: now,
	}
	e := s.event(by, st, "device.remembered", "ok")
	e.Factor = DeviceProof
	if err := s.record(ctx, e); err != nil {
		return nil, err
	}
	if err := s.Store.Devices.Insert(ctx, &d); err != nil {
		return nil, web.Unavailable("device", err)
	}
	if err := s.keepTen(ctx, st.person.User); err != nil {
		return nil, err
	}
	s.Notices.Tell(ctx, st.person.Notice(by, ui.MailDeviceRemembered))
	return writeDevices(readDevices(by.Devices), remembered{d.Tenant, d.ID, secret}), nil
}

// rememberable finds the second step that a device can be remembered with. The wish alone is none: it may have come with
// a wrong answer, in a sign-in that then ended without a right one.
func (s *Service) rememberable(st *state) (storage.Proof, bool) {
	for _, p := range slices.Backward(st.flow.Proofs) {
		f, err := s.Credentials.Factor(p.Factor)
		if err == nil && !f.Info().Backup && fits([]storage.Proof{p}, st.decision, Want{}) {
			return p, true
		}
	}
	return storage.Proof{}, false
}

// keepTen forgets the devices that were used longest ago, beyond the limit: after the newest is stored, so that several
// that are remembered at once don't pass it.
func (s *Service) keepTen(ctx context.Context, u *storage.User) error {
	all, err := s.Store.Devices.List(ctx, storage.Query{Tenant: u.Tenant, Field: "user", Value: u.ID, Limit: 1000})
	if err != nil {
		return web.Unavailable("devices", err)
	}
	slices.SortFunc(all, func(a, b storage.Device) int { return b.LastUsed.Compare(a.LastUsed) })
	for i := mostDevices; i < len(all); i++ {
		if err := s.forget(ctx, all[i]); err != nil {
			return err
		}
	}
	return nil
}
