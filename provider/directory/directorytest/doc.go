// Package directorytest has what tests of sign-ins need in order not to wait for real password hashes.
package directorytest
