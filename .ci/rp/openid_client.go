package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport-id/sallyport/.ci/internal/process"
)

// openIDClient is the application in the folder openid-client.
type openIDClient struct {
	*process.Process
	idp         *identityProvider
	redirectURI string
}

func startOpenIDClient(ctx context.Context, idp *identityProvider, dir string) (relyingParty, error) {
	if err := process.Install(ctx, ".ci/rp/openid-client", dir); err != nil {
		return nil, err
	}
	var in io.WriteCloser
	var out io.Reader
	var pipes error
	p, err := process.Start(ctx, func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "node", filepath.Join(dir, "app.js"))
		var inErr, outErr error
		in, inErr = cmd.StdinPipe()
		out, outErr = cmd.StdoutPipe()
		pipes = errors.Join(inErr, outErr)
		return cmd
	})
	if err = errors.Join(pipes, err); err != nil {
		return nil, err
	}
	app := &openIDClient{Process: p, idp: idp}
	if err := app.register(ctx, in, out); err != nil {
		return nil, errors.Join(err, p.Stop(), errors.New(p.Said.String()))
	}
	return app, nil
}

// register makes the application known, and the issuer known to it.
func (a *openIDClient) register(ctx context.Context, in io.Writer, out io.Reader) error {
	var line struct {
		RedirectURI string `json:"redirect_uri"`
		Ready       bool   `json:"ready"`
	}
	lines := json.NewDecoder(out)
	if err := lines.Decode(&line); err != nil {
		return err
	}
	a.redirectURI = line.RedirectURI
	c, err := a.idp.client(ctx, "openid-client", a.redirectURI, "--id-token-alg", "ES256")
	if err != nil {
		return err
	}
	if err := json.NewEncoder(in).Encode(c); err != nil {
		return err
	}
	if err := lines.Decode(&line); err != nil || !line.Ready {
		return fmt.Errorf("discovery failed: %w", err)
	}
	return nil
}

func (a *openIDClient) enter() string { return strings.TrimSuffix(a.redirectURI, "callback") }

func (a *openIDClient) told(_ context.Context, _ *browser, p *page, u user) (claims, error) {
	if !strings.HasPrefix(p.url.String(), a.redirectURI+"?") || p.status != 200 {
		return claims{}, fmt.Errorf("the application was not reached, but %s", p)
	}
	var told struct {
		IDToken   claims `json:"id_token"`
		Refreshed claims
		UserInfo  struct {
			Subject string `json:"sub"`
			Email   string
		}
		Introspected struct {
			Active  bool
			Subject string `json:"sub"`
		}
		Revoked struct{ Active bool }
	}
	if err := json.Unmarshal(p.body, &told); err != nil {
		return claims{}, fmt.Errorf("%w: %s", err, p)
	}
	first, second := told.IDToken, told.Refreshed
	switch {
	case second.ACR != first.ACR || !slices.Equal(second.AMR, first.AMR) || second.SID != first.SID ||
		second.Subject != first.Subject || second.AuthTime != first.AuthTime:
		return claims{}, fmt.Errorf("a refresh changed the claims from %+v to %+v", first, second)
	case told.UserInfo.Subject != u.ID || told.UserInfo.Email != u.Email:
		return claims{}, fmt.Errorf("userinfo is of %+v, not of %s", told.UserInfo, u.Email)
	case !told.Introspected.Active || told.Introspected.Subject != u.ID:
		return claims{}, fmt.Errorf("introspection says %+v", told.Introspected)
	case told.Revoked.Active:
		return claims{}, errors.New("a revoked refresh token is still active")
	}
	return first, nil
}

// The application shows what it knows; it has no rule of its own.
func (a *openIDClient) refuses(ctx context.Context, b *browser, p *page, u user) (claims, error) {
	return a.told(ctx, b, p, u)
}
