// Command rp signs users in to applications that we did not write, against a real "sallyport serve".
package main
