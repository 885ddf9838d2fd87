package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/sallyport-id/sallyport/.ci/internal/process"
)

// identityProvider is a running "sallyport serve", with a database that was empty when it started.
type identityProvider struct {
	*process.Process
	binary, store, issuer string
}

// serve builds Sallyport and starts it on a free port.
func serve(ctx context.Context, dir string) (*identityProvider, error) {
	idp := &identityProvider{binary: filepath.Join(dir, "sallyport"), store: "sqlite:" + filepath.Join(dir, "sallyport.db")}
	if _, err := process.Output(exec.CommandContext(ctx, "go", "build", "-o", idp.binary, "./cmd/sallyport")); err != nil {
		return nil, err
	}
	p, err := process.Start(ctx, func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, idp.binary, "serve", "--listen", "127.0.0.1:0", "--store", idp.store, "--log-format", "json")
		cmd.Dir, cmd.Env = dir, environment()
		return cmd
	})
	if err != nil {
		return nil, err
	}
	idp.Process = p
	// It is ready once it has said where it serves.
	return idp, p.Await(ctx, func(context.Context) bool {
		for line := range strings.Lines(p.Said.String()) {
			var entry struct{ Msg, Issuer string }
			if err := json.Unmarshal([]byte(line), &entry); err == nil && entry.Msg == "serving" {
				idp.issuer = entry.Issuer
			}
		}
		return idp.issuer != ""
	})
}

// admin runs "sallyport admin" and decodes what it prints into v, unless that is nil.
func (idp *identityProvider) admin(ctx context.Context, v any, args ...string) error {
	cmd := exec.CommandContext(ctx, idp.binary, append([]string{"admin", "--json", "--store", idp.store, "--issuer", idp.issuer}, args...)...)
	cmd.Dir, cmd.Env = filepath.Dir(idp.binary), environment()
	out, err := process.Output(cmd)
	if err != nil || v == nil {
		return err
	}
	if err := json.Unmarshal(out, v); err != nil {
		return fmt.Errorf("%s printed %q: %w", cmd, out, err)
	}
	return nil
}

// user is somebody who can sign in.
type user struct{ ID, Email, Password string }

// user makes a user of a type: staff must use a second step, clients need not.
func (idp *identityProvider) user(ctx context.Context, userType, email string) (user, error) {
	var made struct {
		User     struct{ ID, Email string }
		Password string
	}
	err := idp.admin(ctx, &made, "users", "create", "--tenant", "northwind", "--email", email, "--name", "Sam Okafor", "--type", userType)
	return user{ID: made.User.ID, Email: made.User.Email, Password: made.Password}, err
}

// credentials are what an application knows itself by.
type credentials struct {
	Issuer string `json:"issuer"`
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

// client registers an application that has a server.
func (idp *identityProvider) client(ctx context.Context, name, redirectURI string, more ...string) (credentials, error) {
	var made struct {
		Client struct {
			ID string `json:"client_id"`
		}
		Secret string `json:"client_secret"`
	}
	args := append([]string{"clients", "create", "--name", name, "--type", "web", "--redirect-uri", redirectURI}, more...)
	err := idp.admin(ctx, &made, args...)
	return credentials{Issuer: idp.issuer, ID: made.Client.ID, Secret: made.Secret}, err
}

// environment is this process's, without what would configure Sallyport, and with more.
func environment(more ...string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "SALLYPORT_") {
			env = append(env, v)
		}
	}
	return append(env, more...)
}
