package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sallyport-id/sallyport/.ci/internal/process"
)

// enough is how long everything may take; it takes some seconds.
const enough = 5 * time.Minute

func main() {
	process.Main("rp", enough, []string{"oathtool", "zbarimg", "node", "npm", "apache2"}, run)
}

// run builds the server and tries each relying party on it.
func run(ctx context.Context, dir string) (err error) {
	idp, err := serve(ctx, dir)
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := idp.Stop(); stopErr != nil {
			err = errors.Join(err, fmt.Errorf("sallyport: %w", stopErr))
		}
		if err != nil {
			err = fmt.Errorf("%w\n\nwhat sallyport said:\n%s", err, idp.Said.String())
		}
	}()
	fmt.Printf("sallyport serve: %s\n", idp.issuer)
	if err := idp.admin(ctx, nil, "tenants", "create", "northwind", "--name", "Northwind Joinery", "--require-2fa", "staff"); err != nil {
		return err
	}
	for _, try := range []struct {
		name  string
		start func(ctx context.Context, idp *identityProvider, dir string) (relyingParty, error)
	}{
		{"openid-client", startOpenIDClient},
		{"mod_auth_openidc", startApache},
	} {
		began := time.Now()
		sub := filepath.Join(dir, try.name)
		if err := os.Mkdir(sub, 0o700); err != nil {
			return err
		}
		rp, err := try.start(ctx, idp, sub)
		if err == nil {
			err = errors.Join(tell(ctx, idp, try.name, rp), rp.Stop())
		}
		if err != nil {
			return fmt.Errorf("%s: %w", try.name, err)
		}
		fmt.Printf("%s: code and PKCE with an authenticator app, set up and used; password alone is told as such (%s)\n",
			try.name, time.Since(began).Round(100*time.Millisecond))
	}
	return nil
}
