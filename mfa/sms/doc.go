// Package sms is the second step that sends a code to the user's phone as a text message.
package sms
