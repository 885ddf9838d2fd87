package webauthn

import (
	"bytes"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
)

// A user handle (WebAuthn section 5.4.3) tells whose a discoverable passkey is, in at most 64 bytes: a byte that says
// how the user is written, the tenant, a zero byte, the user.
const (
	// asText: the user stands as it is.
	asText = 1
	// asBits: the user is 26 characters of lower-case base32, as storage makes them, and stands as its 130 bits.
	asBits = 2

	longestHandle = 64
	idLength      = 26
	idBytes       = 17 // 130 bits, and 6 that are zero
)

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// handle is the user handle of a tenant's user. Passkeys keep it for good, so its form can only be added to.
func handle(tenant, user string) ([]byte, error) {
	if tenant == "" || user == "" || strings.Contains(tenant, "\x00") {
		return nil, errors.New("webauthn: a user handle needs a tenant and a user")
	}
	how, written := byte(asText), []byte(user)
	if bits, ok := packID(user); ok {
		how, written = asBits, bits
	}
	h := append([]byte{how}, tenant...)
	h = append(h, 0)
	h = append(h, written...)
	if len(h) > longestHandle {
		return nil, fmt.Errorf("webauthn: the IDs of tenant and user are too long for a passkey: %d bytes, and %d is the most", len(h), longestHandle)
	}
	return h, nil
}

// whose reads a handle.
func whose(h []byte) (tenant, user string, ok bool) {
	if len(h) == 0 || len(h) > longestHandle {
		return "", "", false
	}
	tenant, user, ok = strings.Cut(string(h[1:]), "\x00")
	if ok && h[0] == asBits {
		user, ok = unpackID([]byte(user))
	}
	if !ok {
		return "", "", false
	}
	// One user has one handle.
	again, err := handle(tenant, user)
	return tenant, user, err == nil && bytes.Equal(again, h)
}

func packID(user string) ([]byte, bool) {
	if len(user) != idLength {
		return nil, false
	}
	// The decoder drops the last bits of a group that is not full, so the group is filled.
	b, err := lowerBase32.DecodeString(user + "aaaaaa")
	if err != nil || len(b) < idBytes {
		return nil, false
	}
	return b[:idBytes], true
}

func unpackID(b []byte) (string, bool) {
	if len(b) != idBytes {
		return "", false
	}
	return lowerBase32.EncodeToString(append(b, 0, 0, 0))[:idLength], true
}
