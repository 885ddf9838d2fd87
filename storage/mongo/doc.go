// Package mongo keeps Sallyport's records in MongoDB.
package mongo
