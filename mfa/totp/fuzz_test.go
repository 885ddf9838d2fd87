package totp

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/sallyport-id/sallyport/mfa"
)

// independent computes the code of a step from the text of RFC 4226, section 5.3, and RFC 6238 alone, to hold the
// library against.
func independent(k key, step int64) (string, error) {
	secret, err := base32NoPad.DecodeString(k.Secret)
	if err != nil {
		return "", err
	}
	hash := sha1.New
	if k.Algorithm == "SHA256" {
		hash = sha256.New
	}
	mac := hmac.New(hash, secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	truncated := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&0xf:]) & math.MaxInt32
	return fmt.Sprintf("%0*d", k.Digits, truncated%uint32(math.Pow10(k.Digits))), nil
}

// FuzzVerify feeds it answers and stored data of any kind: it never panics, and accepts an answer only if it is the
// code of a step in the window that is later than the last one used.
func FuzzVerify(f *testing.F) {
	for _, k := range []key{rfcKey("SHA1", 6), rfcKey("SHA256", 8)} {
		data, err := mfa.Pack(k)
		if err != nil {
			f.Fatal(err)
		}
		right := code(f, k, noon/30)
		f.Add(right, data, int64(noon))
		f.Add(right, data, int64(noon+31))
		f.Add(right, data, int64(noon+90))
		f.Add(right+" ", data, int64(noon))
		f.Add("", data[:20], int64(-1))
	}
	f.Add("123456", []byte("null"), int64(math.MinInt64))
	f.Add("123456", []byte(`{"tenant":"acme","user":"alice","digits":6,"algorithm":"MD5"}`), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, answer string, data []byte, unix int64) {
		f := at(unix)
		got, err := f.Verify(context.Background(), alice, []mfa.Credential{{ID: "c", Data: data}}, mfa.Challenge{}, answer)
		if err != nil {
			if got.ID != "" || got.Data != nil {
				t.Fatal("a credential with an error")
			}
			return
		}
		var before, after key
		if err := json.Unmarshal(data, &before); err != nil {
			t.Fatalf("accepted for data that is no key: %v", err)
		}
		if err := json.Unmarshal(got.Data, &after); err != nil {
			t.Fatal(err)
		}
		if before.Tenant != alice.Tenant || before.User != alice.ID {
			t.Error("accepted for somebody else's key")
		}
		if after.Last <= before.Last {
			t.Errorf("the last step went from %d to %d", before.Last, after.Last)
		}
		if away := after.Last - f.step(); away < -1 || away > 1 {
			t.Errorf("accepted %d steps away", away)
		}
		if want := code(t, before, after.Last); want != answer {
			t.Errorf("accepted %q for %q", answer, want)
		}
	})
}
