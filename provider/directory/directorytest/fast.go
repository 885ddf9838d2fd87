package directorytest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/sallyport-id/sallyport/provider/directory"
)

// Fast is a directory.Hasher that takes a microsecond, and so protects nothing. A test holds that nothing but tests
// imports it.
type Fast struct{}

var _ directory.Hasher = Fast{}

const prefix = "$sallyport-test$"

// Settings implements directory.Hasher.
func (Fast) Settings(salt []byte) string {
	return prefix + base64.RawStdEncoding.EncodeToString(salt)
}

// Hash implements directory.Hasher.
func (Fast) Hash(settings, password string) (string, error) {
	if !strings.HasPrefix(settings, prefix) {
		return "", directory.ErrSettings
	}
	h := hmac.New(sha256.New, []byte(settings))
	h.Write([]byte(password))
	return settings + "$" + base64.RawStdEncoding.EncodeToString(h.Sum(nil)), nil
}
