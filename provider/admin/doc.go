// Package admin is what owners, admins, API clients and operators do to tenants, users, policy and applications.
package admin
