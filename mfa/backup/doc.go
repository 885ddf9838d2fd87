// Package backup is the factor of backup codes: single-use codes that are saved for the day the other factors are lost.
package backup
