// Package process runs other programs for the checks.
package process
