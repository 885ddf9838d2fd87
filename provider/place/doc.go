// Package place says where an address is, as far as a file of addresses knows.
package place
