package policy

import "testing"

func TestAskedIn(t *testing.T) {
	for _, c := range []struct {
		asked Asked
		in    bool
	}{
		{Asked{Kind: AskNothing}, true},
		{Asked{Kind: AskPrompt}, true},
		{Asked{Kind: AskEnrol}, true},
		{Asked{Kind: AskPrompt, Then: AskEnrol}, true},
		{Asked{Kind: AskPrompt, Then: AskRecoveryCode}, false},
		{Asked{Kind: AskPrompt, Then: AskUnmet}, false},
		{Asked{Kind: AskDenied}, false},
		{Asked{Kind: AskRecoveryCode}, false},
		{Asked{Kind: AskUnmet}, false},
		{Asked{}, false},
	} {
		if got := c.asked.In(); got != c.in {
			t.Errorf("%+v: %t", c.asked, got)
		}
	}
}
