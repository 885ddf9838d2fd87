package oidc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/sallyport-id/sallyport/provider/web"
)

// maxBody bounds a request's body, in bytes.
const maxBody = 64 << 10

// form lets a form that an application posted through to the engine, at path. The engine reads parameters from the
// query as well and takes the last of several; here they stand in the body, once.
func (p *Provider) form(path string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		values, err := body(w, r)
		switch {
		case err != nil:
			writeError(w, http.StatusBadRequest, "invalid_request", err.Error())
			return
		case r.URL.RawQuery != "":
			writeError(w, http.StatusBadRequest, "invalid_request", "parameters belong into the body")
			return
		case len(r.Header.Values("Authorization")) > 1 || r.Header.Get("Authorization") != "" && values.Has("client_secret"):
			// RFC 6749, section 2.3: one method at a time.
			writeError(w, http.StatusBadRequest, "invalid_request", "more than one way of client authentication")
			return
		}
		answer := p.ask(r, path, values)
		if answer.failure() == "invalid_client" {
			p.challenge(answer)
		}
		answer.writeTo(w)
	})
}

// challenge makes of a failed client authentication what RFC 6749, section 5.2, asks for.
func (p *Provider) challenge(answer *answer) {
	answer.status = http.StatusUnauthorized
	answer.header.Set("WWW-Authenticate", `Basic realm="`+p.issuer+`", charset="UTF-8"`)
}

// bearer lets a request with an access token (RFC 6750) through to the engine, at path. The token comes in the header
// or in the body; one in the query would end up in logs and histories.
func (p *Provider) bearer(path string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		values := url.Values{}
		if r.Method == http.MethodPost {
			var err error
			if values, err = body(w, r); err != nil {
				p.unauthorized(w, http.StatusBadRequest, "invalid_request", err.Error())
				return
			}
		}
		headers := r.Header.Values("Authorization")
		inHeader := len(headers) == 1 && len(headers[0]) > 7 && strings.EqualFold(headers[0][:7], "Bearer ")
		switch {
		case len(headers) > 1 || len(headers) == 1 && values.Has("access_token"):
			p.unauthorized(w, http.StatusBadRequest, "invalid_request", "more than one access token")
			return
		case !inHeader && !values.Has("access_token"):
			// RFC 6750, section 3.1: who shows nothing is told how, not what was wrong.
			p.unauthorized(w, http.StatusUnauthorized, "", "")
			return
		}
		answer := p.ask(r, path, values)
		switch code := answer.failure(); code {
		case "invalid_token":
			p.unauthorized(w, http.StatusUnauthorized, code, answer.description())
		case "insufficient_scope":
			p.unauthorized(w, http.StatusForbidden, code, answer.description())
		default:
			answer.writeTo(w)
		}
	})
}

func (p *Provider) unauthorized(w http.ResponseWriter, status int, code, description string) {
	challenge := `Bearer realm="` + p.issuer + `"`
	if code != "" {
		challenge += fmt.Sprintf(`, error=%q, error_description=%q`, code, description)
	}
	if status != http.StatusBadRequest {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	writeError(w, status, code, description)
}

// public lets a request for something that is no secret through to the engine. Any site may read it, without
// credentials.
func (p *Provider) public(path string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		answer := p.ask(r, path, url.Values{})
		answer.cacheable = answer.failure() == ""
		answer.writeTo(w)
	}
}

// sendOn answers a POST from another site by sending the browser on to the same endpoint by GET: the browser keeps
// our cookies (SameSite=Lax) to itself when another site makes it post, and without them everybody looks like a
// stranger.
func (p *Provider) sendOn(path string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if err := r.ParseForm(); err != nil {
			p.c.Web.Answer(w, r, web.Result{}, badForm(err))
			return
		}
		to := path
		if len(r.Form) > 0 {
			to += "?" + r.Form.Encode()
		}
		p.c.Web.Answer(w, r, web.Go(to), nil)
	})
}

func badForm(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return web.ErrTooLarge
	}
	return fmt.Errorf("%w: %w", web.ErrBadRequest, err)
}

// body reads a posted form. A parameter without a value counts as left out (RFC 6749, section 3.2).
func body(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err != nil && r.ContentLength == 0 && r.Header.Get("Content-Type") == "":
		return url.Values{}, nil
	case err != nil || kind != "application/x-www-form-urlencoded":
		return nil, errors.New("the body must be application/x-www-form-urlencoded")
	}
	if err := r.ParseForm(); err != nil {
		return nil, errors.New("the body is too large or no form")
	}
	return single(r.PostForm)
}

// single drops parameters without a value and refuses those that stand there twice: of two readers, each could take
// another one.
func single(form url.Values) (url.Values, error) {
	values := make(url.Values, len(form))
	for name, given := range form {
		if len(given) > 1 {
			return nil, errors.New("a parameter is repeated")
		}
		if !utf8.ValidString(given[0]) || strings.ContainsRune(given[0], 0) {
			return nil, errors.New("a parameter is not text")
		}
		if given[0] != "" {
			values[name] = given
		}
	}
	return values, nil
}

// ask has the engine answer a request at path, with these parameters and no others.
func (p *Provider) ask(r *http.Request, path string, values url.Values) *answer {
	r = r.WithContext(op.ContextWithIssuer(r.Context(), p.issuer))
	r.URL = &url.URL{Path: path}
	r.Form, r.PostForm = values, values
	a := &answer{header: http.Header{}, status: http.StatusOK}
	p.engine.ServeHTTP(a, r)
	return a
}

// answer holds what the engine answers until it is as it should be.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
	// cacheable: caches may keep it for as long as it says.
	cacheable bool
}

func (a *answer) Header() http.Header            { return a.header }
func (a *answer) Write(data []byte) (int, error) { return a.body.Write(data) }
func (a *answer) WriteHeader(status int)         { a.status = status }

// failure is the error code of an error, and empty otherwise.
func (a *answer) failure() string {
	code, _ := a.problem()
	return code
}

func (a *answer) description() string {
	_, description := a.problem()
	return description
}

func (a *answer) problem() (code, description string) {
	if a.status < 400 {
		return "", ""
	}
	var e struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal(a.body.Bytes(), &e); err != nil || e.Error == "" {
		return "server_error", ""
	}
	return e.Error, e.Description
}

func (a *answer) writeTo(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if !a.cacheable {
		noStore(w)
	}
	w.WriteHeader(a.status)
	// A client that went away has nobody to be told.
	_, _ = w.Write(a.body.Bytes())
}

// noStore keeps tokens out of caches (RFC 6749, section 5.1).
func noStore(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
}

func writeError(w http.ResponseWriter, status int, code, description string) {
	noStore(w)
	if code == "" {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": description}) //nolint:errchkjson // strings encode; what remains is a client that went away.
}
