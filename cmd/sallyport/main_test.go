package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sallyport-id/sallyport/cmd/sallyport/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"sallyport": func() { os.Exit(cli.Main(os.Args[1:], plugins())) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"freeaddr": freeaddr, "serving": serving, "field": field, "ready": ready, "mode": mode, "put": put, "exits": exits, "paint": paint,
		},
	})
}

// freeaddr NAME sets a variable to a loopback address whose port, and the one after it, are free.
func freeaddr(ts *testscript.TestScript, _ bool, args []string) {
	for range 50 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		port := l.Addr().(*net.TCPAddr).Port
		ts.Check(l.Close())
		next, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+1))
		if err != nil {
			continue
		}
		ts.Check(next.Close())
		ts.Setenv(args[0], l.Addr().String())
		return
	}
	ts.Fatalf("no two free ports in a row")
}

const patience = 30 * time.Second

// wait asks again and again until the answer is yes.
func wait(ts *testscript.TestScript, what string, done func() bool) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if done() {
			return
		}
	}
	ts.Fatalf("%s: not within %s", what, patience)
}

// serving URL waits until the URL answers 200.
func serving(ts *testscript.TestScript, _ bool, args []string) {
	wait(ts, args[0], func() bool {
		r, err := http.Get(args[0])
		if err != nil {
			return false
		}
		ts.Check(r.Body.Close())
		return r.StatusCode == http.StatusOK
	})
}

// ready FILE waits until the file is there.
func ready(ts *testscript.TestScript, _ bool, args []string) {
	wait(ts, args[0], func() bool {
		_, err := os.Stat(ts.MkAbs(args[0]))
		return err == nil
	})
}

// field FILE PATH NAME sets a variable to what stands at a path such as user.id in a JSON file.
func field(ts *testscript.TestScript, _ bool, args []string) {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	for key := range strings.SplitSeq(args[1], ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[key]
		case []any:
			var i int
			_, err := fmt.Sscan(key, &i)
			ts.Check(err)
			if i >= len(at) {
				ts.Fatalf("%s: %s has %d entries", args[0], args[1], len(at))
			}
			v = at[i]
		}
	}
	if v == nil {
		ts.Fatalf("%s has no %s", args[0], args[1])
	}
	ts.Setenv(args[2], fmt.Sprint(v))
}

// mode FILE PERM holds a file's permissions against octal ones.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[1] {
		ts.Fatalf("%s has permissions %s, want %s", args[0], got, args[1])
	}
}

// put FILE TEXT writes a file; variables in the text are filled in.
func put(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(args[1]+"\n"), 0o600))
}

// exits CODE COMMAND… runs a command and holds its exit code against the one that is wanted.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// paint FILE WIDTH HEIGHT makes a PNG picture.
func paint(ts *testscript.TestScript, _ bool, args []string) {
	width, err := strconv.Atoi(args[1])
	ts.Check(err)
	height, err := strconv.Atoi(args[2])
	ts.Check(err)
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(png.Encode(f, image.NewGray(image.Rect(0, 0, width, height))))
	ts.Check(f.Close())
}
