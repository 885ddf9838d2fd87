// Command sallyport is the identity provider as one program: it serves, shows itself, checks its configuration and
// manages what is in its database.
package main

import (
	"context"
	"log/slog"
	"os"
	"strings"

	"github.com/sallyport-id/sallyport/cmd/sallyport/cli"
	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/totp"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/mongo"
	"github.com/sallyport-id/sallyport/storage/sqlite"
)

func main() { os.Exit(cli.Main(os.Args[1:], plugins())) }

// plugins is the one place that names every kind of thing that the configuration can ask for. A program with a factor
// or store of its own is a copy of this file with one more line.
func plugins() cli.Plugins {
	return cli.Plugins{
		Stores: map[string]cli.Store{
			"sqlite":      {Open: openSQLite, File: sqliteFile},
			"mongodb":     {Open: openMongo},
			"mongodb+srv": {Open: openMongo},
		},
		Factors: map[string]func() mfa.Factor{
			totp.ID: func() mfa.Factor { return totp.Factor{} },
		},
	}
}

func sqliteFile(url string) string { return strings.TrimPrefix(url, "sqlite:") }

func openSQLite(ctx context.Context, url string, logger *slog.Logger) (storage.Store, error) {
	return sqlite.Open(ctx, sqlite.Options{Path: sqliteFile(url), Logger: logger})
}

func openMongo(ctx context.Context, url string, logger *slog.Logger) (storage.Store, error) {
	return mongo.Open(ctx, mongo.Options{URI: url, Logger: logger})
}
