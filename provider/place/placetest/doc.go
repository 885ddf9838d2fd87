// Package placetest makes files of addresses for tests.
package placetest
