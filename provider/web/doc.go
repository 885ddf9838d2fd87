// Package web is the skin: it turns requests into calls of operations, and what these return into pages and JSON.
package web
