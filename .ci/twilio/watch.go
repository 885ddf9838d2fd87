package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// watch carries requests, and keeps what is wrong with them by the contract.
type watch struct {
	contract contract
	// lose is how many answers to a POST get lost on their way.
	lose int
	// seen are the requests: their method, status, whose credentials they have, and the names of what they say.
	seen  []string
	wrong []error
}

var errLost = errors.New("the answer was lost on its way")

// RoundTrip implements http.RoundTripper.
func (w *watch) RoundTrip(req *http.Request) (*http.Response, error) {
	values, err := said(req)
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(values))
	for _, name := range names {
		if !slices.Contains(w.contract.known[req.Method], name) {
			w.wrong = append(w.wrong, fmt.Errorf("%s has %s, which Twilio does not describe", req.Method, name))
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	user, _, _ := req.BasicAuth()
	w.seen = append(w.seen, fmt.Sprintf("%s %d %.2s %s", req.Method, resp.StatusCode, user, strings.Join(names, " ")))
	if err := w.judge(resp); err != nil {
		return nil, err
	}
	if req.Method == http.MethodPost && w.lose > 0 {
		w.lose--
		return nil, errors.Join(errLost, resp.Body.Close())
	}
	return resp, nil
}

// said is what a request says: in its form where it is a POST, else in its query.
func said(req *http.Request) (url.Values, error) {
	if req.Method != http.MethodPost {
		return url.ParseQuery(req.URL.RawQuery)
	}
	if req.GetBody == nil {
		return nil, errors.New("a POST without a body")
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	form, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	return url.ParseQuery(string(form))
}

// judge keeps what Prism found wrong with a request: all of it is in the body of a refusal, what it let pass all the
// same in a header, beside what it found wrong with its own answer.
func (w *watch) judge(resp *http.Response) error {
	body, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if resp.StatusCode >= 300 {
		w.wrong = append(w.wrong, fmt.Errorf("status %d: %s", resp.StatusCode, body))
		return nil
	}
	header := resp.Header.Get("Sl-Violations")
	if header == "" {
		return nil
	}
	var violations []struct {
		Location []string
		Message  string
	}
	if err := json.Unmarshal([]byte(header), &violations); err != nil {
		return err
	}
	for _, v := range violations {
		if len(v.Location) == 0 || v.Location[0] != "response" {
			w.wrong = append(w.wrong, errors.New(v.Message))
		}
	}
	return nil
}
