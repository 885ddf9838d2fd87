package webhook_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/provider/webhook"
)

// Targets that can be told from the URL alone are refused when they are named.
func TestRefusedURLs(t *testing.T) {
	o := newOffice(t, func(c *webhook.Config) { c.AllowPrivate = nil })
	for _, target := range []string{
		"", "hooks", "//example.com/", "https://", "https:///hooks", "https:example.com", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com:70/",
		"http://example.com/", "https://user@example.com/", "https://user:secret@example.com/", "https://example.com/#here", "https://example.com/ä",
		"https://exämple.com/", "https://example.com/a b", "https://example.com:0/", "https://example.com:65536/", "https://example.com:x/",
		"https://" + strings.Repeat("a", 2048) + ".example/",
		"https://127.0.0.1/", "https://127.0.0.1:8443/", "https://127.255.255.254/", "https://localhost/", "https://LOCALHOST./", "https://a.localhost/",
		"https://0.0.0.0/", "https://0.1.2.3/", "https://10.1.2.3/", "https://100.64.0.1/", "https://100.100.100.200/", "https://169.254.169.254/latest/meta-data",
		"https://172.16.0.1/", "https://172.31.255.255/", "https://192.168.1.1/", "https://192.0.0.192/", "https://192.0.2.1/", "https://198.18.0.1/",
		"https://198.51.100.1/", "https://203.0.113.1/", "https://168.63.129.16/", "https://224.0.0.1/", "https://240.0.0.1/", "https://255.255.255.255/",
		"https://[::]/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:a9fe:a9fe]/", "https://[::127.0.0.1]/", "https://[fe80::1]/",
		"https://[fe80::1%25eth0]/", "https://[fc00::1]/", "https://[fd00:ec2::254]/", "https://[ff02::1]/", "https://[64:ff9b::7f00:1]/",
		"https://[64:ff9b:1::1]/", "https://[2002:7f00:1::]/", "https://[2001::1]/", "https://[2001:db8::1]/", "https://[3fff::1]/", "https://[100::1]/",
		"https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://127.1/", "https://0177.0.0.1/", "https://127.0.0.1./", "https://1.2.3.256/",
		"https://0X7F.0.0.0X1/",
	} {
		_, _, err := o.hooks.Create(t.Context(), operator, "acme", webhook.NewWebhook{URL: target})
		var refused *web.Invalid
		if !errors.As(err, &refused) || refused.Where != "url" || refused.Do == "" || !errors.Is(err, web.ErrInvalid) {
			t.Errorf("%q: %v", target, err)
		}
	}
	if all, err := o.hooks.List(t.Context(), "acme"); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	for _, target := range []string{
		"https://example.com/hooks?a=b", "https://example.com:8443/", "https://93.184.215.14/", "https://[2606:2800:220:1::1]/", "https://xn--exmple-cua.com/", "https://a1.example2/",
	} {
		if _, _, err := o.hooks.Create(t.Context(), operator, "acme", webhook.NewWebhook{URL: target}); err != nil {
			t.Errorf("%q: %v", target, err)
		}
	}
}

func TestWhatIsAllowedIsByNetwork(t *testing.T) {
	o := newOffice(t, func(c *webhook.Config) {
		c.AllowPrivate = []netip.Prefix{netip.MustParsePrefix("10.1.2.3/16"), netip.MustParsePrefix("fd00::/8")}
		c.AllowHTTP = true
	})
	for target, want := range map[string]bool{
		"http://10.1.255.1/": true, "https://[fd12::1]/": true, "http://[::ffff:10.1.0.1]/": true, "http://example.com/": true,
		"http://10.2.0.1/": false, "http://127.0.0.1/": false, "http://localhost/": false, "http://169.254.169.254/": false,
	} {
		_, _, err := o.hooks.Create(t.Context(), operator, "acme", webhook.NewWebhook{URL: target})
		if (err == nil) != want {
			t.Errorf("%q: %v", target, err)
		}
	}
	if _, err := webhook.New(webhook.Config{
		Store: o.store, Seal: o.keys, Record: o.log.Record, AllowPrivate: []netip.Prefix{{}},
	}); err == nil {
		t.Error("no network was taken for one")
	}
}

// names is a DNS server whose answers change with each question.
type names struct {
	net.PacketConn
	mu      sync.Mutex
	answers map[string][][]netip.Addr
}

// serveNames answers for a name with the first list of addresses, then with the second, and with the last from then on.
func serveNames(t *testing.T, answers map[string][][]netip.Addr) *net.Resolver {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &names{PacketConn: c, answers: answers}
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.serve(t)
	}()
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", c.LocalAddr().String())
	}}
}

func (n *names) serve(t *testing.T) {
	buffer := make([]byte, 1500)
	for {
		size, from, err := n.ReadFrom(buffer)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(buffer[:size]); err != nil || len(m.Questions) != 1 {
			t.Errorf("question: %v, %v", m, err)
			continue
		}
		answer := n.answer(m)
		packed, err := answer.Pack()
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := n.WriteTo(packed, from); err != nil {
			return
		}
	}
}

