package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

const (
	defaultConfig = "sallyport.yaml"
	// maxFile bounds configuration and secret files, in bytes: somebody named the wrong one.
	maxFile = 1 << 20
)

// file is a configuration file: one key a setting, and each key's line for those who have to mend it.
type file struct {
	path    string
	entries map[string]entry
}

type entry struct {
	line int
	// values are one for a scalar, and as many as there are for a list.
	values []string
	list   bool
	path   string
}

// resolve gives kong the value of a flag.
func (e entry) resolve(flag *kong.Flag) (any, error) {
	if !e.list {
		return e.values[0], nil
	}
	if !flag.IsSlice() {
		return nil, e.wrong(keyOf(flag.Name), "a list stands where one value belongs", "write the one value behind the key")
	}
	all := make([]any, len(e.values))
	for i, v := range e.values {
		all[i] = v
	}
	return all, nil
}

func (e entry) wrong(key, what, do string) error {
	return findings{{What: what, Where: fmt.Sprintf("%s, line %d, %s", e.path, e.line, key), Do: do}}
}

// readFile reads a configuration file strictly: what is not one of keys is an error. Errors are findings, or
// os.ErrNotExist within findings.
func readFile(path string, keys []string) (*file, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, missingFile{findings{{
			What: err.Error(), Where: "configuration file", Do: "check the name given by --config or SALLYPORT_CONFIG, and who may read it",
		}}, err}
	}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, syntax(path, err)
	}
	f := &file{path: path, entries: map[string]entry{}}
	for _, doc := range tree.Docs {
		if err := f.read(doc.Body, keys); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// missingFile is findings that os.ErrNotExist can be found in.
type missingFile struct {
	findings
	cause error
}

// Unwrap returns both, so that whoever asks finds the words and the cause.
func (m missingFile) Unwrap() []error { return []error{m.findings, m.cause} }

func syntax(path string, err error) error {
	f := finding{What: "it is no YAML: " + err.Error(), Where: path, Do: "mend it; keys and values are written as “key: value”, one a line"}
	var y yaml.Error
	if errors.As(err, &y) {
		f.What = "it is no YAML: " + y.GetMessage()
		if t := y.GetToken(); t != nil && t.Position != nil {
			f.Where = fmt.Sprintf("%s, line %d", path, t.Position.Line)
		}
	}
	return findings{f}
}

func (f *file) read(node ast.Node, keys []string) error {
	switch n := node.(type) {
	case nil, *ast.NullNode, *ast.CommentGroupNode:
		return nil
	case *ast.MappingNode:
		var all findings
		for _, v := range n.Values {
			all = append(all, f.add(v, keys)...)
		}
		if len(all) > 0 {
			return all
		}
		return nil
	case *ast.MappingValueNode:
		if all := f.add(n, keys); len(all) > 0 {
			return all
		}
		return nil
	default:
		return findings{{What: "it holds no keys", Where: f.path, Do: "write “key: value”, one a line"}}
	}
}

func (f *file) add(n *ast.MappingValueNode, keys []string) findings {
	token := n.Key.GetToken()
	key, line := token.Value, token.Position.Line
	where := fmt.Sprintf("%s, line %d, %s", f.path, line, key)
	if !slices.Contains(keys, key) {
		do := "the keys are " + strings.Join(keys, ", ")
		if near := nearest(key, keys); near != "" {
			do = fmt.Sprintf("did you mean %q? The others are in “sallyport serve --help”", near)
		}
		return findings{{What: fmt.Sprintf("there is no setting %q", key), Where: where, Do: do}}
	}
	if before, ok := f.entries[key]; ok {
		return findings{{What: fmt.Sprintf("%q is there twice, in line %d too", key, before.line), Where: where, Do: "leave one out"}}
	}
	e := entry{line: line, path: f.path}
	switch v := n.Value.(type) {
	case *ast.NullNode:
		return nil
	case *ast.SequenceNode:
		e.list = true
		for _, item := range v.Values {
			text, ok := scalar(item)
			if !ok {
				return findings{{What: "a list entry is no plain text", Where: where, Do: "write one value an entry"}}
			}
			e.values = append(e.values, text)
		}
	default:
		text, ok := scalar(n.Value)
		if !ok {
			return findings{{What: "what stands there is no plain text", Where: where, Do: "write one value behind the key"}}
		}
		e.values = []string{text}
	}
	f.entries[key] = e
	return nil
}

// scalar is a value as it was written: 10.0 stays 10.0.
func scalar(n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return v.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	default:
		return "", false
	}
}

// keysOf are the keys of the file: the settings' flags, but for the one that names the file.
func keysOf(k *kong.Context) []string {
	var keys []string
	for _, p := range k.Path {
		for _, flag := range p.Flags {
			if len(flag.Envs) > 0 && flag.Name != "config" {
				keys = append(keys, keyOf(flag.Name))
			}
		}
	}
	return keys
}

// nearest is the one of words that takes the fewest changes to become s, if it takes few.
func nearest(s string, words []string) string {
	best, least := "", len(s)/2+1
	for _, w := range words {
		if d := distance(strings.ToLower(s), w); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			last, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, last+cost)
		}
	}
	return row[len(b)]
}

// input opens a file that the command line names, or standard input where it is called -. where is what the command line
// calls it.
func (w *world) input(name, where string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(w.in), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, unreadable(where, err)
	}
	return f, nil
}

func unreadable(where string, err error) error {
	return finding{What: err.Error(), Where: where, Do: "name a file that can be read, or - for standard input"}
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // Only read from.
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	return data, nil
}

// readSecret reads a file that holds one line.
func readSecret(path string) (string, error) {
	data, err := readBounded(path)
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return text, nil
}
