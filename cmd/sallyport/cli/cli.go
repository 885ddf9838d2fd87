package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	// exitUsage: the command line, the environment or the configuration file can't be followed.
	exitUsage = 2
)

type commands struct {
	Demo    demoCommand    `cmd:"" help:"Show everything on this machine: two tenants, sample users and an application. Nothing is kept."`
	Serve   serveCommand   `cmd:"" help:"Run the identity provider."`
	Check   checkCommand   `cmd:"" help:"Check the configuration and the database, or the health of a running server."`
	Admin   adminCommand   `cmd:"" help:"Manage tenants, users, clients and keys."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// world is what commands have from outside, so that tests can give them another.
type world struct {
	ctx      context.Context
	in       io.Reader
	out, err io.Writer
	plugins  Plugins
	// setDefault takes the logger for libraries that write to the default one.
	setDefault func(*slog.Logger)
}

// Main runs one command and returns the exit code: 0 done, 1 failed, 2 not understood.
func Main(args []string, plugins Plugins) int {
	forgetEmpty()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	w := &world{ctx: ctx, in: os.Stdin, out: os.Stdout, err: os.Stderr, plugins: plugins, setDefault: slog.SetDefault}
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	return w.run(args)
}

// forgetEmpty takes away variables of ours that are set to nothing, as Compose files leave them: they say nothing.
func forgetEmpty() {
	for _, v := range os.Environ() {
		if name, value, _ := strings.Cut(v, "="); value == "" && strings.HasPrefix(name, "SALLYPORT_") {
			_ = os.Unsetenv(name) // It fails for names that can't be, and this one is.
		}
	}
}

func (w *world) run(args []string) int {
	var c commands
	// kong would end the program once it has shown help; it goes on parsing instead, and nothing comes of that.
	shown := -1
	parser, err := kong.New(&c, kong.Name("sallyport"),
		kong.Description("An OpenID Connect identity provider with the second step built in."),
		kong.Writers(w.out, w.err), kong.Exit(func(code int) { shown = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Bind(w),
	)
	if err != nil {
		return w.fail(err, "")
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if shown >= 0 {
		return shown
	}
	if err != nil {
		return w.refuse(err)
	}
	if err := k.Run(w); err != nil {
		return w.fail(err, k.Command())
	}
	return exitOK
}

// badSettings is the exit code for settings that can't be followed. For a check that is what it was to find out.
func badSettings(command string) int {
	if command == "check" {
		return exitFailed
	}
	return exitUsage
}

// refuse explains what of the command line, environment or file can't be followed.
func (w *world) refuse(err error) int {
	var p *kong.ParseError
	help, command := "sallyport --help", ""
	if errors.As(err, &p) && p.Context != nil && p.Context.Selected() != nil {
		help, command = p.Context.Selected().FullPath()+" --help", p.Context.Command()
	}
	var settings findings
	if errors.As(err, &settings) {
		settings.print(w.err)
		return badSettings(command)
	}
	finding{What: err.Error(), Where: "the command line or environment", Do: "see " + help}.print(w.err)
	return exitUsage
}

func (w *world) fail(err error, command string) int {
	var settings findings
	if errors.As(err, &settings) {
		settings.print(w.err)
		return badSettings(command)
	}
	explain(err).print(w.err)
	return exitFailed
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(w *world) error {
	_, err := fmt.Fprintln(w.out, version())
	return err
}
