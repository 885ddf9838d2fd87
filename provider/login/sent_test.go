package login

import (
	"testing"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// A code is shared among the step-ups of our own pages, of one user in one session of one browser. Whatever else differs
// keeps them apart.
func TestSharing(t *testing.T) {
	for name, c := range map[string]struct {
		change func(by *web.Actor, f *storage.Flow, r *Request)
		want   bool
	}{
		"the same":         {func(*web.Actor, *storage.Flow, *Request) {}, true},
		"another page":     {func(_ *web.Actor, _ *storage.Flow, r *Request) { r.Return = "/account/details/password" }, true},
		"signed out":       {func(by *web.Actor, _ *storage.Flow, _ *Request) { by.Session = nil }, false},
		"another browser":  {func(by *web.Actor, _ *storage.Flow, _ *Request) { by.Browser = "b2" }, false},
		"another session":  {func(_ *web.Actor, f *storage.Flow, _ *Request) { f.Session = "s2" }, false},
		"a sign-in":        {func(_ *web.Actor, f *storage.Flow, _ *Request) { f.Session = "" }, false},
		"another user":     {func(_ *web.Actor, f *storage.Flow, _ *Request) { f.User = "u2" }, false},
		"another tenant":   {func(_ *web.Actor, f *storage.Flow, _ *Request) { f.Tenant = "birch" }, false},
		"an application":   {func(_ *web.Actor, _ *storage.Flow, r *Request) { r.Client = "ledger" }, false},
		"nowhere to go to": {func(_ *web.Actor, _ *storage.Flow, r *Request) { r.Return = "" }, false},
	} {
		by := &web.Actor{Browser: "b1", Session: &storage.Session{Key: storage.Key{Tenant: "acme", ID: "s1"}, User: "u1"}}
		f := &storage.Flow{Key: storage.Key{Tenant: "acme", ID: "f1"}, User: "u1", Browser: "b1", Session: "s1"}
		r := Request{Return: "/account/codes/new", Fresh: true}
		c.change(by, f, &r)
		if got := sharing(by, f, r); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}
