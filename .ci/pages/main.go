package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/sallyport-id/sallyport/.ci/internal/demo"
	"github.com/sallyport-id/sallyport/.ci/internal/process"
)

// enough is how long everything may take; it takes two minutes, and longer while npm has to fetch everything.
const enough = 25 * time.Minute

func main() {
	pictures := flag.String("pictures", os.Getenv("SALLYPORT_SCREENSHOTS"), "leave pictures of all pages in this `FOLDER`, with an index.html that shows them all")
	only := flag.String("only", "", "take only pages whose names match this `REGEXP`")
	flag.Parse()
	names, err := regexp.Compile(*only)
	if err == nil && *pictures != "" {
		*pictures, err = filepath.Abs(*pictures)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pages:", err)
		os.Exit(2)
	}
	process.Main("pages", enough, []string{"node", "npm", shell}, func(ctx context.Context, dir string) error {
		return run(ctx, dir, *pictures, names)
	})
}

// run starts the demonstration and judges its gallery.
func run(ctx context.Context, dir, pictures string, only *regexp.Regexp) (err error) {
	began := time.Now()
	d, err := demo.Start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Stop()) }()
	project := filepath.Join(dir, "npm")
	if err := process.Install(ctx, ".ci/pages/npm", project); err != nil {
		return err
	}
	g, err := survey(ctx, d.Issuer, only)
	if err != nil {
		return err
	}
	sources, err := g.sources(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%d pages in the languages %v (%s)\n", len(g.pages), g.languages, since(began))
	began = time.Now()
	faults, err := markup(ctx, project, sources)
	if err != nil {
		return err
	}
	fmt.Printf("html-validate read the markup (%s)\n", since(began))
	seen, err := looked(ctx, project, pictures, g)
	if faults = append(faults, seen...); len(faults) > 0 {
		report(os.Stdout, faults)
		return errors.Join(err, errors.New("pages have faults"))
	}
	return err
}

// looked judges the pages with a browser, and leaves pictures of them.
func looked(ctx context.Context, project, pictures string, g gallery) ([]fault, error) {
	began := time.Now()
	browser, stop, err := browse(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	j, err := newJudge(browser, project, pictures)
	if err != nil {
		return nil, err
	}
	if err := j.tried(ctx, project); err != nil {
		return nil, err
	}
	fmt.Printf("axe-core and the rest find the faults of a page that has them all (%s)\n", since(began))
	if pictures != "" {
		if err := os.MkdirAll(pictures, 0o750); err != nil {
			return nil, err
		}
	}
	began = time.Now()
	faults, err := j.all(ctx, g)
	if err != nil {
		return faults, err
	}
	fmt.Printf("all pages are judged (%s)\n", since(began))
	if pictures != "" {
		if err := bind(pictures, g); err != nil {
			return nil, err
		}
		fmt.Printf("their pictures, on one sheet: %s\n", filepath.Join(pictures, "index.html"))
	}
	return faults, nil
}

func since(began time.Time) time.Duration { return time.Since(began).Round(100 * time.Millisecond) }
