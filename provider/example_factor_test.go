package provider_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/totp"
	"github.com/sallyport-id/sallyport/provider"
	"github.com/sallyport-id/sallyport/storage/sqlite"
)

// CardReader is a factor of somebody else's, in one file: a code card in the user's wallet. The page names a field of
// the card, the user types in the word that stands there, and each field is asked for once.
type CardReader struct{ Key []byte }

// Info describes the factor; pages and policies take it from here.
func (CardReader) Info() mfa.Info {
	return mfa.Info{ID: "card", Name: "Code card", AMR: []string{"otp"}, Input: mfa.Input{Shortest: 6, Longest: 6}}
}

// word is what stands in a field of the user's card.
func (c CardReader) word(u mfa.User, field int) string {
	h := hmac.New(sha256.New, c.Key)
	fmt.Fprintf(h, "%s/%s/%d", u.Tenant, u.ID, field)
	return hex.EncodeToString(h.Sum(nil))[:6]
}

// Enroll asks for the first field of the card that was sent by post.
func (CardReader) Enroll(context.Context, mfa.User, string) (mfa.Challenge, error) {
	return mfa.Challenge{Prompt: mfa.Prompt{Text: "Type in field 0 of your card."}, State: []byte("enrol")}, nil
}

// Confirm checks it.
func (c CardReader) Confirm(_ context.Context, u mfa.User, ch mfa.Challenge, answer string) (mfa.Credential, error) {
	if string(ch.State) != "enrol" || !hmac.Equal([]byte(strings.ToLower(answer)), []byte(c.word(u, 0))) {
		return mfa.Credential{}, mfa.ErrWrong
	}
	return mfa.Credential{Name: "Code card", Data: []byte{1}, Left: 99}, nil
}

// Challenge asks for the next field. The credential remembers which one that is.
func (CardReader) Challenge(_ context.Context, _ mfa.User, creds []mfa.Credential) (mfa.Challenge, error) {
	return mfa.Challenge{Prompt: mfa.Prompt{Text: fmt.Sprintf("Type in field %d of your card.", creds[0].Data[0])}}, nil
}

// Verify moves the credential on to the next field. It is stored by compare-and-swap, so a field is good once without
// another line.
func (c CardReader) Verify(_ context.Context, u mfa.User, creds []mfa.Credential, _ mfa.Challenge, answer string) (mfa.Credential, error) {
	cred := creds[0]
	if cred.Left == 0 || !hmac.Equal([]byte(strings.ToLower(answer)), []byte(c.word(u, int(cred.Data[0])))) {
		return mfa.Credential{}, mfa.ErrWrong
	}
	cred.Data = []byte{cred.Data[0] + 1}
	cred.Left--
	return cred, nil
}

// A factor of one's own is one entry in a list; then it is on the sign-in and security pages, in policies and in the
// audit log.
func Example_factor() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	store, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(dir, "sallyport.db")})
	if err != nil {
		panic(err)
	}
	defer store.Close()
	_, err = provider.New(ctx, provider.Config{
		Issuer: "https://login.example.com", Store: store, MasterKey: []byte("0123456789abcdef0123456789abcdef"),
		Factors: []mfa.Factor{totp.Factor{}, CardReader{Key: []byte("the printer's key")}},
		Logger:  slog.New(slog.DiscardHandler),
	})
	fmt.Println(err)
	// Output: <nil>
}
