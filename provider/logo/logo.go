package logo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

// Limits of what is drawn.
const (
	// MaxBytes is how many bytes a file has at most.
	MaxBytes = 1 << 20
	// maxSide and maxPixels bound what a file unpacks to: a picture of one colour, hundreds of megapixels large, is a file
	// of some kilobytes. With 16 bits a channel the largest picture takes 32 MiB of memory.
	maxSide   = 4096
	maxPixels = 4 << 20
	// minSide is what can be seen at all.
	minSide = 16

	// Width and Height are the largest that a logo is kept in, in pixels: enough for what pages show, on screens of three
	// pixels to the dot.
	Width  = 512
	Height = 256
)

// Why Draw refuses.
var (
	// ErrType: it is no PNG, JPEG or WebP picture, or one that moves.
	ErrType = errors.New("logo: not a PNG, JPEG or WebP picture that stands still")
	// ErrLarge: it has too many bytes or pixels.
	ErrLarge = errors.New("logo: too large")
	// ErrSmall: it has too few pixels.
	ErrSmall = errors.New("logo: too small")
	// ErrDamaged: it begins as a picture does, but can't be read to its end.
	ErrDamaged = errors.New("logo: damaged")
)

// Picture is a logo as it is kept: a PNG of nothing but pixels.
type Picture struct {
	PNG           []byte
	Width, Height int
}

// format is a kind of picture. Which one a file is its first bytes say, never its name or media type.
type format struct {
	magic  func(data []byte) bool
	config func(r io.Reader) (image.Config, error)
	decode func(r io.Reader) (image.Image, error)
}

func formats() []format {
	begins := func(with string) func([]byte) bool {
		return func(data []byte) bool { return bytes.HasPrefix(data, []byte(with)) }
	}
	return []format{
		{begins("\x89PNG\r\n\x1a\n"), png.DecodeConfig, png.Decode},
		{begins("\xff\xd8\xff"), jpeg.DecodeConfig, jpeg.Decode},
		{still, webp.DecodeConfig, webp.Decode},
	}
}

// still tells whether data is a WebP file without animation (RFC 9649, section 2.7.1), which the decoder knows nothing of.
func still(data []byte) bool {
	if len(data) < 16 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WEBP" {
		return false
	}
	const animated = 1 << 1
	return string(data[12:16]) != "VP8X" || len(data) > 20 && data[20]&animated == 0
}

// Draw reads a PNG, JPEG or WebP picture and draws it anew, made smaller where it is larger than a logo is. Whatever else
// is in the file (where a photograph was taken, who made it, another file behind it, a page of HTML in a comment) is gone.
// ErrType, ErrLarge, ErrSmall, ErrDamaged.
func Draw(data []byte) (Picture, error) {
	if len(data) > MaxBytes {
		return Picture{}, ErrLarge
	}
	for _, f := range formats() {
		if f.magic(data) {
			return f.draw(data)
		}
	}
	return Picture{}, ErrType
}

func (f format) draw(data []byte) (Picture, error) {
	// The size is in the head of the file; nothing is unpacked before it is known to be bearable.
	c, err := f.config(bytes.NewReader(data))
	switch {
	case err != nil:
		return Picture{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	case c.Width > maxSide || c.Height > maxSide || c.Width*c.Height > maxPixels:
		return Picture{}, ErrLarge
	case c.Width < minSide || c.Height < minSide:
		return Picture{}, ErrSmall
	}
	from, err := f.decode(bytes.NewReader(data))
	if err != nil {
		return Picture{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	// The head of a file may say other than what comes out of it.
	if from.Bounds().Dx() != c.Width || from.Bounds().Dy() != c.Height {
		return Picture{}, ErrDamaged
	}
	w, h := fit(c.Width, c.Height)
	to := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(to, to.Bounds(), from, from.Bounds(), draw.Src, nil)
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, to); err != nil {
		return Picture{}, fmt.Errorf("logo: encode: %w", err)
	}
	return Picture{PNG: b.Bytes(), Width: w, Height: h}, nil
}

// fit is the size of a picture of w×h in its proportions, but no larger than a logo is and no less than a pixel wide.
func fit(w, h int) (fitW, fitH int) {
	if w <= Width && h <= Height {
		return w, h
	}
	if w*Height >= h*Width {
		return Width, max(1, (h*Width+w/2)/w)
	}
	return max(1, (w*Height+h/2)/h), Height
}
