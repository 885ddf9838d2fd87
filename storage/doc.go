// Package storage names what Sallyport keeps, and the ports it is kept through.
package storage
