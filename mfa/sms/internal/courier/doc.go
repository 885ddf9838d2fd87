// Package courier carries requests to a gateway, and carries them again where nothing can happen twice by it.
package courier
