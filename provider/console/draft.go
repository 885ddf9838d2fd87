package console

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// draft is a change of the policy that is looked at before it is saved. It travels sealed, so that what is saved is what
// was shown.
type draft struct {
	// Change is what is to be changed; of its rules nothing is sealed where they follow from Order and Put.
	Change admin.PolicyChange `json:"c"`
	// Order are the IDs of all rules there are to be, and Put is the one that is new, or takes the place of one. The others are
	// those of the policy that the draft was made from: with many of them it would outgrow what a form may carry.
	Order []string      `json:"o"`
	Put   *storage.Rule `json:"p,omitempty"`
	// Back leads to where the change was made.
	Back string `json:"b"`
}

const (
	draftLife = 30 * time.Minute
	// longestDraft is how long a sealed draft in an address may be, in bytes: proxies take some 8 KiB, and where a second
	// step comes first, the address travels sealed in another.
	longestDraft = 4 << 10
	// largestDraft bounds what a sealed draft may grow to, in bytes.
	largestDraft = 1 << 20
)

// purpose is that of drafts of one user: nobody else's opens, nor that of the same user in another tenant.
func purpose(by *web.Actor) string { return "policy draft " + by.Tenant.ID + " " + by.User.ID }

func (s *Service) seal(by *web.Actor, d draft) (string, error) {
	if d.Order != nil {
		d.Change.Rules = nil
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return "", err
	}
	if err := errors.Join(json.NewEncoder(w).Encode(d), w.Close()); err != nil {
		return "", err
	}
	return s.Keys.Seal(purpose(by), draftLife, b.Bytes())
}

// open reads a draft, of whoever may see the policy. web.ErrForbidden, web.ErrExpired, web.ErrBadRequest, *web.Changed.
func (s *Service) open(ctx context.Context, by *web.Actor, sealed string) (d draft, err error) {
	p, err := s.Admin.Policy(ctx, by, by.Tenant.ID)
	if err != nil {
		return d, err
	}
	plain, err := s.Keys.Open(purpose(by), sealed)
	switch {
	case errors.Is(err, keys.ErrExpired):
		return d, web.ErrExpired
	case errors.Is(err, keys.ErrSealed):
		return d, web.ErrBadRequest
	case err != nil:
		return d, err
	}
	if err = json.NewDecoder(io.LimitReader(flate.NewReader(bytes.NewReader(plain)), largestDraft)).Decode(&d); err != nil {
		return d, err
	}
	if d.Order == nil {
		return d, nil
	}
	if d.Change.Version != p.Version {
		return d, &web.Changed{Next: d.Back}
	}
	d.arrange(p.Rules)
	return d, nil
}

// ofRules is the draft of another order or number of rules, made from the policy of a version. put is the one of them that is
// new or was changed, if there is one.
func ofRules(rules []storage.Rule, put *storage.Rule, version int64) draft {
	d := draft{Change: admin.PolicyChange{Rules: &rules, Version: version}, Put: put, Order: []string{}, Back: ui.PathPolicy}
	for _, r := range rules {
		d.Order = append(d.Order, r.ID)
	}
	return d
}

// arrange puts the rules together that a draft asks for, from those that there are.
func (d *draft) arrange(are []storage.Rule) {
	rules := make([]storage.Rule, 0, len(d.Order))
	for _, id := range d.Order {
		if d.Put != nil && d.Put.ID == id {
			rules = append(rules, *d.Put)
			continue
		}
		for _, r := range are {
			if r.ID == id {
				rules = append(rules, r)
			}
		}
	}
	d.Change.Rules = &rules
}

// propose leads to the page that says what a change does. A change that is refused is an error; one that changes nothing
// leads back.
func (s *Service) propose(ctx context.Context, by *web.Actor, d draft) (web.Result, error) {
	changes, err := s.Admin.CheckPolicy(ctx, by, by.Tenant.ID, d.Change)
	if err != nil {
		return web.Result{}, changed(err, d.Back)
	}
	if !changes.Any() {
		return s.done(d.Back, ui.NoticePolicySame)
	}
	sealed, err := s.seal(by, d)
	if err != nil {
		return web.Result{}, err
	}
	if len(sealed) > longestDraft {
		return s.drawPreview(ctx, by, d, sealed)
	}
	return web.Go(previewPath + "?" + url.Values{"draft": {sealed}}.Encode()), nil
}

// changed tells, where somebody else was faster, that it starts over from a path.
func changed(err error, next string) error {
	var refused *web.Invalid
	if errors.As(err, &refused) && refused.Where == admin.Stale {
		return errors.Join(&web.Changed{Next: next}, err)
	}
	return err
}

const (
	previewPath = ui.PathPolicy + "/preview"
	savePath    = ui.PathPolicy + "/save"
)

func (s *Service) previewRoutes() []web.Route {
	return []web.Route{
		// It leads to what is saved, so that the second step comes before and not between.
		web.Get(previewPath, web.Fresh, s.preview),
		web.Post(previewPath, web.Self, s.addNetworks),
		web.Post(savePath, web.Fresh, s.savePolicy),
	}
}

