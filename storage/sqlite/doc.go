// Package sqlite keeps Sallyport's records in one SQLite file, for a deployment on one machine.
package sqlite
