package mfa_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/mfa"
)

func TestLookupShowAndRead(t *testing.T) {
	for n := mfa.Lookup(1); n <= 32; n++ {
		code := n.New()
		if len(code) != int(n) {
			t.Fatalf("a code of %d characters has %d", n, len(code))
		}
		shown := n.Show(code)
		if strings.HasPrefix(shown, "-") || strings.HasSuffix(shown, "-") || strings.ReplaceAll(shown, "-", "") != code {
			t.Errorf("%q is shown as %q", code, shown)
		}
		for _, answer := range []string{shown, strings.ToUpper(shown), " " + code + "\n", strings.ReplaceAll(shown, "-", " ")} {
			if got, err := n.Read(answer); err != nil || got != code {
				t.Errorf("%q reads %q, %v; want %q", answer, got, err, code)
			}
		}
		if _, err := n.Read(code + "0"); !errors.Is(err, mfa.ErrWrong) {
			t.Errorf("one character too many: %v", err)
		}
	}
	if got := mfa.Lookup(10).Show("0123456789"); got != "0123-4567-89" {
		t.Errorf("ten characters are shown as %q", got)
	}
	if got, err := mfa.Lookup(6).Read("oOiIlL"); err != nil || got != "001111" {
		t.Errorf("look-alikes read %q, %v", got, err)
	}
	if _, err := mfa.Lookup(1).Read("u"); !errors.Is(err, mfa.ErrWrong) {
		t.Errorf("a letter that no code has: %v", err)
	}
}

// TestKeyed: hashes are kept in databases, and so are for ever what they are. These are by Python's hmac.
func TestKeyed(t *testing.T) {
	for want, parts := range map[string][]string{
		"5d5d139563c95b5967b9bd9a8c9b233a9dedb45072794cd232dc1b74832607d0": nil,
		"e14ac31fa69ddedde449f7ce22299e94f131144b9f340d77fa81071d72c66f67": {"+4915123456789"},
		"5e3b74805132465f6d5b0f1f73cc7d7d8722ff0067ada31a124ab96dbc321454": {"purpose", "acme", "alice", "0000"},
	} {
		if got := hex.EncodeToString(mfa.Keyed([]byte("key"), parts...)); got != want {
			t.Errorf("%q: %s, want %s", parts, got, want)
		}
	}
}

// TestLookupHash: each part counts, and parts can't be cut in another place.
func TestLookupHash(t *testing.T) {
	const l = mfa.Lookup(4)
	alice := mfa.User{Tenant: "acme", ID: "alice"}
	want := l.Hash([]byte("key"), "purpose", alice, "0000")
	if !bytes.Equal(want, mfa.Keyed([]byte("key"), "purpose", "acme", "alice", "0000")) {
		t.Error("the hash is of other parts")
	}
	if !bytes.Equal(want, l.Hash([]byte("key"), "purpose", alice, "0000")) || len(want) != 32 {
		t.Fatal("the hash of one code is two")
	}
	for name, got := range map[string][]byte{
		"key":     l.Hash([]byte("kez"), "purpose", alice, "0000"),
		"purpose": l.Hash([]byte("key"), "purposf", alice, "0000"),
		"tenant":  l.Hash([]byte("key"), "purpose", mfa.User{Tenant: "umbrella", ID: "alice"}, "0000"),
		"user":    l.Hash([]byte("key"), "purpose", mfa.User{Tenant: "acme", ID: "bob"}, "0000"),
		"code":    l.Hash([]byte("key"), "purpose", alice, "0001"),
		"cut":     l.Hash([]byte("key"), "purpose", mfa.User{Tenant: "acmeal", ID: "ice"}, "0000"),
	} {
		if bytes.Equal(got, want) {
			t.Errorf("another %s gives the same hash", name)
		}
	}
}
