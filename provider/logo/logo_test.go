package logo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"golang.org/x/image/webp"
)

// ground is a picture in which every pixel is known: red grows to the right, green downwards.
func ground(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, color.NRGBA{R: uint8(255 * x / w), G: uint8(255 * y / h), B: 0x40, A: 0xff})
		}
	}
	return m
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// lossless is a VP8L bitstream (RFC 9649, section 3) of one colour: five prefix codes with one symbol each, so that no pixel
// takes a bit. Any size fits into 20 bytes.
func lossless(w, h int, red, green, blue byte) []byte {
	var bits []bool
	put := func(v uint64, n int) {
		for i := range n {
			bits = append(bits, v>>i&1 == 1)
		}
	}
	put(uint64(w-1), 14)
	put(uint64(h-1), 14)
	put(0, 4) // alpha is not used, version 0
	put(0, 3) // no transform, no colour cache, no meta prefix codes
	for _, symbol := range []byte{green, red, blue, 0xff, 0} {
		put(1, 1) // a simple code
		put(0, 1) // of one symbol
		put(1, 1) // of eight bits
		put(uint64(symbol), 8)
	}
	out := []byte{0x2f}
	for i := range bits {
		if i%8 == 0 {
			out = append(out, 0)
		}
		if bits[i] {
			out[len(out)-1] |= 1 << (i % 8)
		}
	}
	return append(out, 0, 0, 0)
}

func chunk(name string, data []byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(data)))
	out = append(out, data...)
	if len(data)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

