package keys

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// bare has a master but no store: enough to seal tokens and to hash.
func bare(tb testing.TB, master byte, previous ...byte) *Keys {
	tb.Helper()
	k := &Keys{o: Options{}.withDefaults(), secret: bytes.Repeat([]byte{0x5e}, secretSize)}
	var err error
	if k.master, err = newMaster(bytes.Repeat([]byte{master}, MasterSize)); err != nil {
		tb.Fatal(err)
	}
	for _, p := range previous {
		s, err := newMaster(bytes.Repeat([]byte{p}, MasterSize))
		if err != nil {
			tb.Fatal(err)
		}
		k.older = append(k.older, s)
	}
	return k
}

func TestSealedValueOpensForItsPurposeOnly(t *testing.T) {
	k := bare(t, 1)
	for _, plain := range []string{"", "x", strings.Repeat("request ", 500)} {
		sealed, err := k.Seal("authorization request", time.Minute, []byte(plain))
		if err != nil {
			t.Fatal(err)
		}
		got, err := k.Open("authorization request", sealed)
		if err != nil || string(got) != plain {
			t.Fatalf("opened %q, %v", got, err)
		}
		for _, purpose := range []string{"", "authorization", "authorization request ", "cookie"} {
			if _, err := k.Open(purpose, sealed); !errors.Is(err, ErrSealed) {
				t.Errorf("opened for %q: %v", purpose, err)
			}
		}
		if strings.Trim(sealed, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("%q would have to be escaped", sealed)
		}
	}
}

