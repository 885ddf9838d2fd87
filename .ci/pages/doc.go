// Command pages judges every page of the gallery in a real browser: its markup, its accessibility in light and dark, wide and
// narrow, and what it costs.
package main
