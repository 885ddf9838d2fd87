// Package outbox keeps text messages to be looked at, in place of a gateway that sends them.
package outbox
