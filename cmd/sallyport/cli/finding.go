package cli

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/sallyport-id/sallyport/provider/web"
)

// finding tells what is wrong, where, and what to do about it.
type finding struct {
	What, Where, Do string
}

// Error implements error.
func (f finding) Error() string { return f.What }

func (f finding) print(w io.Writer) {
	var b strings.Builder
	fmt.Fprintf(&b, "sallyport: %s\n", f.What)
	if f.Where != "" {
		fmt.Fprintf(&b, "  where:      %s\n", f.Where)
	}
	if f.Do != "" {
		fmt.Fprintf(&b, "  what to do: %s\n", f.Do)
	}
	// There is nowhere left to say that this can't be written.
	_, _ = io.WriteString(w, b.String())
}

// findings are what is wrong with the settings.
type findings []finding

// Error implements error.
func (f findings) Error() string {
	all := make([]string, len(f))
	for i := range f {
		all[i] = f[i].What
	}
	return strings.Join(all, "; ")
}

func (f findings) print(w io.Writer) {
	for _, one := range f {
		one.print(w)
	}
}

// explain finds the words for an error.
func explain(err error) finding {
	var f finding
	var refused *web.Invalid
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &refused):
		return finding{What: refused.What, Where: refused.Where, Do: refused.Do}
	default:
		return finding{What: err.Error()}
	}
}

// version is the module's version, or the commit it was built from.
func version() string {
	v, commit := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		v = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = " commit " + s.Value
			}
		}
	}
	return fmt.Sprintf("sallyport %s%s %s %s/%s", v, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
