// Command twilio hands messages to a server that Prism makes of Twilio's published description of its API.
package main
