// Package logo draws pictures anew, so that nothing of what was uploaded is kept but its look.
package logo
