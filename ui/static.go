package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Asset is a static file. Its public name changes with its content, so that it may be cached for ever.
type Asset struct {
	// Type is its Content-Type.
	Type string
	// Body is the file, Gzip the same compressed; Gzip is nil where that saves nothing.
	Body, Gzip []byte
}

// assets are the static files by public name, and the public names by file name.
type assets struct {
	files map[string]Asset
	names map[string]string
}

// types are the kinds of file that can be served. Pages run no code and load no picture but from here, so a file of
// another kind would never be asked for.
var types = map[string]string{
	".css":   "text/css; charset=utf-8",
	".ico":   "image/x-icon",
	".js":    "text/javascript; charset=utf-8",
	".png":   "image/png",
	".svg":   "image/svg+xml",
	".webp":  "image/webp",
	".woff2": "font/woff2",
}

// readAssets reads static/*; a file in a later layer takes the place of the earlier one of that name.
func readAssets(layers ...fs.FS) (*assets, error) {
	a := &assets{files: map[string]Asset{}, names: map[string]string{}}
	latest := map[string][]byte{}
	for _, layer := range layers {
		names, err := fs.Glob(layer, "static/*")
		if err != nil {
			return nil, fmt.Errorf("ui: list static files: %w", err)
		}
		for _, name := range names {
			if types[path.Ext(name)] == "" {
				return nil, fmt.Errorf("ui: %s: files ending in %q are not served", name, path.Ext(name))
			}
			if latest[path.Base(name)], err = fs.ReadFile(layer, name); err != nil {
				return nil, fmt.Errorf("ui: %s: %w", name, err)
			}
		}
	}
	for name, body := range latest {
		small, err := compress(body)
		if err != nil {
			return nil, fmt.Errorf("ui: static/%s: %w", name, err)
		}
		sum := sha256.Sum256(body)
		ext := path.Ext(name)
		public := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
		a.names[name] = public
		a.files[public] = Asset{Type: types[ext], Body: body, Gzip: small}
	}
	return a, nil
}

// compress returns the body in gzip format, or nil where that is no smaller.
func compress(body []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if b.Len() >= len(body) {
		return nil, nil
	}
	return b.Bytes(), nil
}
