package provider

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"testing"
)

// TestStaticFiles: what pages load comes compressed to whom that suits, may be kept for ever, and is not sent twice to a browser
// that asks again.
func TestStaticFiles(t *testing.T) {
	w := newWorld(t)
	path := regexp.MustCompile(`/static/app\.[0-9a-f]+\.css`).FindString(w.browser().get("/account").body)
	get := func(headers ...string) (*http.Response, []byte) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.issuer+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", "identity") // or Go asks for gzip by itself, and hides that it did
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if res.Header.Get("Vary") != "Accept-Encoding" || res.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%q: it is kept as %v", headers, res.Header)
		}
		return res, body
	}
	plain, whole := get()
	if plain.StatusCode != http.StatusOK || plain.Header.Get("Content-Encoding") != "" || len(whole) < 10_000 {
		t.Fatalf("%d with %d bytes, %v", plain.StatusCode, len(whole), plain.Header)
	}
	for accept, want := range map[string]string{
		"gzip": "gzip", "gzip, deflate, br, zstd": "gzip", "br;q=1.0, GZIP;q=0.5": "gzip", "gzip;q=0": "", "gzip; q=0.00": "", "deflate": "", "x-gzip-not": "",
	} {
		res, body := get("Accept-Encoding", accept)
		if got := res.Header.Get("Content-Encoding"); got != want {
			t.Errorf("%q is answered as %q, want %q", accept, got, want)
			continue
		}
		if want == "gzip" {
			r, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if body, err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(body, whole) {
			t.Errorf("%q: another file", accept)
		}
	}
	tag := plain.Header.Get("ETag")
	for known, want := range map[string]int{
		tag: http.StatusNotModified, `"other", ` + tag: http.StatusNotModified, "*": http.StatusNotModified, `W/"other"`: http.StatusOK,
	} {
		if res, body := get("If-None-Match", known); res.StatusCode != want || (len(body) == 0) != (want == http.StatusNotModified) || res.Header.Get("ETag") != tag {
			t.Errorf("who has %s is answered with %d and %d bytes, want %d", known, res.StatusCode, len(body), want)
		}
	}
}
