package provider

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
)

// TestDiscoveryNamesTheScopesOfTheAPI: whoever reads what the provider says of itself (RFC 8414, section 2) finds the scopes of
// all operations that there are.
func TestDiscoveryNamesTheScopesOfTheAPI(t *testing.T) {
	w := newWorld(t)
	res, err := http.Get(w.issuer + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var about struct {
		Scopes []string `json:"scopes_supported"`
	}
	if err := json.NewDecoder(res.Body).Decode(&about); err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{"openid": true, "profile": true, "email": true, "offline_access": true}
	for _, r := range w.p.Routes() {
		if r.API != nil && r.API.Scope != "" {
			asked[r.API.Scope] = true
		}
	}
	if len(asked) < 10 {
		t.Fatalf("the operations ask for %v, which is not all", asked)
	}
	for s := range asked {
		if !slices.Contains(about.Scopes, s) {
			t.Errorf("%q is not among %q", s, about.Scopes)
		}
	}
}
