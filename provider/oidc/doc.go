// Package oidc speaks OAuth 2.0 and OpenID Connect with applications.
package oidc