func TestSealedValueOpensUntilItsTimeIsOver(t *testing.T) {
	k := bare(t, 1)
	now := time.UnixMilli(1_800_000_000_000)
	k.o.Now = func() time.Time { return now }
	sealed, err := k.Seal("p", time.Minute, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	forever, err := k.Seal("p", 0, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		want  error
	}{{0, nil}, {time.Minute - time.Millisecond, nil}, {time.Minute, ErrExpired}, {24 * time.Hour, ErrExpired}} {
		now = time.UnixMilli(1_800_000_000_000).Add(c.after)
		if _, err := k.Open("p", sealed); !errors.Is(err, c.want) {
			t.Errorf("after %s: %v, want %v", c.after, err, c.want)
		}
		if _, err := k.Open("p", forever); err != nil {
			t.Errorf("without expiry, after %s: %v", c.after, err)
		}
	}
	// Another purpose learns nothing, not even that the value is old.
	if _, err := k.Open("q", sealed); !errors.Is(err, ErrSealed) {
		t.Errorf("expired, for another purpose: %v", err)
	}
	if _, err := k.Seal("p", -time.Second, nil); err == nil {
		t.Error("sealed for a time that is over")
	}
}

func TestSealedValueWithAnyBitChangedIsRefused(t *testing.T) {
	k := bare(t, 1)
	sealed, err := k.Seal("p", time.Hour, []byte("client=a"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := encoding.DecodeString(sealed)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(raw) * 8 {
		changed := slices.Clone(raw)
		changed[i/8] ^= 1 << (i % 8)
		if _, err := k.Open("p", encoding.EncodeToString(changed)); !errors.Is(err, ErrSealed) {
			t.Errorf("bit %d changed: %v", i, err)
		}
	}
	for n := range len(sealed) {
		if _, err := k.Open("p", sealed[:n]); !errors.Is(err, ErrSealed) {
			t.Errorf("cut to %d: %v", n, err)
		}
	}
	for _, other := range []string{sealed + "A", sealed + "=", sealed + "\n", "\r" + sealed, " " + sealed, sealed[:9] + "\n" + sealed[9:], strings.Repeat("A", maxSealed+1)} {
		if _, err := k.Open("p", other); !errors.Is(err, ErrSealed) {
			t.Errorf("%.80q: %v", other, err)
		}
	}
}

func TestSealingTheSameTwiceDiffers(t *testing.T) {
	k := bare(t, 1)
	seen := map[string]bool{}
	for range 100 {
		sealed, err := k.Seal("p", 0, []byte("same"))
		if err != nil {
			t.Fatal(err)
		}
		if seen[sealed] {
			t.Fatal("the same value came out twice")
		}
		seen[sealed] = true
	}
}

func TestPreviousMasterStillOpens(t *testing.T) {
	before, after, stranger := bare(t, 1), bare(t, 2, 9, 1), bare(t, 2)
	sealed, err := before.Seal("p", time.Hour, []byte("old"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := after.Open("p", sealed); err != nil || string(got) != "old" {
		t.Errorf("with the master of before: %q, %v", got, err)
	}
	if _, err := stranger.Open("p", sealed); !errors.Is(err, ErrSealed) {
		t.Errorf("without it: %v", err)
	}
	fresh, err := after.Seal("p", time.Hour, []byte("new"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.Open("p", fresh); err != nil {
		t.Errorf("what is sealed now needs an old master: %v", err)
	}
}

func TestHashIsKeyedAndForOnePurpose(t *testing.T) {
	k := bare(t, 1)
	h := k.Hash("code", "123")
	if len(h) != 43 {
		t.Errorf("hash has %d characters", len(h))
	}
	other := bare(t, 1)
	other.secret = bytes.Repeat([]byte{1}, secretSize)
	for name, same := range map[string]bool{
		"the same":           k.Equal(h, "code", "123"),
		"another master":     bare(t, 7).Equal(h, "code", "123"),
		"not another value":  !k.Equal(h, "code", "124"),
		"not another use":    !k.Equal(h, "cookie", "123"),
		"not shifted":        !k.Equal(h, "code1", "23"),
		"not another secret": !other.Equal(h, "code", "123"),
		"nothing":            !k.Equal("", "code", "123") && !k.Equal("", "", ""),
		"not a part of it":   !k.Equal(h[:42], "code", "123"),
	} {
		if !same {
			t.Error(name)
		}
	}
}

func TestDerive(t *testing.T) {
	k := bare(t, 1)
	// Computed with Python's hmac module from the definition in NIST SP 800-108r1, section 4.1.
	const want = "26c00bffa3474f0b3d2c5b3965e2557744508fd7eb8ea5dd359378a71f1f71192f9483341792d1d0"
	if got := hex.EncodeToString(k.Derive("backup", 40)); got != want {
		t.Errorf("derived %s", got)
	}
	for _, n := range []int{0, 1, 16, 32, 33, 100_000} {
		if got := len(k.Derive("x", n)); got != n {
			t.Errorf("derived %d bytes for %d", got, n)
		}
	}
	if bytes.Equal(k.Derive("a", 32), k.Derive("b", 32)) {
		t.Error("two purposes share a key")
	}
}

func FuzzOpen(f *testing.F) {
	k := bare(f, 1, 2)
	sealed, err := k.Seal("p", 0, []byte("plain"))
	if err != nil {
		f.Fatal(err)
	}
	old, err := bare(f, 2).Seal("p", 0, []byte("plain"))
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"", "A", sealed, old, sealed[:60], sealed + "A", "\n" + sealed} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		// Only "plain" was ever sealed under these keys, though not by each fuzzing process to the same text.
		switch plain, err := k.Open("p", s); {
		case err == nil:
			if string(plain) != "plain" || len(s) != len(sealed) {
				t.Fatalf("opened %q, which nobody sealed: %q", s, plain)
			}
		case s == sealed || s == old || !errors.Is(err, ErrSealed):
			t.Fatalf("%q: %v", s, err)
		}
	})
}

func BenchmarkSealOpen(b *testing.B) {
	k := bare(b, 1)
	plain := make([]byte, 512)
	if _, err := rand.Read(plain); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		sealed, err := k.Seal("p", time.Minute, plain)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := k.Open("p", sealed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	k := bare(b, 1)
	for b.Loop() {
		k.Hash("cookie", "0123456789012345678901234567890123456789012")
	}
}