func webpOf(chunks ...[]byte) []byte {
	body := append([]byte("WEBP"), bytes.Join(chunks, nil)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

// extended is the head of an extended WebP file.
func extended(flags byte, w, h int) []byte {
	b := []byte{flags, 0, 0, 0}
	for _, n := range []int{w - 1, h - 1} {
		b = append(b, byte(n), byte(n>>8), byte(n>>16))
	}
	return chunk("VP8X", b)
}

// pngChunk adds a chunk behind the head of a PNG file.
func pngChunk(file []byte, name string, data []byte) []byte {
	const head = 8 + 25
	c := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	c = append(append(c, name...), data...)
	c = binary.BigEndian.AppendUint32(c, crc32.ChecksumIEEE(c[4:]))
	return append(append(append([]byte{}, file[:head]...), c...), file[head:]...)
}

// resized says another size in the head of a PNG file.
func resized(file []byte, w, h uint32) []byte {
	out := bytes.Clone(file)
	binary.BigEndian.PutUint32(out[16:], w)
	binary.BigEndian.PutUint32(out[20:], h)
	binary.BigEndian.PutUint32(out[29:], crc32.ChecksumIEEE(out[12:29]))
	return out
}

// tall says another height in the head of a JPEG file.
func tall(t testing.TB, file []byte, h uint16) []byte {
	t.Helper()
	out := bytes.Clone(file)
	i := bytes.Index(out, []byte{0xff, 0xc0})
	if i < 0 {
		t.Fatal("no SOF0")
	}
	binary.BigEndian.PutUint16(out[i+5:], h)
	return out
}

// secret stands in what is uploaded and must not in what comes of it.
const secret = "<script>alert('GPS 53.55N')</script>"

// behind adds an Exif segment to a JPEG file.
func withExif(file []byte) []byte {
	data := "Exif\x00\x00" + secret
	segment := append([]byte{0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(data)+2))...)
	return append(append(append([]byte{}, file[:2]...), append(segment, data...)...), file[2:]...)
}

// What is a picture is drawn; what only looks like one, or costs too much to look at, is refused with the right reason.
func TestDraw(t *testing.T) {
	small, photo := pngOf(t, ground(64, 32)), jpegOf(t, ground(64, 32))
	var moving bytes.Buffer
	if err := gif.Encode(&moving, ground(64, 32), nil); err != nil {
		t.Fatal(err)
	}
	flat := chunk("VP8L", lossless(64, 32, 10, 20, 30))
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"PNG":                               {small, nil},
		"JPEG":                              {photo, nil},
		"WebP":                              {webpOf(flat), nil},
		"WebP, extended":                    {webpOf(extended(0, 64, 32), flat), nil},
		"the largest":                       {webpOf(chunk("VP8L", lossless(2048, 2048, 1, 2, 3))), nil},
		"the longest":                       {webpOf(chunk("VP8L", lossless(4096, 16, 1, 2, 3))), nil},
		"nothing":                           {nil, ErrType},
		"SVG":                               {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), ErrType},
		"SVG, as XML":                       {[]byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`), ErrType},
		"HTML":                              {[]byte("<!doctype html>" + secret), ErrType},
		"GIF":                               {moving.Bytes(), ErrType},
		"BMP":                               {[]byte("BM" + strings.Repeat("x", 100)), ErrType},
		"PDF":                               {[]byte("%PDF-1.7\n"), ErrType},
		"HTML behind the signature of PNG":  {append(bytes.Clone(small[:8]), "<html>"+secret...), ErrDamaged},
		"HTML behind the signature of JPEG": {[]byte("\xff\xd8\xff<html>" + secret), ErrDamaged},
		"HTML behind the signature of WebP": {webpOf([]byte("<html>" + secret)), ErrDamaged},
		"an animated WebP":                  {webpOf(extended(2, 64, 32), chunk("ANIM", make([]byte, 6)), chunk("ANMF", append(make([]byte, 16), flat...))), ErrType},
		"an animated WebP that does not say so": {
			webpOf(extended(0, 64, 32), chunk("ANIM", make([]byte, 6)), chunk("ANMF", append(make([]byte, 16), flat...))), ErrDamaged,
		},
		"PNG, truncated":              {small[:len(small)/2], ErrDamaged},
		"JPEG, truncated":             {photo[:len(photo)/2], ErrDamaged},
		"WebP, truncated":             {webpOf(flat)[:24], ErrDamaged},
		"the signature alone":         {small[:8], ErrDamaged},
		"a bomb of PNG":               {resized(small, 50_000, 50_000), ErrLarge},
		"a bomb as flat as can be":    {resized(small, 1<<31-1, 16), ErrLarge},
		"a bomb of JPEG":              {tall(t, jpegOf(t, ground(4096, 16)), 65_000), ErrLarge},
		"a bomb of WebP":              {webpOf(chunk("VP8L", lossless(16383, 16383, 1, 2, 3))), ErrLarge},
		"a bomb of WebP behind a fib": {webpOf(extended(0, 64, 32), chunk("VP8L", lossless(16383, 16383, 1, 2, 3))), ErrDamaged},
		"a picture behind a fib":      {webpOf(extended(0, 64, 32), chunk("VP8L", lossless(2000, 2000, 1, 2, 3))), ErrDamaged},
		"one row too many":            {webpOf(chunk("VP8L", lossless(2048, 2049, 1, 2, 3))), ErrLarge},
		"one column too many":         {webpOf(chunk("VP8L", lossless(4097, 16, 1, 2, 3))), ErrLarge},
		"PNG of no width":             {resized(small, 0, 32), ErrDamaged},
		"a dot":                       {pngOf(t, ground(1, 1)), ErrSmall},
		"a line":                      {pngOf(t, ground(400, 15)), ErrSmall},
		"a mebibyte":                  {append(bytes.Clone(small), make([]byte, MaxBytes-len(small))...), nil},
		"a mebibyte and one":          {append(bytes.Clone(small), make([]byte, MaxBytes-len(small)+1)...), ErrLarge},
	} {
		p, err := Draw(c.file)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if (err == nil) != (p.PNG != nil) {
			t.Errorf("%s: %v and %d bytes", name, err, len(p.PNG))
		}
	}
}

// The look stays: sizes in proportion, colours, and what is seen through.
func TestDrawLooksTheSame(t *testing.T) {
	for _, c := range []struct{ w, h, wantW, wantH int }{
		{64, 32, 64, 32},
		{512, 256, 512, 256},
		{1024, 512, 512, 256},
		{1000, 1000, 256, 256},
		{2000, 500, 512, 128},
		{500, 2000, 64, 256},
		{4096, 16, 512, 2},
		{16, 4096, 1, 256},
		{513, 16, 512, 16},
	} {
		from := ground(c.w, c.h)
		p, err := Draw(pngOf(t, from))
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(bytes.NewReader(p.PNG))
		if err != nil || m.Bounds().Dx() != c.wantW || m.Bounds().Dy() != c.wantH || p.Width != c.wantW || p.Height != c.wantH {
			t.Fatalf("%d×%d is drawn as %v, %d×%d, %v", c.w, c.h, m.Bounds(), p.Width, p.Height, err)
		}
		if c.wantW < 8 || c.wantH < 8 {
			continue // there is no middle to speak of
		}
		want, got := from.NRGBAAt(c.w/2, c.h/2), color.NRGBAModel.Convert(m.At(c.wantW/2, c.wantH/2)).(color.NRGBA)
		for i, pair := range [][2]uint8{{want.R, got.R}, {want.G, got.G}, {want.B, got.B}, {want.A, got.A}} {
			if d := int(pair[0]) - int(pair[1]); d < -10 || d > 10 {
				t.Errorf("%d×%d: channel %d in the middle is %v, was %v", c.w, c.h, i, got, want)
			}
		}
	}
	empty := image.NewNRGBA(image.Rect(0, 0, 600, 300))
	p, err := Draw(pngOf(t, empty))
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(p.PNG))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, a := m.At(10, 10).RGBA(); a != 0 {
		t.Error("what was seen through is not any more")
	}
}

// Of what else is in a file, nothing is kept: comments, where a photograph was taken, another file behind it.
func TestDrawKeepsNothingElse(t *testing.T) {
	small := pngOf(t, ground(64, 32))
	for name, file := range map[string][]byte{
		"PNG with a comment":           pngChunk(small, "tEXt", []byte("Comment\x00"+secret)),
		"PNG with Exif":                pngChunk(small, "eXIf", []byte(secret)),
		"PNG with a chunk of its own":  pngChunk(small, "prIv", []byte(secret)),
		"PNG and a page behind it":     append(bytes.Clone(small), secret...),
		"JPEG with Exif":               withExif(jpegOf(t, ground(64, 32))),
		"JPEG and a page behind it":    append(jpegOf(t, ground(64, 32)), secret...),
		"WebP with Exif":               webpOf(extended(8, 64, 32), chunk("VP8L", lossless(64, 32, 1, 2, 3)), chunk("EXIF", []byte(secret))),
		"WebP with XMP before pixels":  webpOf(extended(4, 64, 32), chunk("XMP ", []byte(secret)), chunk("VP8L", lossless(64, 32, 1, 2, 3))),
		"WebP and a page behind it":    append(webpOf(chunk("VP8L", lossless(64, 32, 1, 2, 3))), secret...),
		"PNG with frames that move it": pngChunk(small, "acTL", []byte{0, 0, 0, 9, 0, 0, 0, 0}),
	} {
		if !bytes.Contains(file, []byte(secret)) && !bytes.Contains(file, []byte("acTL")) {
			t.Fatalf("%s is made wrongly", name)
		}
		p, err := Draw(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if bytes.Contains(p.PNG, []byte("script")) || bytes.Contains(p.PNG, []byte("acTL")) {
			t.Errorf("%s: something of it was kept", name)
		}
		if kinds := chunksOf(t, p.PNG); kinds != "IHDR IDAT IEND" {
			t.Errorf("%s: it has %s", name, kinds)
		}
		again, err := Draw(p.PNG)
		if err != nil || !bytes.Equal(again.PNG, p.PNG) {
			t.Errorf("%s: drawn twice it is another, %v", name, err)
		}
	}
}

// chunksOf are the names of a PNG file's chunks.
func chunksOf(t testing.TB, file []byte) string {
	t.Helper()
	var names []string
	for rest := file[8:]; len(rest) >= 12; {
		n := int(binary.BigEndian.Uint32(rest))
		names = append(names, string(rest[4:8]))
		if len(rest) < 12+n {
			t.Fatal("the file is damaged")
		}
		rest = rest[12+n:]
	}
	return strings.Join(names, " ")
}

// FuzzDraw: whatever is uploaded, nothing breaks, and what comes out is a picture within the bounds.
func FuzzDraw(f *testing.F) {
	small := pngOf(f, ground(20, 20))
	f.Add(small)
	f.Add(resized(small, 5000, 5000))
	f.Add(withExif(jpegOf(f, ground(20, 20))))
	f.Add(webpOf(chunk("VP8L", lossless(20, 20, 1, 2, 3))))
	f.Add(webpOf(extended(16, 20, 20), chunk("ALPH", make([]byte, 401)), chunk("VP8 ", make([]byte, 40))))
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := Draw(file)
		if err != nil {
			if !errors.Is(err, ErrType) && !errors.Is(err, ErrLarge) && !errors.Is(err, ErrSmall) && !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		c, err := png.DecodeConfig(bytes.NewReader(p.PNG))
		if err != nil || c.Width != p.Width || c.Height != p.Height || c.Width > Width || c.Height > Height {
			t.Fatalf("%+v, %v", c, err)
		}
	})
}

// Our own WebP files are such to other readers too.
func TestLossless(t *testing.T) {
	m, err := webp.Decode(bytes.NewReader(webpOf(chunk("VP8L", lossless(20, 10, 1, 2, 3)))))
	if err != nil || m.At(5, 5) != (color.NRGBA{R: 1, G: 2, B: 3, A: 255}) {
		t.Fatalf("%v, %v", m, err)
	}
}

// BenchmarkDraw: the most memory and time that a file of a mebibyte can cost.
func BenchmarkDraw(b *testing.B) {
	deep := image.NewNRGBA64(image.Rect(0, 0, 2048, 2048))
	for y := range 2048 {
		for x := range 2048 {
			deep.SetNRGBA64(x, y, color.NRGBA64{R: uint16(x), G: uint16(y), A: 0xffff})
		}
	}
	var buf bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&buf, deep); err != nil {
		b.Fatal(err)
	}
	flat := webpOf(chunk("VP8L", lossless(2048, 2048, 1, 2, 3)))
	for name, file := range map[string][]byte{"PNG16": buf.Bytes(), "WebP": flat, "JPEG": jpegOf(b, ground(2048, 2048))} {
		if len(file) > MaxBytes {
			b.Fatalf("%s has %d bytes", name, len(file))
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Draw(file); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
