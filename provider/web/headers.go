package web

func (x *exchange) headers() {
	h := x.c.Response().Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy(nil))
	if x.s.secure() {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
}

// policy is the Content-Security-Policy of a page whose forms may lead to targets.
func policy(targets []string) string {
	form := "form-action 'self'"
	for _, t := range targets {
		form += " " + t
	}
	return "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
		form + "; frame-ancestors 'none'; base-uri 'none'"
}
