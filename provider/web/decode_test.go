package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

// What may be repeated is a list, each value of which is held to what any other is; nothing else may be.
func TestRepeatedValues(t *testing.T) {
	t.Parallel()
	type form struct {
		Name string   `form:"name"`
		Tick []string `form:"tick"`
	}
	for body, want := range map[string]*form{
		"name=a":                 {Name: "a"},
		"name=a&tick=x":          {Name: "a", Tick: []string{"x"}},
		"tick=x&name=a&tick=":    {Name: "a", Tick: []string{"x", ""}},
		"tick=x&tick=x":          {Tick: []string{"x", "x"}},
		"name=a&name=b":          nil,
		"tick=x&tick=%00":        nil,
		"tick=x&tick=%ff":        nil,
		"tick=" + tooLong:        nil,
		"tick=x&tick=" + tooLong: nil,
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		var got form
		err := decode(echo.New().NewContext(r, httptest.NewRecorder()), &got)
		switch {
		case want == nil && !errors.Is(err, ErrBadRequest):
			t.Errorf("%.40s: %+v, %v; want a refusal", body, got, err)
		case want != nil && (err != nil || !reflect.DeepEqual(got, *want)):
			t.Errorf("%s: %+v, %v; want %+v", body, got, err, *want)
		}
	}
}

var tooLong = strings.Repeat("x", maxValue+1)

// What somebody else changed meanwhile is told as such, with the way to start over.
func TestChangedIsExplained(t *testing.T) {
	t.Parallel()
	p, known := explain(&Changed{Next: "/admin/policy"})
	if !known || p.status != http.StatusConflict || p.page.Title.Key != "error.changed.title" || p.page.Next != "/admin/policy" {
		t.Errorf("%t, %+v", known, p)
	}
}
