package cli

import (
	"bytes"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-id/sallyport/mfa/totp"
	"github.com/sallyport-id/sallyport/ui"
)

const pathGallery = "/dev/gallery"

var galleryIndex = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Gallery</title>
<style nonce="{{.Nonce}}">
:root { color-scheme: light dark; }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 60rem; margin: 3rem auto; padding: 0 1rem; }
ul { columns: 16rem; padding: 0; list-style: none; }
li { break-inside: avoid; padding: .2rem 0; }
small a { opacity: .7; margin-inline-start: .4rem; }
</style>
<h1>Every page, in every state</h1>
<p>They are drawn from made-up data; their buttons lead nowhere.</p>
<ul>{{range $s := .Samples}}
<li><a href="/dev/gallery/{{$s.Name}}">{{$s.Name}}</a><small>{{range $.Languages}}<a href="/dev/gallery/{{$s.Name}}?lang={{.}}" hreflang="{{.}}">{{.}}</a>{{end}}</small></li>{{end}}
</ul></html>
`))

// gallery shows the pages' samples.
type gallery struct {
	// renderer is made when the gallery is first looked at.
	renderer func() (*ui.Renderer, error)
}

func addGallery(e *echo.Echo) {
	g := gallery{sync.OnceValues(func() (*ui.Renderer, error) { return ui.New(ui.Options{}) })}
	e.GET(pathGallery, g.index)
	e.GET(pathGallery+"/:name", g.sample)
	e.GET(ui.GalleryQR, g.qr)
	e.GET(ui.GalleryLogo, g.logo)
}

func (g gallery) index(c echo.Context) error {
	r, err := g.renderer()
	if err != nil {
		return err
	}
	const nonce = "gallery"
	c.Response().Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+nonce+"'; frame-ancestors 'none'; base-uri 'none'")
	var b bytes.Buffer
	err = galleryIndex.Execute(&b, map[string]any{"Nonce": nonce, "Samples": ui.Gallery(), "Languages": r.Languages()})
	if err != nil {
		return fmt.Errorf("gallery: %w", err)
	}
	return c.HTMLBlob(http.StatusOK, b.Bytes())
}

func (g gallery) sample(c echo.Context) error {
	r, err := g.renderer()
	if err != nil {
		return err
	}
	for _, s := range ui.Gallery() {
		if s.Name != c.Param("name") {
			continue
		}
		if lang := c.QueryParam("lang"); lang != "" {
			s.Frame.Lang = r.Language(lang)
		}
		var b bytes.Buffer
		if err := r.Render(&b, s.Frame, s.Page); err != nil {
			return err
		}
		c.Response().Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; "+
			"img-src 'self' data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'")
		return c.HTMLBlob(http.StatusOK, b.Bytes())
	}
	return echo.ErrNotFound
}

func (g gallery) qr(c echo.Context) error {
	code, err := totp.QR("otpauth://totp/Harbour:olga@example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Harbour", 512)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "image/png", code)
}

// logo is that of the sample tenant: a sun over the water.
func (g gallery) logo(c echo.Context) error {
	to := image.NewNRGBA(image.Rect(0, 0, 320, 96))
	for y := range 96 {
		for x := range 320 {
			switch dx, dy := x-160, y-64; {
			case y >= 68 && (y/8)%2 == 0:
				to.SetNRGBA(x, y, color.NRGBA{R: 0x3b, G: 0x1b, B: 0x7a, A: 0xff})
			case y < 64 && dx*dx+dy*dy < 52*52:
				to.SetNRGBA(x, y, color.NRGBA{R: 0x8e, G: 0x24, B: 0xaa, A: 0xff})
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, to); err != nil {
		return fmt.Errorf("gallery: %w", err)
	}
	return c.Blob(http.StatusOK, "image/png", b.Bytes())
}
