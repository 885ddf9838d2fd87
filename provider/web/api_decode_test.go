package web

import (
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

// nested is as deep as the operations' bodies go.
type nested struct {
	Prefix netip.Prefix `json:"prefix"`
	Name   string       `json:"name,omitempty"`
}

type page struct {
	After string `query:"after"`
	Limit int    `query:"limit"`
}

type question struct {
	Tenant string `path:"tenant"`
	page
	Kinds []string   `query:"kind" enum:"a,b,c"`
	Size  int        `query:"size" minimum:"1" maximum:"10"`
	From  *time.Time `query:"from"`
	All   bool       `query:"all"`

	Name     string            `json:"name" required:"true"`
	Note     *string           `json:"note"`
	Until    *time.Time        `json:"until"`
	Count    int               `json:"count"`
	On       bool              `json:"on"`
	Networks []nested          `json:"networks"`
	Types    map[string]string `json:"types"`
}

func planOf(t testing.TB) *plan {
	t.Helper()
	p, err := planFor("POST", "/api/v1/tenants/:tenant", reflect.TypeFor[question]())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDecodeJSON(t *testing.T) {
	t.Parallel()
	p := planOf(t)
	note, empty, day := "n", "", time.Date(2026, 1, 31, 8, 30, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		body string
		want question
	}{
		"all": {
			`{"name":"a","note":"n","until":"2026-01-31T08:30:00Z","count":3,"on":true,"networks":[{"prefix":"192.0.2.0/24"}],"types":{"a":"b"}}`,
			question{
				Name: "a", Note: &note, Until: &day, Count: 3, On: true, Networks: []nested{{Prefix: netip.MustParsePrefix("192.0.2.0/24")}},
				Types: map[string]string{"a": "b"},
			},
		},
		"left out":             {`{"name":"a"}`, question{Name: "a"}},
		"null takes it back":   {`{"name":"a","note":null,"until":null}`, question{Name: "a", Note: &empty, Until: new(time.Time)}},
		"space and escapes":    {" {\"name\" : \"\\u00e4\\n\" } \n", question{Name: "ä\n"}},
		"an escaped backslash": {`{"name":"\\u0000"}`, question{Name: `\u0000`}},
	} {
		var got question
		if err := p.decodeJSON(reflect.ValueOf(&got).Elem(), []byte(c.body)); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v (%v)", name, got, err)
		}
	}
}

func TestDecodeJSONRefuses(t *testing.T) {
	t.Parallel()
	p := planOf(t)
	for name, c := range map[string]struct{ body, where, what string }{
		"unknown field":           {`{"name":"a","nam":"b"}`, "nam", "no such field"},
		"unknown field within":    {`{"name":"a","networks":[{"prefix":"::/0","cidr":1}]}`, "networks/0/cidr", "no such field"},
		"the path's":              {`{"name":"a","tenant":"birch"}`, "tenant", "no such field"},
		"the path's by its field": {`{"name":"a","Tenant":"birch"}`, "Tenant", "no such field"},
		"the query's":             {`{"name":"a","limit":1}`, "limit", "no such field"},
		"another case":            {`{"Name":"a"}`, "Name", "no such field"},
		"another case within":     {`{"name":"a","networks":[{"Prefix":"::/0"}]}`, "networks/0/Prefix", "no such field"},
		"twice":                   {`{"name":"a","name":"b"}`, "name", "twice"},
		"twice within":            {`{"name":"a","types":{"x":"1","x":"2"}}`, "types/x", "twice"},
		"twice, by an escape":     {`{"name":"a","n\u0061me":"b"}`, "name", "twice"},
		"missing":                 {`{"note":"x"}`, "name", "missing"},
		"empty":                   {`{}`, "name", "missing"},
		"null":                    {`{"name":null}`, "name", "null"},
		"null for a list":         {`{"name":"a","networks":null}`, "networks", "null"},
		"null within":             {`{"name":"a","networks":[null]}`, "networks/0", "null"},
		"number for a string":     {`{"name":1}`, "name", "a string"},
		"object for a string":     {`{"name":{"$gt":""}}`, "name", "a string"},
		"list for a string":       {`{"name":["a"]}`, "name", "a string"},
		"string for a number":     {`{"name":"a","count":"3"}`, "count", "a whole number"},
		"fraction":                {`{"name":"a","count":3.5}`, "count", "a whole number"},
		"too large a number":      {`{"name":"a","count":99999999999999999999}`, "count", "a whole number"},
		"string for a boolean":    {`{"name":"a","on":"true"}`, "on", "true or false"},
		"object for a list":       {`{"name":"a","networks":{}}`, "networks", "a list"},
		"list for an object":      {`{"name":"a","types":[]}`, "types", "an object"},
		"no time":                 {`{"name":"a","until":"tomorrow"}`, "until", "RFC 3339"},
		"no network":              {`{"name":"a","networks":[{"prefix":"300.0.0.0/8"}]}`, "networks/0/prefix", "IP address"},
		"trailing data":           {`{"name":"a"} {}`, "", "follows"},
		"trailing comma":          {`{"name":"a",}`, "", "not JSON"},
		"comment":                 {`{"name":"a"} // b`, "", "follows"},
		"cut off":                 {`{"name":"a"`, "", "not JSON"},
		"list":                    {`[{"name":"a"}]`, "", "no JSON object"},
		"text":                    {`"name"`, "", "no JSON object"},
		"not JSON":                {`name=a`, "", "not JSON"},
		"NUL":                     {`{"name":"a\u0000b"}`, "name", "NUL"},
		"NUL in a name":           {`{"name":"a","types":{"\u0000":"b"}}`, "types/\x00", "NUL"},
		"not UTF-8":               {"{\"name\":\"\xff\"}", "name", "not JSON"},
		"half a surrogate":        {`{"name":"\ud800"}`, "name", "not JSON"},
		"nested too deep":         {`{"name":"a","types":` + strings.Repeat("[", 33) + strings.Repeat("]", 33) + `}`, "", "too deep"},
		"not a number":            {`{"name":"a","count":NaN}`, "count", "not JSON"},
	} {
		var got question
		err := p.decodeJSON(reflect.ValueOf(&got).Elem(), []byte(c.body))
		var refused *Invalid
		if !errors.As(err, &refused) || !errors.Is(err, ErrBadRequest) || refused.Where != c.where || !strings.Contains(refused.What, c.what) {
			t.Errorf("%s: %v, want %q at %q", name, err, c.what, c.where)
		}
	}
}

func TestDecodeQuery(t *testing.T) {
	t.Parallel()
	p := planOf(t)
	day := time.Date(2026, 1, 31, 8, 30, 0, 0, time.UTC)
	var got question
	err := p.decodeQuery(reflect.ValueOf(&got).Elem(), "after=x%20y&limit=10&kind=a&kind=b&from=2026-01-31T08:30:00Z&all=true")
	want := question{page: page{After: "x y", Limit: 10}, Kinds: []string{"a", "b"}, From: &day, All: true}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v (%v)", got, err)
	}
	for raw, c := range map[string]struct{ where, what string }{
		"limit=ten":       {"limit", "a whole number"},
		"limit=1&limit=2": {"limit", "2 times"},
		"limit=":          {"limit", "a whole number"},
		"all=yes":         {"all", "true or false"},
		"from=yesterday":  {"from", "RFC 3339"},
		"afetr=x":         {"afetr", "no such parameter"},
		"tenant=birch":    {"tenant", "no such parameter"},
		"name=x":          {"name", "no such parameter"},
		"access_token=x":  {"access_token", "no such parameter"},
		"size=0":          {"size", "less than 1"},
		"size=11":         {"size", "more than 10"},
		"kind=a&kind=d":   {"kind", "none of a, b, c"},
		"after=%zz":       {"", "not escaped"},
		"after=%ff":       {"after", "no text"},
		"after=%00":       {"after", "no text"},
		"after=a;limit=1": {"", "not escaped"},
		"after=" + strings.Repeat("x", maxValue+1): {"after", "too long"},
	} {
		var got question
		err := p.decodeQuery(reflect.ValueOf(&got).Elem(), raw)
		var refused *Invalid
		if !errors.As(err, &refused) || !errors.Is(err, ErrBadRequest) || refused.Where != c.where || !strings.Contains(refused.What, c.what) {
			t.Errorf("%.40s: %v, want %q at %q", raw, err, c.what, c.where)
		}
	}
}

