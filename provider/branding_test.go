package provider

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
)

// picture is a PNG file of so many pixels.
func picture(t testing.TB, w, h int) string {
	t.Helper()
	to := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			to.SetNRGBA(x, y, color.NRGBA{R: uint8(x), G: uint8(y), B: 0x80, A: 0xff}) //nolint:gosec // G115: any colour will do.
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, to); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
