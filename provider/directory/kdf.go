package directory

import (
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // G505: PBKDF2 with SHA-1 is what some systems have; it is replaced at the next sign-in.
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"strconv"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// The dearest scrypt and PBKDF2 hashes that are computed at all: about two seconds, and 256 MiB.
const (
	maxScryptLog  = 20
	maxScryptR    = 32
	maxScryptP    = 16
	maxScryptNR   = 1 << 21 // 128 bytes each
	maxScryptNRP  = 1 << 22
	maxIterations = 2_000_000 // times the blocks of the digest
)

// readScrypt reads $scrypt$ln=…,r=…,p=…$salt$digest, as passlib and the PHC string format write it, and Django's
// scrypt$N$salt$r$p$digest, whose salt is text.
func readScrypt(stored string) (hashed, error) {
	parts := strings.Split(stored, "$")
	if parts[0] == "scrypt" {
		return readDjangoScrypt(parts)
	}
	if len(parts) != 5 {
		return hashed{}, unfit("scrypt is read in the form $scrypt$ln=…,r=…,p=…$salt$digest")
	}
	params := strings.Split(parts[2], ",")
	if len(params) != 3 {
		return hashed{}, unfit("scrypt's parameters are ln, r and p, in this order")
	}
	ln, okN := param(params[0], "ln=", maxScryptLog)
	r, okR := param(params[1], "r=", maxScryptR)
	p, okP := param(params[2], "p=", maxScryptP)
	if !okN || !okR || !okP {
		return hashed{}, scryptBounds()
	}
	salt, digest, err := saltAndDigest(parts[3], parts[4])
	if err != nil {
		return hashed{}, err
	}
	return scryptOf(1<<ln, r, p, salt, digest)
}

func scryptBounds() error {
	return unfit("scrypt's parameters are out of bounds: N is a power of two up to 2^%d, r is %d at most, p %d, N times r %d, and all three together %d",
		maxScryptLog, maxScryptR, maxScryptP, maxScryptNR, maxScryptNRP)
}

func readDjangoScrypt(parts []string) (hashed, error) {
	if len(parts) != 6 {
		return hashed{}, unfit("Django's scrypt is read in the form scrypt$N$salt$r$p$digest")
	}
	n, okN := param(parts[1], "", 1<<maxScryptLog)
	r, okR := param(parts[3], "", maxScryptR)
	p, okP := param(parts[4], "", maxScryptP)
	if !okN || !okR || !okP {
		return hashed{}, scryptBounds()
	}
	digest, err := digestOf(parts[5])
	if err != nil {
		return hashed{}, err
	}
	return scryptOf(n, r, p, []byte(parts[2]), digest)
}

func scryptOf(n, r, p uint32, salt, digest []byte) (hashed, error) {
	if n < 2 || n&(n-1) != 0 || n > 1<<maxScryptLog || n*r > maxScryptNR || n*r*p > maxScryptNRP {
		return hashed{}, scryptBounds()
	}
	return hashed{matches: func(password string) (bool, error) {
		got, err := scrypt.Key([]byte(password), salt, int(n), int(r), int(p), len(digest))
		return err == nil && same(string(got), string(digest)), err
	}}, nil
}

// crypt64 is the alphabet of crypt(3), the lowest six bits first.
const crypt64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// readScryptCrypt reads scrypt as crypt(3) writes it: $7$, log2 N in one character, r and p in five each, a salt that is
// taken as it stands, "$" and the digest.
func readScryptCrypt(stored string) (hashed, error) {
	const numbers, digestAt = 11, 43
	settings, text, ok := strings.Cut(strings.TrimPrefix(stored, "$7$"), "$")
	if !ok || len(settings) < numbers || len(text) != digestAt {
		return hashed{}, unfit("it is not a whole $7$ hash")
	}
	ln, okN := crypt64Number(settings[:1])
	r, okR := crypt64Number(settings[1:6])
	p, okP := crypt64Number(settings[6:numbers])
	if !okN || !okR || !okP {
		return hashed{}, unfit("it is not a whole $7$ hash")
	}
	if ln < 1 || ln > maxScryptLog || r < 1 || r > maxScryptR || p < 1 || p > maxScryptP {
		return hashed{}, scryptBounds()
	}
	digest, ok := crypt64Bytes(text)
	if !ok {
		return hashed{}, unfit("it is not a whole $7$ hash")
	}
	return scryptOf(1<<ln, r, p, []byte(settings[numbers:]), digest)
}

func crypt64Number(s string) (n uint32, ok bool) {
	for i := range len(s) {
		v := strings.IndexByte(crypt64, s[i])
		if v < 0 {
			return 0, false
		}
		n |= uint32(v) << (6 * i) //nolint:gosec // G115: v is below 64.
	}
	return n, true
}

// crypt64Bytes decodes groups of four characters, each three bytes with the lowest first.
func crypt64Bytes(s string) ([]byte, bool) {
	var b []byte
	for s != "" {
		group := s[:min(4, len(s))]
		s = s[len(group):]
		v, ok := crypt64Number(group)
		if !ok {
			return nil, false
		}
		for range len(group) * 6 / 8 {
			b = append(b, byte(v))
			v >>= 8
		}
		if v != 0 {
			return nil, false
		}
	}
	return b, true
}

// sums are the hash functions of PBKDF2 by what stands in the names of hashes; "" is passlib's oldest.
func sums(name string) func() hash.Hash {
	switch name {
	case "sha256":
		return sha256.New
	case "sha512":
		return sha512.New
	default:
		return sha1.New
	}
}

// readPBKDF2 reads passlib's $pbkdf2-sha256$iterations$salt$digest, and the PHC string format's
// $pbkdf2-sha256$i=iterations,l=length$salt$digest.
func readPBKDF2(stored string) (hashed, error) {
	parts := strings.Split(stored, "$")
	if len(parts) != 5 {
		return hashed{}, unfit("PBKDF2 is read in the form $pbkdf2-sha256$iterations$salt$digest")
	}
	salt, digest, err := saltAndDigest(parts[3], parts[4])
	if err != nil {
		return hashed{}, err
	}
	iterations, length, both := strings.Cut(strings.TrimPrefix(parts[2], "i="), ",")
	if both && length != "l="+strconv.Itoa(len(digest)) {
		return hashed{}, unfit("its digest has %d bytes, and its parameters say otherwise", len(digest))
	}
	_, name, _ := strings.Cut(parts[1], "-")
	return pbkdf2Of(sums(name), iterations, salt, digest)
}

// readDjangoPBKDF2 reads pbkdf2_sha256$iterations$salt$digest, whose salt is text.
func readDjangoPBKDF2(stored string) (hashed, error) {
	parts := strings.Split(stored, "$")
	if len(parts) != 4 {
		return hashed{}, unfit("Django's PBKDF2 is read in the form pbkdf2_sha256$iterations$salt$digest")
	}
	digest, err := digestOf(parts[3])
	if err != nil {
		return hashed{}, err
	}
	return pbkdf2Of(sums(strings.TrimPrefix(parts[0], "pbkdf2_")), parts[1], []byte(parts[2]), digest)
}

func pbkdf2Of(sum func() hash.Hash, iterations string, salt, digest []byte) (hashed, error) {
	n, ok := param(iterations, "", maxIterations)
	size := sum().Size()
	blocks := uint32((len(digest) + size - 1) / size) //nolint:gosec // G115: digests have a bound.
	if !ok || n*blocks > maxIterations {
		return hashed{}, unfit("PBKDF2 is computed for up to %d iterations, divided by the number of blocks in the digest", maxIterations)
	}
	return hashed{matches: func(password string) (bool, error) {
		got, err := pbkdf2.Key(sum, password, salt, int(n), len(digest))
		return err == nil && same(string(got), string(digest)), err
	}}, nil
}
