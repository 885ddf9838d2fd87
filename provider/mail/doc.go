// Package mail brings messages to people's mailboxes.
package mail
