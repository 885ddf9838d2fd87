// Command api generates a client of the REST API from the description that a running Sallyport serves, and lets a program use
// all of the API through it.
package main
