package directory

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
)

// From the test suite of the reference implementation, phc-winner-argon2 (src/test.c), argon2id version 0x13.
func TestArgon2idVectors(t *testing.T) {
	for _, phc := range []struct{ hash, password string }{
		{"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password"},
		{"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "password"},
		{"$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg", "password"},
		{"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94", "differentpassword"},
	} {
		settings, ok := split(phc.hash)
		if !ok {
			t.Fatal("not split")
		}
		if got, err := (Argon2id{}).Hash(settings, phc.password); err != nil || got != phc.hash {
			t.Errorf("got %s, %v, want %s", got, err, phc.hash)
		}
	}
}

func TestNewPasswordsHaveTheFloorsParameters(t *testing.T) {
	settings := Argon2id{}.Settings([]byte("0123456789abcdef"))
	if settings != "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg" {
		t.Errorf("%s", settings)
	}
	hash, err := Argon2id{}.Hash(settings, "kestrel")
	if err != nil {
		t.Fatal(err)
	}
	want := argon2.IDKey([]byte("kestrel"), []byte("0123456789abcdef"), 2, 19*1024, 1, 32)
	if got := strings.TrimPrefix(hash, settings+"$"); got != phc.EncodeToString(want) {
		t.Errorf("digest %s, want %s", got, hex.EncodeToString(want))
	}
}

func TestHashThatWouldStopTheServerIsNotComputed(t *testing.T) {
	for _, settings := range []string{
		"",
		"$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ",
		"$argon2id$v=19$m=262144,t=16,p=1$c29tZXNhbHQ",
		"$argon2id$v=19$m=65536,t=4294967295,p=1$c29tZXNhbHQ",
		"$argon2id$v=19$m=65536,t=1,p=255$c29tZXNhbHQ",
		"$argon2id$v=19$m=8,t=1,p=2$c29tZXNhbHQ",
		"$argon2id$v=19$m=0,t=1,p=1$c29tZXNhbHQ",
		"$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ",
		"$argon2id$v=19$m=64,t=1,p=0$c29tZXNhbHQ",
		"$argon2id$v=19$m=+64,t=1,p=1$c29tZXNhbHQ",
		"$argon2id$v=19$m=064,t=1,p=1$c29tZXNhbHQ",
		"$argon2id$v=19$t=1,m=64,p=1$c29tZXNhbHQ",
		"$argon2id$v=19$m=64,t=1,p=1,keyid=x$c29tZXNhbHQ",
		"$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ",
		"$argon2id$m=64,t=1,p=1$c29tZXNhbHQ",
		"$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ",
		"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ=",
		"$argon2id$v=19$m=64,t=1,p=1$c2hvcnQ",
		"$argon2id$v=19$m=64,t=1,p=1$" + strings.Repeat("A", 400),
	} {
		if _, err := (Argon2id{}).Hash(settings, "x"); !errors.Is(err, ErrSettings) {
			t.Errorf("%.60q: %v", settings, err)
		}
	}
}

func FuzzParseArgon(f *testing.F) {
	for _, s := range []string{
		Argon2id{}.Settings(make([]byte, 16)), "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ", "$argon2id$v=19$m=,t=,p=$", "$$$$",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseArgon(s)
		if err != nil {
			if !errors.Is(err, ErrSettings) {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if got.String() != s || got.Memory*got.Time > maxWork || got.Lanes == 0 || len(got.salt) > 64 {
			t.Fatalf("%q was read as %+v", s, got)
		}
	})
}

func BenchmarkArgon2id(b *testing.B) {
	settings := Argon2id{}.Settings(make([]byte, saltSize))
	for b.Loop() {
		if _, err := (Argon2id{}).Hash(settings, "kestrel-harbour-7"); err != nil {
			b.Fatal(err)
		}
	}
}