// TestPlanFaults: what an operation can't be given is found before the first request.
func TestPlanFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, path string
		in           any
		want         string
	}{
		"no struct":       {"GET", "/api/v1/x", "", "not a struct"},
		"elsewhere":       {"GET", "/x", struct{}{}, "does not begin with"},
		"nobody takes it": {"GET", "/api/v1/:id", struct{}{}, `takes "id" from the path`},
		"not in the path": {"GET", "/api/v1/x", struct {
			ID string `path:"id"`
		}{}, `no "id"`},
		"no tag": {"POST", "/api/v1/x", struct{ Name string }{}, "no tag"},
		"a tag twice": {"POST", "/api/v1/x", struct {
			A string `query:"a"`
			B string `query:"a"`
		}{}, "no tag of its own"},
		"left out of JSON": {"POST", "/api/v1/x", struct {
			A string `json:"-"`
		}{}, "no tag"},
		"hidden": {"POST", "/api/v1/x", struct {
			a string `query:"a"`
		}{}, "no tag"},
		"body of a GET": {"GET", "/api/v1/x", struct {
			A string `json:"a"`
		}{}, "not for it"},
		"JSON beside an upload": {"POST", "/api/v1/x", struct {
			A string `json:"a"`
			F Upload `accept:"text/csv"`
		}{}, "not for it"},
		"a struct as a parameter": {"GET", "/api/v1/x", struct {
			A struct{} `query:"a"`
		}{}, "no parameter has"},
		"lists in a list": {"GET", "/api/v1/x", struct {
			A [][]string `query:"a"`
		}{}, "no parameter has"},
		"no bound": {"GET", "/api/v1/x", struct {
			A int `query:"a" maximum:"many"`
		}{}, "maximum"},
	} {
		if _, err := planFor(c.method, c.path, reflect.TypeOf(c.in)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// FuzzDecode: whatever is sent, it is refused in words or read; what is read means the same when it is written and read
// again, and encoding/json, which is less strict, finds the same in it.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`{"name":"a","note":"n","until":"2026-01-31T08:30:00Z","count":3,"on":true,"networks":[{"prefix":"192.0.2.0/24"}],"types":{"a":"b"}}`,
		`{"name":"a","name":"b"}`, `{"name":null}`, `{"name":"\ud800"}`, `{"name":"a\u0000"}`, `{"name":{"$gt":""}}`, `[1]`, `{`, `{"name":1e400}`,
		`{"name":"a","networks":[null]}`, `{"name":"a","types":{"":""}} `, "\xef\xbb\xbf{}",
	} {
		f.Add([]byte(body), "after=x&limit=1&kind=a")
	}
	p := planOf(f)
	f.Fuzz(func(t *testing.T, body []byte, query string) {
		var got question
		v := reflect.ValueOf(&got).Elem()
		err := p.decodeJSON(v, body)
		if err == nil {
			err = p.decodeQuery(v, query)
		}
		var refused *Invalid
		if err != nil {
			if !errors.As(err, &refused) || refused.What == "" || !errors.Is(err, ErrBadRequest) {
				t.Fatalf("not refused in words: %v", err)
			}
			return
		}
		if got.Name == "" && !strings.Contains(string(body), `""`) || got.Tenant != "" {
			t.Fatalf("%q gave %+v", body, got)
		}
		lax := struct {
			Name     *string            `json:"name"`
			Count    *int               `json:"count"`
			On       *bool              `json:"on"`
			Networks *[]nested          `json:"networks"`
			Types    *map[string]string `json:"types"`
		}{&got.Name, &got.Count, &got.On, &got.Networks, &got.Types}
		before := got
		got.Name, got.Count, got.On, got.Networks, got.Types = "", 0, false, nil, nil
		if err := json.Unmarshal(body, &lax); err != nil || !reflect.DeepEqual(got, before) {
			t.Fatalf("%q: encoding/json says %+v, we %+v (%v)", body, got, before, err)
		}
	})
}
