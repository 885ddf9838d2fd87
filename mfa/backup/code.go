package backup

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"github.com/sallyport-id/sallyport/mfa"
)

const (
	// alphabet is Crockford's base32 in lower case: no i, l, o, which are read as 1, 1, 0, and no u.
	alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	// length is the characters of a code, 5 bits each: 120 bits, above the 112 that NIST SP 800-63B-4, section 3.1.2,
	// asks of look-up secrets that are kept as plain hashes, without a salt or a slow function.
	length = 24
	// group is how many characters stand together when a code is shown.
	group = 4
)

// newCode returns a fresh code without hyphens.
func newCode() string {
	b := make([]byte, length)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	for i := range b {
		b[i] = alphabet[b[i]%32] // 256 is a multiple of 32, so every character is as likely
	}
	return string(b)
}

// show puts hyphens between the groups of a code.
func show(code string) string {
	var b strings.Builder
	for i := 0; i < len(code); i += group {
		if i > 0 {
			b.WriteByte('-')
		}
		b.WriteString(code[i:min(i+group, len(code))])
	}
	return b.String()
}

var fold = strings.NewReplacer("o", "0", "i", "1", "l", "1")

// read returns the code that answer means: hyphens and spaces are for the eye, upper case is as good as lower, and
// letters that the alphabet leaves out stand for the digits that they look like. Else it returns a *mfa.Wrong.
func read(answer string) (string, error) {
	answer, err := input.Clean(answer)
	if err != nil {
		return "", err
	}
	code := fold.Replace(strings.ToLower(answer))
	if strings.Trim(code, alphabet) != "" {
		return "", &mfa.Wrong{Reason: mfa.Format, Want: length}
	}
	return code, nil
}

// hash is what is kept of a code. It is keyed, so that a copy of the database is no list to try codes against, and
// holds the code's owner, so that it means nothing in another user's record. Lengths go before the parts, or one
// owner's parts could be cut into another's.
func (f Factor) hash(u mfa.User, code string) []byte {
	h := hmac.New(sha256.New, f.Key)
	for _, part := range []string{"sallyport/mfa/backup", u.Tenant, u.ID, code} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return h.Sum(nil)
}
