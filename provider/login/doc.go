// Package login moves a sign-in from one step to the next.
package login
