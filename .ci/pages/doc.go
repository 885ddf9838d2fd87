// Command pages judges every page of the gallery in a real browser, in light and dark, wide and narrow, and takes pictures of them.
package main
