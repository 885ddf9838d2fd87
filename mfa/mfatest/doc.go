// Package mfatest checks any factor through its contract, used the way that the sign-in service uses it.
package mfatest
