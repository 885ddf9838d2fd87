// Package policy decides, from a tenant's rules and the facts of a sign-in, what is asked of the user.
package policy
