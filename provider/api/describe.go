package api

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// openAPI is the description of the API (OpenAPI 3.1), made by this package's test from the table of operations.
//
//go:embed openapi.json
var openAPI []byte

// exampleIssuer stands in openAPI where the deployment's own goes.
const exampleIssuer = "https://id.example.com"

// description tells programs about the API. It is no secret, and the same for everybody.
type description struct{ index, document http.Handler }

func describe(issuer *url.URL) (description, error) {
	base := strings.TrimSuffix(issuer.String(), "/")
	index := struct {
		Version string            `json:"version"`
		Links   map[string]string `json:"links"`
	}{"v1", map[string]string{
		"self": base + v1, "me": base + v1 + "/me", "openapi": base + v1 + "/openapi.json",
		"openid_configuration": base + "/.well-known/openid-configuration",
	}}
	data, err := json.Marshal(index)
	if err != nil {
		return description{}, err
	}
	return description{index: fixed(data), document: fixed(bytes.ReplaceAll(openAPI, []byte(exampleIssuer), []byte(base)))}, nil
}

// fixed answers JSON that caches may keep, and that any site may read.
func fixed(data []byte) http.Handler {
	sum := sha256.Sum256(data)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "public, max-age=300")
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	})
}
