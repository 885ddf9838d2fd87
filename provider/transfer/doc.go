// Package transfer moves users between a tenant and a file.
package transfer
