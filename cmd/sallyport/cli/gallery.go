package cli

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/sallyport-id/sallyport/mfa/totp"
	"github.com/sallyport-id/sallyport/ui"
)

const pathGallery = "/dev/gallery"

//go:embed gallery.html
var galleryHTML string

// gallery shows the pages' samples.
type gallery struct{ ui *ui.Renderer }

func addGallery(e *echo.Echo, pages *ui.Renderer) {
	g := gallery{pages}
	e.GET(pathGallery, g.index)
	e.GET(pathGallery+"/:name", g.sample)
	e.GET(ui.GalleryQR, g.qr)
	e.GET(ui.GalleryLogo, g.logo)
}

// choice is one of the ways in which pages can be looked at.
type choice struct {
	Name, Label string
	Options     []option
}

type option struct {
	Value, Label string
	Chosen       bool
}

// chosen is the option's value that was asked for, or else the first.
func (c choice) chosen() string {
	for _, o := range c.Options {
		if o.Chosen {
			return o.Value
		}
	}
	return c.Options[0].Value
}

// choices are the ways to look at pages, with what the request asks for.
func choices(languages []string, asked url.Values) []choice {
	all := []choice{{Name: "lang", Label: "Language"}, {Name: "colours", Label: "Colours"}, {Name: "width", Label: "Width"}}
	for _, lang := range languages {
		all[0].Options = append(all[0].Options, option{Value: lang, Label: display.Self.Name(language.Make(lang))})
	}
	all[1].Options = []option{{Value: "both", Label: "Light and dark"}, {Value: "light", Label: "Light"}, {Value: "dark", Label: "Dark"}}
	all[2].Options = []option{
		{Value: "full", Label: "As wide as there is room"}, {Value: "w320", Label: "320 px"}, {Value: "w360", Label: "360 px"}, {Value: "w768", Label: "768 px"},
	}
	for i, c := range all {
		for j, o := range c.Options {
			all[i].Options[j].Chosen = o.Value == asked.Get(c.Name)
		}
	}
	return all
}

// pageLink is one page in the list.
type pageLink struct {
	Name, Link string
	Here       bool
}

type pageLinks struct {
	Name  string
	Pages []pageLink
}

// frame is one window in which the page is shown, or a part of a mail.
type frame struct{ Class, Colours, Link string }

// front is the gallery's page.
type front struct {
	Nonce, Page           string
	Choices               []choice
	Groups                []pageLinks
	At, Of                int
	Previous, Next, Alone string
	Frames                []frame
}

// newFront is the page that shows one page as the request asks for it, and the first if it asks for none.
func newFront(languages []string, asked url.Values) front {
	f := front{Nonce: rand.Text(), Choices: choices(languages, asked)}
	way := url.Values{}
	for _, c := range f.Choices {
		way.Set(c.Name, c.chosen())
	}
	var names, links []string
	here := 0
	for _, g := range groups() {
		group := pageLinks{Name: g.name}
		for _, name := range g.samples {
			if name == asked.Get("page") {
				here = len(names)
			}
			way.Set("page", name)
			names, links = append(names, name), append(links, pathGallery+"?"+way.Encode())
			group.Pages = append(group.Pages, pageLink{Name: name, Link: links[len(links)-1]})
		}
		f.Groups = append(f.Groups, group)
	}
	f.Page, f.At, f.Of = names[here], here+1, len(names)
	for i := range f.Groups {
		for j := range f.Groups[i].Pages {
			f.Groups[i].Pages[j].Here = f.Groups[i].Pages[j].Name == f.Page
		}
	}
	if here > 0 {
		f.Previous = links[here-1]
	}
	if here+1 < len(links) {
		f.Next = links[here+1]
	}
	f.Alone = pathGallery + "/" + f.Page + "?" + url.Values{"lang": {way.Get("lang")}}.Encode()
	colours := []string{way.Get("colours")}
	if colours[0] == "both" {
		colours = []string{"light", "dark"}
	}
	for _, c := range colours {
		f.Frames = append(f.Frames, frame{Class: c + " " + way.Get("width"), Colours: c, Link: f.Alone})
	}
	if strings.HasPrefix(f.Page, mails) {
		f.Frames = append(f.Frames, frame{Class: way.Get("width"), Colours: "text", Link: f.Alone + "&part=text"})
	}
	return f
}

// mails begins the names of mails.
const mails = "mail-"

// group is a heading and the names below it.
type group struct {
	name    string
	samples []string
}

// groups are those of the pages, and that of the mails.
func groups() []group {
	var all []group
	for _, g := range ui.GalleryGroups() {
		of := group{name: g.Name}
		for _, s := range g.Samples {
			of.samples = append(of.samples, s.Name)
		}
		all = append(all, of)
	}
	of := group{name: "Mails"}
	for _, s := range ui.MailGallery() {
		of.samples = append(of.samples, mails+s.Name)
	}
	return append(all, of)
}

// mailSample shows a mail in HTML, or with part=text in plain text.
func mailSample(c echo.Context, r *ui.Renderer, name string) error {
	for _, s := range ui.MailGallery() {
		if s.Name != name {
			continue
		}
		s.Letter.Lang = r.Language(c.QueryParam("lang"))
		d, err := r.Letter(s.Letter)
		if err != nil {
			return err
		}
		// A mail brings its style along, and nothing else.
		c.Response().Header().Set("Content-Security-Policy",
			"default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'; base-uri 'none'")
		if c.QueryParam("part") == "text" {
			return c.Blob(http.StatusOK, "text/plain; charset=utf-8", []byte("Subject: "+d.Subject+"\n\n"+d.Text))
		}
		return c.HTML(http.StatusOK, d.HTML)
	}
	return echo.ErrNotFound
}

// index shows one page in the chosen language, colours and width, and leads to all others.
func (g gallery) index(c echo.Context) error {
	page, err := template.New("gallery").Parse(galleryHTML)
	if err != nil {
		return fmt.Errorf("gallery: %w", err)
	}
	f := newFront(g.ui.Languages(), c.QueryParams())
	var b bytes.Buffer
	if err := page.Execute(&b, f); err != nil {
		return fmt.Errorf("gallery: %w", err)
	}
	c.Response().Header().Set("Content-Security-Policy", fmt.Sprintf("default-src 'none'; style-src 'nonce-%[1]s'; script-src 'nonce-%[1]s'; "+
		"img-src data:; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'", f.Nonce))
	return c.HTMLBlob(http.StatusOK, b.Bytes())
}

func (g gallery) sample(c echo.Context) error {
	if name, ok := strings.CutPrefix(c.Param("name"), mails); ok {
		return mailSample(c, g.ui, name)
	}
	for _, s := range ui.Gallery() {
		if s.Name != c.Param("name") {
			continue
		}
		if lang := c.QueryParam("lang"); lang != "" {
			s.Frame.Lang = g.ui.Language(lang)
		}
		var b bytes.Buffer
		if err := g.ui.Render(&b, s.Frame, s.Page); err != nil {
			return err
		}
		c.Response().Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; "+
			"img-src 'self' data:; form-action 'none'; frame-ancestors 'self'; base-uri 'none'")
		page := b.Bytes()
		if c.Request().Header.Get("Sec-Fetch-Dest") == "iframe" {
			// Within the gallery's page it would take the focus from the list of pages.
			page = bytes.ReplaceAll(page, []byte(" autofocus"), nil)
		}
		return c.HTMLBlob(http.StatusOK, page)
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
