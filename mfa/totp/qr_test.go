package totp

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/sallyport-id/sallyport/mfa"
)

// uris are what a page draws, short, usual and as long as they get.
func uris() map[string]string {
	longest := mfa.User{ID: "x", Issuer: strings.Repeat("🚪", 99), Account: strings.Repeat("🔑", 999)}
	return map[string]string{
		"short":   rfcKey("SHA1", 6).uri(mfa.User{ID: "a"}),
		"usual":   rfcKey("SHA1", 6).uri(alice),
		"other":   rfcKey("SHA256", 8).uri(mfa.User{ID: "b", Issuer: "Größe & Söhne", Account: "日本@例え.jp"}),
		"longest": rfcKey("SHA256", 8).uri(longest),
	}
}

func draw(t *testing.T, content string, size int) (image.Image, []byte) {
	t.Helper()
	b, err := QR(content, size)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if got := img.Bounds(); got != image.Rect(0, 0, size, size) {
		t.Fatalf("the picture is %v, not %d wide", got, size)
	}
	return img, b
}

func TestQRReadByGozxing(t *testing.T) {
	for name, content := range uris() {
		for _, size := range []int{240, 301, 1024} {
			if name == "longest" && size < 1024 {
				continue
			}
			img, _ := draw(t, content, size)
			bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
			if err != nil {
				t.Fatal(err)
			}
			got, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
			if err != nil {
				t.Fatalf("%s at %d: %v", name, size, err)
			}
			if got.GetText() != content {
				t.Errorf("%s at %d reads %q", name, size, got.GetText())
			}
			if level := got.GetResultMetadata()[gozxing.ResultMetadataType_ERROR_CORRECTION_LEVEL]; level != "M" {
				t.Errorf("%s at %d: error correction is %v", name, size, level)
			}
		}
	}
}

func TestQRReadByZbarimg(t *testing.T) {
	program := tool(t, "zbarimg")
	for name, content := range uris() {
		_, b := draw(t, content, 1024)
		file := filepath.Join(t.TempDir(), "qr.png")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		var complaint bytes.Buffer
		cmd := exec.Command(program, "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", file)
		cmd.Stderr = &complaint
		got, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v %s", name, err, complaint.String())
		}
		if strings.TrimSuffix(string(got), "\n") != content {
			t.Errorf("%s reads %q", name, got)
		}
	}
}

// TestQRIsCrisp: two colours, whole modules at full and at half size, and at least four of them white on every side.
func TestQRIsCrisp(t *testing.T) {
	for _, size := range []int{240, 256, 301, 512} {
		img, _ := draw(t, uris()["usual"], size)
		black := image.Rectangle{}
		for y := range size {
			for x := range size {
				switch r, g, b, a := img.At(x, y).RGBA(); {
				case r == 0 && g == 0 && b == 0 && a == 0xffff:
					black = black.Union(image.Rect(x, y, x+1, y+1))
				case r != 0xffff || g != 0xffff || b != 0xffff || a != 0xffff:
					t.Fatalf("pixel %d,%d is neither black nor white", x, y)
				}
			}
		}
		// The finder pattern's first row is seven modules of black: that measures a module.
		run := 0
		for isBlack(img, black.Min.X+run, black.Min.Y) {
			run++
		}
		if run%7 != 0 || black.Dx() != black.Dy() || black.Dx()%(run/7) != 0 {
			t.Fatalf("at %d: modules are not whole: a finder of %d px in %v", size, run, black)
		}
		module := run / 7
		if module > 1 && module%2 != 0 {
			t.Errorf("at %d: modules of %d px are uneven at half the size", size, module)
		}
		for _, margin := range []int{black.Min.X, black.Min.Y, size - black.Max.X, size - black.Max.Y} {
			if margin < 4*module {
				t.Errorf("at %d: a margin of %d px, modules of %d", size, margin, module)
			}
		}
		for y := black.Min.Y; y < black.Max.Y; y++ {
			for x := black.Min.X; x < black.Max.X; x++ {
				x0, y0 := x-(x-black.Min.X)%module, y-(y-black.Min.Y)%module
				if isBlack(img, x, y) != isBlack(img, x0, y0) {
					t.Fatalf("at %d: the module at %d,%d is of two colours", size, x0, y0)
				}
			}
		}
	}
}

func isBlack(img image.Image, x, y int) bool {
	r, _, _, _ := img.At(x, y).RGBA()
	return r == 0
}

func TestQRRefuses(t *testing.T) {
	secret := strings.Repeat("secret", 1000)
	for name, c := range map[string]struct {
		content string
		size    int
	}{
		"nothing":   {"", 240},
		"too small": {uris()["usual"], 40},
		"no size":   {uris()["usual"], 0},
		"below 0":   {uris()["usual"], -1},
		"too large": {uris()["usual"], 1 << 20},
		"too long":  {secret, 4096},
	} {
		if b, err := QR(c.content, c.size); err == nil || b != nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
}
