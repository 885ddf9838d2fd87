package webauthn

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/storage"
)

func TestHandle(t *testing.T) {
	long := strings.Repeat("t", 40)
	id := storage.NewID()
	seen := map[string]string{}
	for _, c := range []struct {
		tenant, user string
		size         int // 0: too long
	}{
		{"acme", id, 1 + 4 + 1 + 17},
		{long, id, 1 + 40 + 1 + 17},
		{long, strings.Repeat("z", 26), 59},
		{"acme", "alice", 11},
		{"acme", strings.ToUpper(id), 1 + 4 + 1 + 26},
		{"acme", strings.Repeat("1", 26), 1 + 4 + 1 + 26}, // no base32
		{"acme", "a\x00b", 9},
		{long, strings.Repeat("u", 22), 64},
		{long, strings.Repeat("u", 23), 0},
		{"", id, 0},
		{"acme", "", 0},
		{"ac\x00me", "alice", 0},
	} {
		h, err := handle(c.tenant, c.user)
		if len(h) != c.size || (err == nil) != (c.size > 0) {
			t.Errorf("%s/%s: %d bytes, %v", c.tenant, c.user, len(h), err)
		}
		if err != nil {
			continue
		}
		if tenant, user, ok := whose(h); !ok || tenant != c.tenant || user != c.user {
			t.Errorf("%s/%s comes back as %s/%s, %v", c.tenant, c.user, tenant, user, ok)
		}
		if other, ok := seen[string(h)]; ok {
			t.Errorf("%s/%s has the handle of %s", c.tenant, c.user, other)
		}
		seen[string(h)] = c.tenant + "/" + c.user
	}
	u := mfa.User{Tenant: long, ID: strings.Repeat("u", 23)}
	if _, err := in(t, Factor{}, issuer, w3cClock).Enroll(context.Background(), u, ""); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("Enroll for IDs that are too long: %v", err)
	}
}

// TestHandleIsStable: handles are on the users' authenticators, for good.
func TestHandleIsStable(t *testing.T) {
	for want, user := range map[string]string{
		"\x01acme\x00alice": "alice",
		"\x02acme\x00\x00\x44\x32\x14\xc7\x42\x54\xb6\x35\xcf\x84\x65\x3a\x56\xd7\xc6\x40": "abcdefghijklmnopqrstuvwxyz",
	} {
		if h, err := handle("acme", user); err != nil || string(h) != want {
			t.Errorf("%s: %x, %v; want %x", user, h, err, want)
		}
	}
}

// FuzzHandle: one user has one handle, and one handle one user.
func FuzzHandle(f *testing.F) {
	f.Add([]byte("\x01acme\x00alice"))
	f.Add([]byte("\x02acme\x00\x00\x44\x32\x14\xc7\x42\x54\xb6\x35\xcf\x84\x65\x3a\x56\xd7\xc6\x40"))
	f.Add([]byte("\x02acme\x00\x00\x44\x32\x14\xc7\x42\x54\xb6\x35\xcf\x84\x65\x3a\x56\xd7\xc6\x41"))
	f.Add([]byte("\x03acme\x00alice"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, h []byte) {
		tenant, user, ok := whose(h)
		if !ok {
			return
		}
		if again, err := handle(tenant, user); err != nil || !bytes.Equal(again, h) {
			t.Errorf("%x is %q/%q, whose handle is %x (%v)", h, tenant, user, again, err)
		}
	})
}
