package console

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/ui"
)

func (s *Service) settingsRoutes() []web.Route {
	return []web.Route{
		web.Get(ui.PathSettings, web.Self, s.settings),
		web.Post(ui.PathSettings, web.Fresh, s.saveSettings),
	}
}

type settingsIn struct {
	Notice string `form:"notice"`
}

func (s *Service) settings(ctx context.Context, by *web.Actor, in settingsIn) (web.Result, error) {
	page, err := s.settingsPage(ctx, by)
	page.Notice = s.said().Read(in.Notice)
	return web.Draw(page), err
}

// idles are the times, in minutes, that can be chosen for sessions that nobody uses.
func idles() []int { return []int{5, 15, 30, 60, 2 * 60, 4 * 60, 8 * 60, 12 * 60, 24 * 60} }

func (s *Service) settingsPage(ctx context.Context, by *web.Actor) (ui.Settings, error) {
	t, err := s.Admin.Tenant(ctx, by, by.Tenant.ID)
	if err != nil {
		return ui.Settings{}, err
	}
	idle, err := time.ParseDuration(t.Settings.SessionIdle)
	if err != nil {
		return ui.Settings{}, err
	}
	page := ui.Settings{
		Digits: t.Settings.TOTPDigits, Algorithm: t.Settings.TOTPAlgorithm, Codes: t.Settings.BackupCodes,
		Idle: int(idle / time.Minute), Idles: idles(), Reset: t.Settings.EmailReset, Support: t.Settings.Support,
		Language: t.Settings.Language, Languages: s.Admin.Notices.UI.OwnNames(), Plan: t.Plan, Budget: t.Settings.SMSBudget, AuditDays: t.Settings.AuditDays, Only: len(t.Settings.SMSCountries) > 0,
		Action: ui.PathSettings,
	}
	// Programs can choose times that the page does not offer.
	if i, found := slices.BinarySearch(page.Idles, page.Idle); !found {
		page.Idles = slices.Insert(page.Idles, i, page.Idle)
	}
	page.Countries = s.countries(t.Settings.SMSCountries)
	owns, err := s.owns(ctx, by)
	if owns {
		page.Retention = auditRetention
	}
	return page, err
}

// countries are those that the deployment sends text messages to; none where it sends none. The page puts them in the order of
// their names, which depends on its language.
func (s *Service) countries(chosen []string) []ui.Country {
	for _, f := range s.Credentials.Factors {
		phone, ok := f.(interface{ Allowed(u mfa.User) []string })
		if !ok {
			continue
		}
		var all []ui.Country
		for _, code := range phone.Allowed(mfa.User{}) {
			all = append(all, ui.Country{Code: code, On: slices.Contains(chosen, code)})
		}
		return all
	}
	return nil
}

type saveSettingsIn struct {
	Digits    int      `form:"totp_digits"`
	Algorithm string   `form:"totp_algorithm"`
	Codes     int      `form:"backup_codes"`
	Idle      int      `form:"session_idle"`
	Reset     string   `form:"email_reset"`
	Support   string   `form:"support"`
	Language  string   `form:"language"`
	To        string   `form:"sms_to"`
	Countries []string `form:"sms_countries"`
}

// fields are what a form asks for. Where the deployment sends no text messages there is nothing said of countries.
func (in saveSettingsIn) fields() (admin.TenantFields, error) {
	// What is far too long must not come round to something else.
	minutes := min(max(in.Idle, 0), 1<<20)
	idle, support := admin.Duration(time.Duration(minutes)*time.Minute), strings.TrimSpace(in.Support)
	f := admin.TenantFields{
		TOTPDigits: &in.Digits, TOTPAlgorithm: &in.Algorithm, BackupCodes: &in.Codes, SessionIdle: &idle, EmailReset: &in.Reset,
		Support: &support, Language: &in.Language,
	}
	switch in.To {
	case "all":
		f.SMSCountries = &[]string{}
	case "only":
		// An empty list would mean all of them, which is not what somebody means who unticks the last.
		if len(in.Countries) == 0 {
			return f, web.Refuse("sms_countries", "none", "no country is ticked", "tick at least one")
		}
		f.SMSCountries = &in.Countries
	}
	return f, nil
}

// saveSettings sets all of them, or none.
func (s *Service) saveSettings(ctx context.Context, by *web.Actor, in saveSettingsIn) (web.Result, error) {
	fields, err := in.fields()
	if err == nil {
		_, err = s.Admin.ChangeTenant(ctx, by, by.Tenant.ID, fields)
	}
	faults := problems(err, "totp_digits", "totp_algorithm", "backup_codes", "session_idle", "email_reset", "support", "language", "sms_countries")
	if faults == nil {
		if err != nil {
			return web.Result{}, err
		}
		return s.done(ui.PathSettings, ui.NoticeSettingsSaved)
	}
	page, err := s.settingsPage(ctx, by)
	page.Digits, page.Algorithm, page.Codes, page.Idle, page.Reset = in.Digits, in.Algorithm, in.Codes, in.Idle, in.Reset
	page.Language, page.Support, page.Only, page.Problems = in.Language, in.Support, in.To == "only", faults
	for i := range page.Countries {
		page.Countries[i].On = slices.Contains(in.Countries, page.Countries[i].Code)
	}
	return web.Result{Page: page, Refused: true}, err
}
