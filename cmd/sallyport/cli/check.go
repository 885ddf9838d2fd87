package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"time"
)

type checkCommand struct {
	settings
	Health string `placeholder:"URL" help:"Ask a running server instead, as https://id.example.com/readyz."`
}

const healthTime = 3 * time.Second

// Run prints what is wrong.
func (c *checkCommand) Run(w *world) error {
	if c.Health != "" {
		return askHealth(w.ctx, c.Health)
	}
	d, err := c.check(w.plugins)
	if err != nil {
		return err
	}
	if d.issuer == "" {
		d.issuer = c.loopbackIssuer(d.listen)
	}
	c.advise(w)
	if d.kind.File != nil {
		// Looking must not make one.
		if _, err := os.Stat(d.kind.File(d.url)); errors.Is(err, fs.ErrNotExist) {
			_, err := fmt.Fprintf(w.out, "The configuration is good. There is no database %s yet; “sallyport serve” will make it.\n", d.kind.File(d.url))
			return err
		}
	}
	o, err := c.open(w.ctx, d, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if err := o.close(o.store.Ping(w.ctx)); err != nil {
		return finding{What: err.Error(), Where: c.where("store"), Do: "check that the database can be written to"}
	}
	_, err = fmt.Fprintf(w.out, "The configuration is good, and the database answers.\n  issuer: %s\n  listen: %s\n", d.issuer, d.listen)
	return err
}

// advise points out what works but should not stay so.
func (c *checkCommand) advise(w *world) {
	for _, path := range append([]string{c.MasterKeyFile, c.StoreFile, c.TLSKeyFile}, c.PreviousMasterKeyFiles...) {
		if info, err := os.Stat(path); path != "" && err == nil && info.Mode().Perm()&0o007 != 0 {
			finding{What: "every user of this machine can read " + path, Where: path, Do: "chmod 600 it"}.print(w.err)
		}
	}
}

func askHealth(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	unhealthy := finding{Where: url, Do: "look at the server's log"}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		unhealthy.What, unhealthy.Do = "this can't be asked: "+err.Error(), "give a URL such as http://127.0.0.1:8080/readyz"
		return unhealthy
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		unhealthy.What = "the server does not answer: " + err.Error()
		return unhealthy
	}
	defer func() { _ = resp.Body.Close() }() // Not read.
	if resp.StatusCode != http.StatusOK {
		unhealthy.What = "the server says that it is not well: " + resp.Status
		return unhealthy
	}
	return nil
}
