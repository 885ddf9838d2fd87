package totp

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"

	"github.com/boombuler/barcode/qr"
)

const (
	// quietZone is the white margin in modules that a reader may count on (ISO/IEC 18004, section 6.3.8).
	quietZone = 4
	// largestQR bounds the memory a picture takes.
	largestQR = 4096
)

// QR draws content as a QR code with error correction level M: a PNG of size by size pixels, black on white. Each
// module is the same whole number of pixels, so that nothing is blurred, and an even one above one, so that the same
// holds at half the size; what is left over widens the quiet zone of four modules. It is an error if size has no pixel
// for each module (at most 185 of them) or is above 4096, or if content is longer than a QR code can hold.
func QR(content string, size int) ([]byte, error) {
	if content == "" {
		return nil, errors.New("totp: nothing to draw a QR code of")
	}
	code, err := qr.Encode(content, qr.M, qr.Auto)
	if err != nil {
		// The library's error quotes the content, which is a secret.
		return nil, fmt.Errorf("totp: %d bytes do not fit a QR code", len(content))
	}
	modules := code.Bounds().Dx()
	scale := size / (modules + 2*quietZone)
	if scale > 1 {
		scale -= scale % 2
	}
	if scale < 1 || size > largestQR {
		return nil, fmt.Errorf("totp: a QR code of %d modules cannot be drawn %d pixels wide", modules, size)
	}
	img := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.Black})
	margin := (size - modules*scale) / 2
	for y := range modules * scale {
		for x := range modules * scale {
			if r, _, _, _ := code.At(x/scale, y/scale).RGBA(); r == 0 {
				img.SetColorIndex(margin+x, margin+y, 1)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("totp: encoding a QR code: %w", err)
	}
	return b.Bytes(), nil
}
