// Package recovery is the factor of recovery codes: one code that an owner hands to a user who has lost every other.
package recovery
