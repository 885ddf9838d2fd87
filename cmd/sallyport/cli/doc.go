// Package cli is the command line of the sallyport program.
package cli
