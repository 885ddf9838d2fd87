// Package sampleapp is an application that signs its users in with Sallyport, as any other would, for demonstrations.
package sampleapp
