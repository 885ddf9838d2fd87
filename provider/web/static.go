package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// static serves the embedded files. Their names hold a hash of what is in them, so they never change.
func (s *Server) static(c echo.Context) error {
	name := c.Param("name")
	asset, ok := s.UI.Static(name)
	if !ok {
		return echo.ErrNotFound
	}
	// Weak, for it stands for the file, compressed or not (RFC 9110, section 8.8.1).
	tag := `W/"` + name + `"`
	h := c.Response().Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", tag)
	// Not all browsers know "immutable", and ask again when a page is loaded again.
	if known := listed(c.Request().Header.Values("If-None-Match")); slices.Contains(known, tag) || slices.Contains(known, "*") {
		return c.NoContent(http.StatusNotModified)
	}
	if asset.Gzip != nil && takesGzip(c.Request().Header.Values("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		return c.Blob(http.StatusOK, asset.Type, asset.Gzip)
	}
	return c.Blob(http.StatusOK, asset.Type, asset.Body)
}

// takesGzip reads Accept-Encoding (RFC 9110, section 12.5.3). A quality of nought says no.
func takesGzip(header []string) bool {
	for _, one := range listed(header) {
		coding, quality, _ := strings.Cut(one, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			_, q, ok := strings.Cut(quality, "=")
			return !ok || strings.Trim(strings.TrimSpace(q), "0.") != ""
		}
	}
	return false
}

// listed are the members of a header that is a list.
func listed(header []string) []string {
	var all []string
	for _, one := range strings.Split(strings.Join(header, ","), ",") {
		if one = strings.TrimSpace(one); one != "" {
			all = append(all, one)
		}
	}
	return all
}
