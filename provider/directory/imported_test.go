package directory

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func b64(t testing.TB, hexed string) string {
	t.Helper()
	b, err := hex.DecodeString(hexed)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawStdEncoding.EncodeToString(b)
}

// vectors are hashes whose passwords are published: RFC 6070 (PBKDF2 with SHA-1), RFC 7914, sections 11 and 12 (PBKDF2
// with SHA-256, scrypt), the suites of phc-winner-argon2 (src/test.c), passlib, Django, libsodium (as $7$) and bcrypt
// (jBCrypt). That of SHA-512 was computed by OpenSSL.
func vectors(t testing.TB) map[string][2]string {
	t.Helper()
	return map[string][2]string{
		"RFC 6070":    {"$pbkdf2-sha1$i=4096,l=20$c2FsdA$" + b64(t, "4b007901b765489abead49d926f721d065a429c1"), "password"},
		"passlib's 1": {"$pbkdf2$4096$c2FsdA$" + b64(t, "4b007901b765489abead49d926f721d065a429c1"), "password"},
		"RFC 7914 PBKDF2": {"$pbkdf2-sha256$i=80000,l=64$TmFDbA$" +
			b64(t, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d"), "Password"},
		"passlib's 256": {"$pbkdf2-sha256$29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk", "toomanysecrets"},
		"SHA-512": {"$pbkdf2-sha512$1$c2FsdA$" +
			b64(t, "867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce"), "password"},
		"Django's PBKDF2": {"pbkdf2_sha256$20000$seasalt$oBSd886ysm3AqYun62DOdin8YcfbU1z9cksZSuLP9r0=", "lètmein"},
		"Django's scrypt": {"scrypt$16384$seasalt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw==", "lètmein"},
		"RFC 7914 scrypt": {"$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$" +
			b64(t, "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"), "pleaseletmein"},
		"passlib's scrypt": {"$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E", "password"},
		"crypt's scrypt":   {"$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D", "pleaseletmein"},
		"argon2i":          {"$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8", "password"},
		"argon2id":         {"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "password"},
		"Django's argon2":  {"argon2$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password"},
		"bcrypt 2y":        {"$2y$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i", "abc"},
	}
}

func TestHashesOfOtherSystemsMatchTheirPasswords(t *testing.T) {
	t.Parallel()
	for name, v := range vectors(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept, err := CheckHash(" " + v[0] + "\n")
			if err != nil {
				t.Fatal(err)
			}
			h, err := readHash(kept)
			if err != nil {
				t.Fatal(err)
			}
			if ok, err := h.matches(v[1]); err != nil || !ok {
				t.Errorf("the right password: %v, %v", ok, err)
			}
			if ok, err := h.matches(v[1] + "x"); err != nil || ok {
				t.Errorf("a wrong password: %v, %v", ok, err)
			}
		})
	}
}

func TestHashThatIsNoneOrTakesTooLongIsRefusedInWords(t *testing.T) {
	t.Parallel()
	const d32 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	for stored, words := range map[string]string{
		"":                                 "empty",
		"correct horse battery staple":     "no kind",
		"900150983cd24fb0d6963f7d28e17f72": "no kind",
		"$6$salt$digest":                   "no kind",
		"$argon2d$v=19$m=64,t=1,p=1$c29tZXNhbHQ$" + d32:                  "no kind",
		"bcrypt_sha256$$2b$12$abcdefghijklmnopqrstuu":                    "no kind",
		"$2b$31$" + strings.Repeat("a", 53):                              "cost 31",
		"$2b$10$short":                                                   "whole bcrypt",
		"$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$" + d32:                 "version 19",
		"$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$" + d32:            "out of bounds",
		"$argon2i$v=19$m=262144,t=16,p=1$c29tZXNhbHQ$" + d32:             "out of bounds",
		"$argon2id$v=19$m=64,t=1,p=1,data=x$c29tZXNhbHQ$" + d32:          "in this order",
		"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$AAAA":                   "digest",
		"$scrypt$ln=40,r=8,p=1$c2FsdA$" + d32:                            "out of bounds",
		"$scrypt$ln=20,r=32,p=16$c2FsdA$" + d32:                          "out of bounds",
		"$scrypt$ln=16,r=8$c2FsdA$" + d32:                                "in this order",
		"$scrypt$ln=16,r=8,p=1$c2FsdA$AA":                                "digest",
		"scrypt$16383$salt$8$1$" + d32:                                   "power of two",
		"$7$U6..../....salt$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D": "out of bounds",
		"$7$C6..../....salt$short":                                       "whole $7$",
		"$pbkdf2-sha256$i=5000000,l=32$c2FsdA$" + d32:                    "iterations",
		"$pbkdf2-sha1$1500000$c2FsdA$" + d32:                             "iterations",
		"$pbkdf2-sha256$i=1000,l=20$c2FsdA$" + d32:                       "otherwise",
		"$pbkdf2-sha256$0$c2FsdA$" + d32:                                 "iterations",
		"$pbkdf2-sha256$-1$c2FsdA$" + d32:                                "iterations",
		"$pbkdf2-md5$1000$c2FsdA$" + d32:                                 "no kind",
		"pbkdf2_sha256$1000$salt$AAAA":                                   "digest",
		"$pbkdf2-sha256$1000$" + strings.Repeat("A", 400) + "$" + d32:    "characters",
	} {
		_, err := CheckHash(stored)
		var refused *HashError
		if !errors.As(err, &refused) || !strings.Contains(refused.What, words) {
			t.Errorf("%.50q: %v, want %q", stored, err, words)
		}
		if err != nil && len(stored) > 8 && strings.Contains(err.Error(), stored) {
			t.Errorf("the error quotes the hash: %v", err)
		}
	}
}

// FuzzReadHash feeds the parsers hashes of any kind: they never panic, and what they accept is within bounds and never
// matches by being short.
func FuzzReadHash(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v[0])
	}
	for _, s := range []string{"$7$", "$7$C", "scrypt$$$$$", "$scrypt$ln=,r=,p=$$", "$pbkdf2$$$", "pbkdf2_sha1$$$", "$argon2id$$$$$", "$2a$"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, stored string) {
		kept, err := CheckHash(stored)
		if err != nil {
			if !errors.As(err, new(*HashError)) {
				t.Fatalf("%q: %v", stored, err)
			}
			return
		}
		if len(kept) > maxPHC {
			t.Fatalf("%q has %d characters", kept, len(kept))
		}
		if again, err := CheckHash(kept); err != nil || again != kept {
			t.Fatalf("%q is read as %q, %v", kept, again, err)
		}
	})
}
