// Package audit keeps the log of what was tried, so that a change to it can be seen.
package audit
