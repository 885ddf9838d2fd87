// Package rescue is what mailed links do: they let users back in, and keep others out.
package rescue
