package sampleapp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// session is somebody who is signed in.
type session struct {
	idToken string
	claims  claims
	person  person
	all     json.RawMessage
}

// claims are those of the ID token that an application decides by (OpenID Connect Core, section 2).
type claims struct {
	Subject  string   `json:"sub"`
	ACR      string   `json:"acr"`
	AMR      []string `json:"amr"`
	AuthTime int64    `json:"auth_time"`
	Session  string   `json:"sid"`
	Tenant   string   `json:"tenant"`
}

type person struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// shown is a session in words.
type shown struct {
	Name, Email string
	TwoFactor   bool
	Claims      []claim
	// JSON is the whole ID token's payload.
	JSON string
}

type claim struct {
	// Label and Words say what the claim of that name and value means.
	Label, Words, Name, Value string
}

func (s *session) show(now time.Time) *shown {
	v := &shown{Name: s.person.Name, Email: s.person.Email, TwoFactor: s.twoFactor()}
	if v.Name == "" {
		v.Name = v.Email
	}
	at := time.Unix(s.claims.AuthTime, 0)
	v.Claims = []claim{
		{"Assurance", acrWords(s.claims.ACR), "acr", s.claims.ACR},
		{"Proven by", amrWords(s.claims.AMR), "amr", strings.Join(s.claims.AMR, " ")},
		{"When", ago(now.Sub(at)) + ", at " + at.Format("15:04:05"), "auth_time", fmt.Sprint(s.claims.AuthTime)},
		{"Account", s.claims.Tenant, "tenant", s.claims.Tenant},
		{"Sign-in session", "the same for every application you open from here", "sid", s.claims.Session},
		{"You, to this application", "an identifier that never changes", "sub", s.claims.Subject},
	}
	var b bytes.Buffer
	if err := json.Indent(&b, s.all, "", "  "); err == nil {
		v.JSON = b.String()
	}
	return v
}

func (s *session) twoFactor() bool { return s.claims.ACR != "" && s.claims.ACR != acrPassword }

const acrPassword = "https://refeds.org/profile/sfa"

func acrWords(acr string) string {
	switch acr {
	case acrPassword:
		return "A password alone"
	case acrTwoFactor:
		return "Two factors"
	case "phr":
		return "A factor that resists phishing"
	case "phrh":
		return "A factor in hardware that resists phishing"
	case "":
		return "Not said"
	default:
		return acr
	}
}

// amrWords are RFC 8176's.
func amrWords(amr []string) string {
	known := map[string]string{
		"pwd": "a password", "otp": "a one-time code", "sms": "a code by text message", "hwk": "a key in hardware",
		"swk": "a key in software", "user": "a touch or gesture", "pin": "a PIN", "mfa": "more than one factor",
	}
	var words []string
	for _, m := range amr {
		if m == "mfa" {
			continue // The line above says so.
		}
		if w := known[m]; w != "" {
			m = w
		}
		words = append(words, m)
	}
	if len(words) == 0 {
		return "Not said"
	}
	return strings.Join(words, " and ")
}

func ago(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%d seconds ago", int(d.Seconds()))
	case d < 2*time.Minute:
		return "a minute ago"
	case d < time.Hour:
		return fmt.Sprintf("%d minutes ago", int(d.Minutes()))
	default:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
}
