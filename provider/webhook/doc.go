// Package webhook tells addresses of a tenant's choice of what happens in its audit log, by signed requests in the form of
// the Standard Webhooks specification, version 1.0.0.
package webhook
