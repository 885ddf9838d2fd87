package ui

import (
	"bytes"
	"testing"
)

func TestGalleryDraws(t *testing.T) {
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range r.Languages() {
		for _, s := range Gallery() {
			s.Frame.Lang = lang
			var b bytes.Buffer
			if err := r.Render(&b, s.Frame, s.Page); err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
		}
	}
}
