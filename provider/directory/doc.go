// Package directory knows who the users are.
package directory
