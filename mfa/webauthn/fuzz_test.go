package webauthn

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/sallyport-id/sallyport/mfa"
)

// FuzzAnswers: whatever a client sends as an answer, to whatever question, there is no panic, and it is wrong unless it
// is the one that the authenticator gave.
func FuzzAnswers(f *testing.F) {
	d := newDesk(f, Factor{}, synced)
	setup, asked, discovery := d.setup(alice), d.ask(), d.discover()
	made, signed, found := d.create(f, setup), d.get(f, asked), d.get(f, discovery)
	list, _ := vectors(f)
	for _, v := range list {
		f.Add(v.creation(f))
	}
	for _, answer := range []string{made, signed, found, spoil(f, signed), spoil(f, made), "", "null", "{}", `{"id":"AA","rawId":"AA","type":"public-key"}`} {
		f.Add(answer)
	}
	right, err := protocol.ParseCredentialRequestResponseBytes([]byte(signed))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		ctx := context.Background()
		c, err := d.Confirm(ctx, alice, setup, answer)
		r, e := open(c, alice)
		switch {
		case err != nil && (!errors.Is(err, mfa.ErrWrong) || c.ID != ""):
			t.Errorf("Confirm: %q, %v", c.ID, err)
		case err == nil && (e != nil || !bytes.Equal(r.ID, d.passkey.ID)):
			t.Errorf("a passkey that was never made is confirmed (%v)", e)
		}
		for _, ch := range []mfa.Challenge{asked, discovery} {
			c, err := d.verify(ch, answer)
			parsed, e := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
			switch {
			case err != nil && (!errors.Is(err, mfa.ErrWrong) || c.ID != ""):
				t.Errorf("Verify: %q, %v", c.ID, err)
			case err == nil && (e != nil || !bytes.Equal(parsed.RawID, right.RawID) || !c.Whole):
				t.Errorf("an answer that was never given is right (%v)", e)
			}
		}
		tenant, user, err := d.Whose(answer)
		if err != nil && (!errors.Is(err, mfa.ErrWrong) || tenant != "" || user != "") {
			t.Errorf("Whose: %q, %q, %v", tenant, user, err)
		}
	})
}

// FuzzKept: no record and no state that is kept, however spoilt, causes a panic or lets a wrong answer in.
func FuzzKept(f *testing.F) {
	d := newDesk(f, Factor{}, synced)
	asked, discovery := d.ask(), d.discover()
	forged := spoil(f, d.get(f, asked))
	f.Add(d.cred.Data, asked.State)
	f.Add(d.cred.Data, discovery.State)
	f.Add(d.cred.Data[:40], d.setup(alice).State)
	f.Add([]byte("null"), []byte("{}"))
	f.Fuzz(func(t *testing.T, data, state []byte) {
		ctx := context.Background()
		creds := []mfa.Credential{{ID: "c", Data: data}}
		if c, err := d.Verify(ctx, alice, creds, mfa.Challenge{State: state}, forged); err == nil {
			t.Errorf("a forged answer is right: %q", c.ID)
		}
		if ch, err := d.Challenge(ctx, alice, creds); err == nil && len(ch.State) == 0 {
			t.Error("a question without a state")
		}
	})
}
