// Package hook lets the embedding program have a say in sign-ins.
package hook
