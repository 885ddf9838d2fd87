// Package ui draws the pages: a struct is a page's data, in HTML and in JSON alike.
package ui
