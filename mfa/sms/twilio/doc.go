// Package twilio hands text messages to Twilio's Messaging API.
package twilio
