package login

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Request is what a sign-in is for. Until the password is right it exists only sealed, in the browser.
type Request struct {
	// Client is the client_id of the application that asks, App its name; empty where one of our own pages asks.
	Client string `json:"client,omitempty"`
	App    string `json:"app,omitempty"`
	// Tenant is the tenant the sign-in is limited to; empty where the name typed in decides.
	Tenant string `json:"tenant,omitempty"`
	// Hint is put into the name field (OpenID Connect Core, section 3.1.2.1: login_hint).
	Hint string `json:"hint,omitempty"`
	// Subject, if set, is the only user who may sign in (id_token_hint).
	Subject string `json:"subject,omitempty"`
	// Return is where one of our own pages continues: a path of ours.
	Return string `json:"return,omitempty"`
	// Undone: what led here was posted to one of our own pages, and is not done; see web.Back.
	Undone bool `json:"undone,omitempty"`
	// ACR are the Authentication Context Class References asked for, the most wanted first. Essential: one of them
	// must be met, or the sign-in fails with ErrUnmet (OpenID Connect Core, section 5.5.1.1).
	ACR       []string `json:"acr,omitempty"`
	Essential bool     `json:"essential,omitempty"`
	// MaxAge is the longest time since the user was authenticated, in seconds; nil is any.
	MaxAge *int `json:"max_age,omitempty"`
	// Login asks for a new authentication although there is a session (prompt=login, prompt=select_account).
	Login bool `json:"login,omitempty"`
	// None forbids to show anything (prompt=none).
	None bool `json:"none,omitempty"`
	// Fresh asks for a second step (without a factor: a password) within the last ten minutes.
	Fresh bool `json:"fresh,omitempty"`
	// Locales are the ui_locales, in the order of preference, separated by spaces.
	Locales string `json:"locales,omitempty"`
	// FormTargets are the origins that the answer leads to; see web.Result.
	FormTargets []string `json:"form_targets,omitempty"`
	// Protocol is the protocol's own part, which comes back in the Outcome.
	Protocol json.RawMessage `json:"protocol,omitempty"`
	// Begun is when it was made. Begin sets it.
	Begun time.Time `json:"begun"`
}

// Outcome is a sign-in that is complete.
type Outcome struct {
	Request Request
	Tenant  storage.Tenant
	User    storage.User
	// Session is the session as stored; its ID is the `sid`.
	Session storage.Session
	// ACR is the class that was asked for and met, else the strongest met; AMR are RFC 8176 values.
	ACR      string
	AMR      []string
	AuthTime time.Time
	// Factors are the IDs of the factors that were proven beside the password.
	Factors []string
}

// Continue answers a complete sign-in: with the authorization response, or the page that asked for it. What it
// returns is sent together with the new session cookie.
type Continue func(ctx context.Context, by *web.Actor, out Outcome) (web.Result, error)

// Refuse answers an application whose request can't be met: err is ErrUnmet.
type Refuse func(ctx context.Context, by *web.Actor, r Request, err error) (web.Result, error)

// How Begin refuses where nothing can be shown. The protocol turns these into its error codes.
var (
	// ErrLoginRequired: nobody is signed in, or not recently enough, or it is somebody else.
	ErrLoginRequired = errors.New("login: sign-in is needed")
	// ErrInteractionRequired: there is a session, but another step is needed.
	ErrInteractionRequired = errors.New("login: another step is needed")
	// ErrUnmet: none of the essential ACR values can be met by this user.
	ErrUnmet = errors.New("login: the requested authentication context class can't be met")
)

// The Authentication Context Class References that we give (OpenID Connect Core, section 2: acr). They are published
// ones, so that applications need not learn ours.
const (
	// ACRPassword: one factor (REFEDS Single-Factor Authentication Profile).
	ACRPassword = "https://refeds.org/profile/sfa"
	// ACRTwoFactor: two factors (REFEDS Multi-Factor Authentication Profile).
	ACRTwoFactor = "https://refeds.org/profile/mfa"
	// ACRPhishingResistant and ACRPhishingResistantHardware: OpenID EAP ACR Values 1.0.
	ACRPhishingResistant         = "phr"
	ACRPhishingResistantHardware = "phrh"
)