func (n *names) answer(m dnsmessage.Message) dnsmessage.Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	q := m.Questions[0]
	out := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true, RCode: dnsmessage.RCodeSuccess},
		Questions: m.Questions,
	}
	lists, ok := n.answers[q.Name.String()]
	if !ok {
		out.RCode = dnsmessage.RCodeNameError
		return out
	}
	for _, a := range lists[0] {
		h := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, Type: q.Type}
		switch {
		case q.Type == dnsmessage.TypeA && a.Is4():
			out.Answers = append(out.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: a.As4()}})
		case q.Type == dnsmessage.TypeAAAA && !a.Is4():
			out.Answers = append(out.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	if q.Type == dnsmessage.TypeA && len(lists) > 1 {
		n.answers[q.Name.String()] = lists[1:]
	}
	return out
}

func addresses(all ...string) (list []netip.Addr) {
	for _, a := range all {
		list = append(list, netip.MustParseAddr(a))
	}
	return list
}

// listenEverywhere serves http on one port of 127.0.0.1, 127.0.0.2 and, where the machine has IPv6, ::1.
func listenEverywhere(t *testing.T, h http.HandlerFunc) (port string) {
	t.Helper()
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Second}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	port = "0"
	for _, host := range []string{"127.0.0.1", "127.0.0.2", "::1"} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, port))
		if err != nil && host == "::1" {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, port, err = net.SplitHostPort(l.Addr().String()); err != nil {
			t.Fatal(err)
		}
		go func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				t.Error(err)
			}
		}()
	}
	return port
}

// Addresses are looked at when the connection is made: a name that leads inside is refused however it is written in DNS,
// and also when it led elsewhere a moment before.
func TestNamesThatLeadInsideAreRefused(t *testing.T) {
	resolver := serveNames(t, map[string][][]netip.Addr{
		"inside.example.":   {addresses("127.0.0.1")},
		"mapped.example.":   {addresses("::ffff:127.0.0.1")},
		"six.example.":      {addresses("::1")},
		"zero.example.":     {addresses("0.0.0.0")},
		"metadata.example.": {addresses("169.254.169.254", "fd00:ec2::254")},
		"both.example.":     {addresses("127.0.0.1", "127.0.0.2")},
		"rebound.example.":  {addresses("127.0.0.2"), addresses("127.0.0.1")},
	})
	// 127.0.0.2 stands for the Internet. The receiver listens on the others as well, so that a slip of the guard would show.
	o := newOffice(t, func(c *webhook.Config) {
		c.AllowPrivate, c.AllowHTTP, c.Resolver = []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, true, resolver
	})
	var mu sync.Mutex
	var reached []string
	port := listenEverywhere(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		reached = append(reached, local.String())
		w.Header().Set("Connection", "close") // The next request asks for the name again.
	})
	for _, c := range []struct{ name, state, reason string }{
		{"inside.example", "failed", "the name leads to an address that is not a public one"},
		{"mapped.example", "failed", "the name leads to an address that is not a public one"},
		{"six.example", "failed", "the name leads to an address that is not a public one"},
		{"zero.example", "failed", "the name leads to an address that is not a public one"},
		{"metadata.example", "failed", "the name leads to an address that is not a public one"},
		{"nowhere.example", "failed", "the name can't be resolved"},
		{"both.example", "delivered", ""},
		{"rebound.example", "delivered", ""},
		{"rebound.example", "failed", "the name leads to an address that is not a public one"},
	} {
		w, _, err := o.hooks.Create(t.Context(), operator, "acme", webhook.NewWebhook{URL: "http://" + net.JoinHostPort(c.name, port) + "/"})
		if err != nil {
			t.Fatal(err)
		}
		d, err := o.hooks.Test(t.Context(), operator, "acme", w.ID)
		if err != nil || d.State != c.state || d.Reason != c.reason {
			t.Errorf("%s: %+v, %v", c.name, d, err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if outside := "127.0.0.2:" + port; !slices.Equal(reached, []string{outside, outside}) {
		t.Errorf("reached %q", reached)
	}
	if log := o.lines.String(); strings.Contains(log, "169.254") {
		t.Errorf("log: %s", log)
	}
}

// What the environment says of proxies does not count: they would make the connection, unseen by the guard.
func TestNoProxyIsUsed(t *testing.T) {
	o := newOffice(t)
	u, err := url.Parse(o.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	t.Setenv("NO_PROXY", "")
	w, _ := o.create("acme", "user.create")
	if d, err := o.hooks.Test(t.Context(), operator, "acme", w.ID); err != nil || d.State != "delivered" {
		t.Errorf("%s: %+v, %v", u.Host, d, err)
	}
}

// A deployment that no longer allows a network delivers nothing there.
func TestWhatWasAllowedIsLookedAtAgain(t *testing.T) {
	o := newOffice(t)
	w, _ := o.create("acme", "user.create")
	strict := o.another(func(c *webhook.Config) { c.AllowPrivate = nil })
	d, err := strict.Test(t.Context(), operator, "acme", w.ID)
	if err != nil || d.State != "failed" || !strings.HasPrefix(d.Reason, "the URL is not allowed") || len(o.requests()) != 0 {
		t.Errorf("%+v, %v", d, err)
	}
}
