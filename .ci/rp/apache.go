package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/sallyport-id/sallyport/.ci/internal/process"

	_ "embed"
)

//go:embed apache.conf
var apacheConf string

// inside is what the protected page says.
const inside = "Only for those who used a second step."

// apache is an Apache whose pages mod_auth_openidc guards: /app lets in who used a second step, /any whoever signed in.
type apache struct {
	*process.Process
	origin string
}

func startApache(ctx context.Context, idp *identityProvider, dir string) (_ relyingParty, err error) {
	// Apache drops its rights, and its processes then read their pages as somebody else.
	for _, open := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(open, 0o711); err != nil {
			return nil, err
		}
	}
	for _, sub := range []string{"www/app", "www/any"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, sub, "index.html"), []byte(inside), 0o644); err != nil {
			return nil, err
		}
	}
	address, err := free(ctx)
	if err != nil {
		return nil, err
	}
	a := &apache{origin: "http://" + address}
	c, err := idp.client(ctx, "mod_auth_openidc", a.origin+"/callback")
	if err != nil {
		return nil, err
	}
	conf, err := os.OpenFile(filepath.Join(dir, "httpd.conf"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	err = template.Must(template.New("").Parse(apacheConf)).Execute(conf, map[string]any{
		"Dir": dir, "Address": address, "Origin": a.origin, "Client": c, "ACR": acrTwoFactor,
	})
	if err = errors.Join(err, conf.Close()); err != nil {
		return nil, err
	}
	a.Process, err = process.Start(ctx, func(ctx context.Context) *exec.Cmd {
		return exec.CommandContext(ctx, "apache2", "-d", dir, "-f", conf.Name(), "-DFOREGROUND")
	})
	if err != nil {
		return nil, err
	}
	err = a.Await(ctx, func(ctx context.Context) bool {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		return err == nil && conn.Close() == nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// free is a port that nobody listens on, on another host than the issuer's: neither sees the other's cookies.
func free(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.2:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (a *apache) enter() string { return a.origin + "/app/" }

func (a *apache) told(ctx context.Context, b *browser, p *page, u user) (claims, error) {
	if p.url.String() != a.enter() || p.status != 200 || string(p.body) != inside {
		return claims{}, fmt.Errorf("the page was not reached, but %s\n%s", p, a.Said)
	}
	return a.info(ctx, b, u)
}

func (a *apache) refuses(ctx context.Context, b *browser, p *page, u user) (claims, error) {
	if p.url.String() != a.enter() || p.status != 401 || strings.Contains(string(p.body), inside) {
		return claims{}, fmt.Errorf("a rule on acr was to refuse this page: %s\n%s", p, a.Said)
	}
	p, err := b.open(ctx, a.origin+"/any/")
	if err != nil {
		return claims{}, err
	}
	if p.status != 200 || string(p.body) != inside {
		return claims{}, fmt.Errorf("who signed in was to be let in: %s\n%s", p, a.Said)
	}
	return a.info(ctx, b, u)
}

// info is what mod_auth_openidc's information hook tells of the session.
func (a *apache) info(ctx context.Context, b *browser, u user) (claims, error) {
	p, err := b.open(ctx, a.origin+"/callback?info=json")
	if err != nil {
		return claims{}, err
	}
	var told struct {
		IDToken  claims `json:"id_token"`
		UserInfo struct {
			Subject string `json:"sub"`
			Email   string
		}
	}
	if err := json.Unmarshal(p.body, &told); err != nil {
		return claims{}, fmt.Errorf("%w: %s\n%s", err, p, a.Said)
	}
	if told.UserInfo.Subject != u.ID || told.UserInfo.Email != u.Email {
		return claims{}, fmt.Errorf("userinfo is of %+v, not of %s", told.UserInfo, u.Email)
	}
	return told.IDToken, nil
}
