// Package credential is the keeper of users' second steps.
package credential
