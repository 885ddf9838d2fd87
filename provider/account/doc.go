// Package account is what users do for themselves.
package account