type draftIn struct {
	Draft string `form:"draft"`
	Do    string `form:"do"`
}

func (s *Service) preview(ctx context.Context, by *web.Actor, in draftIn) (web.Result, error) {
	d, err := s.open(ctx, by, in.Draft)
	if err != nil {
		return web.Result{}, err
	}
	return s.drawPreview(ctx, by, d, in.Draft)
}

func (s *Service) drawPreview(ctx context.Context, by *web.Actor, d draft, sealed string) (web.Result, error) {
	p, err := s.Admin.PreviewPolicy(ctx, by, by.Tenant.ID, d.Change)
	if err != nil {
		return web.Result{}, changed(err, d.Back)
	}
	page := ui.PolicyPreview{
		Changes: changesInWords(p.Changes), Users: p.Users, NoFactor: p.NoFactor, Everywhere: ui.Effects(p.OwnPages),
		Unlooked: p.PartialApplications, LockedOut: p.LockedOut, Named: []ui.PersonRow{}, MoreNamed: p.LockedOut - len(p.Named),
		Clients: []ui.CutOffRow{}, Partial: p.Partial, Draft: sealed, Save: savePath, Reportable: d.reportable(), Back: d.Back,
	}
	for i := range p.Applications {
		page.At = append(page.At, effectsAt(&p.Applications[i]))
	}
	if page.Rules, err = s.ruleChanges(ctx, by, &p); err != nil {
		return web.Result{}, err
	}
	if r := p.Refusal; r != nil {
		page.Refusal = ui.LocksYouOut(r.Rule, r.Address)
		switch r.Code {
		case admin.LocksOwnerOut:
			page.Refusal = ui.LocksOwnerOut(r.Rule, r.Account)
		case admin.FreesOwner:
			page.Refusal = ui.FreesOwner(r.Rule, r.Account)
		case admin.LiftsFinancial:
			page.Refusal = ui.LiftsFinancial(r.Rule)
		}
	}
	for i := range p.Named {
		u := &p.Named[i]
		page.Named = append(page.Named, ui.PersonRow{ID: u.ID, Account: u.Account(), Name: u.Name, Role: string(u.Role), Path: personPath(u.ID)})
	}
	for _, c := range p.Clients {
		page.Clients = append(page.Clients, ui.CutOffRow{ID: c.ID, Name: c.Name, Addresses: c.Addresses, Last: ui.Stamp(c.Last)})
		if c.Listable && len(c.Addresses) > 0 {
			page.Add = previewPath
		}
	}
	return web.Result{Page: page, Refused: p.Refusal != nil}, nil
}

// changesInWords are those that are not about rules.
func changesInWords(c admin.Changes) []ui.Text {
	texts := []ui.Text{}
	each := func(key string, networks []string) {
		for _, network := range networks {
			texts = append(texts, ui.Say(key, "network", network))
		}
	}
	each(ui.ChangeNetworkAdded, c.NetworksAdded)
	each(ui.ChangeNetworkRemoved, c.NetworksRemoved)
	each(ui.ChangeNetworkChanged, c.NetworksChanged)
	return texts
}

// reportable tells whether it is about one rule that would be enforced, and need not be.
func (d draft) reportable() bool {
	return d.Put != nil && !d.Put.ReportOnly && !admin.BuiltIn(d.Put.ID)
}

// addNetworks lists the addresses of the clients that a draft would cut off as networks of the account, in a new draft
// (002-20).
func (s *Service) addNetworks(ctx context.Context, by *web.Actor, in draftIn) (web.Result, error) {
	d, err := s.open(ctx, by, in.Draft)
	if err != nil {
		return web.Result{}, err
	}
	p, err := s.Admin.PreviewPolicy(ctx, by, by.Tenant.ID, d.Change)
	if err != nil {
		return web.Result{}, changed(err, d.Back)
	}
	now, err := s.Admin.Policy(ctx, by, by.Tenant.ID)
	if err != nil {
		return web.Result{}, err
	}
	networks := now.Networks
	if d.Change.Networks != nil {
		networks = *d.Change.Networks
	}
	networks = admin.List(networks, p.Clients)
	d.Change.Networks = &networks
	return s.propose(ctx, by, d)
}

// savePolicy saves what the preview showed.
func (s *Service) savePolicy(ctx context.Context, by *web.Actor, in draftIn) (web.Result, error) {
	d, err := s.open(ctx, by, in.Draft)
	if err != nil {
		return web.Result{}, err
	}
	if in.Do == "report" {
		if !d.reportable() {
			return web.Result{}, web.ErrBadRequest
		}
		d.Put.ReportOnly = true
		d.arrange(*d.Change.Rules)
	}
	_, err = s.Admin.ChangePolicy(ctx, by, by.Tenant.ID, d.Change)
	var refused *web.Invalid
	if errors.As(err, &refused) && refused.Where == admin.LocksOut {
		return s.drawPreview(ctx, by, d, in.Draft)
	}
	if err != nil {
		return web.Result{}, changed(err, d.Back)
	}
	return s.done(d.Back, ui.NoticePolicySaved)
}
