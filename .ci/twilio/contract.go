package main

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport-id/sallyport/.ci/internal/process"
)

// Twilio publishes the description of its API in a package of its own. Only the archive is fetched, and not the two
// hundred packages that the library in it needs; so what package-lock.json is to others stands here.
const (
	published = "@twilio/cli-core@9.0.0"
	integrity = "sha512-FPHm5gXAUwM2oATmQi3AGYPFz4Urg5G5/vDkpUu5WqNuwueQaS93HwXjdX1OM+miuq0LMimdfbXDTLEp4Nsjfg=="
	// described is where in the archive the API of 2010-04-01 is.
	described = "package/src/services/twilio-api/twilio_api_v2010.json"
	// messages is the resource that is used.
	messages = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
)

// contract is Twilio's description of its API, an OpenAPI document.
type contract struct {
	file string
	// known are the names that requests to the messages can have: of fields where it is posted to, else of parameters
	// in the query. Prism lets unknown ones through, as Twilio does, so that one with a slip in its name has no effect.
	known map[string][]string
}

// fetch gets the description.
func fetch(ctx context.Context, dir string) (contract, error) {
	out, err := process.Output(exec.CommandContext(ctx, "npm", "pack", published, "--ignore-scripts", "--loglevel=error", "--pack-destination", dir))
	if err != nil {
		return contract{}, err
	}
	archive := filepath.Join(dir, strings.TrimSpace(string(out)))
	content, err := os.ReadFile(archive)
	if err != nil {
		return contract{}, err
	}
	sum := sha512.Sum512(content)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != integrity {
		return contract{}, fmt.Errorf("it is %s, not %s", got, integrity)
	}
	if _, err := process.Output(exec.CommandContext(ctx, "tar", "-xzf", archive, "-C", dir, described)); err != nil {
		return contract{}, err
	}
	return read(filepath.Join(dir, described))
}

// read reads from the description which names requests can have.
func read(file string) (contract, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return contract{}, err
	}
	var description struct {
		Paths map[string]struct {
			Get struct {
				Parameters []struct{ Name, In string }
			}
			Post struct {
				RequestBody struct {
					Content map[string]struct {
						Schema struct {
							Properties map[string]json.RawMessage
						}
					}
				}
			}
		}
	}
	if err := json.Unmarshal(content, &description); err != nil {
		return contract{}, err
	}
	list := description.Paths[messages]
	form := list.Post.RequestBody.Content["application/x-www-form-urlencoded"].Schema.Properties
	known := map[string][]string{"POST": slices.Collect(maps.Keys(form))}
	for _, p := range list.Get.Parameters {
		if p.In == "query" {
			known["GET"] = append(known["GET"], p.Name)
		}
	}
	if len(known["POST"]) == 0 || len(known["GET"]) == 0 {
		return contract{}, fmt.Errorf("it does not say how %s is used", messages)
	}
	return contract{file: file, known: known}, nil
}
