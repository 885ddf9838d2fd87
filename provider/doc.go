// Package provider is the identity provider as a library: configure it, mount it, run it.
package provider
