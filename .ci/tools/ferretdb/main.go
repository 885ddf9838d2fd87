// Command ferretdb serves an embedded FerretDB v1 for the tests of storage/mongo where no mongod is at hand.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "ferretdb:", err)
		os.Exit(1)
	}
}

func run() error {
	dir := flag.String("dir", "", "an existing folder that only you can enter; the data and the socket are put in it")
	flag.Parse()
	if err := private(*dir); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	server, err := ferretdb.New(&ferretdb.Config{
		Handler: "sqlite",
		// The slash at the end makes it a folder of databases instead of one file. What is in them is thrown away, so
		// nothing waits for the disk.
		SQLiteURL: "file:" + *dir + "/?_pragma=synchronous(off)",
		// A socket in a folder of ours: no other account of the machine reaches it, and no port can be taken.
		Listener: ferretdb.ListenerConfig{Unix: filepath.Join(*dir, "mongodb.sock")},
		Logger:   slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		return fmt.Errorf("start in %s: %w", *dir, err)
	}
	// New listens already; connections wait in the queue until Run takes them.
	fmt.Println(server.MongoDBURI() + "?maxPoolSize=1")
	return server.Run(ctx)
}

// private refuses a folder that others can enter, since the server asks nobody for a password.
func private(dir string) error {
	if dir == "" {
		return errors.New("give a folder: -dir DIR")
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s must be a folder with mode 0700", dir)
	}
	return nil
}
