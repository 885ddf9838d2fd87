// Package totp is the factor of authenticator apps: time-based one-time passwords (RFC 6238).
package totp
