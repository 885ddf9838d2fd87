// Package demo runs "sallyport demo" for the checks.
package demo
