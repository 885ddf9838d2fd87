// Package webauthn is the factor of passkeys and security keys (W3C Web Authentication, Level 3).
package webauthn
