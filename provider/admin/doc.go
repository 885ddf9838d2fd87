// Package admin is what operators do to a deployment: its tenants, users, clients and keys.
package admin
