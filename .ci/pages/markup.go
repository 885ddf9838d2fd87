package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/sallyport-id/sallyport/.ci/internal/process"
)

// markup holds the pages' HTML to the standard, with html-validate.
func markup(ctx context.Context, project string, pages map[string]string) ([]fault, error) {
	data, err := json.Marshal(pages)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(project, "pages.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "node", "markup.mjs", file)
	cmd.Dir = project
	out, err := process.Output(cmd)
	if err != nil {
		return nil, err
	}
	var faults []fault
	if err := json.Unmarshal(out, &faults); err != nil {
		return nil, err
	}
	for i, f := range faults {
		name, lang, _ := strings.Cut(f.Page, " ")
		faults[i].Page, faults[i].Where = name, "markup "+lang
	}
	return faults, nil
}
