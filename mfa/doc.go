// Package mfa says what a factor is: a kind of second step.
package mfa
